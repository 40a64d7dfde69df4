// SPDX-License-Identifier: Apache-2.0
//
// How configuration names components and pipelines: "type" or "type/name".

#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::pipeline {

struct ComponentId {
  std::string type;  // ^[a-zA-Z][0-9a-zA-Z_]{0,62}$
  std::string name;  // "" if there is none; else at most 1024 bytes without spaces or control characters

  // kInvalidArgument says which part breaks which rule.
  static StatusOr<ComponentId> Parse(std::string_view text);

  // As it was written.
  [[nodiscard]] std::string ToString() const;

  friend auto operator<=>(const ComponentId&, const ComponentId&) = default;
};

}  // namespace spanloom::pipeline
