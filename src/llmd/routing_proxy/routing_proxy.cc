// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/routing_proxy.h"

#include <atomic>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/rng.h"
#include "base/text.h"
#include "llmd/routing_proxy/api.h"
#include "llmd/routing_proxy/dispatch.h"
#include "llmd/routing_proxy/proxy_loop.h"
#include "net/host_port.h"
#include "net/server.h"

namespace spanloom::llmd::routing_proxy {

using std::chrono::milliseconds;

class RoutingProxy::State {
 public:
  State(ProxyOptions options, const Surroundings& with)
      : options_(std::move(options)),
        loops_(with.loops),
        registry_(with.metrics),
        metrics_(with.metrics, options_.connector),
        ports_(options_.data_parallel_size),
        shared_{.options = options_,
                .loops = with.loops,
                .clock = with.clock,
                .tracer = with.tracer,
                .allow_list = with.allow_list,
                .metrics = metrics_,
                .ports = ports_.data()} {}

  Status Start() {
    RETURN_IF_ERROR(MakeLoops());
    for (size_t rank = 0; rank < options_.data_parallel_size; ++rank) {
      ASSIGN_OR_RETURN(auto server, net::Server::Create(loops_, registry_, ServerOptionsOf(rank)));
      ports_[rank].store(server->port(), std::memory_order_relaxed);
      servers_.push_back(std::move(server));
    }
    return absl::OkStatus();
  }

  void BeginDrain() { is_draining_.store(true, std::memory_order_relaxed); }

  size_t Stop(milliseconds grace) {
    BeginDrain();
    const auto end = std::chrono::steady_clock::now() + grace;
    size_t cut = 0;
    for (const auto& server : servers_) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
      cut += server->Stop(std::max(left, milliseconds(0)));
    }
    return cut;
  }

  // On a thread that is not a loop's.
  void Destroy() {
    Stop(milliseconds(0));
    for (auto& loop : proxy_loops_) {
      std::atomic<bool> is_done = false;
      net::Loop& where = loop->loop();
      // Behind what the requests that were cut off have posted.
      where.Post([&] {
        loop->lingering.clear();
        where.Post([&] {
          loop.reset();
          is_done.store(true);
          is_done.notify_one();
        });
      });
      is_done.wait(false);
    }
  }

  [[nodiscard]] uint16_t port(size_t rank) const { return servers_[rank]->port(); }

 private:
  Status MakeLoops() {
    for (size_t i = 0; i < loops_.size(); ++i) {
      ASSIGN_OR_RETURN(auto upstreams, Upstreams::Create(loops_.At(i), options_));
      proxy_loops_.push_back(std::make_unique<ProxyLoop>(shared_, std::move(upstreams), Rng::SystemSeed()));
    }
    return absl::OkStatus();
  }

  net::ServerOptions ServerOptionsOf(size_t rank) {
    net::ServerOptions options;
    options.name = rank == 0 ? "routing-proxy" : StrCat("routing-proxy/rank", rank);
    const auto port = static_cast<uint16_t>(options_.port == 0 ? 0 : options_.port + rank);
    options.endpoint =
        StrCat(options_.listen_host.find(':') == std::string::npos ? options_.listen_host
                                                                   : StrCat("[", options_.listen_host, "]"),
               ":", port);
    options.tls = options_.tls;
    options.limits.header_bytes_max = 1 << 20;         // llm-d's
    options.limits.header_max = milliseconds(30'000);  // llm-d's
    options.limits.idle_max = milliseconds(300'000);   // llm-d's
    options.limits.connections_max = 100'000;          // guess
    options.http_stream = [this, rank](net::HttpRequest head, net::HttpBodyReader reader,
                                       net::HttpResponder responder) {
      OnRequest(rank, std::move(head), std::move(reader), std::move(responder));
    };
    return options;
  }

  void OnRequest(size_t rank, net::HttpRequest head, net::HttpBodyReader reader, net::HttpResponder responder) {
    ProxyLoop& loop = CurrentLoop();
    if (head.path == "/health" && head.method == "GET") return std::move(responder).Respond({});
    Arrival arrival{.head = std::move(head), .reader = std::move(reader), .responder = std::move(responder)};
    arrival.rank = rank;
    arrival.api = GenerationApi(arrival.head.method, arrival.head.path);
    if (arrival.head.path == "/readyz" && arrival.head.method == "GET") {
      return AnswerReadiness(loop, std::move(arrival), is_draining_.load(std::memory_order_relaxed));
    }
    Dispatch(loop, std::move(arrival));
  }

  ProxyLoop& CurrentLoop() {
    for (const auto& loop : proxy_loops_) {
      if (loop->loop().IsCurrent()) return *loop;
    }
    CHECK(false);  // handlers are called on loops
    return *proxy_loops_.front();
  }

  const ProxyOptions options_;
  net::LoopPool& loops_;
  MetricRegistry& registry_;
  ProxyMetrics metrics_;
  std::vector<std::atomic<uint16_t>> ports_;  // of servers_
  ProxyShared shared_;
  std::vector<std::unique_ptr<ProxyLoop>> proxy_loops_;  // each bound to its loop
  std::vector<std::unique_ptr<net::Server>> servers_;    // [data_parallel_size]
  std::atomic<bool> is_draining_ = false;
};

RoutingProxy::RoutingProxy(std::unique_ptr<State> state) : state_(std::move(state)) {}

RoutingProxy::~RoutingProxy() {
  state_->Destroy();
}

StatusOr<std::unique_ptr<RoutingProxy>> RoutingProxy::Create(ProxyOptions options, Surroundings surroundings) {
  std::unique_ptr<RoutingProxy> proxy(new RoutingProxy(std::make_unique<State>(std::move(options), surroundings)));
  RETURN_IF_ERROR(proxy->state_->Start());
  return proxy;
}

uint16_t RoutingProxy::port(size_t rank) const {
  return state_->port(rank);
}

void RoutingProxy::BeginDrain() {
  state_->BeginDrain();
}

size_t RoutingProxy::Stop(milliseconds grace) {
  return state_->Stop(grace);
}

}  // namespace spanloom::llmd::routing_proxy
