// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/json_edit.h"

#include <absl/strings/ascii.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"

namespace spanloom::llmd::wire {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Nonzero if a byte of `word` is zero (Bit Twiddling Hacks, "Determine if a word has a zero byte").
uint64_t ZeroBytes(uint64_t word) {
  return (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;
}

// How many bytes at the front of `text` are nothing special in a string, eight by eight: perhaps fewer than there are.
size_t PlainBytes(std::string_view text) {
  size_t bytes = 0;
  uint64_t word = 0;
  while (bytes + sizeof(word) <= text.size()) {
    std::memcpy(&word, text.data() + bytes, sizeof(word));
    const uint64_t control = ZeroBytes(word & 0xe0e0e0e0e0e0e0e0ULL);
    const uint64_t quotes = ZeroBytes(word ^ 0x2222222222222222ULL);
    const uint64_t escapes = ZeroBytes(word ^ 0x5c5c5c5c5c5c5c5cULL);
    if ((control | quotes | escapes) != 0) break;
    bytes += sizeof(word);
  }
  return bytes;
}

// Walks over JSON text. The first problem sticks: everything afterwards fails.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] size_t position() const { return position_; }
  [[nodiscard]] std::string_view From(size_t begin) const { return text_.substr(begin, position_ - begin); }
  [[nodiscard]] bool AtEnd() const { return position_ == text_.size(); }
  [[nodiscard]] char Peek() const { return AtEnd() ? '\0' : text_[position_]; }
  [[nodiscard]] Status status() const { return status_; }

  void SkipSpace() {
    while (!AtEnd() && IsSpace(text_[position_])) ++position_;
  }

  // Takes `c` if it comes next.
  bool Take(char c) {
    if (Peek() != c || AtEnd()) return false;
    ++position_;
    return true;
  }

  bool Expect(char c) { return Take(c) || Fail(StrCat("'", std::string(1, c), "' expected")); }

  bool SkipString();
  bool SkipValue();

  bool Fail(std::string_view why) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(StrCat(why, " at byte ", position_));
    return false;
  }

 private:
  bool SkipEscape();
  bool SkipNumber();
  bool SkipDigits();
  bool SkipLiteral(std::string_view literal);
  bool SkipScalar();
  bool Open(bool is_object);
  bool NextMember();

  std::string_view text_;
  size_t position_ = 0;
  std::vector<bool> is_object_;  // of what is open within the value that is skipped
  Status status_;
};

bool Scanner::SkipEscape() {
  ++position_;
  if (AtEnd()) return Fail("a string without an end");
  const char c = text_[position_++];
  if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos || Fail("a bad escape");
  for (int i = 0; i < 4; ++i) {
    if (AtEnd() || !absl::ascii_isxdigit(static_cast<unsigned char>(text_[position_]))) return Fail("a bad escape");
    ++position_;
  }
  return true;
}

bool Scanner::SkipString() {
  if (!Expect('"')) return false;
  while (!AtEnd()) {
    position_ += PlainBytes(text_.substr(position_));
    if (AtEnd()) break;
    const char c = text_[position_];
    if (c == '"') return ++position_, true;
    if (static_cast<unsigned char>(c) < 0x20) return Fail("a control character in a string");
    if (c != '\\') {
      ++position_;
    } else if (!SkipEscape()) {
      return false;
    }
  }
  return Fail("a string without an end");
}

bool Scanner::SkipDigits() {
  if (!IsDigit(Peek())) return Fail("a digit expected");
  while (IsDigit(Peek())) ++position_;
  return true;
}

bool Scanner::SkipNumber() {
  Take('-');
  if (!Take('0') && !SkipDigits()) return false;
  if (Take('.') && !SkipDigits()) return false;
  if (!Take('e') && !Take('E')) return true;
  if (!Take('+')) Take('-');
  return SkipDigits();
}

