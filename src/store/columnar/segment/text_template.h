// SPDX-License-Identifier: Apache-2.0
//
// Texts with long hexadecimal numbers in them (request ids, UUIDs) as a template and the numbers as bytes: half the
// size, and of one length, so that entry i is found without an index. Format: docs/formats/segment.md, "Text".

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spanloom::store::columnar {

// A run of lower-case hexadecimal digits that is worth to be taken out is at least so long, and of even length.
inline constexpr size_t kHexRunMin = 4;  // a UUID's middle groups

// "\x01" and a byte n stand for 2n digits; a text that holds "\x01" has no template. Immutable.
class TextTemplate {
 public:
  // "": plain text.
  explicit TextTemplate(std::string pattern = {});

  [[nodiscard]] const std::string& pattern() const { return pattern_; }
  // Bytes of an entry's payload; 0 for plain text, whose entries have lengths of their own.
  [[nodiscard]] size_t payload_bytes() const { return payload_bytes_; }
  // Appends the text that has this payload.
  void Expand(std::string_view payload, std::string& out) const;

 private:
  std::string pattern_;
  size_t payload_bytes_ = 0;
};

// Splits texts into pattern and payload, and numbers the patterns. Thread-compatible.
class TemplateTable {
 public:
  static constexpr size_t kTemplatesMax = 256;  // further ones are plain text; guess

  TemplateTable() : patterns_(1) {}

  // The number of the text's template, and its payload, appended to `payload`. 0: plain, and the payload is the text.
  uint32_t Split(std::string_view text, std::string& payload);

  // By number; the first is "".
  [[nodiscard]] const std::vector<std::string>& patterns() const { return patterns_; }

 private:
  std::vector<std::string> patterns_;
  absl::flat_hash_map<std::string, uint32_t> numbers_;
  std::string pattern_;  // of the text at hand
};

}  // namespace spanloom::store::columnar
