// SPDX-License-Identifier: Apache-2.0
//
// What holds for requests and responses whichever HTTP carries them: content codings, and which headers are whose.

#pragma once

#include <cstddef>
#include <optional>

#include "net/detail/refusals.h"
#include "net/http.h"

namespace spanloom::net {

// Undoes the Content-Encoding of `request.body`, to at most `bytes_max` bytes. Returns the refusal to answer with,
// counted in `refusals`, or nullopt if all is well. The answers are the Collector's, but 413 for what is too large
// (OTLP 1.x).
std::optional<HttpResponse> UndoContentEncoding(HttpRequest& request, size_t bytes_max, Refusals& refusals);

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
