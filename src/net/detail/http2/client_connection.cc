// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/client_connection.h"

#include <absl/strings/numbers.h>

#include <utility>

#include "base/text.h"
#include "net/grpc/call_rules.h"
#include "net/grpc/status_trailers.h"

namespace spanloom::net::http2 {
namespace {

constexpr size_t kFieldBytesMax = 64 << 10;  // headers and trailers of one answer; guess

int HttpStatus(const HttpHeaders& fields) {
  int status = 0;
  return absl::SimpleAtoi(AbslView(fields.Get(":status")), &status) ? status : 0;
}

// What a RST_STREAM without grpc-status means ("Errors" in doc/PROTOCOL-HTTP2.md of grpc/grpc).
Status StatusOfReset(uint32_t error_code) {
  const std::string message = StrCat("the peer reset the stream: ", nghttp2_http2_strerror(error_code));
  switch (error_code) {
    case NGHTTP2_REFUSED_STREAM:
      return absl::UnavailableError(message);
    case NGHTTP2_CANCEL:
      return absl::CancelledError(message);
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return absl::ResourceExhaustedError(message);
    case NGHTTP2_INADEQUATE_SECURITY:
      return absl::PermissionDeniedError(message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace

std::shared_ptr<ClientConnection> ClientConnection::Make(Loop& loop, Transport socket, size_t message_bytes_max,
                                                         const GrpcKeepalive& keepalive,
                                                         std::weak_ptr<ClientOwner> owner) {
  std::shared_ptr<ClientConnection> connection(
      new ClientConnection(loop, std::move(socket), message_bytes_max, keepalive, std::move(owner)));
  connection->Start("");
  if (keepalive.time.count() > 0) connection->keepalive_deadline_.SetAfter(keepalive.time);
  return connection;
}

ClientConnection::ClientConnection(Loop& loop, Transport socket, size_t message_bytes_max,
                                   const GrpcKeepalive& keepalive, std::weak_ptr<ClientOwner> owner)
    : Connection(loop, std::move(socket), Role::kClient, {.header_bytes_max = kFieldBytesMax}),
      message_bytes_max_(message_bytes_max),
      owner_(std::move(owner)),
      keepalive_(keepalive),
      keepalive_deadline_(loop, [this] { OnKeepalive(); }) {}

Status ClientConnection::Begin(uint64_t call_id, std::span<const Header> headers, OutgoingBody body) {
  ASSIGN_OR_RETURN(const int32_t stream_id, SubmitRequest(headers, std::move(body)));
  calls_.emplace(stream_id, std::make_unique<Call>(call_id, message_bytes_max_));
  return absl::OkStatus();
}

void ClientConnection::Cancel(uint64_t call_id) {
  for (const auto& [stream_id, call] : calls_) {
    if (call->id != call_id) continue;
    ResetStream(stream_id, NGHTTP2_CANCEL);
    calls_.erase(stream_id);
    return;
  }
}

void ClientConnection::Retire() {
  GoAway(NGHTTP2_NO_ERROR, "");
}

// A ping is due when nothing was heard for a while, and, unless permitted, calls are under way. Whatever is heard
// answers it.
void ClientConnection::OnKeepalive() {
  const auto now = std::chrono::steady_clock::now();
  if (pinged_at_.has_value() && last_heard_ <= *pinged_at_) {
    const std::string text =
        StrCat("the peer did not answer a keepalive ping within ", keepalive_.timeout.count(), " ms");
    OnClosed(absl::UnavailableError(text));
    return Close();
  }
  pinged_at_.reset();
  if (now < last_heard_ + keepalive_.time) return keepalive_deadline_.Set(last_heard_ + keepalive_.time);
  if (calls_.empty() && !keepalive_.permit_without_stream) return keepalive_deadline_.SetAfter(keepalive_.time);
  nghttp2_submit_ping(session(), NGHTTP2_FLAG_NONE, nullptr);
  FlushSoon();
  pinged_at_ = now;
  keepalive_deadline_.SetAfter(keepalive_.timeout);
}

void ClientConnection::Close() {
  keepalive_deadline_.Clear();
  owner_.reset();
  calls_.clear();
  CloseSocket();
}

ClientConnection::Call* ClientConnection::Find(int32_t stream_id) {
  const auto found = calls_.find(stream_id);
  return found == calls_.end() ? nullptr : found->second.get();
}

void ClientConnection::OnHeader(int32_t stream_id, std::string_view name, std::string_view value) {
  Call* call = Find(stream_id);
  if (call == nullptr) return;
  call->field_bytes += name.size() + value.size();
  if (call->field_bytes > kFieldBytesMax) {
    const std::string text = StrCat("the headers of the answer are larger than ", kFieldBytesMax, " bytes");
    return Abort(stream_id, absl::ResourceExhaustedError(text));
  }
  call->fields.Add(std::string(name), std::string(value));
}

void ClientConnection::OnFrame(const nghttp2_frame& frame) {
  last_heard_ = std::chrono::steady_clock::now();
  const bool ends_stream = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  const std::shared_ptr<ClientOwner> owner = owner_.lock();
  switch (frame.hd.type) {
    case NGHTTP2_SETTINGS:
      calls_max_ = nghttp2_session_get_remote_settings(session(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
      if (owner != nullptr && !std::exchange(is_ready_, true)) owner->OnReady(*this);
      break;
    case NGHTTP2_GOAWAY:
      if (owner != nullptr) owner->OnRetired(*this);
      break;
    case NGHTTP2_HEADERS:
      OnHeadersComplete(frame.hd.stream_id, ends_stream);
      break;
    case NGHTTP2_DATA:
      if (Call* call = Find(frame.hd.stream_id); ends_stream && call != nullptr) {
        End(frame.hd.stream_id, AnswerOf(*call));
      }
      break;
    default:
      break;
  }
}

void ClientConnection::OnHeadersComplete(int32_t stream_id, bool ends_stream) {
  Call* call = Find(stream_id);
  if (call == nullptr) return;
  if (ends_stream) return End(stream_id, AnswerOf(*call));
  if (HttpStatus(call->fields) / 100 == 1) call->fields = {};  // an interim answer
}

void ClientConnection::OnBody(int32_t stream_id, std::string_view piece) {
  Call* call = Find(stream_id);
  last_heard_ = std::chrono::steady_clock::now();
  if (call == nullptr || HttpStatus(call->fields) != 200) return;
  if (const Status status = call->message.Append(piece); !status.ok()) Abort(stream_id, status);
}

// What the peer said, once it has said all.
StatusOr<Bytes> ClientConnection::AnswerOf(Call& call) const {
  if (call.fields.Get("grpc-status").empty()) return grpc::StatusFromHttp(HttpStatus(call.fields));
  RETURN_IF_ERROR(grpc::StatusFromTrailers(call.fields));
  ASSIGN_OR_RETURN(const Compression compression, grpc::MessageCompression(call.fields));
  return std::move(call.message).Finish(compression);
}

void ClientConnection::Abort(int32_t stream_id, const Status& reason) {
  ResetStream(stream_id, NGHTTP2_CANCEL);
  End(stream_id, reason);
}

// The stream may outlive its call: an answer that came early makes the rest of the request pointless.
void ClientConnection::End(int32_t stream_id, StatusOr<Bytes> answer) {
  const uint64_t call_id = calls_.extract(stream_id).mapped()->id;
  if (IsSendingBody(stream_id)) ResetStream(stream_id, NGHTTP2_CANCEL);
  if (const auto owner = owner_.lock(); owner != nullptr) owner->OnCallEnded(call_id, std::move(answer));
}

void ClientConnection::OnStreamClosed(int32_t stream_id, uint32_t error_code) {
  Call* call = Find(stream_id);
  if (call == nullptr) return;
  if (error_code != NGHTTP2_REFUSED_STREAM) return End(stream_id, StatusOfReset(error_code));
  const uint64_t call_id = calls_.extract(stream_id).mapped()->id;
  if (const auto owner = owner_.lock(); owner != nullptr) owner->OnCallUnprocessed(call_id);
}

void ClientConnection::OnClosed(const Status& reason) {
  keepalive_deadline_.Clear();
  const std::shared_ptr<ClientOwner> owner = owner_.lock();
  if (owner == nullptr) return;
  const auto calls = std::exchange(calls_, {});
  for (const auto& [stream_id, call] : calls) owner->OnCallEnded(call->id, reason);
  owner->OnLost(*this, reason);
}

}  // namespace spanloom::net::http2
