// SPDX-License-Identifier: Apache-2.0
//
// OTLP/JSON in: the body of a request of any signal becomes the same request in protobuf, so that everything behind the
// receiver knows one form. As loose as real senders are: 64-bit integers as numbers or strings, integral doubles as
// intValue (1e+300),
// {"doubleValue": null}, "NaN" and "Infinity", {} as an array element, lone surrogate escapes, camelCase and snake_case
// keys, enums as numbers or names, nulls anywhere, unknown fields. What each becomes is a table in transcode.cc.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"
#include "otlp/signal.h"

namespace spanloom::otlp {

// A byte of a text that is not UTF-8 becomes U+FFFD, of three bytes; nothing else grows.
inline constexpr size_t kJsonExpansionMax = 3;

// Returns an ExportTraceServiceRequest in protobuf that passes ValidateTraces. kInvalidArgument names the path
// ("resourceSpans[0].scopeSpans[0].spans[3].traceId") and what was expected, or the byte offset where it is not JSON.
// Memory: the result is at most kJsonExpansionMax times as long as the body; while parsing, up to 15 bytes are held for
// each byte of the body (simdjson's tape, texts and indexes), and kJsonExpansionMax times that if it has bytes that are
// not UTF-8. Each thread keeps what bodies of up to 2 MiB took. Thread-safe.
StatusOr<std::string> TranscodeTracesJson(std::string_view json);

// The same for a request of any signal; the result passes ValidateRequest.
StatusOr<std::string> TranscodeJson(Signal signal, std::string_view json);

}  // namespace spanloom::otlp
