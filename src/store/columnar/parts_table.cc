// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts_table.h"

#include <algorithm>
#include <utility>

namespace spanloom::store::columnar {

bool PartsTable::ExchangeHeads() {
  std::shared_ptr<head::LockedTable> fresh = NewHead();
  const MutexLock lock(mutex_);
  if (parts_.full != nullptr) return false;
  parts_.full = std::exchange(parts_.filling, std::move(fresh));
  return true;
}

void PartsTable::FinishFull(std::shared_ptr<const Segment> segment) {
  std::shared_ptr<head::LockedTable> full;  // destroyed outside the lock: it may be large
  const MutexLock lock(mutex_);
  full = std::exchange(parts_.full, nullptr);
  if (segment != nullptr) parts_.segments.push_back(std::move(segment));
}

void PartsTable::AddSegment(std::shared_ptr<const Segment> segment) {
  const MutexLock lock(mutex_);
  parts_.segments.push_back(std::move(segment));
}

void PartsTable::Replace(const Segment& old, std::shared_ptr<const Segment> replacement) {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::find(parts_.segments, &old, &std::shared_ptr<const Segment>::get);
  if (found == parts_.segments.end()) return;
  if (replacement != nullptr) {
    *found = std::move(replacement);
  } else {
    parts_.segments.erase(found);
  }
}

}  // namespace spanloom::store::columnar
