// SPDX-License-Identifier: Apache-2.0
//
// StrCat and StrAppend that take std::string_view. Debian's Abseil is built with a string_view of its own, which
// std::string_view does not convert to; this is the one place that knows.

#pragma once

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <concepts>
#include <string>
#include <string_view>

namespace spanloom {

// The same characters as Abseil's or the standard's type.
inline absl::string_view AbslView(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view StdView(absl::string_view text) {
  return {text.data(), text.size()};
}

namespace text_internal {
template <typename T>
inline const T& Adapt(const T& part) {
  return part;
}
inline absl::string_view Adapt(const std::string_view& part) {
  return AbslView(part);
}
}  // namespace text_internal

// All parts, strings and numbers, one after the other.
template <typename... Parts>
[[nodiscard]] std::string StrCat(const Parts&... parts) {
  return absl::StrCat(text_internal::Adapt(parts)...);
}

// The same, appended to `out`.
template <typename... Parts>
void StrAppend(std::string& out, const Parts&... parts) {
  absl::StrAppend(&out, text_internal::Adapt(parts)...);
}

}  // namespace spanloom
