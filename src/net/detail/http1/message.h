// SPDX-License-Identifier: Apache-2.0
//
// Between Beast's messages and ours.

#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>

#include "net/http.h"

namespace spanloom::net::http1 {

// Takes the content out of `message`. nullopt if it breaks a rule that the parser does not check: no Host in HTTP/1.1,
// or a request target that is neither a path, an http URL nor "*".
std::optional<HttpRequest> TakeRequest(boost::beast::http::request<boost::beast::http::string_body>&& message);

// Takes the content out of `message`; its body as it came.
HttpResponse TakeResponse(boost::beast::http::response<boost::beast::http::string_body>&& message);

// The lines of a response before its body. `keep_alive` says what to write about the connection; for HTTP/1.0 it must
// be said.
std::string ResponseHead(const HttpResponse& response, bool keep_alive, bool is_http10);

// The lines of a request before its body. `host` is written unless the request has one.
std::string RequestHead(const HttpRequest& request, std::string_view host);

}  // namespace spanloom::net::http1
