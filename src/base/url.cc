// SPDX-License-Identifier: Apache-2.0

#include "base/url.h"

#include <absl/strings/numbers.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace spanloom {
namespace {

constexpr uint32_t kPortMax = 65'535;

// Where the authority ends.
size_t AuthorityEnd(absl::string_view text) {
  return std::min(text.find_first_of("/?#"), text.size());
}

// "host:80" of "host"; "" if it cannot be one.
std::string EndpointOf(absl::string_view authority, bool is_secure) {
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  const bool has_port = colon != absl::string_view::npos && (bracket == absl::string_view::npos || bracket < colon);
  const absl::string_view host = has_port ? authority.substr(0, colon) : authority;
  if (host.empty() || host.find_first_of(" \t\r\n") != absl::string_view::npos) return "";
  if (!has_port) return StrCat(host, is_secure ? ":443" : ":80");
  uint32_t port = 0;
  return absl::SimpleAtoi(authority.substr(colon + 1), &port) && port <= kPortMax ? std::string(authority) : "";
}

}  // namespace

StatusOr<Url> ParseUrl(std::string_view url) {
  absl::string_view rest = AbslView(url.substr(0, url.find('#')));
  Url parsed;
  parsed.is_secure = absl::ConsumePrefix(&rest, "https://");
  const bool is_url = parsed.is_secure || absl::ConsumePrefix(&rest, "http://");
  absl::string_view authority = rest.substr(0, AuthorityEnd(rest));
  rest.remove_prefix(authority.size());
  if (const size_t at = authority.rfind('@'); at != absl::string_view::npos) {
    parsed.user_info = std::string(authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  parsed.endpoint = EndpointOf(authority, parsed.is_secure);
  if (!is_url || parsed.endpoint.empty()) {
    return absl::InvalidArgumentError(
        StrCat("\"", ShownUrl(url), "\" is no URL; write http://HOST:PORT/PATH or https://HOST:PORT/PATH"));
  }
  const size_t question = std::min(rest.find('?'), rest.size());
  parsed.path = question == 0 ? "/" : std::string(rest.substr(0, question));
  if (question < rest.size()) parsed.query = std::string(rest.substr(question + 1));
  return parsed;
}

std::string ShownUrl(std::string_view url) {
  const std::string_view whole = url.substr(0, url.find_first_of("?#"));
  const size_t slashes = whole.find("://");
  const size_t begin = slashes == std::string_view::npos ? 0 : slashes + 3;
  const std::string_view rest = whole.substr(begin);
  const size_t at = rest.substr(0, AuthorityEnd(AbslView(rest))).rfind('@');
  return StrCat(whole.substr(0, begin), at == std::string_view::npos ? rest : rest.substr(at + 1));
}

}  // namespace spanloom
