// SPDX-License-Identifier: Apache-2.0
//
// The client's end of an HTTP/2 connection: unary gRPC calls.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "net/client.h"
#include "net/detail/deadline.h"
#include "net/detail/http2/connection.h"
#include "net/grpc/framing.h"
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
  virtual void OnCallEnded(uint64_t call_id, StatusOr<Bytes> answer) = 0;
  // The peer has certainly not looked at this call: it may be sent again.
  virtual void OnCallUnprocessed(uint64_t call_id) = 0;
};

// Pings a peer that has been silent, and leaves one that does not answer. Sequence-bound: its loop.
class ClientConnection final : public Connection {
 public:
  // Speaks on `socket` until it is closed. `message_bytes_max` bounds an answer.
  static std::shared_ptr<ClientConnection> Make(Loop& loop, Transport socket, size_t message_bytes_max,
                                                const GrpcKeepalive& keepalive, std::weak_ptr<ClientOwner> owner);

  // Sends a call whose outcome will be reported under `call_id`. kUnavailable if the connection takes no more.
  Status Begin(uint64_t call_id, std::span<const Header> headers, OutgoingBody body);

  // Gives up a call; nothing more is reported about it.
  void Cancel(uint64_t call_id);

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
    Call(uint64_t call_id, size_t message_bytes_max) : id(call_id), message(message_bytes_max) {}

    uint64_t id;
    HttpHeaders fields;  // of headers and trailers
    size_t field_bytes = 0;
    grpc::MessageReader message;
  };

  ClientConnection(Loop& loop, Transport socket, size_t message_bytes_max, const GrpcKeepalive& keepalive,
                   std::weak_ptr<ClientOwner> owner);

  void OnHeader(int32_t stream_id, std::string_view name, std::string_view value) override;
  void OnFrame(const nghttp2_frame& frame) override;
  void OnBody(int32_t stream_id, std::string_view piece) override;
  void OnStreamClosed(int32_t stream_id, uint32_t error_code) override;
  void OnClosed(const Status& reason) override;

  [[nodiscard]] Call* Find(int32_t stream_id);
  void OnHeadersComplete(int32_t stream_id, bool ends_stream);
  void Abort(int32_t stream_id, const Status& reason);
  void End(int32_t stream_id, StatusOr<Bytes> answer);
  StatusOr<Bytes> AnswerOf(Call& call) const;
  void OnKeepalive();

  const size_t message_bytes_max_;
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
