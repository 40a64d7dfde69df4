// SPDX-License-Identifier: Apache-2.0
//
// Jaeger's v1 HTTP API over the store contract: what the Jaeger UI of v2.15 to v2.20 and Grafana's Jaeger data source
// call. Each handler is a function from a request to a response; query_server.cc says under which path. They block on
// the store, so they run on reader threads. `stop` is asked for when nobody waits for the answer any more: the store's
// work ends, and the handler with 499.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/http.h"
#include "otlp/ids.h"
#include "query/jaeger/envelope.h"
#include "store/span_store.h"

namespace spanloom::query::jaeger {

struct HandlerLimits {
  size_t answer_bytes_max = 256U << 20;   // of JSON: 413 with the advice to lower `limit`; guess
  size_t dependency_traces_max = 10'000;  // the newest ones, from which /api/dependencies counts; guess
  std::chrono::seconds question_max{60};  // how long the store may work on one request: 504; guess
};

// Thread-safe. `store` and `clock` must outlive it.
class Handlers {
 public:
  Handlers(const store::SpanStore& store, const Clock& clock, const HandlerLimits& limits = {})
      : store_(store), clock_(clock), limits_(limits) {}

  // GET /api/services
  [[nodiscard]] net::HttpResponse Services(const net::HttpRequest& request, std::stop_token stop = {}) const;
  // GET /api/operations?service=&spanKind=
  [[nodiscard]] net::HttpResponse Operations(const net::HttpRequest& request, std::stop_token stop = {}) const;
  // GET /api/services/{service}/operations: names only, each once
  [[nodiscard]] net::HttpResponse OperationNames(const net::HttpRequest& request, std::string_view service,
                                                 std::stop_token stop = {}) const;
  // GET /api/traces
  [[nodiscard]] net::HttpResponse Search(const net::HttpRequest& request, std::stop_token stop = {}) const;
  // GET /api/traces/{id}
  [[nodiscard]] net::HttpResponse Trace(const net::HttpRequest& request, std::string_view id,
                                        std::stop_token stop = {}) const;
  // GET /api/dependencies?endTs=&lookback=&service=
  [[nodiscard]] net::HttpResponse Dependencies(const net::HttpRequest& request, std::stop_token stop = {}) const;

 private:
  [[nodiscard]] net::HttpResponse SearchByIds(const std::vector<otlp::TraceId>& ids, bool is_raw,
                                              std::stop_token stop) const;
  // What the store is given for one request, counted from now.
  [[nodiscard]] store::ReadLimits LimitsFromNow(std::stop_token stop) const;
  // Within `limits` as the store is: a large answer takes its time to write.
  [[nodiscard]] net::HttpResponse TracesResponse(const std::vector<store::Trace>& traces, bool is_raw,
                                                 const std::vector<ApiError>& errors,
                                                 const store::ReadLimits& limits) const;
  [[nodiscard]] uint64_t NowUnixNs() const { return static_cast<uint64_t>(clock_.UnixNs()); }

  const store::SpanStore& store_;
  const Clock& clock_;
  const HandlerLimits limits_;
};

}  // namespace spanloom::query::jaeger
