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
#include "net/server.h"

namespace spanloom::net {

enum class DecodeWhere {
  kLoop,    // nothing happens if that would take too long (DecompressOnLoop)
  kWorker,  // a thread that may take its time
};

struct Decoding {
  bool is_done = true;                       // false: is for a worker to do
  std::optional<HttpResponse> refusal = {};  // to answer with; counted
};

// Undoes the Content-Encoding of `request.body`, if it is one of those that `options` allow, to at most as many bytes
// as they do. The refusals are the Collector's, but 413 for what is too large (OTLP 1.x). Thread-safe.
Decoding UndoContentEncoding(HttpRequest& request, DecodeWhere where, const ServerOptions& options, Refusals& refusals);

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
