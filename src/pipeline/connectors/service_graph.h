// SPDX-License-Identifier: Apache-2.0
//
// The service_graph connector: pairs the client's span of a request with the server's and passes on, as metrics, who
// calls whom how often, how often in vain, and how long it takes on either side. Names and labels are the Collector's.
// It needs all spans of a trace.

#pragma once

#include <absl/base/thread_annotations.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "config/options.h"
#include "pipeline/connectors/duration_histogram.h"
#include "pipeline/connectors/edge_store.h"
#include "pipeline/connectors/metrics_outlet.h"
#include "pipeline/connectors/metrics_requests.h"
#include "pipeline/connectors/ticker.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct EdgeStoreOptions {
  int64_t max_items = 1'000;
  std::chrono::nanoseconds ttl = std::chrono::seconds(2);
  void Declare(config::OptionsReader& r);
};

struct ServiceGraphOptions {
  std::vector<std::string> latency_histogram_buckets = {};  // durations; empty: the Collector's
  int64_t exponential_histogram_max_size = 0;               // 0: with bounds
  std::vector<std::string> dimensions = {};
  EdgeStoreOptions store = {};
  std::chrono::nanoseconds cache_loop = std::chrono::minutes(1);
  std::chrono::nanoseconds store_expiration_loop = std::chrono::seconds(2);
  std::vector<std::string> virtual_node_peer_attributes = {"peer.service", "db.name", "db.system"};
  bool virtual_node_extra_label = false;
  std::chrono::nanoseconds metrics_flush_interval = std::chrono::seconds(60);  // 0: with every batch
  std::chrono::nanoseconds metrics_timestamp_offset{0};
  std::string database_name_attribute = {};  // the older way to say the next
  std::vector<std::string> database_name_attributes = {"db.name"};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  [[nodiscard]] HistogramShape Shape() const;
};

// Thread-safe. Spans are never refused while it runs; those that do not fit are counted and not paired.
class ServiceGraphConnector final : public PassingConnector {
 public:
  ServiceGraphConnector(const ComponentId& id, const ServiceGraphOptions& options, const BuildContext& context,
                        Consumer& next);

  Status Start() override;
  // Passes on what has been paired, once more.
  void Stop(std::chrono::milliseconds grace) override;
  void Consume(otlp::Batch batch, Done done) override;
  [[nodiscard]] bool derives() const override { return true; }
  [[nodiscard]] HoldLimits hold_limits() const override { return {.time = options_.metrics_flush_interval}; }

  // Each is called again and again; not on a loop.
  void Flush() ABSL_LOCKS_EXCLUDED(mutex_);
  void ExpireEdges() ABSL_LOCKS_EXCLUDED(mutex_);
  void DropSilentSeries() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Series {
    std::string attributes;  // KeyValues, each a field 1
    int64_t last_seen_ns = 0;
    uint64_t total = 0;
    uint64_t failed = 0;
    DurationHistogram client;
    DurationHistogram server;
  };
  // Halves of requests that were not paired, by what they say of both ends.
  struct LostHalves {
    std::string attributes;  // as of Series
    int64_t last_seen_ns = 0;
    uint64_t unpaired = 0;
    uint64_t dropped = 0;
  };
  // What a span says, and where it stands.
  struct Half {
    const otlp::SpanContext& context;
    std::string_view service;
    std::string_view connection;
  };

  void Add(const otlp::SpanContext& context, int64_t now_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddHalf(const Half& half, bool is_client, int64_t now_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FillClient(const Half& half, Edge& edge) const;
  void FillServer(const Half& half, Edge& edge) const;
  void AddDimensions(const Half& half, std::string_view side, Edge& edge) const;
  void OnExpired(const EdgeStore::Key& key, Edge& edge) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Count(const Edge& edge) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountLost(const Edge& edge, uint64_t LostHalves::*count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether there may be one more.
  [[nodiscard]] bool HasRoomForSeries() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::string EncodeAttributes(const Edge& edge) const;
  [[nodiscard]] std::vector<MetricsRequest> Collect() ABSL_LOCKS_EXCLUDED(mutex_);
  void WriteEdges(const std::vector<const Series*>& part, const otlp::PointTimes& times,
                  otlp::MetricsWriter& writer) const;

  const std::string id_;
  const ServiceGraphOptions options_;
  const HistogramShape shape_;
  const std::vector<std::string> database_attributes_;
  const Clock& clock_;
  const uint64_t start_unix_ns_;
  MetricsOutlet outlet_;
  Counter& dropped_;
  Counter& edges_total_;
  Counter& expired_;
  std::atomic<bool> is_stopped_ = false;

  Mutex mutex_;
  EdgeStore edges_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Series> series_ ABSL_GUARDED_BY(mutex_);    // by their attributes
  std::map<std::string, LostHalves> lost_ ABSL_GUARDED_BY(mutex_);  // by their attributes

  std::vector<std::unique_ptr<Ticker>> tickers_;
};

// Connector type "service_graph", which was "servicegraph".
void RegisterServiceGraphConnector(Registry& registry);

}  // namespace spanloom::pipeline
