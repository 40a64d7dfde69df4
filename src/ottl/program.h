// SPDX-License-Identifier: Apache-2.0
//
// What the compiled conditions or statements of one list have in common: the constants they name and the attributes
// they read.

#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "otlp/batch.h"
#include "ottl/arena.h"
#include "ottl/evaluation.h"
#include "ottl/paths.h"
#include "ottl/text_table.h"

namespace spanloom::ottl {

// Immutable once everything is compiled.
class Program {
 public:
  [[nodiscard]] Arena& constants() { return constants_; }

  // The slot of an attribute: the same one each time it is asked for.
  size_t SlotOf(AttributeSource source, std::string_view key);

  // Looks up the attributes of all slots: one walk for each source that has some.
  void ReadSlots(Evaluation& evaluation) const;

 private:
  Arena constants_;
  std::array<TextTable, kAttributeSourceCount> keys_;  // of each source, with their slots
  size_t slot_count_ = 0;
};

}  // namespace spanloom::ottl
