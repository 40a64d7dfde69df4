// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/request_grouper.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <utility>

namespace spanloom::pipeline {

RequestGrouper::RequestGrouper(const Grouping& grouping, otlp::Signal signal)
    : grouping_(grouping), keys_(grouping.metadata_keys), signal_(signal) {}

void RequestGrouper::Add(const QueuedRequestPtr& request, int64_t now_ns) {
  const ExportRequest& added = request->request;
  if (added.spans == 0) return;
  Kind& kind = kinds_[MetadataKeys::TextOf(keys_.ValuesOf(added.origin.get()))];
  const int64_t begin_ns = request->is_overdue ? now_ns - grouping_.timeout.count() : now_ns;
  kind.begin_ns = kind.slices.empty() ? begin_ns : std::min(kind.begin_ns, begin_ns);
  request->spans_left = added.spans;
  otlp::Slice slice(added.message.Joined(), added.spans, signal_);
  slice.set_origin(added.origin);
  kind.slices.Push(otlp::Batch(std::move(slice)));
  kind.shares.push_back({request, added.spans});
}

bool RequestGrouper::IsFull(const Kind& kind) const {
  return kind.slices.span_count() >= grouping_.spans_min || kind.slices.wire_bytes() >= grouping_.bytes_min;
}

std::optional<RequestGroup> RequestGrouper::TakeFull(int64_t now_ns) {
  return Take(absl::c_find_if(kinds_, [&](const auto& each) { return IsFull(each.second); }), now_ns);
}

std::optional<RequestGroup> RequestGrouper::TakeOverdue(int64_t now_ns, bool hurries) {
  const auto is_overdue = [&](const auto& each) {
    return hurries || now_ns - each.second.begin_ns >= grouping_.timeout.count();
  };
  return Take(absl::c_find_if(kinds_, is_overdue), now_ns);
}

std::optional<RequestGroup> RequestGrouper::Take(Kinds::iterator kind, int64_t now_ns) {
  if (kind == kinds_.end()) return std::nullopt;
  auto& [slices, shares, begin_ns] = kind->second;
  RequestGroup group{.batch = slices.Take(grouping_.spans_max, grouping_.bytes_max), .shares = {}};
  for (size_t left = group.batch.span_count(); left > 0;) {
    RequestGroup::Share& first = shares.front();
    const size_t spans = std::min(first.spans, left);
    group.shares.push_back({first.request, spans});
    left -= spans;
    first.spans -= spans;
    if (first.spans == 0) shares.pop_front();
  }
  // What is left of an overdue one goes on being so.
  const bool was_overdue = now_ns - begin_ns >= grouping_.timeout.count();
  if (!was_overdue) begin_ns = now_ns;
  if (slices.empty()) kinds_.erase(kind);
  return group;
}

std::optional<int64_t> RequestGrouper::due_ns() const {
  std::optional<int64_t> due;
  for (const auto& [values, kind] : kinds_) {
    const int64_t end_ns = kind.begin_ns + (IsFull(kind) ? 0 : grouping_.timeout.count());
    due = std::min(due.value_or(end_ns), end_ns);
  }
  return due;
}

std::vector<RequestGroup::Share> RequestGrouper::TakeAll() {
  std::vector<RequestGroup::Share> shares;
  for (auto& [values, kind] : std::exchange(kinds_, {})) {
    shares.insert(shares.end(), kind.shares.begin(), kind.shares.end());
  }
  return shares;
}

size_t RequestGrouper::span_count() const {
  size_t spans = 0;
  for (const auto& [values, kind] : kinds_) spans += kind.slices.span_count();
  return spans;
}

}  // namespace spanloom::pipeline
