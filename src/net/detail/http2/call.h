// SPDX-License-Identifier: Apache-2.0
//
// A request on its stream, from the end of its headers to the end of its answer: what the connection and the handler's
// objects share. The connection calls the On* functions on its loop; the handler's objects come from any thread and go
// through OnLoop.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "net/detail/held_bytes.h"
#include "net/detail/http2/server_connection.h"

namespace spanloom::net::http2 {

// Sequence-bound: the connection's loop, but for OnLoop, which is thread-safe.
class ServerConnection::Call : public std::enable_shared_from_this<ServerConnection::Call> {
 public:
  Call(ServerConnection& connection, int32_t stream_id);
  virtual ~Call() = default;

  // The connection has taken the call up: a handler that wants the request as it arrives may have it.
  virtual void OnBegun() = 0;
  // Bytes of the body; the call sees to the windows (ConsumeOnConnection, ConsumeOnStream).
  virtual void OnBody(std::string_view piece) = 0;
  virtual void OnRequestEnd() = 0;
  // The answer's body wants more.
  virtual void OnDrained() = 0;
  // Nobody waits for the answer any more. Not called once it is given.
  virtual void OnGone(const Status& reason) = 0;
  // The client's patience has ended: says so, and is gone.
  virtual void OnDeadline() = 0;
  // True if the request is handed on while it arrives: how long that takes is not limited.
  [[nodiscard]] virtual bool is_streamed() const = 0;

  // The end of the client's patience.
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const { return deadline_; }
  // Nothing more will be said about this call: its answer is given, or it is gone.
  [[nodiscard]] bool ended() const { return ended_; }

 protected:
  // Runs `step` with the connection on its loop: now, if that is where the caller is. If the connection is gone, runs
  // it now, with null.
  template <typename Step>
  void OnLoop(Step step) {
    std::shared_ptr<ServerConnection> connection = connection_.lock();
    if (connection == nullptr || connection->loop().IsCurrent()) return step(connection.get());
    Loop& loop = connection->loop();
    loop.Post([self = shared_from_this(), connection = std::move(connection), step = std::move(step)]() mutable {
      step(connection.get());
    });
  }

  [[nodiscard]] int32_t stream_id() const { return stream_id_; }
  [[nodiscard]] HeldBytes& held() { return held_; }
  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }
  void set_ended() { ended_ = true; }

  // Lets the client send a body of `declared_bytes` in one go, as far as the budget allows.
  void WidenWindow(size_t declared_bytes);

  // Runs `work` on a worker thread. False, and the caller must refuse, if too many wait.
  [[nodiscard]] static bool OnWorker(ServerConnection& connection, Task work);

 private:
  const std::weak_ptr<ServerConnection> connection_;
  const int32_t stream_id_;
  HeldBytes held_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  bool ended_ = false;
};

}  // namespace spanloom::net::http2
