// SPDX-License-Identifier: Apache-2.0
//
// What holds for requests and responses whichever HTTP carries them: content codings, and which headers are whose.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "net/detail/refusals.h"
#include "net/http.h"

namespace spanloom::net {

// What is compressed and larger than this is not inflated on a loop: at 1.5 to 2.5 ns a byte of output (libdeflate on
// spans), 256 KiB take about a millisecond.
inline constexpr size_t kInflateOnLoopBytesMax = 256 << 10;

// True if UndoContentEncoding would take too long for a loop.
[[nodiscard]] bool IsLongToDecode(const HttpRequest& request);

// Undoes the Content-Encoding of `request.body`, to at most `bytes_max` bytes. Returns the refusal to answer with,
// counted in `refusals`, or nullopt if all is well. The answers are the Collector's, but 413 for what is too large
// (OTLP 1.x). Thread-safe.
std::optional<HttpResponse> UndoContentEncoding(HttpRequest& request, size_t bytes_max, Refusals& refusals);

// "503" with Retry-After, for when the server can't take the request now.
HttpResponse ComeAgain(std::string_view why);

// "413" for a body over `bytes_max`.
HttpResponse BodyTooLarge(size_t bytes_max);

// False for statuses whose responses end with their header (RFC 9110, 6.4.1).
[[nodiscard]] bool MayHaveBody(int status);

// True if `name`, in lower case, is about the connection and not the message (RFC 9110, 7.6.1), or is written by the
// server.
[[nodiscard]] bool IsConnectionHeader(std::string_view name);

// A handler's header value without what would end it: control characters become spaces.
[[nodiscard]] std::string CleanHeaderValue(std::string value);

// In ASCII.
[[nodiscard]] std::string ToLower(std::string_view text);

}  // namespace spanloom::net
