// SPDX-License-Identifier: Apache-2.0
//
// Accepting: each loop takes connections from a socket of its own.

#pragma once

#include <memory>

#include "net/detail/asio.h"
#include "net/detail/server_connection.h"

namespace spanloom::net {

// Accepts on one loop. Sequence-bound: the loop. Kept alive by its coroutine.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(Loop& loop, Acceptor acceptor, std::shared_ptr<ServerContext> context);

  void Start();
  void Close();

  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] ConnectionSet& connections() { return *connections_; }

 private:
  static asio::awaitable<void> Accept(std::shared_ptr<Listener> self);
  asio::awaitable<void> AcceptOne();
  void Report(const error_code& error);
  void Admit(Socket socket);

  Loop& loop_;
  Acceptor acceptor_;
  asio::steady_timer pause_;
  bool is_failing_ = false;                     // what was reported last
  std::shared_ptr<ServerContext> context_;      // shared by all connections of the server
  std::shared_ptr<ConnectionSet> connections_;  // shared by the server's connections on this loop
};

}  // namespace spanloom::net
