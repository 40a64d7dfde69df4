// SPDX-License-Identifier: Apache-2.0

#include "net/server.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>
#include <sys/socket.h>

#include <array>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "net/detail/asio.h"
#include "net/detail/deadline.h"
#include "net/detail/endpoint.h"
#include "net/detail/server_connection.h"
#include "net/detail/socket_options.h"
#include "net/http1/server_connection.h"
#include "net/http2/server_connection.h"

namespace spanloom::net {
namespace {

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113, 3.4
constexpr std::chrono::milliseconds kAcceptPause{500};  // when the process has no file descriptor left; guess

// A connection whose protocol is not known yet. Sequence-bound: its loop. Kept alive by its coroutine.
class NewConnection final : public ServerConnection, public std::enable_shared_from_this<NewConnection> {
 public:
  static void Serve(Loop& loop, tcp::socket socket, std::string peer, ConnectionSlot slot,
                    std::shared_ptr<ConnectionSet> connections) {
    std::shared_ptr<NewConnection> connection(
        new NewConnection(loop, std::move(socket), std::move(peer), std::move(slot), connections));
    connections->Add(connection);
    Spawn(loop, connection->Run(connection));
  }

  void Drain() override { Close(); }

  size_t Close() override {
    deadline_.Clear();
    error_code ignored;
    socket_.close(ignored);
    return 0;
  }

 private:
  NewConnection(Loop& loop, tcp::socket socket, std::string peer, ConnectionSlot slot,
                std::shared_ptr<ConnectionSet> connections)
      : loop_(loop),
        socket_(std::move(socket)),
        peer_(std::move(peer)),
        slot_(std::move(slot)),
        connections_(std::move(connections)),
        deadline_(loop, [this] { OnDeadline(); }) {}

  [[nodiscard]] bool MayBeHttp2() const { return kHttp2Preface.starts_with(first_bytes_); }
  [[nodiscard]] bool IsDecided() const { return !MayBeHttp2() || first_bytes_.size() == kHttp2Preface.size(); }

  asio::awaitable<void> Run(std::shared_ptr<NewConnection> self) {
    const ServerLimits& limits = slot_.context().options.limits;
    if (limits.idle_max.count() > 0) deadline_.SetAfter(limits.idle_max);
    error_code error;
    while (!error && !IsDecided()) {
      std::array<char, kHttp2Preface.size()> piece;
      const auto buffer = asio::buffer(piece.data(), kHttp2Preface.size() - first_bytes_.size());
      const size_t bytes = co_await socket_.async_read_some(buffer, Into(error));
      if (first_bytes_.empty()) deadline_.SetAfter(limits.request_max);
      first_bytes_.append(piece.data(), bytes);
    }
    deadline_.Clear();
    if (!error && socket_.is_open()) HandOver();
    connections_->Remove(*self);
  }

  void HandOver() {
    if (MayBeHttp2()) {
      http2::ServerConnection::Serve(loop_, std::move(socket_), std::move(first_bytes_), std::move(peer_),
                                     std::move(slot_), connections_);
    } else {
      http1::ServerConnection::Serve(loop_, std::move(socket_), first_bytes_, std::move(peer_), std::move(slot_),
                                     connections_);
    }
  }

  void OnDeadline() {
    slot_.context().refusals.Count(first_bytes_.empty() ? Refusal::kIdle : Refusal::kTimeout);
    Close();
  }

  Loop& loop_;
  tcp::socket socket_;
  std::string peer_;
  ConnectionSlot slot_;
  std::shared_ptr<ConnectionSet> connections_;  // shared by the server's connections on this loop
  Deadline deadline_;
  std::string first_bytes_;
};

// False for errors that may last, such as a lack of file descriptors: the next attempt would fail at once.
bool MayAcceptAtOnce(const error_code& error) {
  return !error || error == asio::error::connection_aborted || error == asio::error::operation_aborted;
}

// Accepts on one loop. Sequence-bound: the loop. Kept alive by its coroutine.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(Loop& loop, tcp::acceptor acceptor, std::shared_ptr<ServerContext> context)
      : loop_(loop),
        acceptor_(std::move(acceptor)),
        pause_(Context(loop)),
        context_(std::move(context)),
        connections_(std::make_shared<ConnectionSet>()) {}

  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] ConnectionSet& connections() { return *connections_; }

  void Start() { Spawn(loop_, Accept(shared_from_this())); }

  void Close() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  asio::awaitable<void> Accept(std::shared_ptr<Listener> self) {
    while (self->acceptor_.is_open()) {
      tcp::socket socket(Context(loop_));
      error_code error;
      co_await acceptor_.async_accept(socket, Into(error));
      if (!error) Admit(std::move(socket));
      if (MayAcceptAtOnce(error)) continue;
      Log(LogLevel::kError, "can't accept connections for now; is the limit of open files too low?",
          {{"server", context_->options.name}, {"error", error.message()}});
      pause_.expires_after(kAcceptPause);
      co_await pause_.async_wait(Into(error));
    }
  }

  void Admit(tcp::socket socket) {
    error_code error;
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (error || !acceptor_.is_open()) return;
    if (context_->connections.load(std::memory_order_relaxed) >= context_->options.limits.connections_max) {
      return context_->refusals.Count(Refusal::kConnectionsMax);
    }
    SetConnectionOptions(socket);
    NewConnection::Serve(loop_, std::move(socket), ToString(peer), ConnectionSlot(context_), connections_);
  }

