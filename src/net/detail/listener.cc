// SPDX-License-Identifier: Apache-2.0

#include "net/detail/listener.h"

#include <sys/socket.h>
#include <unistd.h>

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

}  // namespace

Listener::Listener(Loop& loop, Acceptor acceptor, std::shared_ptr<ServerContext> context)
    : loop_(loop),
      acceptor_(std::move(acceptor)),
      pause_(Context(loop)),
      context_(std::move(context)),
      connections_(std::make_shared<ConnectionSet>()) {
  error_code error;
  acceptor_.non_blocking(true, error);
}

void Listener::Start() {
  Spawn(loop_, Accept(shared_from_this()));
}

void Listener::Close() {
  // Not close(): Asio would leave the socket in this loop's epoll set, where it stays as long as another loop shares
  // it.
  error_code error;
  if (const int descriptor = acceptor_.release(error); !error) close(descriptor);
  pause_.cancel();
}

asio::awaitable<void> Listener::Accept(std::shared_ptr<Listener> self) {
  while (self->acceptor_.is_open()) co_await self->AcceptOne();
}

asio::awaitable<void> Listener::AcceptOne() {
  Socket socket(Context(loop_));
  error_code error;
  // While accepting fails, by a call that does not wait: it says that it works again though nobody comes.
  if (is_failing_) acceptor_.accept(socket, error);
  if (error == asio::error::would_block) Report({});
  if (!is_failing_ && !socket.is_open()) co_await acceptor_.async_accept(socket, Into(error));
  Report(error);
  if (!error) Admit(std::move(socket));
  if (MayAcceptAtOnce(error)) co_return;
  pause_.expires_after(kAcceptPause);
  co_await pause_.async_wait(Into(error));
}

// Says it when accepting begins to fail, and when it works again.
void Listener::Report(const error_code& error) {
  const bool fails = !MayAcceptAtOnce(error);
  if (fails == is_failing_ || (!fails && error)) return;
  is_failing_ = fails;
  const auto& on_accepting = context_->options.on_accepting;
  if (!fails) {
    Log(LogLevel::kInfo, "accepting connections again", {{"server", context_->options.name}});
    if (on_accepting) on_accepting(absl::OkStatus());
    return;
  }
  Log(LogLevel::kError, "can't accept connections for now; is the limit of open files too low?",
      {{"server", context_->options.name}, {"error", error.message()}});
  if (on_accepting) on_accepting(absl::UnavailableError(StrCat("can't accept connections: ", error.message())));
}

void Listener::Admit(Socket socket) {
  error_code error;
  const Endpoint peer = socket.remote_endpoint(error);
  if (error || !acceptor_.is_open()) return;
  if (context_->connections.load(std::memory_order_relaxed) >= context_->options.limits.connections_max) {
    return context_->refusals.Count(Refusal::kConnectionsMax);
  }
  if (peer.protocol().family() != AF_UNIX) SetConnectionOptions(socket);
  auto tls = context_->tls == nullptr ? nullptr : context_->tls->NewServerSession();
  NewConnection::Serve(loop_, Transport(std::move(socket), std::move(tls)), ToString(peer), ConnectionSlot(context_),
                       connections_);
}

}  // namespace spanloom::net
