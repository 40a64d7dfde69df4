// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/connection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::net::http2 {
namespace {

// For the peer to read our last frames before the socket closes; guess.
constexpr std::chrono::milliseconds kLinger{1'000};
constexpr size_t kFrameHeaderBytes = 9;    // RFC 9113, 4.1
constexpr size_t kOutboundAckMax = 1'000;  // PING and SETTINGS acknowledgements waiting; nghttp2's default
constexpr int kReadsInTurnMax = 8;         // of a full buffer, 512 KiB, before others have their turn; guess
constexpr uint64_t kResetBurst = 1'000;    // rapid reset (CVE-2023-44487): nghttp2's defaults
constexpr uint64_t kResetsPerSecond = 33;
constexpr size_t kWaitingFramesMax = 10'000;  // that a peer makes us queue without reading them; guess

nghttp2_nv NameValue(std::string_view name, std::string_view value) {
  // nghttp2 copies both and does not write to them.
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::vector<nghttp2_nv> NameValues(std::span<const Header> headers) {
  std::vector<nghttp2_nv> pairs;
  pairs.reserve(headers.size());
  for (const Header& header : headers) pairs.push_back(NameValue(header.name, header.value));
  return pairs;
}

std::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

nghttp2_option* SessionOptions() {
  nghttp2_option* options = nullptr;
  CHECK(nghttp2_option_new(&options) == 0);
  nghttp2_option_set_max_outbound_ack(options, kOutboundAckMax);
  nghttp2_option_set_stream_reset_rate_limit(options, kResetBurst, kResetsPerSecond);
  nghttp2_option_set_no_closed_streams(options, 1);      // RFC 7540 priorities are not used
  nghttp2_option_set_no_auto_window_update(options, 1);  // ConsumeOn* say when
  return options;
}

// The piece after the one that is sent.
void NextPiece(OutgoingBody& body) {
  OutgoingPiece& next = body.more.front();
  body.prefix = std::move(next.prefix);
  body.content = std::move(next.content);
  body.sent_bytes = 0;
  body.more.erase(body.more.begin());
}

}  // namespace

// Each callback finds its connection in user_data. After CloseSocket no event is passed on.
struct Connection::Callbacks {
  static Connection& Of(void* user_data) { return *static_cast<Connection*>(user_data); }

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Connection& connection = Of(user_data);
    if (connection.closed_) return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) connection.OnRequestBegin(frame->hd.stream_id);
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* user_data) {
    Connection& connection = Of(user_data);
    if (connection.closed_) return NGHTTP2_ERR_CALLBACK_FAILURE;
    connection.OnHeader(frame->hd.stream_id, View(name, name_size), View(value, value_size));
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Connection& connection = Of(user_data);
    if (connection.closed_) return NGHTTP2_ERR_CALLBACK_FAILURE;
    connection.OnFrame(*frame);
    return 0;
  }

  static int OnBody(nghttp2_session*, uint8_t, int32_t stream_id, const uint8_t* data, size_t size, void* user_data) {
    Connection& connection = Of(user_data);
    if (connection.closed_) return NGHTTP2_ERR_CALLBACK_FAILURE;
    connection.OnBody(stream_id, View(data, size));
    return 0;
  }

  static int OnStreamClosed(nghttp2_session*, int32_t stream_id, uint32_t error_code, void* user_data) {
    Connection& connection = Of(user_data);
    connection.EraseBody(stream_id);
    if (!connection.closed_) connection.OnStreamClosed(stream_id, error_code);
    return 0;
  }

  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Connection& connection = Of(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY) connection.NoteViolation(frame->goaway);
    if (!connection.closed_) connection.OnFrameSent(*frame);
    return 0;
  }

  static int OnInvalidFrame(nghttp2_session*, const nghttp2_frame*, int error, void* user_data) {
    Connection& connection = Of(user_data);
    if (!connection.closed_) connection.OnInvalidFrame(error);
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session*, int32_t stream_id, uint8_t*, size_t size, uint32_t* flags,
                          nghttp2_data_source*, void* user_data) {
    return Of(user_data).ReadBody(stream_id, size, *flags);
  }

  static int SendBody(nghttp2_session*, nghttp2_frame* frame, const uint8_t* frame_header, size_t size,
                      nghttp2_data_source*, void* user_data) {
    return Of(user_data).AppendBody(frame->hd.stream_id, frame_header, size);
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &OnFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &OnBody);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &OnStreamClosed);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &OnFrameSent);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, &OnInvalidFrame);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, &SendBody);
    return callbacks;
  }
};

