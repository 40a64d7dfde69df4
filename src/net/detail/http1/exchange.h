// SPDX-License-Identifier: Apache-2.0
//
// A request on an HTTP/1.1 connection, as the handler's objects and the connection share it: what the handler wants
// next, and what it has said.

#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "net/detail/held_bytes.h"
#include "net/detail/server_exchange.h"
#include "net/loop.h"

namespace spanloom::net::http1 {

class ServerConnection;

// Sequence-bound: the connection's loop, but for HttpServerExchange's functions, which are thread-safe. The connection
// is woken (ServerConnection::Wake) by whatever the handler says.
class Exchange final : public HttpServerExchange, public std::enable_shared_from_this<Exchange> {
 public:
  explicit Exchange(ServerConnection& connection);

  void Respond(HttpResponse response) override;
  void Begin(HttpResponse head) override;
  void Write(Bytes piece, WriteDone done) override;
  void End() override;
  void Abort() override;
  void Read(PieceDone done) override;

  // What the handler has said; the connection takes it.
  [[nodiscard]] bool has_answer() const { return answer_.has_value(); }
  [[nodiscard]] bool is_streamed() const { return is_streamed_; }  // the answer is a head, pieces follow
  [[nodiscard]] bool is_switched() const { return is_switched_; }  // and those are of another protocol
  [[nodiscard]] const HttpResponse& answer() const { return *answer_; }
  [[nodiscard]] bool has_piece() const { return piece_.has_value(); }
  [[nodiscard]] Bytes TakePiece() { return *std::exchange(piece_, std::nullopt); }
  [[nodiscard]] bool is_aborted() const { return is_aborted_; }
  // Of a streamed answer: a piece, its end, or that there will be none.
  [[nodiscard]] bool HasNews() const { return piece_.has_value() || has_ended_ || is_aborted_; }

  // The answer was written.
  void ForgetAnswer() { answer_.reset(); }
  // The piece was written.
  void OnWritten();
  // The next part of the request's body, or why there is none.
  void OnBody(StatusOr<Bytes> piece);
  // The answer is written: nothing more is taken.
  void OnAnswered();
  // The client is gone. An answer may still be given.
  void OnClientGone();

  [[nodiscard]] HeldBytes& held() { return held_; }

 private:
  template <typename Step>
  void OnLoop(Step step);
  void Tell(WriteDone done);
  void FailCallbacks();

  const std::weak_ptr<ServerConnection> connection_;
  HeldBytes held_;
  std::optional<HttpResponse> answer_;
  std::optional<Bytes> piece_;
  WriteDone write_done_;
  PieceDone read_done_;
  bool is_streamed_ = false;
  bool is_switched_ = false;
  bool has_ended_ = false;
  bool is_aborted_ = false;
  bool is_over_ = false;     // the connection takes nothing more
  bool is_telling_ = false;  // inside the callback of a piece that was written at once
};

}  // namespace spanloom::net::http1
