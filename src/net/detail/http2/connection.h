// SPDX-License-Identifier: Apache-2.0
//
// One HTTP/2 connection, either end: moves bytes between a socket and an nghttp2 session, and sends bodies. What the
// frames mean is up to the two ends, server_connection.h and client_connection.h. Specification: RFC 9113.

#pragma once

#include <absl/container/flat_hash_map.h>
#include <nghttp2/nghttp2.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "net/detail/asio.h"
#include "net/detail/deadline.h"
#include "net/detail/http2/session_memory.h"
#include "net/detail/transport.h"
#include "net/http.h"

namespace spanloom::net::http2 {

// What a peer may send unasked on each stream, and what at most once a larger message is declared; guesses, to be
// decided by uploads of 4 MiB messages over links with a round trip.
inline constexpr uint32_t kStreamWindowBytes = 256 << 10;
inline constexpr uint32_t kStreamWindowBytesMax = 8 << 20;
inline constexpr uint32_t kConnectionWindowBytes = 8 << 20;  // of all streams together; guess
inline constexpr size_t kOutputBytesMax = 256 << 10;         // encoded and not yet written; guess

struct Header {
  std::string_view name;  // lower case
  std::string_view value;
};

// Part of a body: `prefix` (of a gRPC message), then `content`.
struct OutgoingPiece {
  std::string prefix = {};
  Bytes content = {};

  [[nodiscard]] size_t size() const { return prefix.size() + content.size(); }
};

// A body to send: `prefix`, then `content`, then `more`, then, if there are any, trailers.
struct OutgoingBody {
  std::string prefix = {};
  Bytes content = {};
  std::vector<std::pair<std::string, std::string>> trailers = {};
  size_t sent_bytes = 0;                 // of prefix and content
  std::vector<OutgoingPiece> more = {};  // in order; a streamed body has few
  bool is_open = false;                  // further pieces, or the end, will be said

  [[nodiscard]] size_t size() const { return prefix.size() + content.size(); }
  [[nodiscard]] size_t unsent_bytes() const;
};

enum class Role { kServer, kClient };

struct SessionLimits {
  uint32_t streams_max = 100;              // that the peer may have open at once
  uint32_t header_bytes_max = 64 << 10;    // told to the peer; enforced by the ends
  std::chrono::milliseconds write_max{0};  // of a peer that takes nothing of what waits for it; 0: for ever
};

// Sequence-bound: its loop. Kept alive by the coroutine that reads its socket, which ends when the socket is closed.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection();

 protected:
  Connection(Loop& loop, Transport socket, Role role, const SessionLimits& limits);

  // Begins to read. `first_bytes` were read from the socket already.
  void Start(std::string first_bytes);

  // Closes the socket; OnClosed follows, later. No event comes in between. Idempotent.
  void CloseSocket();

  // Sends GOAWAY; the connection closes when the streams under way have ended. `debug_data` is text for the peer's log.
  void GoAway(uint32_t error_code, std::string_view debug_data);

  // Sends GOAWAY, and closes as soon as it is written.
  void GoAwayAndClose(uint32_t error_code, std::string_view debug_data);

  // Sends an answer's headers, and its body if there is one. Nothing happens if the stream is gone.
  void SubmitResponse(int32_t stream_id, std::span<const Header> headers, std::optional<OutgoingBody> body);

  // Adds to a body that is open. Once less than kBodyQueueBytes of it wait, OnBodyDrained follows, later.
  void AppendToBody(int32_t stream_id, OutgoingPiece piece);

  // Ends a body that is open.
  void CloseBody(int32_t stream_id, std::vector<std::pair<std::string, std::string>> trailers);

  // Bytes of a body that were taken care of, so that the peer may send as many again: on the connection, and on the
  // stream.
  void ConsumeOnConnection(size_t bytes);
  void ConsumeOnStream(int32_t stream_id, size_t bytes);

  // Lets the peer send `bytes` on the stream in one go; at most kStreamWindowBytesMax.
  void WidenStreamWindow(int32_t stream_id, size_t bytes);

  // Tells the peer that GOAWAY is near; streams that it opens meanwhile are still served.
  void AnnounceGoAway();

  void SendPing();

  // Sends a request; the stream's id, or kUnavailable if this connection can take no more.
  StatusOr<int32_t> SubmitRequest(std::span<const Header> headers, OutgoingBody body);

  void ResetStream(int32_t stream_id, uint32_t error_code);

