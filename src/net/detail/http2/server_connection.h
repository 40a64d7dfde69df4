// SPDX-License-Identifier: Apache-2.0
//
// The server's end of an HTTP/2 connection: collects the headers of each stream and makes a call of it, gRPC's
// (grpc_call.h) or plain HTTP's (http_call.h) by its content type; watches limits and times.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <chrono>
#include <memory>
#include <string>

#include "net/detail/deadline.h"
#include "net/detail/http2/connection.h"
#include "net/detail/http2/lifecycle.h"
#include "net/detail/http2/ping_policy.h"
#include "net/detail/server_connection.h"
#include "net/http.h"

namespace spanloom::net::http2 {

// Sequence-bound: its loop.
class ServerConnection final : public Connection, public net::ServerConnection {
 public:
  class Call;

  // Serves `socket`, whose first bytes were read already, until it is closed; then leaves `connections`.
  static void Serve(Loop& loop, Transport socket, std::string first_bytes, std::string peer, ConnectionSlot slot,
                    std::shared_ptr<ConnectionSet> connections);

  void Drain() override;
  size_t Close() override;

  // For its calls.
  using Connection::AppendToBody;
  using Connection::CloseBody;
  using Connection::ConsumeOnConnection;
  using Connection::ConsumeOnStream;
  using Connection::loop;
  using Connection::ResetStream;
  using Connection::SubmitResponse;
  using Connection::WidenStreamWindow;
  [[nodiscard]] ServerContext& context() { return context_; }
  [[nodiscard]] std::shared_ptr<ServerContext> shared_context() const { return slot_.shared_context(); }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  // A request: first its headers, then its call.
  struct Stream {
    HttpRequest request;
    size_t header_bytes = 0;
    std::shared_ptr<Call> call;  // shared with the handler's objects; null before the headers' end, or if refused
    TimePoint latest_end;        // of the request's header, then of its last byte
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
  void OnBodyDrained(int32_t stream_id) override;
  void OnWriteStuck() override;
  void OnFlood() override;
  void OnClosed(const Status& reason) override;

  [[nodiscard]] Stream* Find(int32_t stream_id);
  void OnPing(const nghttp2_frame& frame);
  void OnAnswerEnded(int32_t stream_id);
  void CountError(uint32_t error_code);
  void OnHeadersComplete(int32_t stream_id, Stream& stream);
  void TellCallsGone(const Status& reason);

  // Sends the client away: announces it, and when that has been heard, says which streams are served.
  void SendAway(std::string_view why);
  void FinishSendingAway();

  // Gives memory back when the connection has been idle for a while.
  void ReleaseSoon();

  // Times: all of them share one deadline_.
  void OnDeadline();
  void CheckStreams(TimePoint now);
  void CheckLifecycle(TimePoint now);
  [[nodiscard]] TimePoint NextCheck() const;
  [[nodiscard]] static TimePoint EndOf(const Stream& stream);

  ServerContext& context_;
  ConnectionSlot slot_;
  std::shared_ptr<ConnectionSet> connections_;  // shared by the server's connections on this loop
  const std::string peer_;
  const std::shared_ptr<const PeerCertificate> peer_certificate_;  // shared with requests
  absl::flat_hash_map<int32_t, std::unique_ptr<Stream>> streams_;  // requests under way
  PingPolicy pings_;
  Lifecycle lifecycle_;
  std::string away_reason_;                  // while away_at_ is set
  TimePoint away_at_ = TimePoint::max();     // when the announcement of GOAWAY counts as heard
  TimePoint release_at_ = TimePoint::max();  // when memory is given back; max: it is, or requests are under way
  bool is_sent_away_ = false;
  bool has_said_last_stream_ = false;  // the second GOAWAY is on its way
  Deadline deadline_;                  // the next time that something may be due
};

}  // namespace spanloom::net::http2
