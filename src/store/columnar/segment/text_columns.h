// SPDX-License-Identifier: Apache-2.0
//
// Where the texts of each column go while a segment is written: into a dictionary of the column's as long as they
// repeat, else into the pool.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "store/columnar/segment/row_values.h"

namespace spanloom::store::columnar {

// Thread-compatible. Keeps copies of the texts in dictionaries.
class TextColumns {
 public:
  static constexpr size_t kEntriesMin = 1024;     // a dictionary of so many stays, however few values there are; guess
  static constexpr size_t kValuesPerEntry = 8;    // a larger one stays if its entries repeat so often; guess
  static constexpr size_t kEntryBytesMax = 1024;  // a longer text makes its column leave; guess

  // Whether the next values of the column go into its dictionary. `first_values` decide for a column that is new.
  bool UsesDictionary(uint32_t column, std::span<const SlotValue> first_values);

  // The number of the text in the column's dictionary. Fast if it is the view that came last. The text must stay until
  // EndPage.
  uint32_t Code(uint32_t column, std::string_view text);

  // Columns whose texts do not repeat leave their dictionaries from here on.
  void EndPage();

  // The section with all dictionaries.
  [[nodiscard]] std::string Section() const;

 private:
  struct Dictionary {
    Dictionary() = default;
    Dictionary(const Dictionary&) = delete;  // codes views texts
    Dictionary& operator=(const Dictionary&) = delete;

    absl::flat_hash_map<std::string_view, uint32_t> codes;  // views texts
    std::deque<std::string> texts;                          // [entries]; stay where they are
    std::string_view last_text;                             // of Code, as it was passed; none after EndPage
    uint32_t last_code = 0;
    uint64_t values = 0;
    bool is_known = false;
    bool is_left = false;
  };

  Dictionary& Of(uint32_t column);
  static bool Repeat(std::span<const SlotValue> values);

  std::deque<Dictionary> dictionaries_;  // [columns]; stay where they are
};

}  // namespace spanloom::store::columnar
