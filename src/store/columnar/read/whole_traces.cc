// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/whole_traces.h"

#include <utility>

namespace spanloom::store::columnar {

void WholeTraces::CountDamage(const Status& status) {
  ++damaged_parts_;
  damage_.Add(status);
}

StatusOr<std::optional<WalkedTrace>> WholeTraces::Next() {
  while (true) {
    StatusOr<std::optional<WalkedTrace>> trace = walk_.Next();
    if (absl::IsDataLoss(trace.status())) {
      CountDamage(trace.status());
      continue;
    }
    if (trace.ok() && trace->has_value()) RETURN_IF_ERROR(meter_.Step());
    return trace;
  }
}

StatusOr<GatheredSpans> WholeTraces::SpansOf(const WalkedTrace& trace) {
  StatusOr<GatheredSpans> spans = gatherer_.Gather(trace.id, trace.hint, meter_);
  if (!absl::IsDataLoss(spans.status())) return spans;
  CountDamage(spans.status());
  return GatheredSpans();
}

}  // namespace spanloom::store::columnar
