// SPDX-License-Identifier: Apache-2.0
//
// One Fetch() of the memory store under way.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "store/fetch.h"
#include "store/head/candidate_reader.h"
#include "store/scan/batch_builder.h"
#include "store/scan/found_traces.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"
#include "store/scan/trace_selector.h"

namespace spanloom::store::memory {

// As stored: traces come as they are found. Newest first: the first Next() looks at traces, newest first, until no
// other one can belong to the answer, and keeps references to those that do; then they come.
class MemoryCursor final : public SpanCursor {
 public:
  // `plan` must be valid; `table` and `clock` must outlive the cursor.
  MemoryCursor(FetchPlan plan, const head::LockedTable& table, const Clock& clock);

  StatusOr<std::optional<SpanBatch>> Next() override;
  [[nodiscard]] FetchStats stats() const override { return meter_.stats(); }

 private:
  [[nodiscard]] head::CandidateQuery QueryOf() const;
  StatusOr<std::optional<SpanBatch>> NextAsStored();
  StatusOr<std::optional<SpanBatch>> NextFound();
  Status Select();
  Status Consider(const head::Candidate& candidate);

  const FetchPlan plan_;
  scan::ReadMeter meter_;
  scan::TraceSelector selector_;
  head::CandidateReader candidates_;
  scan::TraceReading reading_;
  scan::BatchBuilder builder_;
  scan::FoundTraces<head::TraceSpans> found_;  // of kNewestFirst; those not handed out yet
  bool is_selected_ = false;
  size_t traces_left_;  // of plan_.traces_max; of kAsStored
};

}  // namespace spanloom::store::memory
