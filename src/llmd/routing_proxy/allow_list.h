// SPDX-License-Identifier: Apache-2.0
//
// Which hosts a request may be sent to for prefill: a header names them, and a header can be forged.

#pragma once

#include <memory>
#include <string_view>

namespace spanloom::llmd::routing_proxy {

// Thread-safe; asked on loops, must not block.
class AllowList {
 public:
  virtual ~AllowList() = default;

  // `host` as a header has it, without port and brackets.
  [[nodiscard]] virtual bool Allows(std::string_view host) const = 0;
};

// Everybody: without SSRF protection.
class AllowAll final : public AllowList {
 public:
  [[nodiscard]] bool Allows(std::string_view) const override { return true; }
};

}  // namespace spanloom::llmd::routing_proxy
