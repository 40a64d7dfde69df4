// SPDX-License-Identifier: Apache-2.0
//
// The names that requests may call the model by: its own, and those of the LoRA adapters that are loaded.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace spanloom::llmd::simulator {

struct Adapter {
  std::string name = {};
  std::string path = {};
};

inline constexpr size_t kAdaptersMax = 1'000;  // that are loaded at once; guess

// Thread-safe. Bounded by kAdaptersMax.
class ModelNames {
 public:
  // `served` is not empty.
  ModelNames(std::vector<std::string> served, std::vector<Adapter> adapters)
      : served_(std::move(served)), adapters_(std::move(adapters)) {}

  [[nodiscard]] const std::vector<std::string>& served() const { return served_; }
  [[nodiscard]] std::vector<Adapter> adapters() const ABSL_LOCKS_EXCLUDED(mutex_);

  // The adapter that `name` means, "" if the model itself; nullopt if nothing is called so. No name is the model's.
  [[nodiscard]] std::optional<std::string> Find(std::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_);

  // kAlreadyExists, or kResourceExhausted at the bound.
  Status Load(Adapter adapter) ABSL_LOCKS_EXCLUDED(mutex_);
  // kNotFound.
  Status Unload(std::string_view name) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const std::vector<std::string> served_;
  mutable Mutex mutex_;
  std::vector<Adapter> adapters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanloom::llmd::simulator