  // True if the end of the stream's body is still to be said, or bytes of it are to be sent.
  [[nodiscard]] bool IsSendingBody(int32_t stream_id) const;

  // Writes what was submitted: now, or, inside an event, when the bytes read so far are worked off.
  void FlushSoon();

  // Gives back memory that a connection needs only while it sends something; then nothing happens.
  void ReleaseMemory();

  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] nghttp2_session* session() { return session_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] std::shared_ptr<const PeerCertificate> peer_certificate() const { return socket_.peer_certificate(); }
  [[nodiscard]] std::chrono::steady_clock::time_point last_read() const { return last_read_; }

  // Events, each on the loop. They may submit, and may call CloseSocket.
  virtual void OnRequestBegin(int32_t stream_id) { static_cast<void>(stream_id); }
  virtual void OnHeader(int32_t stream_id, std::string_view name, std::string_view value) = 0;
  virtual void OnFrame(const nghttp2_frame& frame) = 0;  // complete; of headers, after the last OnHeader
  virtual void OnBody(int32_t stream_id, std::string_view piece) = 0;
  virtual void OnStreamClosed(int32_t stream_id, uint32_t error_code) = 0;
  virtual void OnFrameSent(const nghttp2_frame& frame) { static_cast<void>(frame); }
  virtual void OnInvalidFrame(int nghttp2_error) { static_cast<void>(nghttp2_error); }
  // An open body wants more, after AppendToBody.
  virtual void OnBodyDrained(int32_t stream_id) { static_cast<void>(stream_id); }
  // The peer takes nothing of what waits for it; the connection is about to close.
  virtual void OnWriteStuck() {}
  // The peer makes us queue frames without end; the connection is about to close.
  virtual void OnFlood() {}
  // The last event: the socket is closed. `reason` is for people.
  virtual void OnClosed(const Status& reason) = 0;

  // Why the connection is about to end, if the peer has broken the rules of HTTP/2; else OK.
  [[nodiscard]] const Status& violation() const { return violation_; }

 private:
  struct Callbacks;  // nghttp2's C callbacks
  void NoteViolation(const nghttp2_goaway& sent);

  // Static, so that the coroutine holds the connection by its parameter.
  static asio::awaitable<void> Read(std::shared_ptr<Connection> self, std::string first_bytes);
  bool ReadAvailable();
  bool Feed(std::string_view bytes);
  void OnFeedFailed(int nghttp2_error);
  void Flush();
  void FlushAll();
  bool Collect();
  void ReportDrained();
  void WatchWrites();
  bool WriteOutput();
  void WaitToWrite();
  void Finish();
  void Fail(Status reason);
  void SubmitSettings(const SessionLimits& limits);
  void OnWriteDeadline();
  void EraseBody(int32_t stream_id);

  ssize_t ReadBody(int32_t stream_id, size_t bytes_max, uint32_t& flags);
  int AppendBody(int32_t stream_id, const uint8_t* frame_header, size_t bytes);

  Loop& loop_;
  const Role role_;
  Transport socket_;
  SessionMemory memory_;
  nghttp2_session* session_ = nullptr;
  absl::flat_hash_map<int32_t, OutgoingBody> bodies_;  // by stream id, while being sent
  std::vector<int32_t> draining_;                      // streams whose OnBodyDrained is owed
  size_t unsent_body_bytes_ = 0;                       // of bodies_
  std::string output_;                                 // encoded frames; at most kOutputBytesMax and one frame; the
                                                       // loop's, unless something waits to be written
  size_t output_written_ = 0;                          // of output_, already in the socket
  uint64_t bodies_moved_ = 0;                          // DATA frames encoded, ever
  uint64_t writes_ = 0;                                // writes that took something, ever
  uint64_t progress_seen_ = 0;                         // their sum when write_deadline_ was set
  const std::chrono::milliseconds write_max_;
  std::chrono::steady_clock::time_point last_read_ = std::chrono::steady_clock::now();
  Deadline write_deadline_;
  Deadline linger_;
  Status end_reason_ = absl::UnavailableError("the connection was closed");
  Status violation_;
  bool in_event_ = false;
  bool flush_is_posted_ = false;
  bool waits_to_write_ = false;
  bool closes_when_written_ = false;
  bool finished_ = false;  // all is said: what still arrives is discarded
  bool closed_ = false;
};

}  // namespace spanloom::net::http2
