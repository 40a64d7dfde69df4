// SPDX-License-Identifier: Apache-2.0
//
// The door through which received requests come in: the one place that turns bytes of a sender into a slice.

#pragma once

#include "base/bytes.h"
#include "base/status.h"
#include "otlp/batch.h"

namespace spanloom::otlp {

// An ExportTraceServiceRequest as a slice of all its spans. Shares the bytes, unless some message in them is written in
// several parts: then they are put together in a copy (merge.h). kInvalidArgument as ValidateTraces says.
StatusOr<Slice> ReadTraces(Bytes wire);

// A request of any signal. Those of metrics and logs are kept as they are written.
StatusOr<Slice> ReadRequest(Signal signal, Bytes wire);

}  // namespace spanloom::otlp
