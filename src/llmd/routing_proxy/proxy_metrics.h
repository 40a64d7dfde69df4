// SPDX-License-Identifier: Apache-2.0
//
// What a routing proxy counts, by the names that llm-d's sidecar has for it; what is not there begins with the same.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include "base/metrics.h"
#include "llmd/routing_proxy/api.h"
#include "llmd/routing_proxy/connector.h"

namespace spanloom::llmd::routing_proxy {

// Thread-safe.
struct ProxyMetrics {
  ProxyMetrics(MetricRegistry& registry, Connector connector);

  [[nodiscard]] Counter& RequestsOf(std::optional<Api> api) {
    return *requests[api.has_value() ? static_cast<size_t>(*api) : requests.size() - 1];
  }

  std::array<Counter*, 6> requests = {};  // by API; the last: passed through
  Counter& disaggregated;                 // requests with a prefill leg
  Counter& prefill_errors;                // legs that failed
  Counter& decode_errors;
  Counter& retries;         // of prefill legs
  Counter& fallbacks;       // requests whose prefill failed and that decode did alone
  Counter& denied;          // by the allow-list
  Counter& clients_gone;    // before their answer was complete
  Counter& cut;             // answers of decode that broke off on their way
  Counter& refused_bodies;  // too large, or too many at once
  Counter& forwarded_bytes;
  Histogram& prefill_seconds;
  Histogram& decode_seconds;
  Histogram& first_byte_seconds;       // from arrival to the first byte of the answer's body
  std::atomic<int64_t> active = 0;     // requests under way
  std::atomic<size_t> held_bytes = 0;  // of bodies that are kept for two legs

 private:
  std::array<ScopedGauge, 2> gauges_;
};

}  // namespace spanloom::llmd::routing_proxy
