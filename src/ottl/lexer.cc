// SPDX-License-Identifier: Apache-2.0

#include "ottl/lexer.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.h"
#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

constexpr size_t kQuotedMax = 1000;  // bytes; guess

// Longer ones first, so that the first match is the longest.
constexpr std::array<std::string_view, 20> kPunctuation = {"==", "!=", "<=", ">=", "<", ">", "=", "(", ")", "[",
                                                           "]",  "{",  "}",  ",",  ".", ":", "+", "-", "*", "/"};

bool IsLower(char c) {
  return absl::ascii_islower(static_cast<unsigned char>(c));
}
bool IsUpper(char c) {
  return absl::ascii_isupper(static_cast<unsigned char>(c));
}
bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}
bool IsHexDigit(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c));
}
bool IsSpace(char c) {
  return absl::ascii_isspace(static_cast<unsigned char>(c));
}
bool IsWord(char c) {
  return IsLower(c) || IsUpper(c) || IsDigit(c) || c == '_';
}

// The character that a one-letter escape stands for. Go specification, "Rune literals".
std::optional<char> SimpleEscape(char letter) {
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  constexpr std::string_view kCharacters = "\a\b\f\n\r\t\v\\\"";
  const size_t index = kLetters.find(letter);
  if (index == std::string_view::npos) return std::nullopt;
  return kCharacters[index];
}

// A number of exactly `digits` digits at the start of `text`.
std::optional<uint32_t> ReadDigits(std::string_view text, size_t digits, int base) {
  uint32_t value = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + digits, value, base);
  if (error != std::errc() || stop != text.data() + digits) return std::nullopt;
  return value;
}

// Resolves the escape that follows a backslash at the start of `text`. Returns the bytes it took, 0 if it is none of
// Go's. As in the Collector, "\xe9" is a character, not a byte.
size_t Unescape(std::string_view text, std::string& out) {
  if (text.empty()) return 0;
  if (const auto character = SimpleEscape(text[0])) {
    out.push_back(*character);
    return 1;
  }
  const size_t digits = text[0] == 'x' ? 2 : text[0] == 'u' ? 4 : text[0] == 'U' ? 8 : 0;
  if (digits > 0) {
    const auto value = ReadDigits(text.substr(1), digits, 16);
    const bool is_surrogate = value && *value >= 0xd800 && *value < 0xe000;
    if (!value || *value > 0x10ffff || is_surrogate) return 0;
    AppendUtf8(out, *value);
    return 1 + digits;
  }
  const auto octal = ReadDigits(text, 3, 8);
  if (!octal || *octal > 0xff) return 0;
  AppendUtf8(out, *octal);
  return 3;
}

