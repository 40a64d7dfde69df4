// SPDX-License-Identifier: Apache-2.0

#include "otlp/request.h"

#include <utility>

#include "otlp/merge.h"
#include "otlp/validate.h"

namespace spanloom::otlp {

StatusOr<Slice> ReadTraces(Bytes wire) {
  ASSIGN_OR_RETURN(const RequestStats stats, ValidateTraces(wire.view()));
  if (stats.has_split_messages) wire = Bytes(MergeSplitMessages(wire.view()));
  return Slice(std::move(wire), stats.spans);
}

StatusOr<Slice> ReadRequest(Signal signal, Bytes wire) {
  if (signal == Signal::kTraces) return ReadTraces(std::move(wire));
  ASSIGN_OR_RETURN(const RequestStats stats, ValidateRequest(signal, wire.view()));
  return Slice(std::move(wire), stats.spans, signal);
}

}  // namespace spanloom::otlp
