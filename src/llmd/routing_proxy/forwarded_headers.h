// SPDX-License-Identifier: Apache-2.0
//
// Which headers go on to a model server: those of the client, without what was about its connection or for us.

#pragma once

#include <string_view>

#include "net/http.h"

namespace spanloom::llmd::routing_proxy {

// Without the headers of the connection (RFC 9110, 7.6.1) and those that route; `request_id` (unless it is "") takes
// the place of any x-request-id, and the client's address is added to x-forwarded-for. The trace context stays as it
// came: whoever sends the request sets that.
[[nodiscard]] net::HttpHeaders ForwardedHeaders(const net::HttpRequest& request, std::string_view request_id);

}  // namespace spanloom::llmd::routing_proxy
