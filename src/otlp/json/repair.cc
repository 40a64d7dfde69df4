// SPDX-License-Identifier: Apache-2.0

#include "otlp/json/repair.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace spanloom::otlp {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD in UTF-8
constexpr std::string_view kEscapedReplacement = "\\ufffd";
constexpr size_t kUnicodeEscapeSize = 6;  // \uXXXX
constexpr size_t kSafeDigitsMax = 18;     // 64 bits and a double hold any number of so many, sign and point included

bool IsHighSurrogate(uint32_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
bool IsLowSurrogate(uint32_t unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}
bool IsContinuation(char c) {
  return (static_cast<uint8_t>(c) & 0xc0) == 0x80;
}

// The bytes of the UTF-8 sequence at the start of `text`; 0 if there is none (RFC 3629: no overlong forms, no
// surrogates).
size_t Utf8SequenceSize(std::string_view text) {
  const auto at = [text](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0; };
  const uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  const bool is_overlong = (lead == 0xe0 && at(1) < 0xa0) || (lead == 0xf0 && at(1) < 0x90);
  const bool is_surrogate = lead == 0xed && at(1) >= 0xa0;
  const bool is_too_large = lead == 0xf4 && at(1) >= 0x90;
  return is_overlong || is_surrogate || is_too_large ? 0 : size;
}

// True if none of eight bytes is a quote, a backslash, a control character or not ASCII; may be false without reason.
bool AreAllPlain(const char* bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighBits = 0x80 * kOnes;
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  const auto find_zero = [](uint64_t x) { return (x - kOnes) & ~x; };  // sets the high bit of a byte that is zero
  const uint64_t controls = (word - 0x20 * kOnes) & ~word;
  return ((word | find_zero(word ^ '"' * kOnes) | find_zero(word ^ '\\' * kOnes) | controls) & kHighBits) == 0;
}

// Reads a document by the grammar of RFC 8259 and copies it to the output, with replacements. Every reader leaves
// position_ behind what it read, or returns false with error_ set.
class Repair {
 public:
  explicit Repair(std::string_view json) : json_(json) {}

  StatusOr<std::string> Run() {
    SkipSpace();
    if (!Value(0)) return error_;
    SkipSpace();
    if (position_ != json_.size()) return (Fail("the end of the body"), error_);
    CopyUpTo(json_.size());
    return std::move(out_);
  }

 private:
  [[nodiscard]] char Peek() const { return position_ < json_.size() ? json_[position_] : '\0'; }
  [[nodiscard]] std::string_view Rest() const { return json_.substr(position_); }

  bool Take(char c) {
    if (Peek() != c) return false;
    ++position_;
    return true;
  }

  void SkipSpace() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r') ++position_;
  }

  bool Fail(std::string_view expected) {
    error_ = absl::InvalidArgumentError(
        absl::StrFormat("not JSON at byte %d of %d: expected %s", position_, json_.size(), expected));
    return false;
  }

  bool Value(int depth) {
    if (depth > kJsonDepthMax) return Fail(absl::StrFormat("at most %d nested values", kJsonDepthMax));
    switch (Peek()) {
      case '{':
        return Object(depth);
      case '[':
        return Array(depth);
      case '"':
        return String();
      case 't':
        return Literal("true");
      case 'f':
        return Literal("false");
      case 'n':
        return Literal("null");
      default:
        return Number();
    }
  }

  bool Object(int depth) {
    ++position_;
    SkipSpace();
    if (Take('}')) return true;
    do {
      SkipSpace();
      if (Peek() != '"') return Fail("a key in double quotes");
      if (!String()) return false;
      SkipSpace();
      if (!Take(':')) return Fail("\":\"");
      SkipSpace();
      if (!Value(depth + 1)) return false;
      SkipSpace();
    } while (Take(','));
    return Take('}') || Fail("\",\" or \"}\"");
  }

  bool Array(int depth) {
    ++position_;
    SkipSpace();
    if (Take(']')) return true;
    do {
      SkipSpace();
      if (!Value(depth + 1)) return false;
      SkipSpace();
    } while (Take(','));
    return Take(']') || Fail("\",\" or \"]\"");
  }

  bool Literal(std::string_view word) {
    if (!Rest().starts_with(word)) return Fail("true, false or null");
    position_ += word.size();
    return true;
  }

  bool String() {
    ++position_;
    while (position_ < json_.size()) {
      while (json_.size() - position_ >= sizeof(uint64_t) && AreAllPlain(json_.data() + position_)) {
        position_ += sizeof(uint64_t);
      }
      if (position_ == json_.size()) break;
      const char c = json_[position_];
      if (c == '"') return Take('"');
      if (c == '\\') {
        if (!Escape()) return false;
      } else if (absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\x7f') {
        return Fail("an escape instead of a raw control character");
      } else {
        Character();
      }
    }
    return Fail("the closing quote of a string");
  }

  void Character() {
    const size_t size = Utf8SequenceSize(Rest());
    if (size == 0) {
      Replace(1, kReplacement);
    } else {
      position_ += size;
    }
  }

  bool Escape() {
    const std::string_view rest = Rest();
    if (rest.size() < 2) return Fail("the rest of an escape");
    if (rest[1] == 'u') return UnicodeEscape();
    if (std::string_view("\"\\/bfnrt").find(rest[1]) == std::string_view::npos) {
      return Fail("one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
    }
    position_ += 2;
    return true;
  }

  bool UnicodeEscape() {
    uint32_t unit = 0;
    if (!ReadUnit(Rest(), unit)) return Fail("four hexadecimal digits after \\u");
    uint32_t next = 0;
    if (IsHighSurrogate(unit) && ReadUnit(Rest().substr(kUnicodeEscapeSize), next) && IsLowSurrogate(next)) {
      position_ += 2 * kUnicodeEscapeSize;
    } else if (IsHighSurrogate(unit) || IsLowSurrogate(unit)) {
      Replace(kUnicodeEscapeSize, kEscapedReplacement);
    } else {
      position_ += kUnicodeEscapeSize;
    }
    return true;
  }

  // The UTF-16 code unit of the escape at the start of `text`.
  static bool ReadUnit(std::string_view text, uint32_t& unit) {
    if (text.size() < kUnicodeEscapeSize || !text.starts_with("\\u")) return false;
    const char* end = text.data() + kUnicodeEscapeSize;
    const auto [stop, error] = std::from_chars(text.data() + 2, end, unit, 16);
    return error == std::errc() && stop == end;
  }

  bool Number() {
    const size_t begin = position_;
    Take('-');
    if (!Take('0') && !Digits()) return Fail("a value");
    bool is_integer = true;
    if (Take('.')) {
      is_integer = false;
      if (!Digits()) return Fail("a digit after the decimal point");
    }
    if (Take('e') || Take('E')) {
      is_integer = false;
      if (!Take('+')) Take('-');
      if (!Digits()) return Fail("a digit in the exponent");
    }
    return CheckRange(json_.substr(begin, position_ - begin), is_integer);
  }

  bool Digits() {
    const size_t begin = position_;
    while (absl::ascii_isdigit(static_cast<unsigned char>(Peek()))) ++position_;
    return position_ > begin;
  }

  bool CheckRange(std::string_view text, bool is_integer) {
    if (text.size() <= kSafeDigitsMax && text.find_first_of("eE") == std::string_view::npos) return true;
    const absl::string_view number(text.data(), text.size());
    double value = 0;
    if (!absl::SimpleAtod(number, &value) || std::isinf(value)) return Fail("a smaller number before this");
    int64_t narrow = 0;
    uint64_t wide = 0;
    if (is_integer && !absl::SimpleAtoi(number, &narrow) && !absl::SimpleAtoi(number, &wide)) Replace(0, ".0");
    return true;
  }

  // Writes `replacement` for the `size` bytes at position_.
  void Replace(size_t size, std::string_view replacement) {
    CopyUpTo(position_);
    out_.append(replacement);
    position_ += size;
    copied_ = position_;
  }

  void CopyUpTo(size_t end) {
    out_.append(json_.substr(copied_, end - copied_));
    copied_ = end;
  }

  std::string_view json_;
  size_t position_ = 0;  // of the next byte to read
  size_t copied_ = 0;    // bytes of json_ that are in out_ already, or replaced there
  std::string out_;
  Status error_;
};

}  // namespace

StatusOr<std::string> RepairJson(std::string_view json) {
  return Repair(json).Run();
}

}  // namespace spanloom::otlp
