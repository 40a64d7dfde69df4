// SPDX-License-Identifier: Apache-2.0

#include "query/router.h"

#include <absl/strings/str_split.h>

#include <optional>
#include <utility>

#include "base/text.h"

namespace spanloom::query {
namespace {

bool IsArgument(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}

// The arguments if `path` fits `segments`.
std::optional<PathArguments> Match(const std::vector<std::string>& segments,
                                   const std::vector<absl::string_view>& path) {
  if (segments.size() != path.size()) return std::nullopt;
  PathArguments arguments;
  for (size_t i = 0; i < path.size(); ++i) {
    std::string decoded = net::PercentDecode(StdView(path[i]));
    if (!segments[i].empty()) {
      if (decoded != segments[i]) return std::nullopt;
    } else if (decoded.empty()) {
      return std::nullopt;
    } else {
      arguments.push_back(std::move(decoded));
    }
  }
  return arguments;
}

}  // namespace

void Router::Add(std::string method, std::string_view pattern, RouteHandler handler) {
  Route route = {.method = std::move(method), .segments = {}, .handler = std::move(handler)};
  // The empty text in front of the first slash is not a segment, nor could it be told from an argument.
  for (const absl::string_view segment : absl::StrSplit(AbslView(pattern.substr(1)), '/')) {
    route.segments.emplace_back(IsArgument(StdView(segment)) ? "" : StdView(segment));
  }
  routes_.push_back(std::move(route));
}

net::HttpResponse Router::Handle(const net::HttpRequest& request, std::stop_token stop) const {
  if (!request.path.starts_with('/')) return error_(404, StrCat("no such path: ", request.path));
  const std::vector<absl::string_view> path = absl::StrSplit(AbslView(std::string_view(request.path).substr(1)), '/');
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  std::string allowed;
  for (const Route& route : routes_) {
    const auto arguments = Match(route.segments, path);
    if (!arguments) continue;
    if (route.method == method) return route.handler(request, *arguments, std::move(stop));
    StrAppend(allowed, allowed.empty() ? "" : ", ", route.method, route.method == "GET" ? ", HEAD" : "");
  }
  if (allowed.empty()) return error_(404, StrCat("no such path: ", request.path));
  net::HttpResponse response = error_(405, StrCat(request.method, " is not allowed here; use ", allowed));
  response.headers.Add("allow", allowed);
  return response;
}

}  // namespace spanloom::query
