// SPDX-License-Identifier: Apache-2.0
//
// Keys with texts in one piece of memory: for many small lists that are kept long and read often.

#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace spanloom::pipeline {

// In order of Add. Thread-compatible.
class PackedTexts {
 public:
  // Each at most 4 GiB.
  void Add(std::string_view key, std::string_view text) {
    AddPart(key);
    AddPart(text);
  }
  // Lets go of memory that is kept for more.
  void Close() { bytes_.shrink_to_fit(); }

  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  // visit(key, text) of each; the views are into this.
  template <typename Visit>
  void ForEach(Visit visit) const {
    std::string_view rest = bytes_;
    while (!rest.empty()) {
      const std::string_view key = TakePart(rest);
      visit(key, TakePart(rest));
    }
  }

  // The text of the first `key`; "" if there is none.
  [[nodiscard]] std::string_view Find(std::string_view key) const {
    std::string_view rest = bytes_;
    while (!rest.empty()) {
      const std::string_view next = TakePart(rest);
      const std::string_view text = TakePart(rest);
      if (next == key) return text;
    }
    return {};
  }

  bool operator==(const PackedTexts&) const = default;

 private:
  void AddPart(std::string_view part) {
    const auto size = static_cast<uint32_t>(part.size());
    char bytes[sizeof(size)];
    std::memcpy(bytes, &size, sizeof(size));
    bytes_.append(bytes, sizeof(size));
    bytes_.append(part);
  }
  static std::string_view TakePart(std::string_view& rest) {
    uint32_t size = 0;
    std::memcpy(&size, rest.data(), sizeof(size));
    const std::string_view part = rest.substr(sizeof(size), size);
    rest.remove_prefix(sizeof(size) + size);
    return part;
  }

  std::string bytes_;  // of each part its size, 4 bytes, and itself
};

}  // namespace spanloom::pipeline
