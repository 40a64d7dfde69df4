// SPDX-License-Identifier: Apache-2.0
//
// URLs as Go's net/url reads and writes them, which is what the converter URL shows. RFC 3986, and where Go is laxer or
// stricter than that, Go (1.26).

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace spanloom::ottl {

// A URL, taken apart: escapes are resolved unless a field says otherwise.
struct GoUrl {
  std::string scheme;  // lower case
  std::string opaque;  // as written, what follows the scheme if that is no "/"; then there is no path
  std::optional<std::string> user;
  std::optional<std::string> password;  // only with a user
  std::string host;                     // with the port; an IPv6 address in brackets
  std::string path;
  std::string query;  // as written, without "?"
  std::string fragment;

  // kInvalidArgument: Go's reason, such as `parse ":a": missing protocol scheme`.
  static StatusOr<GoUrl> Parse(std::string_view text);

  [[nodiscard]] std::string HostName() const;  // without port and brackets
  [[nodiscard]] std::string Port() const;      // digits; empty if there is none
  [[nodiscard]] std::string UserInfo() const;  // user and password, escaped; empty without a user
  // The whole, escaped where that is needed.
  [[nodiscard]] std::string ToString() const;

 private:
  Status ReadAddress(std::string_view text);
  Status ReadAuthority(std::string_view authority);
  Status ReadUser(std::string_view info);
  [[nodiscard]] std::string ToHierarchy() const;

  std::string written_path_;
  std::string written_fragment_;
  bool omits_host_ = false;  // a scheme, and a path right behind it: "file:/a"
  bool has_query_ = false;   // perhaps an empty one
};

// "a=b&c=d" as Go's url.ParseQuery reads it. kInvalidArgument: a malformed escape, or a ";".
[[nodiscard]] StatusOr<std::map<std::string, std::vector<std::string>>> ParseGoQuery(std::string_view query);

}  // namespace spanloom::ottl
