// SPDX-License-Identifier: Apache-2.0
//
// The read path's front door: the page, Jaeger's HTTP API and our own (/api/insight/*) on one port. Requests arrive on
// loops and are answered on reader threads, so that a scan of the store never holds up a socket. When the client goes
// away, or the server's grace time ends, the store is told to stop.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/worker_pool.h"
#include "findings/findings_source.h"
#include "net/loop.h"
#include "net/server.h"
#include "query/jaeger/handlers.h"
#include "query/page/static_page.h"
#include "query/router.h"
#include "query/status_source.h"
#include "store/span_store.h"

namespace spanloom::query {

// What /api/insight/* asks; without a source its path is not there. They outlive the server.
struct InsightSources {
  const StatusSource* status = nullptr;
  findings::FindingsSource* findings = nullptr;
};

struct QueryServerOptions {
  std::string endpoint = "127.0.0.1:16686";  // Jaeger's port
  size_t readers = 0;                        // threads; 0: as many as loops
  size_t waiting_max = 256;                  // requests; further ones are answered 503 with Retry-After; guess
  size_t compress_bytes_min = 1'024;         // smaller answers are sent as they are
  jaeger::HandlerLimits jaeger = {};
  InsightSources insight = {};
};

// Counts requests by status in `spanloom_query_requests{code}`, 499 if the client went away first, and those that found
// no free place in `spanloom_query_refused{cause="busy"}`. Create, Stop and the destructor are called from a thread
// that is not a loop's.
class QueryServer {
 public:
  // Binds and starts to answer. Everything passed by reference, and what `assets` view, must outlive the server.
  // Errors: those of net::Server::Create.
  static StatusOr<std::unique_ptr<QueryServer>> Create(net::LoopPool& loops, MetricRegistry& metrics,
                                                       const store::SpanStore& store, QueryServerOptions options,
                                                       const std::vector<page::StaticAsset>& assets,
                                                       const Clock& clock = Clock::System());
  ~QueryServer();
  QueryServer(const QueryServer&) = delete;
  QueryServer& operator=(const QueryServer&) = delete;

  [[nodiscard]] uint16_t port() const { return server_->port(); }
  [[nodiscard]] const std::string& endpoint() const { return server_->endpoint(); }

  // As net::Server::Stop.
  size_t Stop(std::chrono::milliseconds grace) { return server_->Stop(grace); }

 private:
  QueryServer(const net::LoopPool& loops, MetricRegistry& metrics, const store::SpanStore& store,
              const QueryServerOptions& options, const std::vector<page::StaticAsset>& assets, const Clock& clock);
  void AddJaegerRoutes();
  void AddInsightRoutes();
  // On a loop.
  void Receive(net::HttpRequest request, net::HttpResponder responder);
  // On a reader thread. With `stop` requested it is an error, soon.
  [[nodiscard]] net::HttpResponse Answer(const net::HttpRequest& request, const std::stop_token& stop) const;
  void CompressIfWanted(const net::HttpRequest& request, net::HttpResponse& response) const;

  MetricRegistry& metrics_;
  Counter& refused_;
  const QueryServerOptions options_;
  const jaeger::Handlers jaeger_;
  const page::StaticPage page_;
  Router router_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<WorkerPool> readers_;  // ends first: its tasks use all of the above
};

}  // namespace spanloom::query
