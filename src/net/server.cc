// SPDX-License-Identifier: Apache-2.0

#include "net/server.h"

#include <absl/base/thread_annotations.h>

#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "net/detail/asio.h"
#include "net/detail/endpoint.h"
#include "net/detail/listen.h"
#include "net/detail/listener.h"
#include "net/detail/server_connection.h"

namespace spanloom::net {
namespace {

// Counts what several loops report. Thread-safe.
class Tally {
 public:
  explicit Tally(size_t reports_expected) : reports_missing_(reports_expected) {}

  void Report(size_t requests_cut) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    --reports_missing_;
    requests_cut_ += requests_cut;
  }

  // Waits until all have reported, at most for `patience`; returns the sum so far.
  size_t Await(std::chrono::nanoseconds patience) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    mutex_.AwaitFor([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return reports_missing_ == 0; }, patience);
    return requests_cut_;
  }

 private:
  Mutex mutex_;
  size_t reports_missing_ ABSL_GUARDED_BY(mutex_);
  size_t requests_cut_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Loops that run do answer.
constexpr std::chrono::hours kForEver{24};

}  // namespace

struct Server::State {
  State(LoopPool& server_loops, MetricRegistry& registry, ServerOptions options)
      : loops(server_loops), context(std::make_shared<ServerContext>(server_loops, registry, std::move(options))) {}

  LoopPool& loops;
  std::shared_ptr<ServerContext> context;            // shared by all connections of the server
  std::vector<std::shared_ptr<Listener>> listeners;  // [loops], shared with their coroutines
  std::string endpoint;
  uint16_t port = 0;
  std::unique_ptr<SocketFile> file;  // of a unix socket
  std::vector<ScopedGauge> gauges;
  bool is_stopped = false;
};

StatusOr<std::unique_ptr<Server>> Server::Create(LoopPool& loops, MetricRegistry& metrics, ServerOptions options) {
  std::unique_ptr<TlsCredentials> tls;
  if (options.tls.has_value()) {
    ASSIGN_OR_RETURN(tls, TlsCredentials::ForServer(*options.tls, options.name));
  }
  ASSIGN_OR_RETURN(Listening listening, Listen(loops, options));
  auto state = std::make_shared<State>(loops, metrics, std::move(options));
  state->context->tls = std::move(tls);
  state->endpoint = ToString(listening.endpoint);
  state->port = PortOf(listening.endpoint);
  state->file = std::move(listening.file);
  for (size_t i = 0; i < loops.size(); ++i) {
    auto listener = std::make_shared<Listener>(loops.At(i), std::move(listening.acceptors[i]), state->context);
    state->listeners.push_back(listener);
    loops.At(i).Post([listener] { listener->Start(); });
  }
  const MetricLabels labels = {{"server", state->context->options.name}};
  state->gauges.push_back(
      metrics.AddGauge("spanloom_net_connections", "Connections that are open.", labels, [context = state->context] {
        return static_cast<double>(context->connections.load(std::memory_order_relaxed));
      }));
  state->gauges.push_back(
      metrics.AddGauge("spanloom_net_held_bytes", "Bytes of requests that arrive or wait for their answer.", labels,
                       [context = state->context] { return static_cast<double>(context->budget->held()); }));
  Log(LogLevel::kInfo, "listening",
      {{"server", state->context->options.name},
       {"endpoint", state->endpoint},
       {"tls", state->context->tls != nullptr ? "on" : "off"}});
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  Stop(std::chrono::milliseconds(0));
}

uint16_t Server::port() const {
  return state_->port;
}

const std::string& Server::endpoint() const {
  return state_->endpoint;
}

size_t Server::Stop(std::chrono::milliseconds grace) {
  if (std::exchange(state_->is_stopped, true)) return 0;
  const auto drained = std::make_shared<Tally>(state_->listeners.size());
  for (const auto& listener : state_->listeners) {
    CHECK(!listener->loop().IsCurrent());
    listener->loop().Post([listener, drained] {
      listener->Close();
      listener->connections().Drain([drained] { drained->Report(0); });
    });
  }
  drained->Await(grace);

  const auto closed = std::make_shared<Tally>(state_->listeners.size());
  for (const auto& listener : state_->listeners) {
    listener->loop().Post([listener, closed] { closed->Report(listener->connections().CloseAll()); });
  }
  const size_t requests_cut = closed->Await(kForEver);
  state_->file.reset();
  state_->gauges.clear();
  return requests_cut;
}

}  // namespace spanloom::net
