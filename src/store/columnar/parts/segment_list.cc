// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/segment_list.h"

#include <absl/container/inlined_vector.h>

#include <algorithm>
#include <utility>

namespace spanloom::store::columnar {
namespace {

// That become a group together, and groups that become a larger one. Guess: what is in no group costs a look each.
constexpr size_t kFanIn = 8;

}  // namespace

SegmentList::SegmentList() : content_(std::make_shared<const Content>()) {}

// Fills in what follows from segments and groups.
SegmentList::SegmentList(Content content) {
  content.indices.clear();
  content.ungrouped.clear();
  for (uint32_t i = 0; i < content.segments.size(); ++i) content.indices[content.segments[i]->row().id] = i;
  std::vector<bool> is_grouped(content.segments.size());
  std::erase_if(content.groups, [&](const auto& group) {
    bool is_empty = true;
    for (const uint64_t id : group->segments()) {
      const auto found = content.indices.find(id);
      if (found == content.indices.end()) continue;
      is_grouped[found->second] = true;
      is_empty = false;
    }
    return is_empty;
  });
  for (uint32_t i = 0; i < is_grouped.size(); ++i) {
    if (!is_grouped[i]) content.ungrouped.push_back(i);
  }
  content_ = std::make_shared<const Content>(std::move(content));
}

std::optional<size_t> SegmentList::IndexOf(uint64_t segment_id) const {
  const auto found = content_->indices.find(segment_id);
  if (found == content_->indices.end()) return std::nullopt;
  return found->second;
}

Status SegmentList::Find(const otlp::TraceId& id, absl::FunctionRef<Status(size_t, const TracePlace&)> visit) const {
  absl::InlinedVector<uint32_t, 64> candidates(content_->ungrouped.begin(), content_->ungrouped.end());
  for (const auto& group : content_->groups) {
    if (!group->MayHave(id)) continue;
    for (const uint64_t segment : group->segments()) {
      if (const auto index = IndexOf(segment)) candidates.push_back(static_cast<uint32_t>(*index));
    }
  }
  std::ranges::sort(candidates);
  for (const uint32_t index : candidates) {
    ASSIGN_OR_RETURN(const std::optional<TracePlace> place, content_->segments[index]->Find(id));
    if (place) RETURN_IF_ERROR(visit(index, *place));
  }
  return absl::OkStatus();
}

SegmentList SegmentList::With(Pointer segment) const {
  return WithInstead(size(), size(), std::move(segment));
}

SegmentList SegmentList::WithInstead(size_t begin, size_t end, Pointer segment) const {
  Content content = {.segments = content_->segments, .groups = content_->groups, .indices = {}, .ungrouped = {}};
  const auto first = content.segments.begin() + static_cast<ptrdiff_t>(begin);
  const auto rest = content.segments.erase(first, first + static_cast<ptrdiff_t>(end - begin));
  if (segment != nullptr) content.segments.insert(rest, std::move(segment));
  return SegmentList(std::move(content));
}

// [groups]: how many of their segments are there.
std::vector<size_t> SegmentList::LiveSizes() const {
  std::vector<size_t> sizes;
  for (const auto& group : content_->groups) {
    sizes.push_back(static_cast<size_t>(
        std::ranges::count_if(group->segments(), [&](uint64_t id) { return content_->indices.contains(id); })));
  }
  return sizes;
}

std::shared_ptr<const SegmentGroup> SegmentList::MakeGroup() const {
  if (content_->ungrouped.size() < kFanIn) return nullptr;
  std::vector<Pointer> together;
  for (const uint32_t index : content_->ungrouped) together.push_back(content_->segments[index]);
  std::vector<size_t> sizes = LiveSizes();  // 0: taken
  while (true) {
    const size_t limit = together.size();
    const auto is_small = [limit](size_t size) { return size > 0 && size <= limit; };
    if (std::ranges::count_if(sizes, is_small) < static_cast<ptrdiff_t>(kFanIn) - 1) break;
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (!is_small(sizes[i])) continue;
      sizes[i] = 0;
      for (const uint64_t id : content_->groups[i]->segments()) {
        if (const auto index = IndexOf(id)) together.push_back(content_->segments[*index]);
      }
    }
  }
  return std::make_shared<const SegmentGroup>(together);
}

SegmentList SegmentList::WithGroup(std::shared_ptr<const SegmentGroup> group) const {
  Content content = {.segments = content_->segments, .groups = content_->groups, .indices = {}, .ungrouped = {}};
  // A group whose segments are all in the new one has no use any more.
  std::erase_if(content.groups, [&](const auto& older) {
    return std::ranges::all_of(older->segments(), [&](uint64_t id) {
      return !content_->indices.contains(id) || std::ranges::count(group->segments(), id) > 0;
    });
  });
  content.groups.push_back(std::move(group));
  return SegmentList(std::move(content));
}

}  // namespace spanloom::store::columnar
