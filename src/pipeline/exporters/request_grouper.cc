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
  if (kind.slices.empty()) kind.begin_ns = now_ns;
  request->spans_left = added.spans;
  otlp::Slice slice(added.message, added.spans, signal_);
  slice.set_origin(added.origin);
  kind.slices.Push(otlp::Batch(std::move(slice)));
  kind.shares.push_back({request, added.spans});
}

bool RequestGrouper::IsFull(const Kind& kind) const {
  return kind.slices.span_count() >= grouping_.spans_min || kind.slices.wire_bytes() >= grouping_.bytes_min;
}

std::optional<RequestGroup> RequestGrouper::TakeDue(int64_t now_ns, bool hurries) {
  const auto due = absl::c_find_if(kinds_, [&](const auto& each) {
    return hurries || IsFull(each.second) || now_ns - each.second.begin_ns >= grouping_.timeout.count();
  });
  if (due == kinds_.end()) return std::nullopt;
  const bool was_full = IsFull(due->second);
  RequestGroup group = Take(due->second);
  if (due->second.slices.empty()) {
    kinds_.erase(due);
  } else if (was_full) {
    due->second.begin_ns = now_ns;
  }
  return group;
}

RequestGroup RequestGrouper::Take(Kind& kind) const {
  RequestGroup group{.batch = kind.slices.Take(grouping_.spans_max, grouping_.bytes_max), .shares = {}};
  for (size_t left = group.batch.span_count(); left > 0;) {
    RequestGroup::Share& first = kind.shares.front();
    const size_t spans = std::min(first.spans, left);
    group.shares.push_back({first.request, spans});
    left -= spans;
    first.spans -= spans;
    if (first.spans == 0) kind.shares.pop_front();
  }
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
