// SPDX-License-Identifier: Apache-2.0
//
// Lets who may write to the data directory ask the store for something, over a unix socket in it: `spanloom store
// flush`, `compact` and `purge` (cli/store/server_control.h).

#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/status.h"
#include "base/worker_pool.h"
#include "net/loop.h"
#include "net/server.h"
#include "store/columnar/columnar_store.h"

namespace spanloom::app {

// Answers POST /flush, /compact and /purge (cli/store/purge_selection.h) when that is done, in words; one after the
// other. Thread-compatible.
class StoreControl {
 public:
  // `store` must outlive it, stopped or not. Errors: those of net::Server::Create.
  static StatusOr<std::unique_ptr<StoreControl>> Serve(net::LoopPool& loops, MetricRegistry& metrics,
                                                       const std::string& directory,
                                                       store::columnar::ColumnarStore& store);
  // Waits for what is asked for already. A merge under way ends it when the store stops.
  ~StoreControl();

  // Takes no more.
  void Stop();

 private:
  explicit StoreControl(store::columnar::ColumnarStore& store) : store_(store) {}
  void Answer(const net::HttpRequest& request, net::HttpResponder responder);
  StatusOr<std::string> Do(std::string_view verb, std::string_view query);
  StatusOr<std::string> Purge(std::string_view query);

  store::columnar::ColumnarStore& store_;
  WorkerPool workers_{"spanloom-ctl", 1, 16};
  std::unique_ptr<net::Server> server_;  // ends first
};

}  // namespace spanloom::app
