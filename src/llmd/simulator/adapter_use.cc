// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/adapter_use.h"

#include <utility>

namespace spanloom::llmd::simulator {

void AdapterUse::Move(const std::string& name, AdapterPlace from, AdapterPlace to) {
  if (name.empty() || from == to) return;
  if (from != AdapterPlace::kNone) Count(from == AdapterPlace::kRunning ? running_ : waiting_, name, false);
  if (to != AdapterPlace::kNone) Count(to == AdapterPlace::kRunning ? running_ : waiting_, name, true);
}

void AdapterUse::Count(Counts& counts, const std::string& name, bool is_added) {
  if (is_added) {
    has_changed_ |= counts[name]++ == 0;
    return;
  }
  const auto place = counts.find(name);
  if (--place->second > 0) return;
  counts.erase(place);
  has_changed_ = true;
}

std::string AdapterUse::Join(const Counts& counts) {
  std::string names;
  for (const auto& [name, count] : counts) {
    if (!names.empty()) names.push_back(',');
    names += name;
  }
  return names;
}

bool AdapterUse::TakeChange() {
  return std::exchange(has_changed_, false);
}

}  // namespace spanloom::llmd::simulator
