// SPDX-License-Identifier: Apache-2.0
//
// Where a request came from, for those who ask: which pod, which tenant.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spanloom::otlp {

// Immutable once it is part of a slice; shared by the slices of a request.
struct RequestOrigin {
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  std::string peer_address = {};  // "10.0.0.7", without the port; "" over a unix socket
  Pairs metadata = {};  // headers, names in lower case, in order of arrival; only where the receiver keeps them
  Pairs auth = {};      // what the authenticator found out: "username", "subject", ...

  // The first value of `name`, or nullptr.
  [[nodiscard]] static const std::string* Find(const Pairs& pairs, std::string_view name) {
    for (const auto& [key, value] : pairs) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

}  // namespace spanloom::otlp
