// SPDX-License-Identifier: Apache-2.0
//
// URLs of http and https as users write them (RFC 3986). What may be a secret in one, its user and password and what
// stands behind "?", is kept out of messages.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom {

struct Url {
  bool is_secure = false;      // https
  std::string endpoint = {};   // "host:port", "[::1]:80"; the ports are 80 and 443 if there is none
  std::string user_info = {};  // "user:password", escapes kept; "" if there is none
  std::string path = {};       // "/" if there is none; escapes kept
  std::string query = {};      // after "?"; escapes kept
};

// What is behind "#" is left out. kInvalidArgument if `url` has neither scheme, or no host, or a port that is none; the
// message has ShownUrl of it.
StatusOr<Url> ParseUrl(std::string_view url);

// "https://host:8080/config.yaml" of "https://user:password@host:8080/config.yaml?token=x": for messages. Whatever
// `url` is.
std::string ShownUrl(std::string_view url);

}  // namespace spanloom
