// SPDX-License-Identifier: Apache-2.0
//
// What a user most likely meant by a word that is not known.

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace spanloom::config {

// The one of `known` that is fewest letters away from `word`, the first of several; "" if none is near: at most 2
// letters, fewer for short words (guess). O(letters of `word` * letters of `known`).
[[nodiscard]] std::string Nearest(std::string_view word, std::span<const std::string> known);

// "", or "; did you mean \"batch\"?" for a message.
[[nodiscard]] std::string DidYouMean(std::string_view word, std::span<const std::string> known);

}  // namespace spanloom::config
