// SPDX-License-Identifier: Apache-2.0
//
// The server's end of an HTTP/2 connection: collects requests stream by stream and hands them to the HTTP handler or,
// by their content type, to gRPC's.

#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "net/detail/deadline.h"
#include "net/detail/http2/connection.h"
#include "net/detail/http2/ping_policy.h"
#include "net/detail/server_connection.h"
#include "net/grpc.h"
#include "net/grpc/framing.h"
#include "net/http.h"

namespace spanloom::net::http2 {

// Sequence-bound: its loop.
class ServerConnection final : public Connection, public net::ServerConnection {
 public:
  // Serves `socket`, whose first bytes were read already, until it is closed; then leaves `connections`.
  static void Serve(Loop& loop, Transport socket, std::string first_bytes, std::string peer, ConnectionSlot slot,
                    std::shared_ptr<ConnectionSet> connections);

  void Drain() override;
  size_t Close() override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  // A request and, once it is complete, the wait for its answer.
  struct Stream {
    HttpRequest request;
    size_t header_bytes = 0;
    std::string body;                                     // of plain HTTP
    const GrpcHandler* grpc_handler = nullptr;            // set if the request is gRPC and its method is served
    std::optional<grpc::MessageReader> message;           // of gRPC
    Compression compression = Compression::kNone;         // of the message
    Compression answer_compression = Compression::kNone;  // that the client takes
    TimePoint latest_end;                                 // of the request's last byte
    bool is_head = false;
    bool headers_are_complete = false;
    bool is_complete = false;  // its last byte has arrived
    bool is_refused = false;   // what still arrives is discarded
  };

  ServerConnection(Loop& loop, Transport socket, std::string peer, ConnectionSlot slot,
                   std::shared_ptr<ConnectionSet> connections);

  void OnRequestBegin(int32_t stream_id) override;
  void OnHeader(int32_t stream_id, std::string_view name, std::string_view value) override;
  void OnFrame(const nghttp2_frame& frame) override;
  void OnBody(int32_t stream_id, std::string_view piece) override;
  void OnStreamClosed(int32_t stream_id, uint32_t error_code) override;
  void OnFrameSent(const nghttp2_frame& frame) override;
  void OnInvalidFrame(int nghttp2_error) override;
  void OnFlood() override;
  void OnClosed(const Status& reason) override;

  [[nodiscard]] Stream* Find(int32_t stream_id);
  void OnPing();
  void OnAnswerEnded(int32_t stream_id);
  void CountError(uint32_t error_code);
  void OnHeadersComplete(int32_t stream_id, Stream& stream);
  void BeginGrpc(int32_t stream_id, Stream& stream);
  void BeginHttp(int32_t stream_id, Stream& stream);
  void OnRequestComplete(int32_t stream_id, Stream& stream);
  void Hand(int32_t stream_id, Stream& stream);
  void HandGrpc(int32_t stream_id, Stream& stream);

  void Refuse(int32_t stream_id, Stream& stream, Refusal cause, const HttpResponse& response);
  void RefuseGrpc(int32_t stream_id, Stream& stream, Refusal cause, const Status& status);
  void Answer(int32_t stream_id, HttpResponse response);
  void AnswerGrpc(int32_t stream_id, StatusOr<Bytes> answer);
  void AnswerGrpcError(int32_t stream_id, const Status& status);
  void AnswerGrpcMessage(int32_t stream_id, const Stream& stream, Bytes message);
  template <typename AnswerT>
  absl::AnyInvocable<void(AnswerT)> MakeSink(int32_t stream_id, void (ServerConnection::*answer)(int32_t, AnswerT));

  void OnDeadline();
  void SetIdleDeadline();

  ServerContext& context_;
  ConnectionSlot slot_;
  std::shared_ptr<ConnectionSet> connections_;  // shared by the server's connections on this loop
  const std::string peer_;
  absl::flat_hash_map<int32_t, std::unique_ptr<Stream>> streams_;  // requests under way
  PingPolicy pings_;
  Deadline deadline_;  // the earliest of the streams' latest_end, or the end of idleness
};

}  // namespace spanloom::net::http2
