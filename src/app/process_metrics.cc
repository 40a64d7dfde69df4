// SPDX-License-Identifier: Apache-2.0

#include "app/process_metrics.h"

#include <malloc.h>
#include <sys/resource.h>

#include "base/check.h"
#include "base/process_memory.h"

namespace spanloom::app {
namespace {

double CpuSeconds() {
  rusage usage;
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Of the heap that was asked for: what is in use.
double HeapBytes() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<double>(heap.uordblks + heap.hblkhd);
}

double HeapSystemBytes() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<double>(heap.arena + heap.hblkhd);
}

}  // namespace

ProcessMetrics::ProcessMetrics(MetricRegistry& metrics, const Clock& clock, int64_t begin_ns,
                               const MetricLabels& resource) {
  gauges_.push_back(metrics.AddReadCounter("otelcol_process_cpu_seconds", "Total CPU user and system time in seconds.",
                                           {}, CpuSeconds));
  gauges_.push_back(metrics.AddGauge("otelcol_process_memory_rss", "Total physical memory (resident set size).", {},
                                     [] { return static_cast<double>(ResidentBytes().value_or(0)); }));
  metrics.SetUnit("otelcol_process_memory_rss", "bytes");
  gauges_.push_back(metrics.AddReadCounter("otelcol_process_uptime", "Uptime of the process.", {}, [&clock, begin_ns] {
    return static_cast<double>(clock.SteadyNs() - begin_ns) / 1e9;
  }));
  metrics.SetUnit("otelcol_process_uptime", "seconds");
  gauges_.push_back(metrics.AddGauge("otelcol_process_runtime_heap_alloc_bytes", "Bytes of the heap that are in use.",
                                     {}, HeapBytes));
  gauges_.push_back(metrics.AddGauge("otelcol_process_runtime_total_sys_memory_bytes",
                                     "Bytes of memory that the heap has from the system.", {}, HeapSystemBytes));
  gauges_.push_back(metrics.AddGauge("target_info", "Target metadata.", resource, [] { return 1; }));
}

}  // namespace spanloom::app
