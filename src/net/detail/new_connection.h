// SPDX-License-Identifier: Apache-2.0
//
// A connection whose protocol is not known yet: after the handshake, if it is to be TLS, its first bytes are HTTP/2's
// preface, or the beginning of an HTTP/1.1 request.

#pragma once

#include <memory>
#include <string>

#include "net/detail/asio.h"
#include "net/detail/deadline.h"
#include "net/detail/server_connection.h"
#include "net/detail/transport.h"

namespace spanloom::net {

// Sequence-bound: its loop. Kept alive by its coroutine.
class NewConnection final : public ServerConnection, public std::enable_shared_from_this<NewConnection> {
 public:
  // Reads the first bytes of `socket`, and hands it over to the connection of its protocol.
  static void Serve(Loop& loop, Transport socket, std::string peer, ConnectionSlot slot,
                    std::shared_ptr<ConnectionSet> connections);

  void Drain() override { Close(); }
  size_t Close() override;

 private:
  NewConnection(Loop& loop, Transport socket, std::string peer, ConnectionSlot slot,
                std::shared_ptr<ConnectionSet> connections);

  static asio::awaitable<void> Run(std::shared_ptr<NewConnection> self);
  asio::awaitable<error_code> Secure();
  asio::awaitable<error_code> ReadSome();
  void SetSilenceDeadline();
  void HandOver();
  void OnDeadline();
  [[nodiscard]] bool MayBeHttp2() const;
  [[nodiscard]] bool IsDecided() const;

  Loop& loop_;
  Transport socket_;
  std::string peer_;
  ConnectionSlot slot_;
  std::shared_ptr<ConnectionSet> connections_;  // shared by the server's connections on this loop
  Deadline deadline_;
  std::string first_bytes_;
  bool is_in_handshake_ = false;
};

}  // namespace spanloom::net
