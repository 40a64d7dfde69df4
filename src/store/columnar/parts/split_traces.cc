// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/split_traces.h"

#include <algorithm>
#include <utility>

namespace spanloom::store::columnar {

void SplitTraces::Add(const otlp::TraceId& id) {
  const MutexLock lock(mutex_);
  entries_[id].marked_at = 0;
}

void SplitTraces::AddParts(const otlp::TraceId& id, uint64_t parts) {
  const MutexLock lock(mutex_);
  Entry& entry = entries_[id];
  entry.parts += parts;
  entry.marked_at = 0;
  added_ += parts;
}

void SplitTraces::ForgetParts(const otlp::TraceId& id) {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end()) taken_back_ += std::exchange(found->second.parts, 0);
}

void SplitTraces::Join(std::span<const JoinedTrace> joined) {
  const MutexLock lock(mutex_);
  for (const JoinedTrace& trace : joined) {
    const auto found = entries_.find(trace.id);
    if (found == entries_.end()) continue;
    const uint64_t fewer = std::min(found->second.parts, trace.parts_fewer);
    found->second.parts -= fewer;
    taken_back_ += fewer;
  }
}

std::vector<otlp::TraceId> SplitTraces::MarkWhole(std::span<const otlp::TraceId> ids, uint64_t occasion) {
  std::vector<otlp::TraceId> marked;
  const MutexLock lock(mutex_);
  for (const otlp::TraceId& id : ids) {
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.parts != 0) continue;
    found->second.marked_at = occasion;
    marked.push_back(id);
  }
  return marked;
}

void SplitTraces::Drop(std::span<const otlp::TraceId> ids, uint64_t occasion) {
  const MutexLock lock(mutex_);
  for (const otlp::TraceId& id : ids) {
    const auto found = entries_.find(id);
    if (found != entries_.end() && found->second.marked_at == occasion) entries_.erase(found);
  }
}

bool SplitTraces::Contains(const otlp::TraceId& id) const {
  const MutexLock lock(mutex_);
  return entries_.contains(id);
}

absl::flat_hash_set<otlp::TraceId> SplitTraces::Ids() const {
  const MutexLock lock(mutex_);
  absl::flat_hash_set<otlp::TraceId> ids;
  ids.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) ids.insert(id);
  return ids;
}

uint64_t SplitTraces::ExcessOf(uint64_t taken_back) const {
  const MutexLock lock(mutex_);
  return added_ - taken_back;
}

uint64_t SplitTraces::taken_back() const {
  const MutexLock lock(mutex_);
  return taken_back_;
}

size_t SplitTraces::size() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace spanloom::store::columnar
