// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/subchannel.h"

#include <algorithm>
#include <utility>

#include "base/rng.h"

namespace spanloom::net {
namespace {

constexpr std::chrono::seconds kReadyTimeout{20};  // for the peer's SETTINGS once connected; as for connecting

bool HasRoom(const http2::ClientConnection& connection) {
  return connection.calls() < connection.calls_max();
}

}  // namespace

Subchannel::Subchannel(std::shared_ptr<const ChannelContext> context, std::vector<Endpoint> endpoints,
                       std::weak_ptr<SubchannelOwner> owner)
    : context_(std::move(context)),
      endpoints_(std::move(endpoints)),
      owner_(std::move(owner)),
      backoff_(Rng::SystemSeed()) {}

std::shared_ptr<http2::ClientConnection> Subchannel::Pick() const {
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [](const ConnectionPtr& connection) { return HasRoom(*connection); });
  return found == connections_.end() ? nullptr : *found;
}

void Subchannel::ConnectIfWanted() {
  const bool is_wanted = connections_.size() < context_->options.connections_max && Pick() == nullptr;
  if (!is_wanted || is_connecting_ || is_closed_ || !CheckBackoff().ok()) return;
  is_connecting_ = true;
  Spawn(context_->loop, Connect(shared_from_this()));
}

asio::awaitable<void> Subchannel::Connect(std::shared_ptr<Subchannel> self) {
  const ChannelContext& context = *self->context_;
  const std::vector<Endpoint> endpoints = self->endpoints_;
  Connected connected =
      co_await net::Connect(context.loop, context.target, context.way(), endpoints, context.tls.get(), kConnectTimeout);
  if (self->is_closed_) co_return;
  if (!connected.status.ok()) {
    self->OnConnectFailed(connected.status);
    co_return;
  }
  self->ready_timer_ = context.loop.PostAfter(kReadyTimeout, [raw = self.get()] { raw->OnReadyTimeout(); });
  self->new_connection_ =
      http2::ClientConnection::Make(context.loop, *std::move(connected.transport), context.options.keepalive, self);
}

void Subchannel::OnReadyTimeout() {
  std::exchange(new_connection_, nullptr)->Close();
  OnConnectFailed(absl::UnavailableError("the peer accepts connections but does not speak HTTP/2"));
}

void Subchannel::OnConnectFailed(const Status& reason) {
  const auto self = shared_from_this();  // a callback may destroy the channel
  is_connecting_ = false;
  backoff_.OnFailure(std::chrono::steady_clock::now(), reason);
  if (const auto owner = owner_.lock()) owner->OnSubchannelFailed(reason);
}

void Subchannel::OnReady(http2::ClientConnection& connection) {
  if (&connection != new_connection_.get()) return;
  ready_timer_.Cancel();
  backoff_.OnSuccess();
  is_connecting_ = false;
  connections_.push_back(std::move(new_connection_));
  if (const auto owner = owner_.lock()) owner->OnRoom();
}

void Subchannel::OnRetired(http2::ClientConnection& connection) {
  if (&connection == new_connection_.get()) {
    ready_timer_.Cancel();
    std::exchange(new_connection_, nullptr)->Close();
    return OnConnectFailed(absl::UnavailableError("the peer sends new connections away"));
  }
  const size_t removed = std::erase_if(connections_, [&](const auto& c) { return c.get() == &connection; });
  if (removed == 0) return;
  const auto owner = owner_.lock();
  if (owner != nullptr) owner->OnSubchannelFailed(absl::UnavailableError("the peer sent the connection away"));
}

void Subchannel::OnLost(http2::ClientConnection& connection, const Status& reason) {
  if (&connection == new_connection_.get()) {
    ready_timer_.Cancel();
    new_connection_ = nullptr;
    return OnConnectFailed(reason);
  }
  const size_t removed = std::erase_if(connections_, [&](const auto& c) { return c.get() == &connection; });
  if (removed == 0) return;
  if (const auto owner = owner_.lock()) owner->OnSubchannelFailed(reason);
}

void Subchannel::Forget(const http2::ClientConnection& connection) {
  std::erase_if(connections_, [&](const ConnectionPtr& c) { return c.get() == &connection; });
}

void Subchannel::OnRoom() {
  if (const auto owner = owner_.lock()) owner->OnRoom();
}

void Subchannel::Retire() {
  is_closed_ = true;
  ready_timer_.Cancel();
  if (new_connection_ != nullptr) std::exchange(new_connection_, nullptr)->Close();
  const auto connections = std::exchange(connections_, {});
  for (const ConnectionPtr& connection : connections) connection->Retire();
}

void Subchannel::Close() {
  owner_.reset();
  const auto connections = connections_;
  Retire();
  for (const ConnectionPtr& connection : connections) connection->Close();
}

}  // namespace spanloom::net