// As Go's %q writes it; bytes beyond ASCII stay as they are.
void AppendEscaped(std::string& out, char c) {
  constexpr std::string_view kCharacters = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  if (const size_t index = kCharacters.find(c); index != std::string_view::npos) {
    out.append({'\\', kLetters[index]});
  } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
    absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
  } else {
    out.push_back(c);
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  StatusOr<std::vector<Token>> Run() {
    for (SkipSpace(); position_ < text_.size(); SkipSpace()) RETURN_IF_ERROR(Next());
    Add(Token::Kind::kEnd, 0);
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] std::string_view Rest() const { return text_.substr(position_); }

  void SkipSpace() {
    while (position_ < text_.size() && IsSpace(text_[position_])) ++position_;
  }

  // Adds a token of the next `size` bytes.
  void Add(Token::Kind kind, size_t size, Literal value = {}) {
    tokens_.push_back(
        {.kind = kind, .text = text_.substr(position_, size), .offset = position_, .value = std::move(value)});
    position_ += size;
  }

  [[nodiscard]] Status Error(size_t offset, std::string_view fault) const {
    return absl::InvalidArgumentError(absl::StrFormat("%s: lexer: %s", Position(text_, offset), fault));
  }

  Status Next() {
    const char c = text_[position_];
    if (c == '"') return String();
    if (StartsBytes()) return Bytes();
    if (StartsNumber()) {
      Number();
      return absl::OkStatus();
    }
    if (IsLower(c) || IsUpper(c)) {
      Word(IsLower(c) ? Token::Kind::kName : Token::Kind::kSymbol);
      return absl::OkStatus();
    }
    for (const std::string_view punctuation : kPunctuation) {
      if (!Rest().starts_with(punctuation)) continue;
      Add(Token::Kind::kPunctuation, punctuation.size());
      return absl::OkStatus();
    }
    return Error(position_, "invalid input text " + Quoted(Rest()));
  }

  void Word(Token::Kind kind) {
    const std::string_view rest = Rest();
    Add(kind, static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), IsWord) - rest.begin()));
  }

  [[nodiscard]] bool StartsBytes() const {
    const std::string_view rest = Rest();
    return rest.size() > 2 && rest.starts_with("0x") && IsHexDigit(rest[2]);
  }

  Status Bytes() {
    const std::string_view rest = Rest();
    const auto* end = std::find_if_not(rest.begin() + 2, rest.end(), IsHexDigit);
    const std::string_view digits = rest.substr(2, static_cast<size_t>(end - rest.begin()) - 2);
    if (digits.size() % 2 != 0) return Error(position_, "bytes need an even number of digits " + Quoted(digits));
    Add(Token::Kind::kBytes, digits.size() + 2, BytesLiteral{absl::HexStringToBytes(AbslView(digits))});
    return absl::OkStatus();
  }

  [[nodiscard]] bool StartsNumber() const {
    std::string_view rest = Rest();
    if (rest.starts_with('.')) rest.remove_prefix(1);
    return !rest.empty() && IsDigit(rest[0]);
  }

  [[nodiscard]] size_t DigitsFrom(size_t offset) const {
    const std::string_view rest = text_.substr(offset);
    return static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), IsDigit) - rest.begin());
  }

  // digits, or digits.digits with an exponent if wanted: an exponent alone makes no float.
  void Number() {
    size_t end = position_ + DigitsFrom(position_);
    const bool is_float = end + 1 < text_.size() && text_[end] == '.' && IsDigit(text_[end + 1]);
    if (is_float) {
      end += 1 + DigitsFrom(end + 1);
      end += ExponentSize(end);
    }
    Add(is_float ? Token::Kind::kFloat : Token::Kind::kInt, end - position_);
  }

  [[nodiscard]] size_t ExponentSize(size_t offset) const {
    const std::string_view rest = text_.substr(offset);
    if (!rest.starts_with('e') && !rest.starts_with('E')) return 0;
    const size_t sign = rest.size() > 1 && (rest[1] == '-' || rest[1] == '+') ? 1 : 0;
    const size_t digits = DigitsFrom(std::min(text_.size(), offset + 1 + sign));
    return digits == 0 ? 0 : 1 + sign + digits;
  }

  Status String() {
    std::string value;
    size_t end = position_ + 1;
    while (end < text_.size() && text_[end] != '"') {
      if (text_[end] == '\n') return Error(end, "a string must not go over the end of a line; write \\n");
      if (text_[end] != '\\') {
        value.push_back(text_[end++]);
        continue;
      }
      const size_t size = Unescape(text_.substr(end + 1), value);
      if (size == 0) return Error(end, "invalid escape " + Quoted(text_.substr(end, 2)));
      end += 1 + size;
    }
    if (end == text_.size()) return Error(position_, "invalid input text " + Quoted(Rest()) + ": no closing quote");
    Add(Token::Kind::kString, end + 1 - position_, std::move(value));
    return absl::OkStatus();
  }

  std::string_view text_;
  size_t position_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

StatusOr<std::vector<Token>> Lex(std::string_view text) {
  return Lexer(text).Run();
}

std::string Position(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t column = before.size() - (before.rfind('\n') + 1);  // npos + 1 is 0
  return absl::StrFormat("%d:%d", line, column + 1);
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, kQuotedMax)) AppendEscaped(quoted, c);
  return quoted + (text.size() > kQuotedMax ? "...\"" : "\"");
}

}  // namespace spanloom::ottl
