// SPDX-License-Identifier: Apache-2.0
//
// The routes of the simulated server's HTTP API, those of vLLM: what is answered at once is answered here, what takes
// tokens is handed on (generation.h, embedding.h).

#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/metrics.h"
#include "llmd/simulator/serving.h"
#include "net/http.h"

namespace spanloom::llmd::simulator {

// Thread-safe; called on every loop.
class Api {
 public:
  // `serving` and `metrics` must outlive it.
  Api(const Serving& serving, const MetricRegistry& metrics);

  void Handle(net::HttpRequest request, net::HttpResponder responder);

 private:
  using Route = std::function<void(const net::HttpRequest&, net::HttpResponder)>;
  // One that is answered at once.
  using Answer = std::function<net::HttpResponse(const net::HttpRequest&)>;

  void Add(std::string method, std::string path, Route route);
  void AddAnswer(std::string method, std::string path, Answer answer);
  void AddGeneration();
  void AddEmbeddings();
  void AddModels();
  void AddTokens();
  void AddAdapters();
  void AddSleep();
  void AddState();
  [[nodiscard]] std::optional<wire::ApiError> Failure(const net::HttpRequest& request);

  const Serving& serving_;
  const MetricRegistry& metrics_;
  std::map<std::string, std::map<std::string, Route>> routes_;  // by path, then by method; not changed once made
  std::atomic<bool> is_sleeping_ = false;
  std::atomic<uint64_t> failure_draws_ = 0;
};

}  // namespace spanloom::llmd::simulator
