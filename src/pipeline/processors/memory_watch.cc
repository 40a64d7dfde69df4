// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/memory_watch.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace spanloom::pipeline {
namespace {

constexpr uint64_t kMebibyte = 1 << 20;

}  // namespace

MemoryWatch::MemoryWatch(const MemoryWatchOptions& options, const Clock& clock, Measure measure, GiveBack give_back)
    : options_(options),
      clock_(clock),
      measure_(std::move(measure)),
      give_back_(std::move(give_back)),
      soft_{.pace = options.soft},
      hard_{.pace = options.hard},
      given_back_ns_(clock.SteadyNs()) {}

void MemoryWatch::Check() {
  std::optional<uint64_t> bytes = measure_();
  if (!bytes) return;
  if (*bytes >= options_.hard_bytes) {
    bytes = GiveBackFrom(*bytes, hard_);
  } else if (*bytes >= options_.soft_bytes) {
    bytes = GiveBackFrom(*bytes, soft_);
  } else {
    soft_.delay = hard_.delay = std::chrono::nanoseconds(0);
  }
  const bool is_exceeded = *bytes >= options_.soft_bytes;
  Report(is_exceeded_.exchange(is_exceeded, std::memory_order_relaxed), *bytes);
}

uint64_t MemoryWatch::GiveBackFrom(uint64_t bytes, Path& path) {
  const int64_t interval_ns = std::max(path.pace.interval_min, path.delay).count();
  if (clock_.SteadyNs() - given_back_ns_ <= interval_ns) return bytes;
  give_back_();
  given_back_ns_ = clock_.SteadyNs();
  const uint64_t left = measure_().value_or(bytes);
  const double useful_bytes = static_cast<double>(bytes) * kUsefulShare;
  if (left < bytes && static_cast<double>(bytes - left) >= useful_bytes) {
    path.delay = std::chrono::nanoseconds(0);
  } else {
    SlowDown(path);
  }
  return left;
}

// Twice as long each time, from the shortest that makes a difference.
void MemoryWatch::SlowDown(Path& path) const {
  if (path.pace.interval_max.count() == 0) return;
  const std::chrono::nanoseconds first = std::max(path.pace.interval_min, options_.check_interval * 95 / 100);
  path.delay = std::min(path.delay.count() == 0 ? first : path.delay * 2, path.pace.interval_max);
}

void MemoryWatch::Report(bool was_exceeded, uint64_t bytes) const {
  if (was_exceeded == is_exceeded()) return;
  if (was_exceeded) {
    Log(LogLevel::kInfo, "memory usage is back within limits; data is taken again", {{"usage_mib", bytes / kMebibyte}});
  } else {
    Log(LogLevel::kWarn, "memory usage is above the soft limit; data is refused",
        {{"usage_mib", bytes / kMebibyte},
         {"soft_limit_mib", options_.soft_bytes / kMebibyte},
         {"hard_limit_mib", options_.hard_bytes / kMebibyte},
         {"advice", "give it more memory, send it less, or bound its queues (sending_queue, spanloom_store.disk)"}});
  }
}

}  // namespace spanloom::pipeline
