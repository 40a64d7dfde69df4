// SPDX-License-Identifier: Apache-2.0
//
// The routes of the simulated server's HTTP API, those of vLLM: what is answered at once is answered here, what takes
// tokens is handed on (generation.h, embedding.h).

#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/metrics.h"
#include "llmd/simulator/serving.h"
#include "net/grpc.h"
#include "net/http.h"

namespace spanloom::llmd::simulator {

// Thread-safe; called on every loop.
class Api {
 public:
  // `serving` and `metrics` must outlive it.
  Api(const Serving& serving, const MetricRegistry& metrics);

  // The ranks that a request may ask for by the header X-data-parallel-rank, in their order; the first is
  // options.rank's of the first. Before the first request; must outlive it.
  void SetRanks(std::span<const Serving* const> ranks) { ranks_ = ranks; }

  void Handle(net::HttpRequest request, net::HttpResponder responder);

  // vLLM's gRPC service at the same port, as llm-d-inference-sim has it. The API must outlive their calls.
  [[nodiscard]] net::GrpcMethods Rpcs() const;

 private:
  // With the rank that the request asked for.
  using Route = std::function<void(const Serving&, const net::HttpRequest&, net::HttpResponder)>;
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
  void AddConfig();
  [[nodiscard]] bool IsReady() const;
  [[nodiscard]] StatusOr<const Serving*> RankOf(const net::HttpHeaders& headers) const;
  [[nodiscard]] std::optional<wire::ApiError> WrongHeader(const net::HttpRequest& request) const;
  [[nodiscard]] std::optional<wire::ApiError> Failure(const net::HttpRequest& request);

  const Serving& serving_;
  const MetricRegistry& metrics_;
  const MetricNaming naming_;  // vLLM's
  const int64_t start_ns_;     // steady
  std::span<const Serving* const> ranks_;
  std::map<std::string, std::map<std::string, Route>> routes_;  // by path, then by method; not changed once made
  std::atomic<bool> is_sleeping_ = false;
  std::atomic<uint64_t> failure_draws_ = 0;
};

}  // namespace spanloom::llmd::simulator
