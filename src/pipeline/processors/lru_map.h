// SPDX-License-Identifier: Apache-2.0
//
// A map of bounded size that forgets what was not asked for longest.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace spanloom::pipeline {

// Thread-compatible. All operations take constant time, since there is room for all from the start: the addresses of
// about twice its keys and values, and a byte of memory each, until they come.
template <typename Key, typename Value>
class LruMap {
 public:
  // A map of size 0 remembers nothing.
  explicit LruMap(size_t size_max) : size_max_(size_max) {
    nodes_.reserve(size_max);
    index_.reserve(size_max);
  }

  [[nodiscard]] size_t size() const { return index_.size(); }

  // Null if it is not there. What is found was asked for last. Valid until the next Put.
  template <typename Lookup>
  Value* Find(const Lookup& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    Unlink(found->second);
    LinkFirst(found->second);
    return &nodes_[found->second].value;
  }

  // Leaves the order as it is.
  template <typename Lookup>
  [[nodiscard]] bool Contains(const Lookup& key) const {
    return index_.contains(key);
  }

  // Puts `value` in the place of what there was.
  void Put(Key key, Value value) {
    if (size_max_ == 0) return;
    if (Value* const known = Find(key)) return *known = std::move(value), void();
    const uint32_t node = FreeNode();
    nodes_[node].key = key;
    nodes_[node].value = std::move(value);
    LinkFirst(node);
    index_.emplace(std::move(key), node);
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Node {
    Key key = {};
    Value value = {};
    uint32_t previous = kNone;
    uint32_t next = kNone;
  };

  uint32_t FreeNode() {
    if (nodes_.size() < size_max_) {
      nodes_.emplace_back();
      return static_cast<uint32_t>(nodes_.size() - 1);
    }
    const uint32_t oldest = last_;
    Unlink(oldest);
    index_.erase(nodes_[oldest].key);
    return oldest;
  }

  void LinkFirst(uint32_t node) {
    nodes_[node].previous = kNone;
    nodes_[node].next = first_;
    (first_ == kNone ? last_ : nodes_[first_].previous) = node;
    first_ = node;
  }

  void Unlink(uint32_t node) {
    const auto [previous, next] = std::pair(nodes_[node].previous, nodes_[node].next);
    (previous == kNone ? first_ : nodes_[previous].next) = next;
    (next == kNone ? last_ : nodes_[next].previous) = previous;
  }

  const size_t size_max_;
  std::vector<Node> nodes_;  // those in use are a list by the time they were asked for
  absl::flat_hash_map<Key, uint32_t> index_;
  uint32_t first_ = kNone;
  uint32_t last_ = kNone;
};

}  // namespace spanloom::pipeline
