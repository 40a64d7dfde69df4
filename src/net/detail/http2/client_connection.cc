// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/client_connection.h"

#include <absl/strings/numbers.h>

#include <string_view>
#include <utility>

#include "base/text.h"
#include "net/grpc/status_trailers.h"

namespace spanloom::net::http2 {
namespace {

constexpr size_t kFieldBytesMax = 64 << 10;                        // headers and trailers of one answer; guess
constexpr size_t kTypeBytesMax = 64;                               // of a content type in an error; guess
constexpr std::string_view kGrpcContentType = "application/grpc";  // "Responses" in doc/PROTOCOL-HTTP2.md of grpc/grpc

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

std::shared_ptr<ClientConnection> ClientConnection::Make(Loop& loop, Transport socket, const GrpcKeepalive& keepalive,
                                                         std::weak_ptr<ClientOwner> owner) {
  std::shared_ptr<ClientConnection> connection(
      new ClientConnection(loop, std::move(socket), keepalive, std::move(owner)));
  connection->Start("");
  if (keepalive.time.count() > 0) connection->keepalive_deadline_.SetAfter(keepalive.time);
  return connection;
}

ClientConnection::ClientConnection(Loop& loop, Transport socket, const GrpcKeepalive& keepalive,
                                   std::weak_ptr<ClientOwner> owner)
    : Connection(loop, std::move(socket), Role::kClient, {.header_bytes_max = kFieldBytesMax}),
      owner_(std::move(owner)),
      keepalive_(keepalive),
      keepalive_deadline_(loop, [this] { OnKeepalive(); }) {}

StatusOr<int32_t> ClientConnection::Begin(std::span<const Header> headers, OutgoingBody body,
                                          std::shared_ptr<AnswerSink> sink) {
  ASSIGN_OR_RETURN(const int32_t stream_id, SubmitRequest(headers, std::move(body)));
  auto call = std::make_unique<Call>();
  call->sink = std::move(sink);
  calls_.emplace(stream_id, std::move(call));
  return stream_id;
}

void ClientConnection::Cancel(int32_t stream_id) {
  if (calls_.erase(stream_id) > 0) ResetStream(stream_id, NGHTTP2_CANCEL);
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
    case NGHTTP2_DATA:
      if (Call* call = Find(frame.hd.stream_id); call != nullptr) {
        if (ends_stream) return OnAnswerEnd(frame.hd.stream_id, *call);
        if (frame.hd.type == NGHTTP2_HEADERS) OnHeadersComplete(frame.hd.stream_id, *call);
      }
      break;
    default:
      break;
  }
}

void ClientConnection::OnHeadersComplete(int32_t stream_id, Call& call) {
  call.headers = std::exchange(call.fields, {});
  const int http_status = HttpStatus(call.headers);
  if (http_status / 100 == 1) return;  // an interim answer
  call.http_status = http_status;
  if (http_status != 200) return;
  const std::string_view content_type = call.headers.Get("content-type");
  if (!content_type.empty() && !content_type.starts_with(kGrpcContentType)) {
    return Abort(stream_id,
                 absl::UnknownError(StrCat("the answer is not gRPC but ", content_type.substr(0, kTypeBytesMax),
                                           "; is that the port for gRPC, and is there a proxy before it?")));
  }
  const std::shared_ptr<AnswerSink> sink = call.sink;
  sink->OnHeaders(call.headers);
}

// What is no answer of gRPC's is read, so that its end comes, and thrown away.
void ClientConnection::OnBody(int32_t stream_id, std::string_view piece) {
  last_heard_ = std::chrono::steady_clock::now();
  ConsumeOnConnection(piece.size());
  const Call* call = Find(stream_id);
  if (call == nullptr) return;
  if (call->http_status != 200) return ConsumeOnStream(stream_id, piece.size());
  const std::shared_ptr<AnswerSink> sink = call->sink;
  if (const Status status = sink->OnBody(piece); !status.ok()) Abort(stream_id, status);
}

void ClientConnection::OnBodyDrained(int32_t stream_id) {
  const Call* call = Find(stream_id);
  if (call == nullptr) return;
  const std::shared_ptr<AnswerSink> sink = call->sink;
  sink->OnDrained();
}

// Some proxies say the status in the headers although a body follows.
void ClientConnection::OnAnswerEnd(int32_t stream_id, Call& call) {
  const int http_status = call.http_status != 0 ? call.http_status : HttpStatus(call.fields);
  const HttpHeaders& telling = call.fields.Get("grpc-status").empty() ? call.headers : call.fields;
  const bool is_grpc = !telling.Get("grpc-status").empty();
  const Status status = is_grpc ? grpc::StatusFromTrailers(telling) : grpc::StatusFromHttp(http_status);
  End(stream_id, status, std::move(call.fields));
}

void ClientConnection::Abort(int32_t stream_id, const Status& reason) {
  ResetStream(stream_id, NGHTTP2_CANCEL);
  End(stream_id, reason, {});
}

// The stream may outlive its call: an answer that came early makes the rest of the request pointless.
void ClientConnection::End(int32_t stream_id, const Status& status, HttpHeaders trailers) {
  const auto call = calls_.extract(stream_id);
  if (call.empty()) return;
  if (IsSendingBody(stream_id)) ResetStream(stream_id, NGHTTP2_CANCEL);
  call.mapped()->sink->OnEnd(status, std::move(trailers));
  if (const auto owner = owner_.lock(); owner != nullptr) owner->OnRoom();
}

void ClientConnection::OnStreamClosed(int32_t stream_id, uint32_t error_code) {
  if (Find(stream_id) == nullptr) return;
  if (!violation().ok()) return End(stream_id, violation(), {});
  if (error_code != NGHTTP2_REFUSED_STREAM) return End(stream_id, StatusOfReset(error_code), {});
  calls_.extract(stream_id).mapped()->sink->OnUnprocessed();
}

void ClientConnection::OnClosed(const Status& reason) {
  keepalive_deadline_.Clear();
  const std::shared_ptr<ClientOwner> owner = owner_.lock();
  if (owner == nullptr) return;
  const auto calls = std::exchange(calls_, {});
  for (const auto& [stream_id, call] : calls) call->sink->OnEnd(reason, {});
  owner->OnLost(*this, reason);
}

}  // namespace spanloom::net::http2