Connection::Connection(Loop& loop, Transport socket, Role role, const SessionLimits& limits)
    : loop_(loop),
      role_(role),
      socket_(std::move(socket)),
      write_max_(limits.write_max),
      write_deadline_(loop, [this] { OnWriteDeadline(); }),
      linger_(loop, [this] { CloseSocket(); }) {
  static nghttp2_session_callbacks* const callbacks = Callbacks::Make();
  static nghttp2_option* const options = SessionOptions();
  const auto make = role == Role::kServer ? &nghttp2_session_server_new3 : &nghttp2_session_client_new3;
  nghttp2_mem memory = memory_.functions();
  CHECK(make(&session_, callbacks, this, options, &memory) == 0);
  memory_.EndSetUp();
  SubmitSettings(limits);
}

Connection::~Connection() {
  nghttp2_session_del(session_);
}

void Connection::SubmitSettings(const SessionLimits& limits) {
  std::vector<nghttp2_settings_entry> settings = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.header_bytes_max},
  };
  if (role_ == Role::kServer) {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max});
    settings.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
  }
  if (role_ == Role::kClient) settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes) == 0);
}

void Connection::Start(std::string first_bytes) {
  Spawn(loop_, Read(shared_from_this(), std::move(first_bytes)));
}

asio::awaitable<void> Connection::Read(std::shared_ptr<Connection> self, std::string first_bytes) {
  bool is_open = self->Feed(first_bytes);
  while (is_open) {
    error_code error;
    co_await self->socket_.WaitRead(Into(error));
    if (error) break;
    is_open = self->ReadAvailable();
  }
  self->CloseSocket();
  self->linger_.Clear();
  self->write_deadline_.Clear();
  self->OnClosed(self->end_reason_);
}

// False when the connection is at its end. A full buffer says that there is more, for which nothing needs to be waited.
bool Connection::ReadAvailable() {
  auto& buffer = loop_.internal().read_buffer;
  bool is_open = true;
  size_t bytes = buffer.size();
  for (int reads = 0; is_open && bytes == buffer.size() && reads < kReadsInTurnMax; ++reads) {
    error_code error;
    bytes = socket_.ReadSome(asio::buffer(buffer), error);
    if (WouldBlock(error)) return true;
    if (error) {
      Fail(absl::UnavailableError(error == asio::error::eof ? "the peer closed the connection" : error.message()));
      return false;
    }
    loop_.internal().bytes_read += bytes;
    last_read_ = std::chrono::steady_clock::now();
    is_open = finished_ || Feed({buffer.data(), bytes});
  }
  return is_open;
}

bool Connection::Feed(std::string_view bytes) {
  in_event_ = true;
  ssize_t used = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  in_event_ = false;
  if (closed_) return false;
  if (nghttp2_session_get_outbound_queue_size(session_) > kWaitingFramesMax) used = NGHTTP2_ERR_FLOODED;
  if (used < 0) OnFeedFailed(static_cast<int>(used));
  Flush();
  return !closed_;
}

void Connection::OnFeedFailed(int nghttp2_error) {
  const bool is_flood = nghttp2_error == NGHTTP2_ERR_FLOODED || nghttp2_error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
  if (is_flood) OnFlood();
  end_reason_ = absl::UnavailableError(StrCat("HTTP/2 error: ", nghttp2_strerror(nghttp2_error)));
  GoAwayAndClose(is_flood ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR, "");
}

