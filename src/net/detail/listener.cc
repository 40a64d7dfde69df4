// SPDX-License-Identifier: Apache-2.0

#include "net/detail/listener.h"

#include <sys/socket.h>

#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/detail/endpoint.h"
#include "net/detail/new_connection.h"
#include "net/detail/socket_options.h"

namespace spanloom::net {
namespace {

constexpr std::chrono::milliseconds kAcceptPause{500};  // when the process has no file descriptor left; guess

// False for errors that may last, such as a lack of file descriptors: the next attempt would fail at once.
bool MayAcceptAtOnce(const error_code& error) {
  return !error || error == asio::error::connection_aborted || error == asio::error::operation_aborted;
}

Status BindFailed(const ServerOptions& options, const error_code& error) {
  const std::string_view advice = error == asio::error::address_in_use
                                      ? "; stop the process that has the port, or choose another endpoint"
                                      : "; choose an address of this machine and a port you may open";
  return absl::UnavailableError(
      StrCat(options.name, ": can't listen on ", options.endpoint, ": ", error.message(), advice));
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

}  // namespace

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

Listener::Listener(Loop& loop, tcp::acceptor acceptor, std::shared_ptr<ServerContext> context)
    : loop_(loop),
      acceptor_(std::move(acceptor)),
      pause_(Context(loop)),
      context_(std::move(context)),
      connections_(std::make_shared<ConnectionSet>()) {}

void Listener::Start() {
  Spawn(loop_, Accept(shared_from_this()));
}

void Listener::Close() {
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

asio::awaitable<void> Listener::Accept(std::shared_ptr<Listener> self) {
  while (self->acceptor_.is_open()) co_await self->AcceptOne();
}

asio::awaitable<void> Listener::AcceptOne() {
  tcp::socket socket(Context(loop_));
  error_code error;
  co_await acceptor_.async_accept(socket, Into(error));
  if (!error) Admit(std::move(socket));
  if (MayAcceptAtOnce(error)) co_return;
  Log(LogLevel::kError, "can't accept connections for now; is the limit of open files too low?",
      {{"server", context_->options.name}, {"error", error.message()}});
  pause_.expires_after(kAcceptPause);
  co_await pause_.async_wait(Into(error));
}

void Listener::Admit(tcp::socket socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error || !acceptor_.is_open()) return;
  if (context_->connections.load(std::memory_order_relaxed) >= context_->options.limits.connections_max) {
    return context_->refusals.Count(Refusal::kConnectionsMax);
  }
  SetConnectionOptions(socket);
  auto tls = context_->tls == nullptr ? nullptr : context_->tls->NewServerSession();
  NewConnection::Serve(loop_, Transport(std::move(socket), std::move(tls)), ToString(peer), ConnectionSlot(context_),
                       connections_);
}

}  // namespace spanloom::net