bool Scanner::SkipLiteral(std::string_view literal) {
  if (!text_.substr(position_).starts_with(literal)) return Fail("a value expected");
  position_ += literal.size();
  return true;
}

bool Scanner::SkipScalar() {
  switch (Peek()) {
    case '"':
      return SkipString();
    case 't':
      return SkipLiteral("true");
    case 'f':
      return SkipLiteral("false");
    case 'n':
      return SkipLiteral("null");
    default:
      return SkipNumber();
  }
}

bool Scanner::Open(bool is_object) {
  if (is_object_.size() < kJsonDepthMax) return is_object_.push_back(is_object), true;
  if (status_.ok()) status_ = absl::ResourceExhaustedError(StrCat("nests deeper than ", kJsonDepthMax));
  return false;
}

// The key and colon of the next member, if an object is open.
bool Scanner::NextMember() {
  SkipSpace();
  if (!is_object_.back()) return true;
  if (!SkipString()) return false;
  SkipSpace();
  if (!Expect(':')) return false;
  SkipSpace();
  return true;
}

// Without recursion: depth costs a bit, not a stack frame.
bool Scanner::SkipValue() {
  const size_t depth = is_object_.size();
  while (true) {
    bool is_empty = false;
    if (const char c = Peek(); c == '{' || c == '[') {
      ++position_;
      if (!Open(c == '{')) return false;
      SkipSpace();
      is_empty = Peek() == (c == '{' ? '}' : ']');
      if (!is_empty) {
        if (!NextMember()) return false;
        continue;
      }
    } else if (!SkipScalar()) {
      return false;
    }
    while (is_object_.size() > depth) {
      SkipSpace();
      if (!is_empty && Take(',')) break;
      is_empty = false;
      if (!Expect(is_object_.back() ? '}' : ']')) return false;
      is_object_.pop_back();
    }
    if (is_object_.size() == depth) return true;
    if (!NextMember()) return false;
  }
}

// The four digits of "\uXXXX" at `digits`.
uint32_t CodeUnit(std::string_view digits) {
  uint32_t unit = 0;
  for (const char c : digits) {
    const bool is_digit = IsDigit(c);
    unit = unit * 16 + static_cast<uint32_t>(is_digit ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return unit;
}

// A key as it is meant. Only escapes of ASCII are undone: no key that is looked for has others.
std::string Unescape(std::string_view text) {
  std::string key;
  key.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      key.push_back(text[i]);
      continue;
    }
    const char escaped = text[++i];
    if (escaped != 'u') {
      constexpr std::string_view kNames = "bfnrt";
      constexpr std::string_view kValues = "\b\f\n\r\t";
      const size_t index = kNames.find(escaped);
      key.push_back(index == std::string_view::npos ? escaped : kValues[index]);
      continue;
    }
    const uint32_t unit = CodeUnit(text.substr(i + 1, 4));
    if (unit < 0x80) {
      key.push_back(static_cast<char>(unit));
    } else {
      key.append(text.substr(i - 1, 6));
    }
    i += 4;
  }
  return key;
}

}  // namespace

StatusOr<JsonObject> JsonObject::Parse(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) return absl::InvalidArgumentError("not UTF-8");
  JsonObject object;
  Scanner scanner(text);
  scanner.SkipSpace();
  object.before_ = scanner.From(0);
  if (!scanner.Expect('{')) return scanner.status();
  size_t begin = scanner.position();
  scanner.SkipSpace();
  bool goes_on = scanner.Peek() != '}';
  if (!goes_on) object.before_ = scanner.From(0);  // with the "{" and what follows it
  while (goes_on) {
    if (object.members_.size() == kJsonMembersMax) {
      return absl::ResourceExhaustedError(StrCat("more than ", kJsonMembersMax, " members"));
    }
    if (!object.AddMember(scanner, begin)) return scanner.status();
    goes_on = scanner.Take(',');
    begin = scanner.position();
  }
  if (!scanner.Expect('}')) return scanner.status();
  object.after_ = text.substr(scanner.position() - 1);
  scanner.SkipSpace();
  if (!scanner.AtEnd()) return scanner.Fail("more than one value"), scanner.status();
  return object;
}

