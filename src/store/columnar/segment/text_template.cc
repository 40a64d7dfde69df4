// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/text_template.h"

#include <array>
#include <utility>

namespace spanloom::store::columnar {
namespace {

constexpr char kHole = '\x01';
constexpr size_t kDigitsMax = 254;  // of one hole: its size is a byte

constexpr std::array<uint8_t, 256> kDigitValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(0xff);
  for (uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (uint8_t i = 0; i < 6; ++i) values['a' + i] = static_cast<uint8_t>(10 + i);
  return values;
}();

uint8_t DigitValue(char digit) {
  return kDigitValues[static_cast<uint8_t>(digit)];
}

size_t HexRun(std::string_view text, size_t begin) {
  size_t end = begin;
  while (end < text.size() && end - begin < kDigitsMax && DigitValue(text[end]) != 0xff) ++end;
  return (end - begin) & ~size_t{1};
}

void AppendPacked(std::string_view digits, std::string& payload) {
  for (size_t i = 0; i < digits.size(); i += 2) {
    payload.push_back(static_cast<char>(DigitValue(digits[i]) << 4 | DigitValue(digits[i + 1])));
  }
}

}  // namespace

TextTemplate::TextTemplate(std::string pattern) : pattern_(std::move(pattern)) {
  for (size_t i = 0; i + 1 < pattern_.size(); ++i) {
    if (pattern_[i] == kHole) payload_bytes_ += static_cast<uint8_t>(pattern_[++i]);
  }
}

void TextTemplate::Expand(std::string_view payload, std::string& out) const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (payload_bytes_ == 0) {
    out.append(payload);
    return;
  }
  for (size_t i = 0; i < pattern_.size(); ++i) {
    if (pattern_[i] != kHole || i + 1 == pattern_.size()) {
      out.push_back(pattern_[i]);
      continue;
    }
    const size_t bytes = static_cast<uint8_t>(pattern_[++i]);
    for (const char byte : payload.substr(0, bytes)) {
      out.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
      out.push_back(kDigits[static_cast<uint8_t>(byte) & 15]);
    }
    payload.remove_prefix(bytes);
  }
}

uint32_t TemplateTable::Split(std::string_view text, std::string& payload) {
  const size_t begin = payload.size();
  const auto plain = [&]() -> uint32_t {
    payload.resize(begin);
    payload.append(text);
    return 0;
  };
  pattern_.clear();
  for (size_t i = 0; i < text.size();) {
    const size_t run = HexRun(text, i);
    if (run >= kHexRunMin) {
      pattern_.push_back(kHole);
      pattern_.push_back(static_cast<char>(run / 2));
      AppendPacked(text.substr(i, run), payload);
      i += run;
      continue;
    }
    if (text[i] == kHole) return plain();
    // The rest of a word is no number.
    do {
      pattern_.push_back(text[i++]);
    } while (i < text.size() && DigitValue(text[i]) != 0xff && DigitValue(text[i - 1]) != 0xff);
  }
  if (payload.size() == begin) return plain();
  const auto found = numbers_.find(pattern_);
  if (found != numbers_.end()) return found->second;
  if (patterns_.size() >= kTemplatesMax) return plain();
  const auto number = static_cast<uint32_t>(patterns_.size());
  patterns_.push_back(pattern_);
  numbers_.emplace(pattern_, number);
  return number;
}

}  // namespace spanloom::store::columnar