  Loop& loop_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::shared_ptr<ServerContext> context_;      // shared by all connections of the server
  std::shared_ptr<ConnectionSet> connections_;  // shared by the server's connections on this loop
};

Status BindFailed(const ServerOptions& options, const error_code& error) {
  const std::string_view advice = error == asio::error::address_in_use
                                      ? "; stop the process that has the port, or choose another endpoint"
                                      : "; choose an address of this machine and a port you may open";
  return absl::UnavailableError(StrCat(options.name, ": can't listen on ", options.endpoint, ": ", error.message(), advice));
}

enum class Sharing { kExclusive, kReusePort };

error_code Bind(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, Sharing sharing) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  const int on = 1;
  if (sharing == Sharing::kReusePort) setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (endpoint.address().is_v6()) {  // ":4317" means both families; "[::1]:4317" only has the one
    acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), error);
  }
  acceptor.bind(endpoint, error);
  return error;
}

// SO_REUSEPORT would let a second process of the same user share the port unnoticed. So ask for it alone first.
error_code CheckPortIsFree(Loop& loop, const tcp::endpoint& endpoint) {
  if (endpoint.port() == 0) return {};
  tcp::acceptor probe(Context(loop));
  return Bind(probe, endpoint, Sharing::kExclusive);
}

// One socket a loop, all bound to the same port; `endpoint` gets the port if it was 0.
StatusOr<std::vector<tcp::acceptor>> Listen(LoopPool& loops, const ServerOptions& options, tcp::endpoint& endpoint) {
  error_code error = CheckPortIsFree(loops.At(0), endpoint);
  if (error) return BindFailed(options, error);
  std::vector<tcp::acceptor> acceptors;
  for (size_t i = 0; i < loops.size(); ++i) {
    tcp::acceptor& acceptor = acceptors.emplace_back(Context(loops.At(i)));
    error = Bind(acceptor, endpoint, Sharing::kReusePort);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return BindFailed(options, error);
    endpoint.port(acceptor.local_endpoint(error).port());
  }
  return acceptors;
}

// Counts what several loops report. Thread-safe.
class Tally {
 public:
  explicit Tally(size_t reports_expected) : reports_missing_(reports_expected) {}

  void Report(size_t requests_cut) ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    --reports_missing_;
    requests_cut_ += requests_cut;
  }

  // Waits until all have reported, at most for `duration`; returns the sum so far.
  size_t Await(absl::Duration duration) ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &Tally::IsComplete), duration);
    return requests_cut_;
  }

 private:
  [[nodiscard]] bool IsComplete() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return reports_missing_ == 0; }

  absl::Mutex mutex_;
  size_t reports_missing_ ABSL_GUARDED_BY(mutex_);
  size_t requests_cut_ ABSL_GUARDED_BY(mutex_) = 0;
};

constexpr std::string_view kConnectionsGauge = "spanloom_net_connections";

}  // namespace

struct Server::State {
  State(LoopPool& server_loops, MetricRegistry& registry, ServerOptions options)
      : loops(server_loops),
        metrics(registry),
        labels({{"server", options.name}}),
        context(std::make_shared<ServerContext>(registry, std::move(options))) {}

  LoopPool& loops;
  MetricRegistry& metrics;
  MetricLabels labels;
  std::shared_ptr<ServerContext> context;            // shared by all connections of the server
  std::vector<std::shared_ptr<Listener>> listeners;  // [loops], shared with their coroutines
  tcp::endpoint endpoint;
  std::string endpoint_text;
  bool is_stopped = false;
};

StatusOr<std::unique_ptr<Server>> Server::Create(LoopPool& loops, MetricRegistry& metrics, ServerOptions options) {
  ASSIGN_OR_RETURN(tcp::endpoint endpoint, ResolveListenEndpoint(options.endpoint));
  ASSIGN_OR_RETURN(std::vector<tcp::acceptor> acceptors, Listen(loops, options, endpoint));
  auto state = std::make_shared<State>(loops, metrics, std::move(options));
  state->endpoint = endpoint;
  state->endpoint_text = ToString(endpoint);
  for (size_t i = 0; i < loops.size(); ++i) {
    auto listener = std::make_shared<Listener>(loops.At(i), std::move(acceptors[i]), state->context);
    state->listeners.push_back(listener);
    loops.At(i).Post([listener] { listener->Start(); });
  }
  metrics.SetGauge(kConnectionsGauge, "Connections that are open.", state->labels, [context = state->context] {
    return static_cast<double>(context->connections.load(std::memory_order_relaxed));
  });
  Log(LogLevel::kInfo, "listening", {{"server", state->context->options.name}, {"endpoint", state->endpoint_text}});
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { Stop(std::chrono::milliseconds(0)); }

uint16_t Server::port() const { return state_->endpoint.port(); }

const std::string& Server::endpoint() const { return state_->endpoint_text; }

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
  drained->Await(absl::FromChrono(grace));

  const auto closed = std::make_shared<Tally>(state_->listeners.size());
  for (const auto& listener : state_->listeners) {
    listener->loop().Post([listener, closed] { closed->Report(listener->connections().CloseAll()); });
  }
  const size_t requests_cut = closed->Await(absl::InfiniteDuration());
  state_->metrics.RemoveGauge(kConnectionsGauge, state_->labels);
  return requests_cut;
}

}  // namespace spanloom::net