// Takes the member that comes next; `begin` is where the one before, or the "{", ended.
template <typename Scanner>
bool JsonObject::AddMember(Scanner& scanner, size_t begin) {
  Member member;
  scanner.SkipSpace();
  const size_t key_begin = scanner.position();
  if (!scanner.SkipString()) return false;
  const std::string_view quoted = scanner.From(key_begin);
  member.key = Unescape(quoted.substr(1, quoted.size() - 2));
  scanner.SkipSpace();
  if (!scanner.Expect(':')) return false;
  scanner.SkipSpace();
  member.lead = scanner.From(begin);
  const size_t value_begin = scanner.position();
  if (!scanner.SkipValue()) return false;
  member.value = scanner.From(value_begin);
  const size_t value_end = scanner.position();
  scanner.SkipSpace();
  member.tail = scanner.From(value_end);
  members_.push_back(std::move(member));
  return true;
}

std::optional<std::string_view> JsonObject::Find(std::string_view key) const {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (!member->is_removed && member->key == key) return member->current();
  }
  return std::nullopt;
}

std::optional<std::string_view> JsonObject::FindPlainString(std::string_view key) const {
  const std::optional<std::string_view> value = Find(key);
  if (!value || value->size() < 2 || value->front() != '"') return std::nullopt;
  const std::string_view text = value->substr(1, value->size() - 2);
  if (text.find('\\') != std::string_view::npos) return std::nullopt;
  return text;
}

std::vector<std::string_view> JsonObject::Keys() const {
  std::vector<std::string_view> keys;
  for (const Member& member : members_) {
    if (!member.is_removed) keys.push_back(member.key);
  }
  return keys;
}

void JsonObject::Set(std::string_view key, std::string value) {
  Member* last = nullptr;
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->is_removed || member->key != key) continue;
    if (last == nullptr) {
      last = &*member;
    } else {
      member->is_removed = true;
    }
  }
  if (last == nullptr) {
    last = &members_.emplace_back();
    last->key = key;
  }
  last->replacement = std::move(value);
}

void JsonObject::Remove(std::string_view key) {
  for (Member& member : members_) {
    if (member.key == key) member.is_removed = true;
  }
}

std::string JsonObject::Text() const {
  size_t bytes = before_.size() + after_.size() + 1;
  for (const Member& member : members_) {
    bytes += member.lead.size() + member.current().size() + member.tail.size() + member.key.size() + 5;
  }
  std::string text;
  text.reserve(bytes);
  text.append(before_);
  if (before_.find('{') == std::string_view::npos) text.push_back('{');
  bool is_first = true;
  for (const Member& member : members_) {
    if (member.is_removed) continue;
    if (!std::exchange(is_first, false)) text.push_back(',');
    if (member.lead.empty()) {
      text.push_back('"');
      AppendJsonEscaped(member.key, text);
      text.append("\":");
    } else {
      text.append(member.lead);
    }
    text.append(member.current());
    text.append(member.tail);
  }
  text.append(after_);
  return text;
}

std::optional<std::string_view> FirstElement(std::string_view array) {
  Scanner scanner(array);
  scanner.SkipSpace();
  if (!scanner.Take('[')) return std::nullopt;
  scanner.SkipSpace();
  const size_t begin = scanner.position();
  if (!scanner.SkipValue()) return std::nullopt;
  return scanner.From(begin);
}

bool HasSeveralElements(std::string_view array) {
  Scanner scanner(array);
  scanner.SkipSpace();
  if (!scanner.Take('[')) return false;
  scanner.SkipSpace();
  if (!scanner.SkipValue()) return false;
  scanner.SkipSpace();
  return scanner.Take(',');
}

}  // namespace spanloom::llmd::wire
