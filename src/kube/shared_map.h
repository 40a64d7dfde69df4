// SPDX-License-Identifier: Apache-2.0
//
// A map that one thread at a time changes while any number of others look things up in it. It consists of many small
// maps that are never changed, only exchanged: a reader takes a share in one, and waits for nobody but for the moment
// in which a pointer is exchanged.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace spanloom::kube {

// `Value` is cheap to copy: a shared_ptr. Find and size are thread-safe, Apply is called by one thread at a time.
template <typename Value>
class SharedMap {
 public:
  // What becomes of a key; nullopt: it goes.
  using Edit = std::pair<std::string, std::optional<Value>>;

  [[nodiscard]] std::optional<Value> Find(std::string_view key) const {
    const std::shared_ptr<const Part> part = ShardOf(key).Get();
    if (part == nullptr) return std::nullopt;
    const auto found = part->find(absl::string_view(key.data(), key.size()));
    return found == part->end() ? std::nullopt : std::optional<Value>(found->second);
  }

  [[nodiscard]] size_t size() const { return size_.load(std::memory_order_relaxed); }

  // In order, each seen at once. A single edit copies a part of the map, about size() / kShards entries; many edits
  // copy each part once.
  void Apply(std::vector<Edit> edits) {
    std::array<std::shared_ptr<Part>, kShards> changed;
    std::vector<size_t> order;
    for (auto& [key, value] : edits) {
      const size_t index = IndexOf(key);
      if (changed[index] == nullptr) {
        const std::shared_ptr<const Part> before = shards_[index].Get();
        changed[index] = before == nullptr ? std::make_shared<Part>() : std::make_shared<Part>(*before);
        order.push_back(index);
      }
      Change(*changed[index], std::move(key), std::move(value));
    }
    for (const size_t index : order) shards_[index].Set(std::move(changed[index]));
  }

  // Every entry, in no order; for whoever calls Apply.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const Shard& shard : shards_) {
      const std::shared_ptr<const Part> part = shard.Get();
      if (part == nullptr) continue;
      for (const auto& [key, value] : *part) visit(key, value);
    }
  }

 private:
  static constexpr size_t kShards = 1024;  // 50,000 pods: 50 entries to copy for one that changes; guess
  using Part = absl::flat_hash_map<std::string, Value>;

  class Shard {
   public:
    [[nodiscard]] std::shared_ptr<const Part> Get() const {
      const MutexLock lock(mutex_);
      return part_;
    }
    void Set(std::shared_ptr<const Part> part) {
      const MutexLock lock(mutex_);
      part_.swap(part);  // what was there is let go of behind the lock
    }

   private:
    mutable Mutex mutex_;
    std::shared_ptr<const Part> part_ ABSL_GUARDED_BY(mutex_);  // shared with readers; null: empty
  };

  static size_t IndexOf(std::string_view key) {
    // The upper bits: the map itself uses the lower ones.
    return (absl::Hash<std::string_view>()(key) >> 40) % kShards;
  }
  [[nodiscard]] const Shard& ShardOf(std::string_view key) const { return shards_[IndexOf(key)]; }

  void Change(Part& part, std::string key, std::optional<Value> value) {
    if (!value) {
      size_.fetch_sub(part.erase(key), std::memory_order_relaxed);
      return;
    }
    const bool is_new = part.insert_or_assign(std::move(key), *std::move(value)).second;
    if (is_new) size_.fetch_add(1, std::memory_order_relaxed);
  }

  std::array<Shard, kShards> shards_;
  std::atomic<size_t> size_ = 0;
};

}  // namespace spanloom::kube
