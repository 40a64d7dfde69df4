// SPDX-License-Identifier: Apache-2.0
//
// A set that has few members as a rule, and then allocates nothing: of what a trace has beside its spans.

#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

#include <algorithm>
#include <cstddef>

namespace spanloom::store::head {

// Up to `kFew` members are compared one by one. Thread-compatible.
template <typename T, size_t kFew>
class FewSet {
 public:
  // False if it is there already.
  bool Insert(const T& member) {
    if (Contains(member)) return false;
    members_.push_back(member);
    if (members_.size() == kFew + 1) {
      hashed_.insert(members_.begin(), members_.end());
    } else if (members_.size() > kFew) {
      hashed_.insert(member);
    }
    return true;
  }
  [[nodiscard]] bool Contains(const T& member) const {
    return members_.size() > kFew ? hashed_.contains(member) : std::ranges::find(members_, member) != members_.end();
  }
  void Clear() {
    members_.clear();
    hashed_.clear();
  }

  // In the order in which they came.
  [[nodiscard]] auto begin() const { return members_.begin(); }
  [[nodiscard]] auto end() const { return members_.end(); }

 private:
  absl::InlinedVector<T, kFew> members_;
  absl::flat_hash_set<T> hashed_;  // all of them, once there are more than kFew
};

}  // namespace spanloom::store::head
