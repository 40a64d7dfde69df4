// SPDX-License-Identifier: Apache-2.0
//
// OTLP/JSON in: a request body becomes the same request in protobuf, so that everything behind the receiver knows one
// form. As loose as real senders are: 64-bit integers as numbers or strings, integral doubles such as 1e+300 as
// intValue,
// {"doubleValue": null}, "NaN" and "Infinity", {} as an array element, lone surrogate escapes, camelCase and snake_case
// keys, enums as numbers or names, nulls anywhere, unknown fields. What each becomes is a table in transcode.cc.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::otlp {

// Returns an ExportTraceServiceRequest in protobuf that passes ValidateTraces. kInvalidArgument names the path
// ("resourceSpans[0].scopeSpans[0].spans[3].traceId") and what was expected, or the byte offset where it is not JSON.
StatusOr<std::string> TranscodeTracesJson(std::string_view json);

}  // namespace spanloom::otlp
