// SPDX-License-Identifier: Apache-2.0
//
// Traces that wait for the rest of their spans, or whose fate is remembered after they waited: what groupbytrace and
// tail_sampling hold. Deadlines stand in a ring of buckets, so that nothing looks for what is due.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "otlp/detached.h"
#include "otlp/ids.h"

namespace spanloom::pipeline {

// What was decided about a trace.
enum class TraceVerdict : uint8_t { kPending, kSampled, kNotSampled, kDropped };

struct HeldTrace;

// A place in a list of traces.
struct TraceLink {
  HeldTrace* previous = nullptr;
  HeldTrace* next = nullptr;
};

// One trace. It waits until it is settled; from then on only its verdict is left.
struct HeldTrace {
  otlp::TraceId id;
  otlp::DetachedSpans spans;
  TraceVerdict verdict = TraceVerdict::kPending;
  int64_t arrival_ns = 0;   // steady, of its first span
  int64_t decision_ns = 0;  // steady; meaningless while it waits
  uint64_t due_tick = 0;    // in which bucket it waits
  TraceLink by_age;
  TraceLink by_deadline;  // while it waits
};

// Traces in a list of their own links, first in, first out. Owns none. Thread-compatible.
template <TraceLink HeldTrace::*kLink>
class TraceList {
 public:
  [[nodiscard]] HeldTrace* front() const { return first_; }
  void PushBack(HeldTrace& trace);
  void Erase(HeldTrace& trace);

 private:
  HeldTrace* first_ = nullptr;
  HeldTrace* last_ = nullptr;
};

// All traces of one processor by id, by age and by deadline. Sequence-bound: its owner's loop; the counts may be read
// by any thread. Every operation takes constant time, but for NextDue, which passes empty buckets.
class HeldTraces {
 public:
  // No deadline is further away than `wait_max`. `now_ns`: steady time.
  HeldTraces(std::chrono::nanoseconds wait_max, int64_t now_ns);

  // How finely deadlines are kept: a sixteenth of `wait`, from 5 ms to 1 s (as the Collector's tail_sampling does by
  // default). A trace is due at most that late, and never early unless the loop was held up.
  [[nodiscard]] static std::chrono::nanoseconds ResolutionFor(std::chrono::nanoseconds wait);
  [[nodiscard]] std::chrono::nanoseconds resolution() const { return std::chrono::nanoseconds(resolution_ns_); }

  // Makes room for that many.
  void Reserve(size_t traces) { traces_.reserve(traces); }

  // Null if there is none. References and pointers to a trace are valid until it is removed.
  [[nodiscard]] HeldTrace* Find(const otlp::TraceId& id) const;
  // A trace that is new, and waits.
  HeldTrace& Add(const otlp::TraceId& id, int64_t now_ns, int64_t deadline_ns);
  // More spans for one that waits.
  void Append(HeldTrace& trace, otlp::DetachedSpans spans);
  // One that waits is due at `deadline_ns`, unless it is earlier anyway.
  void DueBy(HeldTrace& trace, int64_t deadline_ns);
  // The spans of one that waits.
  otlp::DetachedSpans TakeSpans(HeldTrace& trace);
  // It waits no longer, and is remembered. Its spans are gone, or were taken.
  void Settle(HeldTrace& trace, TraceVerdict verdict, int64_t now_ns);
  void Remove(HeldTrace& trace);

  // One that waits and whose deadline has passed, or null. The same one again, as long as it waits.
  [[nodiscard]] HeldTrace* NextDue(int64_t now_ns);
  // The first of those that wait, of those that are settled; or null.
  [[nodiscard]] HeldTrace* OldestWaiting() const { return waiting_.front(); }
  [[nodiscard]] HeldTrace* OldestSettled() const { return settled_.front(); }

  [[nodiscard]] size_t size() const { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] size_t waiting_count() const { return waiting_count_; }
  [[nodiscard]] size_t span_count() const { return span_count_.load(std::memory_order_relaxed); }
  // What all of them cost, without the contexts of their spans.
  [[nodiscard]] size_t held_bytes() const { return held_bytes_.load(std::memory_order_relaxed); }

 private:
  using Bucket = TraceList<&HeldTrace::by_deadline>;

  [[nodiscard]] Bucket& BucketOf(uint64_t tick) { return buckets_[tick % buckets_.size()]; }
  [[nodiscard]] uint64_t TickOf(int64_t deadline_ns) const;
  void Uncount(const otlp::DetachedSpans& spans);

  const int64_t resolution_ns_;
  std::vector<Bucket> buckets_;  // by tick, modulo their number
  uint64_t tick_;                // the first whose bucket may have traces
  absl::flat_hash_map<otlp::TraceId, std::unique_ptr<HeldTrace>> traces_;
  TraceList<&HeldTrace::by_age> waiting_;
  TraceList<&HeldTrace::by_age> settled_;
  size_t waiting_count_ = 0;
  std::atomic<size_t> size_ = 0;
  std::atomic<size_t> span_count_ = 0;
  std::atomic<size_t> held_bytes_ = 0;
};

}  // namespace spanloom::pipeline
