// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/model_names.h"

#include <absl/algorithm/container.h>

#include <utility>

#include "base/text.h"

namespace spanloom::llmd::simulator {

std::vector<Adapter> ModelNames::adapters() const {
  const MutexLock lock(mutex_);
  return adapters_;
}

std::optional<std::string> ModelNames::Find(std::string_view name) const {
  if (name.empty() || absl::c_linear_search(served_, name)) return "";
  const MutexLock lock(mutex_);
  for (const Adapter& adapter : adapters_) {
    if (adapter.name == name) return adapter.name;
  }
  return std::nullopt;
}

Status ModelNames::Load(Adapter adapter) {
  const MutexLock lock(mutex_);
  const auto has_name = [&](const Adapter& each) { return each.name == adapter.name; };
  if (absl::c_any_of(adapters_, has_name)) {
    return absl::AlreadyExistsError(StrCat("The lora adapter '", adapter.name, "' has already been loaded."));
  }
  if (adapters_.size() >= kAdaptersMax) {
    return absl::ResourceExhaustedError(
        StrCat(kAdaptersMax, " LoRA adapters are loaded, which is the limit; unload one first."));
  }
  adapters_.push_back(std::move(adapter));
  return absl::OkStatus();
}

Status ModelNames::Unload(std::string_view name) {
  const MutexLock lock(mutex_);
  const auto place = absl::c_find_if(adapters_, [&](const Adapter& each) { return each.name == name; });
  if (place == adapters_.end()) return absl::NotFoundError(StrCat("The lora adapter '", name, "' cannot be found."));
  adapters_.erase(place);
  return absl::OkStatus();
}

}  // namespace spanloom::llmd::simulator
