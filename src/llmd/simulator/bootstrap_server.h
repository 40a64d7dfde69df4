// SPDX-License-Identifier: Apache-2.0
//
// A prefill server's bootstrap server, at which decode servers and proxies ask for it: Mooncake's GET /query, which
// names the engine of each rank, and in place of what Mooncake and SGLang speak behind it, over HTTP,
// POST /transfer?name=NAME&engine=ID. That is answered when the blocks under the name are there (200), or won't be
// (404). Without an engine any one will do.

#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "llmd/simulator/meetings.h"
#include "net/loop.h"
#include "net/server.h"

namespace spanloom::llmd::simulator {

// Made and destroyed on a thread that is not a loop's.
class BootstrapServer {
 public:
  // `engines`: the name of each rank's. Errors: those of net::Server::Create. The rest must outlive it.
  static StatusOr<std::unique_ptr<BootstrapServer>> Create(const std::string& endpoint,
                                                           std::map<size_t, std::string> engines, net::LoopPool& loops,
                                                           MetricRegistry& metrics, Meetings& meetings);
  ~BootstrapServer();

 private:
  BootstrapServer(std::map<size_t, std::string> engines, Meetings& meetings)
      : engines_(std::move(engines)), meetings_(meetings) {}
  void Answer(const net::HttpRequest& request, net::HttpResponder responder);
  [[nodiscard]] net::HttpResponse Engines() const;

  const std::map<size_t, std::string> engines_;  // by rank
  Meetings& meetings_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace spanloom::llmd::simulator
