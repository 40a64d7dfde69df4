// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/parts_table.h"

#include <optional>
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
  DropOldSplits();
  std::shared_ptr<head::LockedTable> full;  // destroyed outside the lock: it may be large
  {
    const MutexLock lock(mutex_);
    full = std::exchange(parts_.full, nullptr);
    if (segment != nullptr) parts_.segments = parts_.segments.With(std::move(segment));
  }
  GroupSegments();
}

void PartsTable::AddSegment(std::shared_ptr<const Segment> segment) {
  const MutexLock lock(mutex_);
  parts_.segments = parts_.segments.With(std::move(segment));
}

void PartsTable::GroupSegments() {
  const std::shared_ptr<const SegmentGroup> group = Now().segments.MakeGroup();  // takes its time
  if (group == nullptr) return;
  const MutexLock lock(mutex_);
  parts_.segments = parts_.segments.WithGroup(group);
}

void PartsTable::Replace(const Segment& old, std::shared_ptr<const Segment> replacement) {
  const MutexLock lock(mutex_);
  const std::optional<size_t> index = parts_.segments.IndexOf(old.row().id);
  if (!index || parts_.segments[*index].get() != &old) return;
  parts_.segments = parts_.segments.WithInstead(*index, *index + 1, std::move(replacement));
}

void PartsTable::Merge(std::span<const std::shared_ptr<const Segment>> sources, std::shared_ptr<const Segment> merged,
                       std::span<const JoinedTrace> joined) {
  {
    const MutexLock lock(mutex_);
    const size_t first = *parts_.segments.IndexOf(sources.front()->row().id);
    parts_.segments = parts_.segments.WithInstead(first, first + sources.size(), std::move(merged));
    split_.Join(joined);  // together, so that counts are right at any moment
  }
  GroupSegments();
  std::vector<otlp::TraceId> ids;
  ids.reserve(joined.size());
  for (const JoinedTrace& trace : joined) ids.push_back(trace.id);
  ForgetSplits(ids);
}

void PartsTable::ForgetSplits(std::span<const otlp::TraceId> ids) {
  OldSplits old = {.age = {}, .occasion = ++occasions_, .ids = split_.MarkWhole(ids, occasions_)};
  if (!old.ids.empty()) {
    auto age = std::make_shared<const PartsAge>();
    const MutexLock lock(mutex_);
    old.age = std::exchange(parts_.age, std::move(age));
    old_splits_.push_back(std::move(old));
  }
  DropOldSplits();
}

// Who reads parts of some age sees what was split in them until all parts as old, or older, are read.
void PartsTable::DropOldSplits() {
  for (; !old_splits_.empty() && old_splits_.front().age.expired(); old_splits_.pop_front()) {
    split_.Drop(old_splits_.front().ids, old_splits_.front().occasion);
  }
}

}  // namespace spanloom::store::columnar
