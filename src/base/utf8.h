// SPDX-License-Identifier: Apache-2.0
//
// Whether bytes are UTF-8, and how to make them so. Unicode 15, table 3-7.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spanloom {

// The bytes of the sequence that starts at `at`, which is below text.size(); 0 if it is none (overlong forms,
// surrogates and values above U+10FFFF included).
[[nodiscard]] size_t Utf8SequenceLength(std::string_view text, size_t at);

[[nodiscard]] bool IsUtf8(std::string_view text);

// `text` with U+FFFD for each byte that belongs to no sequence.
[[nodiscard]] std::string RepairUtf8(std::string_view text);

// The bytes of the first `characters` characters of `text`, or of all if there are fewer. A byte that belongs to no
// sequence counts as one.
[[nodiscard]] std::string_view Utf8Prefix(std::string_view text, size_t characters);

}  // namespace spanloom
