// SPDX-License-Identifier: Apache-2.0
//
// What span_metrics knows: series of calls, durations and events, by resource; and the requests it makes of them.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "otlp/batch.h"
#include "pipeline/connectors/metrics_requests.h"
#include "pipeline/connectors/series_table.h"
#include "pipeline/connectors/span_dimensions.h"
#include "pipeline/connectors/span_metrics_options.h"

namespace spanloom::pipeline {

// Thread-safe. Each resource has a lock of its own, which is held while the spans of a request that stand in it are
// counted, and while some hundred of its points are written.
class SpanTally {
 public:
  // `instance_id` is the value of collector.instance.id; without it that is no dimension. `clock` outlives the tally;
  // `seed` is of the rounding of adjusted counts.
  SpanTally(const SpanMetricsOptions& options, std::string instance_id, const Clock& clock, uint64_t seed);
  ~SpanTally();

  // Counts the spans of `batch`. Returns how many were left out because their resource has no service.name.
  size_t Count(const otlp::Batch& batch) ABSL_LOCKS_EXCLUDED(mutex_);

  // A point of every series, at `is_last` as it is: a sum that has been in no request yet begins with 0 otherwise, as
  // in the Collector, so that rates see what it counts. Then drops the series that have ended.
  [[nodiscard]] std::vector<MetricsRequest> Collect(bool is_last) ABSL_LOCKS_EXCLUDED(mutex_);

  [[nodiscard]] size_t series_count() const { return limits_.total; }
  // Series that were dropped uncollected, because more resources came and went than are kept.
  [[nodiscard]] uint64_t lost_series() const { return lost_series_; }

 private:
  struct Resource;
  class Counting;
  class TablePart;
  // Which metrics a table has: a sum, if it has a name, and `duration`.
  struct TableMetrics {
    std::string_view sum;
    std::string_view description;  // of the sum
    bool has_durations = false;
  };
  struct Moment {
    uint64_t now_unix_ns = 0;
    bool is_last = false;
  };

  std::shared_ptr<Resource> ResourceOf(const otlp::ResourceView& view) ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] std::string KeyOf(const otlp::ResourceView& view) const;
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CollectFrom(Resource& resource, uint64_t now_unix_ns, bool is_last, MetricsRequests& requests) const;
  // `table` is of `resource`.
  void CollectTable(Resource& resource, SeriesTable& table, const TableMetrics& metrics, const Moment& moment,
                    MetricsRequests& requests) const;
  void DropEnded(Resource& resource, int64_t now_ns) const;
  void DropEndedResources(int64_t now_ns) ABSL_LOCKS_EXCLUDED(mutex_);

  const SpanMetricsOptions options_;
  const HistogramShape shape_;
  const std::string instance_id_;
  const Clock& clock_;
  const bool is_delta_;
  const bool durations_apart_;  // calls and duration have dimensions of their own
  const SpanDimensions calls_dimensions_;
  const SpanDimensions duration_dimensions_;
  const SpanDimensions event_dimensions_;
  const std::string calls_name_;
  const std::string duration_name_;
  const std::string events_name_;
  mutable SeriesLimits limits_;
  std::atomic<uint64_t> lost_series_ = 0;
  std::atomic<uint64_t> next_seed_;

  mutable Mutex mutex_;
  // By what keeps them apart; and by the whole of their bytes, as a short cut. Shared with those who count.
  absl::flat_hash_map<std::string, std::shared_ptr<Resource>> resources_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::shared_ptr<Resource>> by_wire_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Resource>> evicted_ ABSL_GUARDED_BY(mutex_);  // until the next Collect
};

}  // namespace spanloom::pipeline
