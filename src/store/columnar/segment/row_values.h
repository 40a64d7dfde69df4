// SPDX-License-Identifier: Apache-2.0
//
// The values of rows on their way into a page: for each shape, its slots, each as one run of values.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "store/columnar/segment/same_texts.h"
#include "store/columnar/segment/shape.h"

namespace spanloom::store::columnar {

// A number, or a text that lies elsewhere.
class SlotValue {
 public:
  SlotValue() = default;
  static SlotValue Number(uint64_t number) { return {nullptr, number}; }
  static SlotValue Text(std::string_view text) { return {text.data(), text.size()}; }

  [[nodiscard]] bool is_text() const { return text_ != nullptr; }  // false for an empty text, perhaps
  [[nodiscard]] uint64_t number() const { return number_; }
  [[nodiscard]] std::string_view text() const { return {text_, number_}; }
  void Increment() { ++number_; }

 private:
  SlotValue(const char* text, uint64_t number) : text_(text), number_(number) {}

  const char* text_ = nullptr;
  uint64_t number_ = 0;  // of a text, its bytes
};

// One table's rows of one page. Borrows texts. Thread-compatible.
class RowValues {
 public:
  // The rows of one shape, in order.
  struct Group {
    uint32_t shape = 0;
    uint32_t rows = 0;
    std::vector<std::vector<SlotValue>> slots;  // [slots of the shape][rows]
  };

  // `values` are those of the slots of `shape`. Of equal texts of the page most become the same view.
  void Add(uint32_t shape, std::span<const SlotValue> values);
  // Empties it; keeps memory for the next page.
  void Clear();

  [[nodiscard]] size_t rows() const { return codes_.size(); }
  // [rows]: the number of each row's group.
  [[nodiscard]] const std::vector<uint32_t>& codes() const { return codes_; }
  // A value that is to be replaced: of a group, by number, the slot and the row within the group.
  [[nodiscard]] SlotValue& At(uint32_t group, uint32_t slot, uint32_t row) { return groups_[group].slots[slot][row]; }
  // In order of their first row.
  [[nodiscard]] std::span<const Group> groups() const { return std::span(groups_).first(group_count_); }

 private:
  static constexpr uint32_t kNone = 0xffff'ffff;

  Group& GroupOf(uint32_t shape, size_t slots);

  std::vector<uint32_t> codes_;
  std::vector<Group> groups_;  // the first group_count_ are in use
  size_t group_count_ = 0;
  std::vector<uint32_t> group_of_shape_;  // kNone: none yet
  SameTexts same_texts_;
};

}  // namespace spanloom::store::columnar
