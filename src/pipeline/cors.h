// SPDX-License-Identifier: Apache-2.0
//
// Cross-origin requests, so that the SDKs of web pages can send: the Collector's `cors`, with the answers of the
// library it uses. Specification: fetch.spec.whatwg.org, "CORS protocol".

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "net/http.h"

namespace spanloom::pipeline {

struct CorsOptions {
  std::vector<std::string> allowed_origins = {};  // "https://*.example.com": at most one "*" in each
  std::vector<std::string> allowed_headers = {};  // beyond those that are always allowed; "*": all
  std::vector<std::string> exposed_headers = {};
  int32_t max_age = 0;  // seconds; 0: left to the browser, which takes 5
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Immutable.
class Cors {
 public:
  explicit Cors(CorsOptions options) : options_(std::move(options)) {}

  // The answer to `request` if it asks what is allowed, and is no request of its own: 204, which says nothing if the
  // origin, the method or a header is not allowed.
  [[nodiscard]] std::optional<net::HttpResponse> Preflight(const net::HttpRequest& request) const;

  // Says to the browser that a page of `origin` (the request's header, perhaps empty) may read `response`, if it may.
  void Permit(std::string_view origin, net::HttpResponse& response) const;

 private:
  [[nodiscard]] bool AllowsOrigin(std::string_view origin) const;
  [[nodiscard]] bool AllowsHeaders(std::string_view names) const;
  void AddOrigin(std::string_view origin, net::HttpResponse& response) const;

  const CorsOptions options_;
};

}  // namespace spanloom::pipeline
