// SPDX-License-Identifier: Apache-2.0
//
// One Fetch() of the columnar store under way.

#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "store/columnar/read/trace_candidates.h"
#include "store/columnar/read/whole_traces.h"
#include "store/fetch.h"
#include "store/scan/batch_builder.h"
#include "store/scan/found_traces.h"
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
  StatusOr<std::optional<SpanBatch>> NextAsStored();
  StatusOr<std::optional<SpanBatch>> NextFound();
  Status Select();
  // The latest start among the spans of the trace that match; nullopt if it is not selected. Its spans are in
  // reading_ and `spans` then.
  StatusOr<std::optional<uint64_t>> LatestMatch(const WalkedTrace& trace, GatheredSpans& spans);
  void Keep(const FetchPosition& position, GatheredSpans spans);

  // The spans of a trace that was found. Not kept where all together would exceed the limit: they are read again.
  struct FoundSpans {
    GatheredSpans spans;
    size_t bytes = 0;
  };

  const FetchPlan plan_;
  scan::ReadMeter meter_;
  scan::TraceSelector selector_;
  TraceCandidates candidates_;
  WholeTraces traces_;
  scan::TraceReading reading_;
  scan::BatchBuilder builder_;
  scan::FoundTraces<FoundSpans> found_;  // of kNewestFirst; those not handed out yet
  size_t found_bytes_ = 0;
  bool is_selected_ = false;
  size_t traces_left_;  // of plan_.traces_max; of kAsStored
};

}  // namespace spanloom::store::columnar
