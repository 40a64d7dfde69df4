// SPDX-License-Identifier: Apache-2.0
//
// Changes members of a JSON object while all the rest stays as it is, byte for byte: numbers keep their digits, strings
// their escapes, objects their order. For request bodies that are passed on with other limits and hints than they came
// with. Specification: RFC 8259.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace spanloom::llmd::wire {

inline constexpr size_t kJsonDepthMax = 128;      // of what nests in an object; guess, tools' schemas nest about 20
inline constexpr size_t kJsonMembersMax = 4'096;  // of one object that is edited; guess, OpenAI's have about 40
inline constexpr std::string_view kJsonNull = "null";  // as a value

// An object whose members are known and may be edited. Views of the text it was parsed from, which must outlive it.
// Linear in the size of the text; allocates for the list of members alone. Thread-compatible.
class JsonObject {
 public:
  // Checks the whole of `text`. kInvalidArgument if it is not one JSON object in UTF-8, says where and why;
  // kResourceExhausted if it nests too deep or has too many members.
  static StatusOr<JsonObject> Parse(std::string_view text);

  // The value of `key` as it is written, edits included; of a key that comes twice, the last. nullopt: there is none.
  // Valid until the next edit.
  [[nodiscard]] std::optional<std::string_view> Find(std::string_view key) const;

  // The text of a string without escapes, or nullopt if `key` is anything else.
  [[nodiscard]] std::optional<std::string_view> FindPlainString(std::string_view key) const;

  // The keys, in order. Valid until the next edit.
  [[nodiscard]] std::vector<std::string_view> Keys() const;

  // True if the value is the literal `true`.
  [[nodiscard]] bool IsTrue(std::string_view key) const { return Find(key) == "true"; }

  // Makes `value`, which must be JSON, the only one of `key`, where the last one stood, or at the end.
  void Set(std::string_view key, std::string value);

  // Takes every member of that key away.
  void Remove(std::string_view key);

  // The object as it is now.
  [[nodiscard]] std::string Text() const;

 private:
  struct Member {
    std::string key;          // unescaped
    std::string_view lead;    // from the "{" or "," to the value
    std::string_view value;   // as written
    std::string_view tail;    // from the value to the next "," or "}"
    std::string replacement;  // in place of `value` if it is not empty
    bool is_removed = false;

    [[nodiscard]] std::string_view current() const { return replacement.empty() ? value : replacement; }
  };

  template <typename Scanner>
  bool AddMember(Scanner& scanner, size_t begin);

  std::string_view before_;  // up to the "{"
  std::string_view after_;   // from the "}"
  std::vector<Member> members_;
};

// The first element of a JSON array, as it is written; nullopt if `array` does not begin with one that has any.
[[nodiscard]] std::optional<std::string_view> FirstElement(std::string_view array);

// Whether `array` is a JSON array with more than one element.
[[nodiscard]] bool HasSeveralElements(std::string_view array);

}  // namespace spanloom::llmd::wire
