// SPDX-License-Identifier: Apache-2.0
//
// Finds the handler of an API request by its method and path.

#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace spanloom::query {

// What stood in the place of each "{...}" of the pattern, percent-decoded, in order.
using PathArguments = std::vector<std::string>;

// Answers a request; may block on the store, until a stop is requested. Thread-safe.
using RouteHandler = std::function<net::HttpResponse(const net::HttpRequest&, const PathArguments&, std::stop_token)>;

// How this API words an error.
using ErrorFormat = std::function<net::HttpResponse(int status, std::string_view message)>;

// Thread-compatible while routes are added, then immutable. A handful of routes is looked through in order.
class Router {
 public:
  explicit Router(ErrorFormat error) : error_(std::move(error)) {}

  // `pattern` is a path whose segments are literal or "{name}", which stands for one segment that is not empty:
  // "/api/services/{service}/operations". GET answers HEAD as well.
  void Add(std::string method, std::string_view pattern, RouteHandler handler);

  // Runs the handler of the first route that fits. 404 if no pattern fits the path, 405 with Allow if one does, but not
  // for this method.
  [[nodiscard]] net::HttpResponse Handle(const net::HttpRequest& request, std::stop_token stop) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;  // literal, or "" for an argument
    RouteHandler handler;
  };

  std::vector<Route> routes_;
  ErrorFormat error_;
};

}  // namespace spanloom::query
