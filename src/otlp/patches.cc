// SPDX-License-Identifier: Apache-2.0

#include "otlp/patches.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace spanloom::otlp {

void Patches::Add(Bytes bytes, const std::vector<Patch>& patches) {
  for (const Patch& patch : patches) {
    Table& table = tables_[static_cast<size_t>(patch.level)];
    if (patch.position >= table.size()) table.resize(patch.position + 1);
    table[patch.position] = {bytes.data() + patch.begin, patch.size};
  }
  std::erase_if(bytes_, [this](const Bytes& held) { return !IsInUse(held); });
  bytes_.push_back(std::move(bytes));
}

bool Patches::IsInUse(const Bytes& bytes) const {
  const std::less_equal<> not_behind;
  return std::any_of(tables_.begin(), tables_.end(), [&](const Table& table) {
    return std::any_of(table.begin(), table.end(), [&](std::string_view message) {
      return message.data() != nullptr && not_behind(bytes.data(), message.data()) &&
             not_behind(message.data(), bytes.data() + bytes.size());
    });
  });
}

size_t Patches::size_bytes() const {
  size_t size = 0;
  for (const Bytes& bytes : bytes_) size += bytes.size();
  for (const Table& table : tables_) size += table.size() * sizeof(table[0]);
  return size;
}

}  // namespace spanloom::otlp
