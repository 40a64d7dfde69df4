// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/row_values.h"

namespace spanloom::store::columnar {

RowValues::Group& RowValues::GroupOf(uint32_t shape, size_t slots) {
  if (shape >= group_of_shape_.size()) group_of_shape_.resize(shape + 1, kNone);
  uint32_t& number = group_of_shape_[shape];
  if (number == kNone) {
    number = static_cast<uint32_t>(group_count_++);
    if (group_count_ > groups_.size()) groups_.emplace_back();
    Group& group = groups_[number];
    group.shape = shape;
    group.rows = 0;
    group.slots.resize(slots);
    for (std::vector<SlotValue>& slot : group.slots) slot.clear();
  }
  codes_.push_back(number);
  return groups_[number];
}

void RowValues::Add(uint32_t shape, std::span<const SlotValue> values) {
  Group& group = GroupOf(shape, values.size());
  ++group.rows;
  for (size_t i = 0; i < values.size(); ++i) {
    const SlotValue& value = values[i];
    group.slots[i].push_back(value.is_text() ? SlotValue::Text(same_texts_.Find(value.text())) : value);
  }
}

void RowValues::Clear() {
  for (const Group& group : groups()) group_of_shape_[group.shape] = kNone;
  group_count_ = 0;
  codes_.clear();
  same_texts_.Clear();
}

}  // namespace spanloom::store::columnar
