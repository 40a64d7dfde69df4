// SPDX-License-Identifier: Apache-2.0

#include "base/json_writer.h"

#include <absl/strings/escaping.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"

namespace spanloom {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void AppendEscapedControl(uint8_t c, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
  }
}

bool IsPlain(uint8_t c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

}  // namespace

void AppendJsonEscaped(std::string_view text, std::string& out) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t run_begin = at;
    while (at < text.size() && IsPlain(static_cast<uint8_t>(text[at]))) ++at;
    out.append(text.substr(run_begin, at - run_begin));
    if (at == text.size()) return;

    const auto c = static_cast<uint8_t>(text[at]);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[at++];
    } else if (c < 0x20) {
      AppendEscapedControl(c, out);
      ++at;
    } else if (const size_t length = Utf8SequenceLength(text, at); length > 0) {
      out.append(text.substr(at, length));
      at += length;
    } else {
      out += kReplacement;
      ++at;
    }
  }
}

void JsonWriter::Separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

void JsonWriter::Open(char bracket) {
  Separate();
  out_ += bracket;
  needs_comma_ = false;
  ++depth_;
}

void JsonWriter::Close(char bracket) {
  DCHECK(depth_ > 0);
  --depth_;
  out_ += bracket;
  needs_comma_ = true;
}

void JsonWriter::Key(std::string_view key) {
  String(key);
  out_ += ':';
  needs_comma_ = false;
}

void JsonWriter::String(std::string_view value) {
  Separate();
  out_ += '"';
  AppendJsonEscaped(value, out_);
  out_ += '"';
}

void JsonWriter::Int(int64_t value) {
  Separate();
  StrAppend(out_, value);
}

void JsonWriter::Uint(uint64_t value) {
  Separate();
  StrAppend(out_, value);
}

void JsonWriter::Double(double value) {
  if (std::isnan(value)) return String("NaN");
  if (std::isinf(value)) return String(value > 0 ? "Infinity" : "-Infinity");
  Separate();
  std::array<char, 32> text;  // 24 is the longest double in shortest form
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  CHECK(error == std::errc());
  out_.append(text.data(), end);
}

void JsonWriter::Bool(bool value) {
  Separate();
  out_ += value ? "true" : "false";
}

void JsonWriter::Raw(std::string_view json) {
  Separate();
  out_ += json;
}

void JsonWriter::Null() {
  Separate();
  out_ += "null";
}

void JsonWriter::Hex(std::string_view bytes) {
  String(absl::BytesToHexString(AbslView(bytes)));
}

void JsonWriter::Base64(std::string_view bytes) {
  String(absl::Base64Escape(AbslView(bytes)));
}

}  // namespace spanloom
