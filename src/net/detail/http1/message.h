// SPDX-License-Identifier: Apache-2.0
//
// Between Beast's messages and ours.

#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace spanloom::net::http1 {

// The request that `header` begins, without its body. nullopt if it breaks a rule that the parser does not check: no
// Host in HTTP/1.1, or a request target that is neither a path, an http URL nor "*".
std::optional<HttpRequest> ToRequest(const boost::beast::http::request_header<>& header);

// The headers of `fields`, names in lower case.
HttpHeaders ToHeaders(const boost::beast::http::fields& fields);

// How the length of a response's body is told.
enum class BodyLength { kContentLength, kChunked, kUntilClose };

// The lines of a response before its body. `keep_alive` says what to write about the connection; for HTTP/1.0 it must
// be said. `date` is written unless the response has one.
std::string ResponseHead(const HttpResponse& response, BodyLength length, bool keep_alive, bool is_http10,
                         std::string_view date);

// The lines of a request before its body, which is `body_bytes` long, or chunked if that is not known. `host` is
// written unless the request has one. An `upgrade` among its headers is asked for.
std::string RequestHead(const HttpRequest& request, std::string_view host, std::optional<uint64_t> body_bytes);

}  // namespace spanloom::net::http1
