// SPDX-License-Identifier: Apache-2.0
//
// The metrics of this process as OTLP requests, one after the other.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"

namespace spanloom::app {

// Thread-compatible.
class MetricsReporter {
 public:
  // `resource` is what they are of, in wire form. With `has_deltas`, counters and histograms say what came since the
  // last report that was delivered, else since `begin_unix_ns`.
  MetricsReporter(std::string resource, bool has_deltas, int64_t begin_unix_ns)
      : resource_(std::move(resource)), has_deltas_(has_deltas), start_unix_ns_(begin_unix_ns) {}

  struct Report {
    std::string request = {};  // an ExportMetricsServiceRequest
    size_t points = 0;
  };

  // `metrics` as a report. What a Prometheus page alone needs (target_info) is left out.
  [[nodiscard]] Report Encode(std::vector<MetricSnapshot> metrics, int64_t now_unix_ns);

  // The report that was encoded last has been taken: deltas count from there.
  void Delivered();

 private:
  using Key = std::pair<std::string, MetricLabels>;

  // What is new in `series`; all of it if it has begun anew, or deltas are not asked for.
  [[nodiscard]] MetricSnapshot::Series SinceBase(const std::string& name, MetricSnapshot::Series series) const;

  const std::string resource_;
  const bool has_deltas_;
  int64_t start_unix_ns_;
  int64_t encoded_unix_ns_ = 0;
  std::vector<MetricSnapshot> encoded_;         // of the last report; with deltas
  std::map<Key, MetricSnapshot::Series> base_;  // what was delivered; with deltas
};

}  // namespace spanloom::app
