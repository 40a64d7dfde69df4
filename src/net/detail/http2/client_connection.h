// SPDX-License-Identifier: Apache-2.0
//
// The client's end of an HTTP/2 connection: gRPC calls, whose answers go to sinks (answer_sink.h).

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/client.h"
#include "net/detail/deadline.h"
#include "net/detail/http2/answer_sink.h"
#include "net/detail/http2/connection.h"
#include "net/http.h"

namespace spanloom::net::http2 {

class ClientConnection;

// Whom a connection tells what happened. Called on the loop, never from inside a function of the connection that the
// owner calls.
class ClientOwner {
 public:
  virtual ~ClientOwner() = default;
  // The peer's SETTINGS have arrived: calls may start.
  virtual void OnReady(ClientConnection& connection) = 0;
  // It takes no further calls (the peer said GOAWAY); those under way go on.
  virtual void OnRetired(ClientConnection& connection) = 0;
  // It is closed. Its calls have been reported before.
  virtual void OnLost(ClientConnection& connection, const Status& reason) = 0;
  // A call has ended, so there may be room for another.
  virtual void OnRoom() = 0;
};

// Pings a peer that has been silent, and leaves one that does not answer. Sequence-bound: its loop.
class ClientConnection final : public Connection {
 public:
  // Speaks on `socket` until it is closed.
  static std::shared_ptr<ClientConnection> Make(Loop& loop, Transport socket, const GrpcKeepalive& keepalive,
                                                std::weak_ptr<ClientOwner> owner);

  // Sends a call, whose answer goes to `sink`; the id of its stream. kUnavailable if the connection takes no more.
  StatusOr<int32_t> Begin(std::span<const Header> headers, OutgoingBody body, std::shared_ptr<AnswerSink> sink);

  // Gives up a call; its sink hears nothing more. Nothing happens if it is over.
  void Cancel(int32_t stream_id);

  // For calls whose body is open, and for what was taken of an answer.
  using Connection::AppendToBody;
  using Connection::CloseBody;
  using Connection::ConsumeOnStream;
  using Connection::WidenStreamWindow;

  // Takes no further call, and closes when those under way have ended.
  void Retire();

  // Calls under way, and how many the peer takes at once.
  [[nodiscard]] size_t calls() const { return calls_.size(); }
  [[nodiscard]] size_t calls_max() const { return calls_max_; }

  // Closes at once; nothing more is reported.
  void Close();

 private:
  // A call under way.
  struct Call {
    std::shared_ptr<AnswerSink> sink;  // shared with the channel
    HttpHeaders headers;               // of the answer
    HttpHeaders fields;                // of the block of headers that is arriving
    size_t field_bytes = 0;            // of both
    int http_status = 0;               // 0 until the headers are complete
  };

  ClientConnection(Loop& loop, Transport socket, const GrpcKeepalive& keepalive, std::weak_ptr<ClientOwner> owner);

  void OnHeader(int32_t stream_id, std::string_view name, std::string_view value) override;
  void OnFrame(const nghttp2_frame& frame) override;
  void OnBody(int32_t stream_id, std::string_view piece) override;
  void OnBodyDrained(int32_t stream_id) override;
  void OnStreamClosed(int32_t stream_id, uint32_t error_code) override;
  void OnClosed(const Status& reason) override;

  [[nodiscard]] Call* Find(int32_t stream_id);
  void OnHeadersComplete(int32_t stream_id, Call& call);
  void OnAnswerEnd(int32_t stream_id, Call& call);
  void Abort(int32_t stream_id, const Status& reason);
  void End(int32_t stream_id, const Status& status, HttpHeaders trailers);
  void OnKeepalive();

  std::weak_ptr<ClientOwner> owner_;
  absl::flat_hash_map<int32_t, std::unique_ptr<Call>> calls_;  // by stream id
  bool is_ready_ = false;
  size_t calls_max_ = 0;
  const GrpcKeepalive keepalive_;
  std::chrono::steady_clock::time_point last_heard_ = std::chrono::steady_clock::now();
  std::optional<std::chrono::steady_clock::time_point> pinged_at_;  // and nothing heard since
  Deadline keepalive_deadline_;  // the next ping, or the end of waiting for its answer
};

}  // namespace spanloom::net::http2
