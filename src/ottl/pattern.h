// SPDX-License-Identifier: Apache-2.0
//
// Regular expressions of conditions and statements: RE2, as the Collector's (docs/decisions/0011).

#pragma once

#include <re2/re2.h>

#include <string_view>

#include "base/status.h"
#include "ottl/function.h"

namespace spanloom::ottl {

// A compiled pattern, prepared from an argument.
class Pattern final : public Prepared {
 public:
  // kInvalidArgument says what is wrong with it in the Collector's words, which name `function`.
  static StatusOr<std::unique_ptr<const Pattern>> Compile(std::string_view function, std::string_view pattern);

  [[nodiscard]] const re2::RE2& re2() const { return re2_; }
  // True if it matches anywhere in `text`.
  [[nodiscard]] bool Matches(std::string_view text) const;

  explicit Pattern(std::string_view pattern);

 private:
  re2::RE2 re2_;
};

// Function::prepare of functions whose parameter `kIndex` is a pattern.
template <const char* kFunction, size_t kIndex>
PreparedOr PreparePattern(const Arguments& arguments) {
  auto pattern = Pattern::Compile(kFunction, arguments[kIndex].text());
  if (!pattern.ok()) return pattern.status();
  return PreparedOr(*std::move(pattern));
}

}  // namespace spanloom::ottl