// nghttp2 ends a session by itself when the peer breaks the rules, and says why in the frame.
void Connection::NoteViolation(const nghttp2_goaway& sent) {
  if (sent.error_code == NGHTTP2_NO_ERROR || sent.opaque_data_len == 0 || !violation_.ok()) return;
  violation_ = absl::UnavailableError(
      StrCat("the peer does not keep to the rules of HTTP/2: ", View(sent.opaque_data, sent.opaque_data_len)));
  end_reason_ = violation_;
}

void Connection::FlushSoon() {
  if (in_event_ || flush_is_posted_ || closed_) return;
  flush_is_posted_ = true;
  loop_.Post([self = shared_from_this()] {
    self->flush_is_posted_ = false;
    self->Flush();
  });
}

void Connection::Flush() {
  FlushAll();
  WatchWrites();
}

void Connection::FlushAll() {
  if (waits_to_write_ || closed_ || finished_) return;
  output_.swap(loop_.internal().output);  // lent, unless something stays in it: an idle connection has none
  bool is_written = true;
  while (is_written && Collect()) is_written = WriteOutput();
  if (output_.empty()) output_.swap(loop_.internal().output);
  if (!is_written) return;
  if (closed_) return;
  const bool is_done = nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
  if (is_done || closes_when_written_) Finish();
}

// Fills output_ with the session's next frames; false if there are none.
bool Connection::Collect() {
  in_event_ = true;
  while (output_.size() < kOutputBytesMax) {
    const uint8_t* data = nullptr;
    const ssize_t bytes = nghttp2_session_mem_send(session_, &data);
    if (bytes < 0) Fail(absl::InternalError(nghttp2_strerror(static_cast<int>(bytes))));
    if (bytes <= 0) break;
    output_.append(View(data, static_cast<size_t>(bytes)));
  }
  if (!draining_.empty()) ReportDrained();
  in_event_ = false;
  return !output_.empty() && !closed_;
}

// What this leads to is sent in the next round if this one has output, else soon.
void Connection::ReportDrained() {
  const std::vector<int32_t> streams = std::exchange(draining_, {});
  bool reported = false;
  for (const int32_t stream_id : streams) {
    const auto found = bodies_.find(stream_id);
    if (found == bodies_.end() || closed_) continue;
    if (found->second.unsent_bytes() >= kBodyQueueBytes) {
      draining_.push_back(stream_id);
      continue;
    }
    OnBodyDrained(stream_id);
    reported = true;
  }
  if (!reported || !output_.empty()) return;
  in_event_ = false;
  FlushSoon();
}

// Sets the deadline anew whenever something moved. While the socket takes what it is given, only bodies count: a peer
// that grants no window could keep us alive with pings.
void Connection::WatchWrites() {
  if (write_max_.count() == 0) return;
  const bool has_unsent = unsent_body_bytes_ > 0 || waits_to_write_;
  if (!has_unsent || closed_ || finished_) return write_deadline_.Clear();
  const uint64_t progress = bodies_moved_ + (waits_to_write_ ? writes_ : 0);
  if (std::exchange(progress_seen_, progress) == progress && write_deadline_.is_set()) return;
  write_deadline_.SetAfter(write_max_);
}

void Connection::OnWriteDeadline() {
  OnWriteStuck();
  Fail(absl::UnavailableError("the peer did not take what was sent"));
}

// Writes output_; false if the socket takes no more for now, or failed.
bool Connection::WriteOutput() {
  while (output_written_ < output_.size()) {
    error_code error;
    output_written_ += socket_.WriteSome(asio::buffer(output_) + output_written_, error);
    if (WouldBlock(error)) {
      WaitToWrite();
      return false;
    }
    if (error) {
      Fail(absl::UnavailableError(error.message()));
      return false;
    }
    ++writes_;
  }
  output_.clear();
  output_written_ = 0;
  return true;
}

