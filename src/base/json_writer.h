// SPDX-License-Identifier: Apache-2.0
//
// Writes JSON into a string, token by token, so that an answer of a hundred thousand spans needs no tree in memory.
// Whatever bytes come in, valid JSON in valid UTF-8 comes out: invalid sequences become U+FFFD, and doubles that JSON
// cannot say become the strings "NaN", "Infinity" and "-Infinity" (the protobuf JSON mapping).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom {

// Thread-compatible. Commas and colons are placed by the writer; nesting is the caller's duty and checked by DCHECK.
class JsonWriter {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit JsonWriter(std::string& out) : out_(out) {}

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  void Key(std::string_view key);

  void String(std::string_view value);
  void Int(int64_t value);
  void Uint(uint64_t value);
  void Double(double value);  // shortest text that reads back as the same double
  void Bool(bool value);
  void Null();
  // Lower-case hexadecimal of raw bytes, as a string.
  void Hex(std::string_view bytes);
  // Standard base64 with padding, as a string.
  void Base64(std::string_view bytes);

  // A value that is JSON already, on one line.
  void Raw(std::string_view json);

  // Key and value in one call.
  void Field(std::string_view key, std::string_view value) { Key(key), String(value); }
  void Field(std::string_view key, const char* value) { Key(key), String(value); }
  void Field(std::string_view key, int64_t value) { Key(key), Int(value); }
  void Field(std::string_view key, uint64_t value) { Key(key), Uint(value); }
  void Field(std::string_view key, int value) { Key(key), Int(value); }
  void Field(std::string_view key, bool value) { Key(key), Bool(value); }

 private:
  void Open(char bracket);
  void Close(char bracket);
  void Separate();

  std::string& out_;
  bool needs_comma_ = false;
  int depth_ = 0;
};

// Appends `text` as the inside of a JSON string (no quotes): escaped, invalid UTF-8 replaced by U+FFFD.
void AppendJsonEscaped(std::string_view text, std::string& out);

}  // namespace spanloom
