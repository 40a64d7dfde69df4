// SPDX-License-Identifier: Apache-2.0
//
// One Fetch() of the columnar store under way.

#pragma once

#include <absl/container/btree_map.h>

#include <memory>
#include <optional>

#include "base/clock.h"
#include "store/columnar/damage_counter.h"
#include "store/columnar/parts_table.h"
#include "store/columnar/trace_gatherer.h"
#include "store/columnar/trace_walk.h"
#include "store/fetch.h"
#include "store/scan/batch_builder.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"
#include "store/scan/trace_selector.h"

namespace spanloom::store::columnar {

// As stored: traces come as they are found. Newest first: the first Next() looks at traces, newest first, until no
// other one can belong to the answer, and keeps those that do; then they come.
class ColumnarCursor final : public SpanCursor {
 public:
  // `plan` must be valid; all else must outlive the cursor.
  ColumnarCursor(FetchPlan plan, const PartsTable& table, DamageCounter& damage, const Clock& clock);

  StatusOr<std::optional<SpanBatch>> Next() override;
  [[nodiscard]] FetchStats stats() const override;

 private:
  using Found = absl::btree_map<FetchPosition, GatheredSpans>;

  StatusOr<std::optional<SpanBatch>> NextAsStored();
  StatusOr<std::optional<SpanBatch>> NextFound();
  Status Select();
  Status Consider(const WalkedTrace& trace);
  // The next trace that can be read; damaged parts are counted and left out.
  StatusOr<std::optional<WalkedTrace>> NextTrace();
  // Gathers and reads it; false if it is not there any more, or can't be read.
  StatusOr<bool> Read(const WalkedTrace& trace, GatheredSpans& spans);
  [[nodiscard]] bool MayMatch(const WalkedTrace& trace) const;
  [[nodiscard]] bool IsCompleteAt(uint64_t latest_start_unix_ns) const;

  const FetchPlan plan_;
  const Parts parts_;
  const SplitTraces& split_;
  DamageCounter& damage_;
  scan::ReadMeter meter_;
  scan::TraceSelector selector_;
  TraceWalk walk_;
  TraceGatherer gatherer_;
  scan::TraceReading reading_;
  scan::BatchBuilder builder_;
  Found found_;  // of kNewestFirst; those not handed out yet
  bool is_selected_ = false;
  size_t traces_left_;  // of plan_.traces_max; of kAsStored
  uint64_t damaged_parts_ = 0;
};

}  // namespace spanloom::store::columnar