void Connection::WaitToWrite() {
  waits_to_write_ = true;
  socket_.WaitWrite([self = shared_from_this()](const error_code& error) {
    self->waits_to_write_ = false;
    if (error || self->closed_) return;
    if (!self->WriteOutput()) return self->WatchWrites();
    self->output_ = {};
    self->Flush();
  });
}

void Connection::ReleaseMemory() {
  const bool is_sending = in_event_ || waits_to_write_ || nghttp2_session_want_write(session_) != 0;
  if (is_sending || closed_ || finished_) return;
  memory_.ReleasePages();
  if (bodies_.empty()) bodies_ = {};
  if (draining_.empty()) draining_ = {};
}

// A server says that it sends no more, and gives the client time to read what was sent: closing a socket with unread
// input would discard it.
void Connection::Finish() {
  if (role_ == Role::kClient) return CloseSocket();
  finished_ = true;
  socket_.ShutdownSend();
  linger_.SetAfter(kLinger);
}

void Connection::Fail(Status reason) {
  if (!closed_ && !finished_) end_reason_ = std::move(reason);
  CloseSocket();
}

void Connection::CloseSocket() {
  if (closed_) return;
  closed_ = true;
  socket_.Close();
}

void Connection::GoAway(uint32_t error_code, std::string_view debug_data) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_), error_code,
                        reinterpret_cast<const uint8_t*>(debug_data.data()), debug_data.size());
  FlushSoon();
}

void Connection::GoAwayAndClose(uint32_t error_code, std::string_view debug_data) {
  closes_when_written_ = true;
  GoAway(error_code, debug_data);
}

void Connection::SubmitResponse(int32_t stream_id, std::span<const Header> headers, std::optional<OutgoingBody> body) {
  const std::vector<nghttp2_nv> pairs = NameValues(headers);
  nghttp2_data_provider provider{{}, &Callbacks::ReadBody};
  const bool has_body = body.has_value();
  if (has_body) {
    unsent_body_bytes_ += body->unsent_bytes();
    bodies_.insert_or_assign(stream_id, *std::move(body));
  }
  const int result =
      nghttp2_submit_response(session_, stream_id, pairs.data(), pairs.size(), has_body ? &provider : nullptr);
  if (result != 0) {
    EraseBody(stream_id);
    ResetStream(stream_id, NGHTTP2_INTERNAL_ERROR);
  }
  FlushSoon();
}

StatusOr<int32_t> Connection::SubmitRequest(std::span<const Header> headers, OutgoingBody body) {
  const std::vector<nghttp2_nv> pairs = NameValues(headers);
  const nghttp2_data_provider provider{{}, &Callbacks::ReadBody};
  const int32_t stream_id = nghttp2_submit_request(session_, nullptr, pairs.data(), pairs.size(), &provider, nullptr);
  if (stream_id < 0) {
    GoAway(NGHTTP2_NO_ERROR, "");
    return absl::UnavailableError(nghttp2_strerror(stream_id));
  }
  unsent_body_bytes_ += body.unsent_bytes();
  bodies_.insert_or_assign(stream_id, std::move(body));
  FlushSoon();
  return stream_id;
}

size_t OutgoingBody::unsent_bytes() const {
  size_t bytes = size() - sent_bytes;
  for (const OutgoingPiece& piece : more) bytes += piece.size();
  return bytes;
}

bool Connection::IsSendingBody(int32_t stream_id) const {
  const auto found = bodies_.find(stream_id);
  return found != bodies_.end() && (found->second.is_open || found->second.unsent_bytes() > 0);
}

void Connection::EraseBody(int32_t stream_id) {
  const auto found = bodies_.find(stream_id);
  if (found == bodies_.end()) return;
  unsent_body_bytes_ -= found->second.unsent_bytes();
  bodies_.erase(found);
}

