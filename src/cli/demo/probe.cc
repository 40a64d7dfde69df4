// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/probe.h"

#include <utility>

#include "net/client.h"
#include "net/waiting_request.h"

namespace spanloom::cli::demo {
bool Answers(net::Loop& loop, const std::string& endpoint, const std::string& path,
             std::chrono::milliseconds patience) {
  net::HttpClientOptions options;
  options.endpoint = endpoint;
  options.connections_max = 1;
  net::HttpRequest request{.method = "GET", .path = path};
  const StatusOr<net::HttpResponse> response = net::SendAndWait(loop, std::move(options), std::move(request), patience);
  return response.ok() && response->status == 200;
}

}  // namespace spanloom::cli::demo
