// SPDX-License-Identifier: Apache-2.0

#include "store/head/trace_spans.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace spanloom::store::head {

void TraceSpans::Append(std::span<StoredSpan> spans) {
  CHECK(!spans.empty());
  size_ += spans.size();
  size_t size = spans.size();
  size_t merged = blocks_.size();  // from this one on
  while (merged > 0 && blocks_[merged - 1].size < 2 * size) size += blocks_[--merged].size;
  const std::shared_ptr<StoredSpan[]> block = std::make_shared<StoredSpan[]>(size);
  StoredSpan* next = block.get();
  for (size_t i = merged; i < blocks_.size(); ++i) next = std::ranges::copy(blocks_[i].view(), next).out;
  std::ranges::move(spans, next);
  blocks_.resize(merged);
  blocks_.push_back({.spans = block, .size = size});
}

const StoredSpan& TraceSpans::at(size_t index) const {
  CHECK(index < size_);
  auto block = blocks_.begin();
  for (; index >= block->size; ++block) index -= block->size;
  return block->spans[index];
}

bool TraceSpans::IsBeginningOf(const TraceSpans& later) const {
  if (empty()) return true;
  if (later.size() < size()) return false;
  // Spans keep their bytes, wherever they are merged to; two of one trace do not share both bytes and origin. What is
  // added comes behind, so the last span is where it was only if none before it was taken out.
  const auto is_same = [](const StoredSpan& a, const StoredSpan& b) {
    return a.wire.data() == b.wire.data() && a.origin == b.origin;
  };
  return is_same(at(0), later.at(0)) && is_same(at(size() - 1), later.at(size() - 1));
}

void TraceSpans::ForEach(absl::FunctionRef<bool(const StoredSpan&)> visit) const {
  for (const Block& block : blocks_) {
    for (const StoredSpan& span : block.view()) {
      if (!visit(span)) return;
    }
  }
}

std::vector<StoredSpan> TraceSpans::ByStart() const {
  std::vector<std::pair<uint64_t, const StoredSpan*>> order;  // start in Unix ns
  order.reserve(size_);
  ForEach([&order](const StoredSpan& span) {
    order.emplace_back(span.span().start_unix_ns(), &span);
    return true;
  });
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  std::vector<StoredSpan> spans;
  spans.reserve(size_);
  for (const auto& [start, span] : order) spans.push_back(*span);
  return spans;
}

}  // namespace spanloom::store::head
