// SPDX-License-Identifier: Apache-2.0
//
// A plain HTTP request over HTTP/2 at the server: collected whole, or handed on as it arrives.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/detail/body_buffer.h"
#include "net/detail/http2/call.h"
#include "net/detail/server_exchange.h"
#include "net/http.h"

namespace spanloom::net::http2 {

// Sequence-bound: the connection's loop, but for HttpServerExchange's functions, which are thread-safe.
class HttpCall final : public ServerConnection::Call, public HttpServerExchange {
 public:
  // Begins a request whose headers are complete, and takes them. Null if it was refused: answered and counted.
  static std::shared_ptr<HttpCall> Begin(ServerConnection& connection, int32_t stream_id, HttpRequest& request);

  HttpCall(ServerConnection& connection, int32_t stream_id, HttpRequest request, bool is_streamed,
           size_t declared_bytes);

  void OnBegun() override;
  void OnBody(std::string_view piece) override;
  void OnRequestEnd() override;
  void OnDrained() override;
  void OnGone(const Status& reason) override;
  void OnDeadline() override;
  [[nodiscard]] bool is_streamed() const override { return is_streamed_; }

  void Respond(HttpResponse response) override;
  void Begin(HttpResponse head) override;
  void Write(Bytes piece, WriteDone done) override;
  void End() override;
  void Abort() override;
  void Read(PieceDone done) override;

 private:
  [[nodiscard]] std::shared_ptr<HttpCall> self() { return std::static_pointer_cast<HttpCall>(shared_from_this()); }

  void Collect(std::string_view piece);
  void Decode();
  void Hand(std::optional<HttpResponse> refusal);
  void Deliver();

  void Refuse(Refusal cause, HttpResponse response);
  void EndWith(const Status& reason);

  ServerConnection* connection_;  // not to be used once the call has ended
  HttpRequest request_;
  BodyBuffer body_;
  PieceDone read_done_;
  WriteDone write_done_;
  const bool is_head_;
  const bool is_streamed_;
  bool request_ended_ = false;  // the client has sent all
  bool answer_begun_ = false;   // the head of a streamed answer is out
  bool body_is_sent_ = false;   // false if the answer may have none: what is written is discarded
  bool is_delivering_ = false;  // a Read from inside a Read's callback waits its turn
};

}  // namespace spanloom::net::http2
