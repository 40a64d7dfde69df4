// SPDX-License-Identifier: Apache-2.0

#include "pipeline/cors.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

// What is allowed without being configured: rs/cors of Go, whose defaults the Collector has.
constexpr std::array<std::string_view, 3> kMethods = {"GET", "POST", "HEAD"};
constexpr std::array<std::string_view, 4> kHeaders = {"accept", "content-type", "x-requested-with", "origin"};

// `pattern` may have one "*", which stands for anything.
bool Matches(std::string_view pattern, std::string_view origin) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return absl::EqualsIgnoreCase(AbslView(pattern), AbslView(origin));
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  return origin.size() >= before.size() + after.size() &&
         absl::StartsWithIgnoreCase(AbslView(origin), AbslView(before)) &&
         absl::EndsWithIgnoreCase(AbslView(origin), AbslView(after));
}

std::string Joined(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) StrAppend(joined, joined.empty() ? "" : ", ", name);
  return joined;
}

template <typename Names>
bool Contains(const Names& names, std::string_view wanted) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return absl::EqualsIgnoreCase(AbslView(name), AbslView(wanted)); });
}

}  // namespace

void CorsOptions::Declare(config::OptionsReader& r) {
  r.Field("allowed_origins", allowed_origins,
          "Origins whose pages may send, such as https://*.example.com with one * that stands for anything.");
  r.Field("allowed_headers", allowed_headers,
          "Headers that they may send besides Accept, Content-Type and X-Requested-With; * means all.");
  r.Field("exposed_headers", exposed_headers, "Headers of answers that their scripts may read.");
  r.Field("max_age", max_age, "How long a browser may remember what is allowed; 0 leaves that to it.",
          {.min = 0, .unit = "seconds"});
}

Status CorsOptions::Validate() const {
  for (const std::string& origin : allowed_origins) {
    if (std::count(origin.begin(), origin.end(), '*') <= 1) continue;
    return absl::InvalidArgumentError(StrCat("allowed_origins: \"", origin, "\" has more than one *"));
  }
  return absl::OkStatus();
}

bool Cors::AllowsOrigin(std::string_view origin) const {
  return std::any_of(options_.allowed_origins.begin(), options_.allowed_origins.end(),
                     [&](const std::string& pattern) { return Matches(pattern, origin); });
}

bool Cors::AllowsHeaders(std::string_view names) const {
  if (Contains(options_.allowed_headers, "*")) return true;
  while (!names.empty()) {
    const std::string_view item = names.substr(0, names.find(','));
    names.remove_prefix(std::min(item.size() + 1, names.size()));
    const std::string_view name = StdView(absl::StripAsciiWhitespace(AbslView(item)));
    if (!name.empty() && !Contains(kHeaders, name) && !Contains(options_.allowed_headers, name)) return false;
  }
  return true;
}

void Cors::AddOrigin(std::string_view origin, net::HttpResponse& response) const {
  const bool is_for_all = Contains(options_.allowed_origins, "*");
  response.headers.Add("access-control-allow-origin", is_for_all ? "*" : std::string(origin));
  response.headers.Add("access-control-allow-credentials", "true");
}

std::optional<net::HttpResponse> Cors::Preflight(const net::HttpRequest& request) const {
  const std::string_view method = request.headers.Get("access-control-request-method");
  if (request.method != "OPTIONS" || method.empty()) return std::nullopt;
  net::HttpResponse response{.status = 204, .headers = {}, .body = {}};
  response.headers.Add("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  const std::string_view origin = request.headers.Get("origin");
  const std::string_view headers = request.headers.Get("access-control-request-headers");
  if (!AllowsOrigin(origin) || !Contains(kMethods, method) || !AllowsHeaders(headers)) return response;
  AddOrigin(origin, response);
  response.headers.Add("access-control-allow-methods", std::string(method));
  if (!headers.empty()) response.headers.Add("access-control-allow-headers", std::string(headers));
  if (options_.max_age > 0) response.headers.Add("access-control-max-age", StrCat(options_.max_age));
  return response;
}

void Cors::Permit(std::string_view origin, net::HttpResponse& response) const {
  response.headers.Add("vary", "Origin");
  if (origin.empty() || !AllowsOrigin(origin)) return;
  AddOrigin(origin, response);
  if (!options_.exposed_headers.empty()) {
    response.headers.Add("access-control-expose-headers", Joined(options_.exposed_headers));
  }
}

}  // namespace spanloom::pipeline
