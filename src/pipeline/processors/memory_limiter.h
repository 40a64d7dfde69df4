// SPDX-License-Identifier: Apache-2.0
//
// The memory_limiter processor: refuses data while the process has too much memory, so that it does not die of it.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/metrics.h"
#include "base/mutex.h"
#include "config/options.h"
#include "pipeline/processors/memory_watch.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Names, defaults and rules of the Collector; its forced garbage collection is memory that is given back to the system.
struct MemoryLimiterOptions {
  std::chrono::nanoseconds check_interval{0};
  uint32_t limit_mib = 0;
  uint32_t spike_limit_mib = 0;  // 0: a fifth of the limit
  uint32_t limit_percentage = 0;
  uint32_t spike_limit_percentage = 0;  // 0: a fifth of the limit
  std::chrono::nanoseconds min_gc_interval_when_soft_limited = std::chrono::seconds(10);
  std::chrono::nanoseconds min_gc_interval_when_hard_limited{0};
  std::chrono::nanoseconds max_gc_interval_when_soft_limited = std::chrono::seconds(30);
  std::chrono::nanoseconds max_gc_interval_when_hard_limited = std::chrono::seconds(30);
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// The limits in bytes, where the process may have `usable_bytes`.
[[nodiscard]] MemoryWatchOptions WatchOptionsOf(const MemoryLimiterOptions& options, uint64_t usable_bytes);

// Thread-safe; holds nothing. Between Start and Stop it has a thread, `spanloom-memory`, that measures: giving memory
// back can take longer than a loop may be held up.
class MemoryLimiterProcessor final : public TransformProcessor {
 public:
  // What the process is asked; other than the process in tests.
  struct Memory {
    absl::AnyInvocable<StatusOr<uint64_t>()> usable_bytes;
    MemoryWatch::Measure resident_bytes;
    MemoryWatch::GiveBack give_back;
  };
  static Memory OfThisProcess();

  MemoryLimiterProcessor(const ComponentId& id, const MemoryLimiterOptions& options, const BuildContext& context,
                         Memory memory = OfThisProcess());
  ~MemoryLimiterProcessor() override;

  // kUnavailable if memory cannot be measured, or a percentage is asked for of nobody knows how much.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;

  [[nodiscard]] bool changes_items() const override { return false; }
  // kUnavailable, until the next check, while there is too much.
  Status Admit(const otlp::Batch& batch) override;
  Status Process(otlp::Batch&) override { return absl::OkStatus(); }

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  void Join() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string id_;
  const MemoryLimiterOptions options_;
  const Clock& clock_;
  Memory memory_;
  Counter& accepted_;
  Counter& refused_;
  std::unique_ptr<MemoryWatch> watch_;  // made by Start
  Mutex mutex_;
  bool is_stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Processor type "memory_limiter".
void RegisterMemoryLimiterProcessor(Registry& registry);

}  // namespace spanloom::pipeline
