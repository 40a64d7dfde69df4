// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/memory_limiter.h"

#include <malloc.h>
#include <pthread.h>

#include <utility>

#include "base/log.h"
#include "base/process_memory.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr uint64_t kMebibyte = 1 << 20;
constexpr std::chrono::hours kIntervalMax{24};  // what a thread may wait for; guess
constexpr uint64_t kSpikeShare = 5;  // the spike is a fifth of the limit where it is not said; the Collector's

Counter& ItemCounter(const BuildContext& context, std::string_view prefix, std::string_view help,
                     const std::string& processor) {
  return context.metrics.GetCounter(StrCat(prefix, otlp::ItemsText(context.signal)),
                                    StrCat("Number of ", otlp::ItemsWords(context.signal), " ", help),
                                    {{"processor", processor}});
}

Status Invalid(std::string_view message) {
  return absl::InvalidArgumentError(AbslView(message));
}

constexpr ComponentDoc kDoc = {
    .words =
        "Refuses data while the process has too much memory: from the limit less the spike limit on with UNAVAILABLE "
        "(503 "
        "over HTTP) and the delay after which it is worth to send again. Put it first in a pipeline, so that nothing "
        "is "
        "done with what is refused. What is measured is the resident memory of the whole process. There is no garbage "
        "to "
        "collect here: what the keys with gc in their names say of forced collections holds for giving memory that was "
        "freed back to the system (malloc_trim), which is tried before anything is refused.",
    .example = R"(processors:
  memory_limiter:
    check_interval: 1s
    limit_percentage: 80
    spike_limit_percentage: 25
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter]
      exporters: [spanloom_store]
)",
};

}  // namespace

void MemoryLimiterOptions::Declare(config::OptionsReader& r) {
  r.Field("check_interval", check_interval, "How often memory is measured; it must be set.", {.max = kIntervalMax});
  r.Field("limit_mib", limit_mib, "The most memory that the process is to have; goes before limit_percentage.",
          {.unit = "MiB"});
  r.Field("spike_limit_mib", spike_limit_mib,
          "How much may come between two measurements; data is refused from that much below the limit on. 0 is a fifth "
          "of the limit.",
          {.unit = "MiB"});
  r.Field("limit_percentage", limit_percentage,
          "The same as limit_mib, as a share of the limit of its cgroup (of either version), where there is none of "
          "GOMEMLIMIT, else of what the machine has.",
          {.unit = "%"});
  r.Field("spike_limit_percentage", spike_limit_percentage,
          "The same as spike_limit_mib, as such a share; it goes with limit_percentage.", {.unit = "%"});
  r.Field("min_gc_interval_when_soft_limited", min_gc_interval_when_soft_limited,
          "The shortest time between two attempts to give memory back, below the limit.");
  r.Field("min_gc_interval_when_hard_limited", min_gc_interval_when_hard_limited, "The same, above the limit.");
  r.Field("max_gc_interval_when_soft_limited", max_gc_interval_when_soft_limited,
          "The longest time, which is come to by doubling while attempts give back less than a twentieth; 0 is never.");
  r.Field("max_gc_interval_when_hard_limited", max_gc_interval_when_hard_limited, "The same, above the limit.");
}

Status MemoryLimiterOptions::Validate() const {
  constexpr uint32_t kAll = 100;
  if (check_interval.count() <= 0) return Invalid("'check_interval' must be greater than zero");
  if (min_gc_interval_when_soft_limited < min_gc_interval_when_hard_limited) {
    return Invalid("'min_gc_interval_when_soft_limited' should be larger than 'min_gc_interval_when_hard_limited'");
  }
  const std::pair<std::chrono::nanoseconds, std::chrono::nanoseconds> paces[] = {
      {min_gc_interval_when_soft_limited, max_gc_interval_when_soft_limited},
      {min_gc_interval_when_hard_limited, max_gc_interval_when_hard_limited}};
  for (const auto& [least, most] : paces) {
    if (most.count() != 0 && most < least)
      return Invalid("each 'max_gc_interval' must be at least its 'min_gc_interval'");
  }
  if (limit_mib == 0 && limit_percentage == 0) {
    return Invalid("'limit_mib' or 'limit_percentage' must be greater than zero");
  }
  if (limit_percentage > kAll || spike_limit_percentage > kAll) {
    return Invalid(
        "'limit_percentage' and 'spike_limit_percentage' must be greater than zero and less than or equal to hundred");
  }
  if (limit_mib > 0 && limit_mib <= spike_limit_mib) {
    return Invalid("'spike_limit_mib' must be smaller than 'limit_mib'");
  }
  if (limit_percentage > 0 && limit_percentage <= spike_limit_percentage) {
    return Invalid("'spike_limit_percentage' must be smaller than 'limit_percentage'");
  }
  return absl::OkStatus();
}

