// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/python_text.h"

#include <simdjson.h>

#include <cmath>
#include <optional>

#include "base/json_writer.h"
#include "base/text.h"

namespace spanloom::llmd::wire {
namespace {

constexpr int kDepthMax = 200;  // what is deeper is not looked into

// Goes through a text as Python's json does, up to the first mistake.
class MistakeFinder {
 public:
  explicit MistakeFinder(std::string_view text) : text_(text) {}

  JsonMistake Find() {
    SkipSpace();
    if (const auto mistake = Value(0)) return *mistake;
    SkipSpace();
    return {"Extra data", at_};
  }

 private:
  using Found = std::optional<JsonMistake>;

  [[nodiscard]] char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipSpace() { at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size()); }
  [[nodiscard]] Found Here(std::string_view what) const { return JsonMistake{what, at_}; }

  Found Value(int depth) {
    if (depth > kDepthMax) return Here("Expecting value");
    if (Peek() == '"') return Text();
    if (Peek() == '{') return Object(depth);
    if (Peek() == '[') return List(depth);
    for (const std::string_view word : {"null", "true", "false", "NaN", "Infinity", "-Infinity"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return std::nullopt;
    }
    return Number();
  }

  Found Number() {
    const size_t begin = at_;
    if (Peek() == '-') ++at_;
    const size_t digits = at_;
    at_ = std::min(text_.find_first_not_of("0123456789", at_), text_.size());
    if (at_ == digits) return JsonMistake{"Expecting value", begin};
    at_ = std::min(text_.find_first_not_of("0123456789.eE+-", at_), text_.size());
    return std::nullopt;
  }

  Found Text() {
    const size_t begin = at_++;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') return ++at_, std::nullopt;
      if (static_cast<uint8_t>(c) < 0x20) return Here("Invalid control character at");
      if (c != '\\') continue;
      if (++at_ < text_.size() && std::string_view("\"\\/bfnrtu").find(text_[at_]) == std::string_view::npos) {
        --at_;
        return Here("Invalid \\escape");
      }
    }
    return JsonMistake{"Unterminated string starting at", begin};
  }

  Found Object(int depth) {
    constexpr std::string_view kName = "Expecting property name enclosed in double quotes";
    ++at_;
    SkipSpace();
    if (Peek() == '}') return ++at_, std::nullopt;
    while (true) {
      if (Peek() != '"') return Here(kName);
      if (auto mistake = Text()) return mistake;
      SkipSpace();
      if (Peek() != ':') return Here("Expecting ':' delimiter");
      ++at_;
      SkipSpace();
      if (auto mistake = Value(depth + 1)) return mistake;
      SkipSpace();
      if (Peek() == '}') return ++at_, std::nullopt;
      if (Peek() != ',') return Here("Expecting ',' delimiter");
      ++at_;
      SkipSpace();
    }
  }

  Found List(int depth) {
    ++at_;
    SkipSpace();
    if (Peek() == ']') return ++at_, std::nullopt;
    while (true) {
      if (auto mistake = Value(depth + 1)) return mistake;
      SkipSpace();
      if (Peek() == ']') return ++at_, std::nullopt;
      if (Peek() != ',') return Here("Expecting ',' delimiter");
      ++at_;
      SkipSpace();
    }
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::string PythonQuoted(std::string_view text) {
  const bool has_apostrophe = text.find('\'') != std::string_view::npos;
  const char quote = has_apostrophe && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') quoted.push_back('\\');
    c == '\n' ? quoted += "\\n" : quoted += c;
  }
  quoted.push_back(quote);
  return quoted;
}

std::string PythonFloat(double value) {
  std::string text;
  JsonWriter(text).Double(value);
  if (text.find_first_of(".eEnN\"") == std::string::npos) text += ".0";
  return text;
}

std::string PythonInput(const simdjson::dom::element& value) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::ARRAY:
      return StrCat("<list of ", simdjson::dom::array(value).size(), " items>");
    case element_type::OBJECT:
      return StrCat("<dict of ", simdjson::dom::object(value).size(), " items>");
    case element_type::STRING:
      return std::string(std::string_view(value));
    case element_type::DOUBLE:
      return PythonFloat(double(value));
    case element_type::BOOL:
      return bool(value) ? "True" : "False";
    case element_type::NULL_VALUE:
      return "None";
    default:
      return simdjson::minify(value);
  }
}

JsonMistake FindJsonMistake(std::string_view text) {
  return MistakeFinder(text).Find();
}

}  // namespace spanloom::llmd::wire
