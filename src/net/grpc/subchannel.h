// SPDX-License-Identifier: Apache-2.0
//
// The connections of a GrpcChannel to one address, or to a list of addresses that is tried in order: the first is made
// when there is a call for it, a further one when those there are carry as many calls as the peer takes.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/client.h"
#include "net/detail/backoff.h"
#include "net/detail/connect.h"
#include "net/detail/http2/client_connection.h"

namespace spanloom::net {

// What the subchannels of one channel share. Immutable, but for `tls`, which is thread-safe.
struct ChannelContext {
  Loop& loop;
  const GrpcChannelOptions options;
  const Target target;
  const std::unique_ptr<TlsCredentials> tls;  // null: cleartext
  const std::optional<ProxyRoute> route;      // unset: directly

  [[nodiscard]] const ProxyRoute* way() const { return route.has_value() ? &*route : nullptr; }
};

// Whom a subchannel tells what happened. Called on the loop.
class SubchannelOwner {
 public:
  virtual ~SubchannelOwner() = default;
  // A connection is ready, or has room again.
  virtual void OnRoom() = 0;
  // No connection could be made, or one was lost or goes away.
  virtual void OnSubchannelFailed(const Status& reason) = 0;
};

// Sequence-bound: the loop. Shared by its channel and by coroutines under way.
class Subchannel final : public http2::ClientOwner, public std::enable_shared_from_this<Subchannel> {
 public:
  Subchannel(std::shared_ptr<const ChannelContext> context, std::vector<Endpoint> endpoints,
             std::weak_ptr<SubchannelOwner> owner);

  [[nodiscard]] const std::vector<Endpoint>& endpoints() const { return endpoints_; }
  // Of connections made from now on.
  void SetEndpoints(std::vector<Endpoint> endpoints) { endpoints_ = std::move(endpoints); }

  // The connection that a call should go to; null if none has room.
  [[nodiscard]] std::shared_ptr<http2::ClientConnection> Pick() const;

  // Begins to make a connection if one is wanted: there is none, or none with room and fewer than may be; not while one
  // is being made, or backed off from.
  void ConnectIfWanted();

  [[nodiscard]] bool is_connecting() const { return is_connecting_; }
  [[nodiscard]] bool is_connected() const { return !connections_.empty(); }

  // When the next attempt may be made, and why not now.
  [[nodiscard]] Status CheckBackoff() const { return backoff_.Check(std::chrono::steady_clock::now()); }
  [[nodiscard]] Backoff::TimePoint retry_at() const { return backoff_.retry_at(); }

  // The connection takes no further call.
  void Forget(const http2::ClientConnection& connection);

  // Lets the calls under way end, and takes no further one.
  void Retire();

  // Closes all; nothing more is reported.
  void Close();

  void OnReady(http2::ClientConnection& connection) override;
  void OnRetired(http2::ClientConnection& connection) override;
  void OnLost(http2::ClientConnection& connection, const Status& reason) override;
  void OnRoom() override;

 private:
  using ConnectionPtr = std::shared_ptr<http2::ClientConnection>;  // shared with its coroutine

  static asio::awaitable<void> Connect(std::shared_ptr<Subchannel> self);
  void OnReadyTimeout();
  void OnConnectFailed(const Status& reason);

  const std::shared_ptr<const ChannelContext> context_;
  std::vector<Endpoint> endpoints_;
  std::weak_ptr<SubchannelOwner> owner_;
  Backoff backoff_;
  bool is_connecting_ = false;
  bool is_closed_ = false;
  ConnectionPtr new_connection_;            // open, until its peer's SETTINGS are there
  Timer ready_timer_;                       // of new_connection_
  std::vector<ConnectionPtr> connections_;  // that calls may go to
};

}  // namespace spanloom::net