void Connection::AppendToBody(int32_t stream_id, OutgoingPiece piece) {
  const auto found = bodies_.find(stream_id);
  if (found == bodies_.end()) return;
  CHECK(found->second.is_open);
  unsent_body_bytes_ += piece.size();
  found->second.more.push_back(std::move(piece));
  draining_.push_back(stream_id);
  nghttp2_session_resume_data(session_, stream_id);
  FlushSoon();
}

void Connection::CloseBody(int32_t stream_id, std::vector<std::pair<std::string, std::string>> trailers) {
  const auto found = bodies_.find(stream_id);
  if (found == bodies_.end()) return;
  found->second.is_open = false;
  found->second.trailers = std::move(trailers);
  nghttp2_session_resume_data(session_, stream_id);
  FlushSoon();
}

void Connection::ConsumeOnConnection(size_t bytes) {
  nghttp2_session_consume_connection(session_, bytes);
  FlushSoon();
}

void Connection::ConsumeOnStream(int32_t stream_id, size_t bytes) {
  nghttp2_session_consume_stream(session_, stream_id, bytes);
  FlushSoon();
}

void Connection::WidenStreamWindow(int32_t stream_id, size_t bytes) {
  const auto window = static_cast<int32_t>(std::min<size_t>(bytes, kStreamWindowBytesMax));
  if (window <= nghttp2_session_get_stream_effective_local_window_size(session_, stream_id)) return;
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, stream_id, window);
  FlushSoon();
}

void Connection::AnnounceGoAway() {
  nghttp2_submit_shutdown_notice(session_);
  FlushSoon();
}

void Connection::SendPing() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  FlushSoon();
}

void Connection::ResetStream(int32_t stream_id, uint32_t error_code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream_id, error_code);
  FlushSoon();
}

// Says how many bytes the next DATA frame has; AppendBody copies them straight into output_.
ssize_t Connection::ReadBody(int32_t stream_id, size_t bytes_max, uint32_t& flags) {
  const auto found = bodies_.find(stream_id);
  if (found == bodies_.end()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  OutgoingBody& body = found->second;
  if (body.sent_bytes == body.size() && !body.more.empty()) NextPiece(body);
  const size_t left = body.size() - body.sent_bytes;
  if (left == 0 && body.is_open) return NGHTTP2_ERR_DEFERRED;
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (left > bytes_max) return static_cast<ssize_t>(bytes_max);
  if (body.is_open || !body.more.empty()) return static_cast<ssize_t>(left);
  flags |= NGHTTP2_DATA_FLAG_EOF;
  if (body.trailers.empty()) return static_cast<ssize_t>(left);
  flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  std::vector<nghttp2_nv> pairs;
  for (const auto& [name, value] : body.trailers) pairs.push_back(NameValue(name, value));
  const int result = nghttp2_submit_trailer(session_, stream_id, pairs.data(), pairs.size());
  if (result != 0) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  return static_cast<ssize_t>(left);
}

int Connection::AppendBody(int32_t stream_id, const uint8_t* frame_header, size_t bytes) {
  if (output_.size() >= kOutputBytesMax) return NGHTTP2_ERR_WOULDBLOCK;
  const auto found = bodies_.find(stream_id);
  if (found == bodies_.end()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  OutgoingBody& body = found->second;
  output_.append(View(frame_header, kFrameHeaderBytes));
  unsent_body_bytes_ -= bytes;
  ++bodies_moved_;
  if (body.sent_bytes < body.prefix.size()) {
    const std::string_view piece = std::string_view(body.prefix).substr(body.sent_bytes, bytes);
    output_.append(piece);
    body.sent_bytes += piece.size();
    bytes -= piece.size();
  }
  output_.append(body.content.view().substr(body.sent_bytes - body.prefix.size(), bytes));
  body.sent_bytes += bytes;
  return 0;
}

}  // namespace spanloom::net::http2
