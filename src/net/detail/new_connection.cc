// SPDX-License-Identifier: Apache-2.0

#include "net/detail/new_connection.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "net/detail/http1/server_connection.h"
#include "net/detail/http2/server_connection.h"

namespace spanloom::net {
namespace {

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113, 3.4

// True if a connection that says nothing meets the limit of idleness before that of a new connection's silence.
bool IsIdleLimitFirst(const ServerLimits& limits) {
  if (limits.idle_max.count() == 0) return false;
  return limits.first_byte_max.count() == 0 || limits.idle_max < limits.first_byte_max;
}

}  // namespace

void NewConnection::Serve(Loop& loop, Transport socket, std::string peer, ConnectionSlot slot,
                          std::shared_ptr<ConnectionSet> connections) {
  std::shared_ptr<NewConnection> connection(
      new NewConnection(loop, std::move(socket), std::move(peer), std::move(slot), connections));
  connections->Add(connection);
  Spawn(loop, Run(std::move(connection)));
}

NewConnection::NewConnection(Loop& loop, Transport socket, std::string peer, ConnectionSlot slot,
                             std::shared_ptr<ConnectionSet> connections)
    : loop_(loop),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      slot_(std::move(slot)),
      connections_(std::move(connections)),
      deadline_(loop, [this] { OnDeadline(); }) {}

size_t NewConnection::Close() {
  deadline_.Clear();
  socket_.Close();
  return 0;
}

bool NewConnection::MayBeHttp2() const {
  return kHttp2Preface.starts_with(first_bytes_);
}

bool NewConnection::IsDecided() const {
  return !MayBeHttp2() || first_bytes_.size() == kHttp2Preface.size();
}

asio::awaitable<void> NewConnection::Run(std::shared_ptr<NewConnection> self) {
  error_code error = co_await self->Secure();
  if (!error) self->SetSilenceDeadline();
  while (!error && !self->IsDecided()) error = co_await self->ReadSome();
  self->deadline_.Clear();
  if (!error && self->socket_.is_open()) self->HandOver();
  self->connections_->Remove(*self);
}

void NewConnection::SetSilenceDeadline() {
  const ServerLimits& limits = slot_.context().options.limits;
  if (IsIdleLimitFirst(limits)) return deadline_.SetAfter(limits.idle_max);
  if (limits.first_byte_max.count() > 0) deadline_.SetAfter(limits.first_byte_max);
}

// The handshake, which may take as long as a request. That a peer just leaves is no refusal of ours.
asio::awaitable<error_code> NewConnection::Secure() {
  error_code error;
  if (!socket_.is_tls()) co_return error;
  ServerContext& context = slot_.context();
  deadline_.SetAfter(context.options.limits.request_max);
  is_in_handshake_ = true;
  error = co_await socket_.Handshake();
  is_in_handshake_ = false;
  deadline_.Clear();
  if (!error || !socket_.is_open()) co_return error;
  if (error != asio::error::connection_reset) context.refusals.Count(Refusal::kTlsHandshake);
  const std::string reason = socket_.HandshakeFailure(error);
  Log(LogLevel::kDebug, "a TLS handshake failed",
      {{"server", context.options.name}, {"peer", peer_}, {"reason", reason}});
  co_return error;
}

asio::awaitable<error_code> NewConnection::ReadSome() {
  std::array<char, kHttp2Preface.size()> piece;
  const auto buffer = asio::buffer(piece.data(), kHttp2Preface.size() - first_bytes_.size());
  error_code error;
  const size_t bytes = co_await socket_.async_read_some(buffer, Into(error));
  const ServerLimits& limits = slot_.context().options.limits;
  if (first_bytes_.empty()) deadline_.SetAfter(std::min(limits.header_max, limits.request_max));
  first_bytes_.append(piece.data(), bytes);
  co_return error;
}

void NewConnection::HandOver() {
  if (MayBeHttp2()) {
    http2::ServerConnection::Serve(loop_, std::move(socket_), std::move(first_bytes_), std::move(peer_),
                                   std::move(slot_), connections_);
  } else {
    http1::ServerConnection::Serve(loop_, std::move(socket_), first_bytes_, std::move(peer_), std::move(slot_),
                                   connections_);
  }
}

void NewConnection::OnDeadline() {
  ServerContext& context = slot_.context();
  const Refusal silence = IsIdleLimitFirst(context.options.limits) ? Refusal::kIdle : Refusal::kFirstByte;
  const bool is_silent = first_bytes_.empty() && !is_in_handshake_;
  context.refusals.Count(is_silent ? silence : Refusal::kTimeout);
  Close();
}

}  // namespace spanloom::net
