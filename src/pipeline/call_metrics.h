// SPDX-License-Identifier: Apache-2.0
//
// How long calls take and how large they are, in the Collector's histograms of level detailed:
// rpc_server_call_duration, rpc_client_call_duration, http_server_request_duration and the like.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/status.h"

namespace spanloom::pipeline {

// Thread-safe. Labels that the other end chooses are told apart up to a limit; what is beyond it counts with
// otel_metric_overflow="true" alone.
class CallMetrics {
 public:
  static constexpr size_t kLabelSetsMax = 1'000;  // of one metric; guess

  // `metrics` outlives it.
  explicit CallMetrics(MetricRegistry& metrics) : metrics_(metrics) {}

  // Null unless `metrics` are detailed. Shared by those whose calls are under way.
  static std::shared_ptr<CallMetrics> Create(MetricRegistry& metrics) {
    return metrics.is_detailed() ? std::make_shared<CallMetrics>(metrics) : nullptr;
  }

  struct HttpCall {
    std::string method = {};
    std::string route = {};    // of a server; "" of a client
    std::string version = {};  // of HTTP; "" if it is not known
    std::string server = {};   // HOST or HOST:PORT
    bool is_secure = false;
    int status = 0;  // 0: there was no answer
    size_t request_bytes = 0;
    size_t response_bytes = 0;
  };
  void AddHttpServer(const HttpCall& call, int64_t duration_ns);
  void AddHttpClient(const HttpCall& call, int64_t duration_ns);

  // `method`: "/package.Service/Method". `server`: HOST:PORT.
  void AddRpcServer(std::string_view method, const Status& status, int64_t duration_ns);
  void AddRpcClient(std::string_view method, std::string_view server, const Status& status, int64_t duration_ns);

 private:
  void Add(std::string_view name, std::string_view help, const std::vector<double>& bounds, MetricLabels labels,
           double value) ABSL_LOCKS_EXCLUDED(mutex_);

  MetricRegistry& metrics_;
  Mutex mutex_;
  std::map<std::string, std::set<MetricLabels>, std::less<>> known_ ABSL_GUARDED_BY(mutex_);  // by metric
};

}  // namespace spanloom::pipeline
