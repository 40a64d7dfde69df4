// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/delivery_stats.h"

#include <algorithm>

#include "base/text.h"

namespace spanloom::cli::tracegen {

void DeliveryStats::Accept(const ExportAnswer& answer, uint64_t spans, int64_t duration_ns) {
  // A receiver that claims to reject more than it was sent has accepted nothing.
  const uint64_t rejected = std::min(answer.rejected_spans, spans);
  acknowledged_spans += spans - rejected;
  rejected_spans += rejected;
  if (rejected > 0 && rejected_reason.empty()) rejected_reason = answer.rejected_reason;
  latency.Record(duration_ns);
}

uint64_t DeliveryStats::lost_spans() const {
  return rejected_spans + SumSpans(refused) + SumSpans(exhausted) + SumSpans(abandoned);
}

void AddProblem(const ExportAnswer& answer, uint64_t spans, Problems& problems) {
  Problem& problem = problems[answer.code];
  if (problem.requests == 0) problem.message = std::string(StdView(answer.status.message()));
  ++problem.requests;
  problem.spans += spans;
}

uint64_t SumSpans(const Problems& problems) {
  uint64_t sum = 0;
  for (const auto& [code, problem] : problems) sum += problem.spans;
  return sum;
}

}  // namespace spanloom::cli::tracegen
