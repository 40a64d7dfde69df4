// SPDX-License-Identifier: Apache-2.0

#include "ottl/letter_case.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <locale.h>
#include <wctype.h>

#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}
bool IsUpper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsSeparator(char c) {
  return c == ' ' || c == '_' || c == '-' || c == '.';
}
char Lowered(char c) {
  return absl::ascii_tolower(static_cast<unsigned char>(c));
}
char Raised(char c) {
  return absl::ascii_toupper(static_cast<unsigned char>(c));
}

// The C library's table of Unicode. It is part of glibc, so that no locale has to be installed.
locale_t UnicodeLocale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

template <typename Map>
std::string Mapped(std::string_view text, Map map) {
  std::string mapped;
  for (size_t size = 0; !text.empty(); text.remove_prefix(size)) {
    size = Utf8Size(text);
    const std::string_view character = text.substr(0, size);
    if (size == 1 && static_cast<uint8_t>(character[0]) >= 0x80) {
      mapped.append(character);
    } else {
      AppendUtf8(mapped, static_cast<uint32_t>(map(static_cast<wint_t>(Utf8CodePoint(character)))));
    }
  }
  return mapped;
}

// As Go's unicode.IsSpace.
bool IsSpace(uint32_t code_point) {
  constexpr uint32_t kSpaces[] = {0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};
  return (code_point >= '\t' && code_point <= '\r') || code_point == ' ' ||
         (code_point >= 0x2000 && code_point <= 0x200a) || absl::c_linear_search(kSpaces, code_point);
}

bool IsSpaceText(std::string_view character) {
  const bool is_byte = character.size() == 1 && static_cast<uint8_t>(character[0]) >= 0x80;
  return !is_byte && IsSpace(static_cast<uint32_t>(Utf8CodePoint(character)));
}

}  // namespace

std::string ToLower(std::string_view text) {
  const locale_t locale = UnicodeLocale();
  if (locale == nullptr) return Mapped(text, [](wint_t c) { return towlower(c); });
  return Mapped(text, [locale](wint_t c) { return towlower_l(c, locale); });
}

std::string ToUpper(std::string_view text) {
  const locale_t locale = UnicodeLocale();
  if (locale == nullptr) return Mapped(text, [](wint_t c) { return towupper(c); });
  return Mapped(text, [locale](wint_t c) { return towupper_l(c, locale); });
}

std::string ToSnakeCase(std::string_view text) {
  text = TrimmedUtf8(text, IsSpaceText);
  std::string snake;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const bool begins_word = (IsUpper(c) && (IsLower(next) || IsDigit(next))) ||
                             (IsLower(c) && (IsUpper(next) || IsDigit(next))) ||
                             (IsDigit(c) && (IsUpper(next) || IsLower(next)));
    if (!begins_word) {
      snake.push_back(IsSeparator(c) ? '_' : Lowered(c));
      continue;
    }
    const bool ends_acronym = IsUpper(c) && IsLower(next) && i > 0 && IsUpper(text[i - 1]);
    if (ends_acronym) snake.push_back('_');
    snake.push_back(Lowered(c));
    if (IsLower(c) || IsDigit(c) || IsDigit(next)) snake.push_back('_');
  }
  return snake;
}

std::string ToCamelCase(std::string_view text) {
  std::string camel;
  bool begins_word = true;
  bool follows_upper = false;
  for (const char c : TrimmedUtf8(text, IsSpaceText)) {
    const bool is_letter = IsLower(c) || IsUpper(c);
    if (is_letter) {
      const bool is_inside = !begins_word && follows_upper && IsUpper(c);
      camel.push_back(begins_word ? Raised(c) : is_inside ? Lowered(c) : c);
      begins_word = false;
    } else if (IsDigit(c)) {
      camel.push_back(c);
      begins_word = true;
    } else {
      begins_word = IsSeparator(c);
    }
    follows_upper = IsUpper(c);
  }
  return camel;
}

}  // namespace spanloom::ottl
