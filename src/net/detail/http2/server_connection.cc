// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/server_connection.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.h"
#include "net/detail/http_rules.h"
#include "net/grpc/call_rules.h"
#include "net/grpc/status_trailers.h"

namespace spanloom::net::http2 {
namespace {

constexpr size_t kHeaderOverheadBytes = 32;  // RFC 9113, 6.5.2: what a field counts beyond its text

SessionLimits LimitsOf(const ServerLimits& limits) {
  return {limits.streams_max, static_cast<uint32_t>(std::min<size_t>(limits.header_bytes_max, UINT32_MAX))};
}

// The pseudo headers, and the place of the others.
void StoreHeader(std::string_view name, std::string_view value, HttpRequest& request) {
  if (!name.starts_with(':')) {
    request.headers.Add(std::string(name), std::string(value));
  } else if (name == ":method") {
    request.method = value;
  } else if (name == ":path") {
    const size_t question_mark = value.find('?');
    request.path = value.substr(0, question_mark);
    if (question_mark != std::string_view::npos) request.query = value.substr(question_mark + 1);
  } else if (name == ":authority") {
    request.headers.Add("host", std::string(value));
  }
}

bool IsGrpc(const HttpRequest& request) {
  return grpc::IsGrpcContentType(request.headers.Get("content-type"));
}

// The declared length; 0 if there is none.
uint64_t ContentLength(const HttpRequest& request) {
  uint64_t bytes = 0;
  return absl::SimpleAtoi(AbslView(request.headers.Get("content-length")), &bytes) ? bytes : 0;
}

Refusal CauseOf(const Status& status) {
  return absl::IsResourceExhausted(status) ? Refusal::kMessageTooLarge : Refusal::kBadMessage;
}

bool EndsStream(const nghttp2_frame& frame) {
  return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

}  // namespace

void ServerConnection::Serve(Loop& loop, Transport socket, std::string first_bytes, std::string peer,
                             ConnectionSlot slot, std::shared_ptr<ConnectionSet> connections) {
  std::shared_ptr<ServerConnection> connection(
      new ServerConnection(loop, std::move(socket), std::move(peer), std::move(slot), connections));
  connections->Add(connection);
  connection->SetIdleDeadline();
  connection->Start(std::move(first_bytes));
}

ServerConnection::ServerConnection(Loop& loop, Transport socket, std::string peer, ConnectionSlot slot,
                                   std::shared_ptr<ConnectionSet> connections)
    : Connection(loop, std::move(socket), Role::kServer, LimitsOf(slot.context().options.limits)),
      context_(slot.context()),
      slot_(std::move(slot)),
      connections_(std::move(connections)),
      peer_(std::move(peer)),
      pings_(context_.options.keepalive),
      deadline_(loop, [this] { OnDeadline(); }) {}

void ServerConnection::Drain() {
  GoAway(NGHTTP2_NO_ERROR, "server is shutting down");
}

size_t ServerConnection::Close() {
  CloseSocket();
  deadline_.Clear();
  return std::exchange(streams_, {}).size();
}

void ServerConnection::OnClosed(const Status&) {
  deadline_.Clear();
  streams_.clear();
  connections_->Remove(*this);
}

ServerConnection::Stream* ServerConnection::Find(int32_t stream_id) {
  const auto found = streams_.find(stream_id);
  return found == streams_.end() ? nullptr : found->second.get();
}

void ServerConnection::OnRequestBegin(int32_t stream_id) {
  auto stream = std::make_unique<Stream>();
  stream->request.peer = peer_;
  stream->latest_end = std::chrono::steady_clock::now() + context_.options.limits.request_max;
  if (streams_.empty() || !deadline_.is_set()) deadline_.Set(stream->latest_end);
  streams_.emplace(stream_id, std::move(stream));
}

void ServerConnection::OnHeader(int32_t stream_id, std::string_view name, std::string_view value) {
  Stream* stream = Find(stream_id);
  if (stream == nullptr || stream->is_refused || stream->headers_are_complete) return;  // request trailers are ignored
  stream->header_bytes += name.size() + value.size() + kHeaderOverheadBytes;
  if (stream->header_bytes > context_.options.limits.header_bytes_max) {
    context_.refusals.Count(Refusal::kHeaderTooLarge);
    stream->is_refused = true;
    ResetStream(stream_id, NGHTTP2_REFUSED_STREAM);
    return;
  }
  StoreHeader(name, value, stream->request);
}

void ServerConnection::OnFrame(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_PING && (frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) return OnPing();
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
  const int32_t stream_id = frame.hd.stream_id;
  Stream* stream = Find(stream_id);
  if (stream == nullptr) return;
  stream->is_complete = EndsStream(frame);
  if (!stream->headers_are_complete && !stream->is_refused) OnHeadersComplete(stream_id, *stream);
  if (stream->is_complete && !stream->is_refused) OnRequestComplete(stream_id, *stream);
}

void ServerConnection::OnPing() {
  if (pings_.Allows(std::chrono::steady_clock::now(), !streams_.empty())) return;
  context_.refusals.Count(Refusal::kTooManyPings);
  GoAwayAndClose(NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
}

void ServerConnection::OnHeadersComplete(int32_t stream_id, Stream& stream) {
  stream.headers_are_complete = true;
  stream.is_head = stream.request.method == "HEAD";
  if (IsGrpc(stream.request)) return BeginGrpc(stream_id, stream);
  BeginHttp(stream_id, stream);
}

void ServerConnection::BeginGrpc(int32_t stream_id, Stream& stream) {
  const HttpRequest& request = stream.request;
  if (request.method != "POST") {
    const Status status = absl::InternalError(StrCat("grpc: the method is ", request.method, ", it must be POST"));
    return RefuseGrpc(stream_id, stream, Refusal::kBadRequest, status);
  }
  const StatusOr<const GrpcHandler*> handler = grpc::FindHandler(context_.options.grpc, request.path);
  if (!handler.ok()) return RefuseGrpc(stream_id, stream, Refusal::kUnknownMethod, handler.status());
  const StatusOr<Compression> compression = grpc::MessageCompression(request.headers);
  if (!compression.ok()) return RefuseGrpc(stream_id, stream, Refusal::kBadEncoding, compression.status());
  stream.grpc_handler = *handler;
  stream.compression = *compression;
  stream.answer_compression = grpc::AnswerCompression(*compression, request.headers.Get("grpc-accept-encoding"));
  stream.message.emplace(context_.options.limits.message_bytes_max);
}

void ServerConnection::BeginHttp(int32_t stream_id, Stream& stream) {
  const size_t bytes_max = context_.options.limits.body_bytes_max;
  if (ContentLength(stream.request) > bytes_max) {
    Refuse(stream_id, stream, Refusal::kBodyTooLarge, BodyTooLarge(bytes_max));
  }
}

void ServerConnection::OnBody(int32_t stream_id, std::string_view piece) {
  Stream* stream = Find(stream_id);
  if (stream == nullptr || stream->is_refused) return;
  if (stream->message.has_value()) {
    if (const Status status = stream->message->Append(piece); !status.ok()) {
      RefuseGrpc(stream_id, *stream, CauseOf(status), status);
    }
    return;
  }
  const size_t bytes_max = context_.options.limits.body_bytes_max;
  if (piece.size() > bytes_max - stream->body.size()) {
    return Refuse(stream_id, *stream, Refusal::kBodyTooLarge, BodyTooLarge(bytes_max));
  }
  if (stream->body.empty()) stream->body.reserve(ContentLength(stream->request));
  stream->body.append(piece);
}

void ServerConnection::OnRequestComplete(int32_t stream_id, Stream& stream) {
  if (stream.grpc_handler != nullptr) return HandGrpc(stream_id, stream);
  stream.request.body = Bytes(std::move(stream.body));
  const size_t bytes_max = context_.options.limits.body_bytes_max;
  auto refusal = UndoContentEncoding(stream.request, bytes_max, context_.refusals);
  if (refusal.has_value()) return Answer(stream_id, *std::move(refusal));
  Hand(stream_id, stream);
}

void ServerConnection::Hand(int32_t stream_id, Stream& stream) {
  if (!context_.options.http) return Answer(stream_id, TextResponse(404, "404 page not found"));
  context_.options.http(std::move(stream.request), HttpResponder(MakeSink(stream_id, &ServerConnection::Answer)));
}

void ServerConnection::HandGrpc(int32_t stream_id, Stream& stream) {
  StatusOr<Bytes> message = std::move(*stream.message).Finish(stream.compression);
  if (!message.ok()) return RefuseGrpc(stream_id, stream, CauseOf(message.status()), message.status());
  GrpcRequest request{.method = std::move(stream.request.path),
                      .metadata = std::move(stream.request.headers),
                      .message = *std::move(message),
                      .peer = peer_};
  (*stream.grpc_handler)(std::move(request), GrpcResponder(MakeSink(stream_id, &ServerConnection::AnswerGrpc)));
}

// Carries an answer from any thread to this loop, where the stream, or all of the connection, may be gone by then.
template <typename AnswerT>
absl::AnyInvocable<void(AnswerT)> ServerConnection::MakeSink(int32_t stream_id,
                                                             void (ServerConnection::*answer)(int32_t, AnswerT)) {
  auto self = std::static_pointer_cast<ServerConnection>(shared_from_this());
  return [weak_self = std::weak_ptr(self), stream_id, answer](AnswerT value) {
    std::shared_ptr<ServerConnection> connection = weak_self.lock();
    if (connection == nullptr) return;
    Loop& loop = connection->loop();
    if (loop.IsCurrent()) return ((*connection).*answer)(stream_id, std::move(value));
    loop.Post([connection = std::move(connection), stream_id, answer, value = std::move(value)]() mutable {
      ((*connection).*answer)(stream_id, std::move(value));
    });
  };
}

void ServerConnection::Refuse(int32_t stream_id, Stream& stream, Refusal cause, const HttpResponse& response) {
  context_.refusals.Count(cause);
  stream.is_refused = true;
  Answer(stream_id, response);
}

void ServerConnection::RefuseGrpc(int32_t stream_id, Stream& stream, Refusal cause, const Status& status) {
  context_.refusals.Count(cause);
  stream.is_refused = true;
  stream.message.reset();
  AnswerGrpcError(stream_id, status);
}

void ServerConnection::Answer(int32_t stream_id, HttpResponse response) {
  const Stream* stream = Find(stream_id);
  if (stream == nullptr || closed()) return;
  const std::string status = StrCat(response.status);
  const std::string content_length = StrCat(response.body.size());
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& [name, value] : response.headers.fields()) {
    std::string lower_name = ToLower(name);
    if (!IsConnectionHeader(lower_name)) fields.emplace_back(std::move(lower_name), CleanHeaderValue(value));
  }
  std::vector<Header> headers = {{":status", status}};
  const bool may_have_body = MayHaveBody(response.status);
  if (may_have_body) headers.push_back({"content-length", content_length});
  for (const auto& [name, value] : fields) headers.push_back({name, value});
  std::optional<OutgoingBody> body;
  if (may_have_body && !response.body.empty() && !stream->is_head) body = OutgoingBody{.content = response.body};
  SubmitResponse(stream_id, headers, std::move(body));
}

void ServerConnection::AnswerGrpc(int32_t stream_id, StatusOr<Bytes> answer) {
  const Stream* stream = Find(stream_id);
  if (stream == nullptr || closed()) return;
  if (!answer.ok()) return AnswerGrpcError(stream_id, answer.status());
  AnswerGrpcMessage(stream_id, *stream, *std::move(answer));
}

// "Trailers-Only": one HEADERS frame says it all.
void ServerConnection::AnswerGrpcError(int32_t stream_id, const Status& status) {
  const grpc::Trailers trailers = grpc::StatusToTrailers(status);
  std::vector<Header> headers = {
      {":status", "200"}, {"content-type", "application/grpc"}, {"grpc-accept-encoding", grpc::kAcceptedEncodings}};
  for (const auto& [name, value] : trailers) headers.push_back({name, value});
  SubmitResponse(stream_id, headers, std::nullopt);
}

void ServerConnection::AnswerGrpcMessage(int32_t stream_id, const Stream& stream, Bytes message) {
  const Compression compression = stream.answer_compression;
  const bool is_compressed = compression != Compression::kNone && message.size() >= grpc::kCompressedAnswerBytesMin;
  if (is_compressed) message = Compress(compression, message.view());
  std::array<Header, 3> headers = {{{":status", "200"}, {"content-type", "application/grpc"}, {}}};
  if (is_compressed) headers.back() = {"grpc-encoding", grpc::EncodingName(compression)};
  const auto prefix = grpc::MessagePrefix(is_compressed, message.size());
  OutgoingBody body{
      .prefix = prefix, .content = std::move(message), .trailers = grpc::StatusToTrailers(absl::OkStatus())};
  SubmitResponse(stream_id, std::span(headers).first(is_compressed ? 3 : 2), std::move(body));
}

void ServerConnection::OnStreamClosed(int32_t stream_id, uint32_t) {
  streams_.erase(stream_id);
  if (streams_.empty()) SetIdleDeadline();
}

void ServerConnection::OnFrameSent(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
      pings_.OnAnswerSent();
      if (EndsStream(frame)) OnAnswerEnded(frame.hd.stream_id);
      break;
    case NGHTTP2_RST_STREAM:
      CountError(frame.rst_stream.error_code);
      break;
    case NGHTTP2_GOAWAY:
      CountError(frame.goaway.error_code);
      break;
    default:
      break;
  }
}

// An answer that ends before its request tells the client to stop sending (RFC 9113, 8.1).
void ServerConnection::OnAnswerEnded(int32_t stream_id) {
  const Stream* stream = Find(stream_id);
  if (stream != nullptr && !stream->is_complete) ResetStream(stream_id, NGHTTP2_NO_ERROR);
}

// Counts the errors that nghttp2 finds by itself. Those that are ours were counted where they were found.
void ServerConnection::CountError(uint32_t error_code) {
  switch (error_code) {
    case NGHTTP2_NO_ERROR:
    case NGHTTP2_REFUSED_STREAM:
    case NGHTTP2_CANCEL:
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return;
    case NGHTTP2_INTERNAL_ERROR:  // nghttp2's, when its limit of stream resets is reached
      return context_.refusals.Count(Refusal::kFlood);
    default:
      return context_.refusals.Count(Refusal::kBadRequest);
  }
}

void ServerConnection::OnInvalidFrame(int nghttp2_error) {
  if (nghttp2_error == NGHTTP2_ERR_REFUSED_STREAM) context_.refusals.Count(Refusal::kStreamsMax);
}

void ServerConnection::OnFlood() {
  context_.refusals.Count(Refusal::kFlood);
}

void ServerConnection::SetIdleDeadline() {
  const auto idle_max = context_.options.limits.idle_max;
  if (idle_max.count() == 0) return deadline_.Clear();
  deadline_.SetAfter(idle_max);
}

// Refuses the requests that took too long to arrive, and looks ahead to the next one that may.
void ServerConnection::OnDeadline() {
  if (streams_.empty()) {
    context_.refusals.Count(Refusal::kIdle);
    return GoAway(NGHTTP2_NO_ERROR, "the connection was idle for too long");
  }
  const TimePoint now = std::chrono::steady_clock::now();
  TimePoint next = TimePoint::max();
  for (auto& [stream_id, stream] : streams_) {
    if (stream->is_complete || stream->is_refused) continue;
    if (stream->latest_end > now) {
      next = std::min(next, stream->latest_end);
      continue;
    }
    context_.refusals.Count(Refusal::kTimeout);
    stream->is_refused = true;
    ResetStream(stream_id, NGHTTP2_CANCEL);
  }
  deadline_.Set(next);
}

}  // namespace spanloom::net::http2
