// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/held_traces.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace spanloom::pipeline {
namespace {

constexpr std::chrono::nanoseconds kResolutionMin = std::chrono::milliseconds(5);
constexpr std::chrono::nanoseconds kResolutionMax = std::chrono::seconds(1);
constexpr int64_t kBucketsAWait = 16;

// A wait that begins within a tick and ends within another touches two more than it has whole ones, and both ends are
// inclusive. The others are for a loop that looks some ticks late.
constexpr size_t kSpareBuckets = 3 + 8;

// A trace without its spans: itself, and its place in a table that is two thirds full.
constexpr size_t kTraceBytes = sizeof(HeldTrace) + (sizeof(otlp::TraceId) + sizeof(std::unique_ptr<HeldTrace>)) * 3 / 2;

// The clock may start anywhere, but not below zero.
uint64_t TickAt(int64_t time_ns, int64_t resolution_ns) {
  return static_cast<uint64_t>(std::max<int64_t>(0, time_ns) / resolution_ns);
}

}  // namespace

template <TraceLink HeldTrace::*kLink>
void TraceList<kLink>::PushBack(HeldTrace& trace) {
  trace.*kLink = {.previous = last_, .next = nullptr};
  (last_ == nullptr ? first_ : (last_->*kLink).next) = &trace;
  last_ = &trace;
}

template <TraceLink HeldTrace::*kLink>
void TraceList<kLink>::Erase(HeldTrace& trace) {
  const TraceLink link = std::exchange(trace.*kLink, {});
  (link.previous == nullptr ? first_ : (link.previous->*kLink).next) = link.next;
  (link.next == nullptr ? last_ : (link.next->*kLink).previous) = link.previous;
}

std::chrono::nanoseconds HeldTraces::ResolutionFor(std::chrono::nanoseconds wait) {
  return std::clamp(wait / kBucketsAWait, kResolutionMin, kResolutionMax);
}

HeldTraces::HeldTraces(std::chrono::nanoseconds wait_max, int64_t now_ns)
    : resolution_ns_(ResolutionFor(wait_max).count()),
      buckets_(static_cast<size_t>(wait_max.count() / resolution_ns_) + kSpareBuckets),
      tick_(TickAt(now_ns, resolution_ns_)) {}

uint64_t HeldTraces::TickOf(int64_t deadline_ns) const {
  const uint64_t tick = TickAt(deadline_ns + resolution_ns_ - 1, resolution_ns_);
  // Beyond the ring only while ticks are behind; the last bucket is then soon enough.
  return std::clamp(tick, tick_, tick_ + buckets_.size() - 1);
}

HeldTrace* HeldTraces::Find(const otlp::TraceId& id) const {
  const auto trace = traces_.find(id);
  return trace == traces_.end() ? nullptr : trace->second.get();
}

HeldTrace& HeldTraces::Add(const otlp::TraceId& id, int64_t now_ns, int64_t deadline_ns) {
  // Nobody asks for what is due while nothing waits.
  if (waiting_.front() == nullptr) tick_ = std::max(tick_, TickAt(now_ns, resolution_ns_));
  auto owned = std::make_unique<HeldTrace>();
  HeldTrace& trace = *owned;
  trace.id = id;
  trace.arrival_ns = now_ns;
  trace.due_tick = TickOf(deadline_ns);
  CHECK(traces_.emplace(id, std::move(owned)).second);
  waiting_.PushBack(trace);
  ++waiting_count_;
  BucketOf(trace.due_tick).PushBack(trace);
  size_ = traces_.size();
  held_bytes_ += kTraceBytes;
  return trace;
}

void HeldTraces::Append(HeldTrace& trace, otlp::DetachedSpans spans) {
  DCHECK(trace.verdict == TraceVerdict::kPending);
  span_count_ += spans.span_count();
  held_bytes_ += spans.held_bytes();
  trace.spans.Append(std::move(spans));
}

void HeldTraces::DueBy(HeldTrace& trace, int64_t deadline_ns) {
  const uint64_t tick = TickOf(deadline_ns);
  if (tick >= trace.due_tick) return;
  BucketOf(trace.due_tick).Erase(trace);
  trace.due_tick = tick;
  BucketOf(tick).PushBack(trace);
}

void HeldTraces::Uncount(const otlp::DetachedSpans& spans) {
  span_count_ -= spans.span_count();
  held_bytes_ -= spans.held_bytes();
}

otlp::DetachedSpans HeldTraces::TakeSpans(HeldTrace& trace) {
  Uncount(trace.spans);
  return std::move(trace.spans);
}

void HeldTraces::Settle(HeldTrace& trace, TraceVerdict verdict, int64_t now_ns) {
  DCHECK(trace.verdict == TraceVerdict::kPending && verdict != TraceVerdict::kPending);
  Uncount(trace.spans);
  trace.spans.Clear();
  BucketOf(trace.due_tick).Erase(trace);
  waiting_.Erase(trace);
  --waiting_count_;
  settled_.PushBack(trace);
  trace.verdict = verdict;
  trace.decision_ns = now_ns;
}

void HeldTraces::Remove(HeldTrace& trace) {
  if (trace.verdict == TraceVerdict::kPending) {
    Uncount(trace.spans);
    BucketOf(trace.due_tick).Erase(trace);
    waiting_.Erase(trace);
    --waiting_count_;
  } else {
    settled_.Erase(trace);
  }
  held_bytes_ -= kTraceBytes;
  traces_.erase(otlp::TraceId(trace.id));
  size_ = traces_.size();
}

HeldTrace* HeldTraces::NextDue(int64_t now_ns) {
  const uint64_t now_tick = TickAt(now_ns, resolution_ns_);
  for (; tick_ <= now_tick; ++tick_) {
    HeldTrace* const trace = BucketOf(tick_).front();
    if (trace != nullptr) return trace;
    // What is added now may still come into the bucket of now.
    if (tick_ == now_tick || waiting_.front() == nullptr) return nullptr;
  }
  return nullptr;
}

}  // namespace spanloom::pipeline