MemoryWatchOptions WatchOptionsOf(const MemoryLimiterOptions& options, uint64_t usable_bytes) {
  const bool is_fixed = options.limit_mib > 0;
  const uint64_t limit = is_fixed ? options.limit_mib * kMebibyte : usable_bytes * options.limit_percentage / 100;
  uint64_t spike = is_fixed ? options.spike_limit_mib * kMebibyte : usable_bytes * options.spike_limit_percentage / 100;
  if (spike == 0) spike = limit / kSpikeShare;
  return {.soft_bytes = limit - spike,
          .hard_bytes = limit,
          .check_interval = options.check_interval,
          .soft = {.interval_min = options.min_gc_interval_when_soft_limited,
                   .interval_max = options.max_gc_interval_when_soft_limited},
          .hard = {.interval_min = options.min_gc_interval_when_hard_limited,
                   .interval_max = options.max_gc_interval_when_hard_limited}};
}

MemoryLimiterProcessor::Memory MemoryLimiterProcessor::OfThisProcess() {
  return {.usable_bytes = []() -> StatusOr<uint64_t> {
            ASSIGN_OR_RETURN(const UsableMemory memory, FindUsableMemory());
            return memory.bytes;
          },
          .resident_bytes = [] { return ResidentBytes(); },
          .give_back = [] { malloc_trim(0); }};
}

MemoryLimiterProcessor::MemoryLimiterProcessor(const ComponentId& id, const MemoryLimiterOptions& options,
                                               const BuildContext& context, Memory memory)
    : id_(id.ToString()),
      options_(options),
      clock_(context.clock),
      memory_(std::move(memory)),
      accepted_(ItemCounter(context, "otelcol_processor_memory_limiter_accepted_",
                            "successfully pushed into the next component in the pipeline.", id_)),
      refused_(ItemCounter(context, "otelcol_processor_memory_limiter_refused_",
                           "that were rejected by the next component in the pipeline.", id_)) {}

MemoryLimiterProcessor::~MemoryLimiterProcessor() {
  Join();
}

Status MemoryLimiterProcessor::Start() {
  uint64_t usable_bytes = 0;
  if (options_.limit_mib == 0) {
    ASSIGN_OR_RETURN(usable_bytes, memory_.usable_bytes());
  }
  if (!memory_.resident_bytes()) return absl::UnavailableError("/proc/self/statm can't be read");
  const MemoryWatchOptions watch = WatchOptionsOf(options_, usable_bytes);
  Log(LogLevel::kInfo, "Memory limiter configured",
      {{"processor", id_},
       {"limit_mib", watch.hard_bytes / kMebibyte},
       {"spike_limit_mib", (watch.hard_bytes - watch.soft_bytes) / kMebibyte},
       {"refuses_from_mib", watch.soft_bytes / kMebibyte},
       {"check_interval", std::chrono::duration<double>(options_.check_interval).count()}});
  watch_ =
      std::make_unique<MemoryWatch>(watch, clock_, std::move(memory_.resident_bytes), std::move(memory_.give_back));
  watch_->Check();
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "spanloom-memory");
  return absl::OkStatus();
}

void MemoryLimiterProcessor::Stop(std::chrono::milliseconds) {
  Join();
}

void MemoryLimiterProcessor::Join() {
  {
    const MutexLock lock(mutex_);
    is_stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void MemoryLimiterProcessor::Run() {
  const auto is_stopping = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return is_stopping_; };
  while (true) {
    {
      const MutexLock lock(mutex_);
      if (mutex_.AwaitFor(is_stopping, options_.check_interval)) return;
    }
    watch_->Check();
  }
}

Status MemoryLimiterProcessor::Admit(const otlp::Batch& batch) {
  if (!watch_->is_exceeded()) {
    accepted_.Add(batch.span_count());
    return absl::OkStatus();
  }
  refused_.Add(batch.span_count());
  return WithRetryDelay(absl::UnavailableError("data refused due to high memory usage"),
                        std::chrono::ceil<std::chrono::milliseconds>(options_.check_interval));
}

void RegisterMemoryLimiterProcessor(Registry& registry) {
  registry.processors.Add<MemoryLimiterOptions>(
      "memory_limiter", kDoc,
      [](const ComponentId& id, const MemoryLimiterOptions& options, const BuildContext& context) {
        return std::make_unique<MemoryLimiterProcessor>(id, options, context);
      },
      EverySignal());
}

}  // namespace spanloom::pipeline
