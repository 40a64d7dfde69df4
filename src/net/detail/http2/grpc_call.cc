// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/grpc_call.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "net/detail/http_rules.h"
#include "net/grpc/call_rules.h"
#include "net/grpc/status_trailers.h"
#include "net/grpc/timeout.h"

namespace spanloom::net::http2 {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

Refusal CauseOf(const Status& status) {
  if (absl::IsResourceExhausted(status)) return Refusal::kMessageTooLarge;
  return absl::IsUnavailable(status) ? Refusal::kHeldBytes : Refusal::kBadMessage;
}

Status Gone() {
  return absl::CancelledError("the call has ended");
}

void Append(const grpc::Fields& fields, std::vector<Header>& headers) {
  for (const auto& [name, value] : fields) headers.push_back({name, value});
}

grpc::Fields TrailersOf(const Status& status, const grpc::Fields& metadata) {
  grpc::Fields trailers = grpc::StatusToTrailers(status);
  trailers.insert(trailers.end(), metadata.begin(), metadata.end());
  return trailers;
}

// "Trailers-Only": one HEADERS frame says it all.
void SendError(ServerConnection& connection, int32_t stream_id, const Status& status,
               const grpc::Fields& metadata = {}) {
  const grpc::Trailers trailers = grpc::StatusToTrailers(status);
  std::vector<Header> headers = {
      {":status", "200"}, {"content-type", "application/grpc"}, {"grpc-accept-encoding", grpc::kAcceptedEncodings}};
  Append(trailers, headers);
  Append(metadata, headers);
  connection.SubmitResponse(stream_id, headers, std::nullopt);
}

void SubmitHeaders(ServerConnection& connection, int32_t stream_id, Compression compression,
                   const grpc::Fields& metadata, OutgoingBody body) {
  std::vector<Header> headers = {{":status", "200"}, {"content-type", "application/grpc"}};
  if (compression != Compression::kNone) headers.push_back({"grpc-encoding", grpc::EncodingName(compression)});
  Append(metadata, headers);
  connection.SubmitResponse(stream_id, headers, std::move(body));
}

Status BadMetadata(const Status& reason) {
  return absl::InternalError(StrCat("the answer's ", StdView(reason.message())));
}

// The call's deadline, by its grpc-timeout; max if it has none.
StatusOr<TimePoint> DeadlineOf(const HttpHeaders& headers) {
  const std::string_view timeout = headers.Get("grpc-timeout");
  if (timeout.empty()) return TimePoint::max();
  ASSIGN_OR_RETURN(const std::chrono::nanoseconds duration, grpc::ParseTimeout(timeout));
  const TimePoint now = std::chrono::steady_clock::now();
  return duration > TimePoint::max() - now ? TimePoint::max() : now + duration;
}

}  // namespace

std::shared_ptr<GrpcCall> GrpcCall::Begin(ServerConnection& connection, int32_t stream_id, HttpRequest& request) {
  const auto refuse = [&](Refusal cause, const Status& status) {
    connection.context().refusals.Count(cause);
    SendError(connection, stream_id, status);
    return nullptr;
  };
  if (request.method != "POST") {
    const std::string text = StrCat("grpc: the method is ", request.method, ", it must be POST");
    return refuse(Refusal::kBadRequest, absl::InternalError(text));
  }
  const StatusOr<const GrpcMethod*> method = grpc::FindMethod(connection.context().options.grpc, request.path);
  if (!method.ok()) return refuse(Refusal::kUnknownMethod, method.status());
  const StatusOr<Compression> compression = grpc::MessageCompression(request.headers);
  if (!compression.ok()) return refuse(Refusal::kBadEncoding, compression.status());
  if (const Status status = grpc::DecodeBinaryMetadata(request.headers); !status.ok()) {
    return refuse(Refusal::kBadRequest, status);
  }
  const StatusOr<TimePoint> deadline = DeadlineOf(request.headers);
  if (!deadline.ok()) return refuse(Refusal::kBadRequest, deadline.status());

  auto call = std::make_shared<GrpcCall>(connection, stream_id, **method, *compression);
  call->accepted_encodings_ = request.headers.Get("grpc-accept-encoding");
  call->SetAnswerCompression(AnswerCompression::kAsRequest);
  call->set_deadline(*deadline);
  call->request_ = {.method = std::move(request.path),
                    .metadata = std::move(request.headers),
                    .message = {},
                    .was_compressed = false,
                    .peer = std::move(request.peer),
                    .peer_certificate = std::move(request.peer_certificate),
                    .deadline = *deadline};
  return call;
}

GrpcCall::GrpcCall(ServerConnection& connection, int32_t stream_id, const GrpcMethod& method, Compression compression)
    : Call(connection, stream_id),
      connection_(&connection),
      method_(method),
      compression_(compression),
      reader_(connection.context().options.limits.message_bytes_max, &held()) {}

void GrpcCall::OnBegun() {
  if (!is_streamed()) return;
  std::get<GrpcStreamHandler>(method_)(std::move(request_), GrpcReader(self()), GrpcWriter(self()));
}

void GrpcCall::OnBody(std::string_view piece) {
  connection_->ConsumeOnConnection(piece.size());
  if (is_streamed()) return CollectMany(piece);
  connection_->ConsumeOnStream(stream_id(), piece.size());
  CollectOne(piece);
}

void GrpcCall::CollectOne(std::string_view piece) {
  if (const Status status = reader_.Append(piece); !status.ok()) return Refuse(CauseOf(status), status);
  if (!reader_.is_complete()) WidenWindow(reader_.declared_bytes());
}

// While a message waits to be read, what arrives is held against the stream's window; otherwise somebody waits for the
// message under way, and its bytes are bounded by its size.
void GrpcCall::CollectMany(std::string_view piece) {
  if (messages_.empty()) {
    connection_->ConsumeOnStream(stream_id(), piece.size());
  } else {
    unconsumed_bytes_ += piece.size();
  }
  while (!piece.empty()) {
    if (const Status status = reader_.AppendFront(piece); !status.ok()) return Refuse(CauseOf(status), status);
    if (reader_.is_complete()) messages_.push_back(reader_.Take());
  }
  if (!reader_.is_complete()) WidenWindow(reader_.declared_bytes());
  Deliver();
}

void GrpcCall::OnRequestEnd() {
  request_ended_ = true;
  if (!is_streamed()) {
    StatusOr<grpc::SentMessage> message = reader_.TakeLast();
    return message.ok() ? Inflate(*std::move(message)) : Refuse(CauseOf(message.status()), message.status());
  }
  if (reader_.is_empty()) return Deliver();
  Refuse(Refusal::kBadMessage, absl::InternalError("grpc: the stream ended inside a message (unexpected EOF)"));
}

// Large ones are inflated elsewhere, so that the loop is free for others.
void GrpcCall::Inflate(grpc::SentMessage message) {
  const size_t bytes_max = connection_->context().options.limits.message_bytes_max;
  request_.was_compressed = message.is_compressed;
  if (!message.is_compressed) return Hand(std::move(message.content));
  auto on_loop = grpc::InflateMessageOnLoop(message, compression_, bytes_max);
  if (on_loop.has_value()) return Hand(*std::move(on_loop));
  const bool is_queued = OnWorker(*connection_, [self = self(), message = std::move(message), bytes_max]() mutable {
    self->OnLoop([self, inflated = grpc::InflateMessage(std::move(message), self->compression_, bytes_max)](
                     const ServerConnection* connection) mutable {
      if (connection != nullptr && !self->ended()) self->Hand(std::move(inflated));
    });
  });
  if (is_queued) return;
  const Status status = absl::UnavailableError("too many large compressed requests wait; send again later");
  Refuse(Refusal::kInflateQueue, WithRetryDelay(status, kBudgetRetryDelay));
}

void GrpcCall::Hand(StatusOr<Bytes> message) {
  if (!message.ok()) return Refuse(CauseOf(message.status()), message.status());
  if (compression_ != Compression::kNone && !held().TryAdd(message->size())) {
    return Refuse(Refusal::kHeldBytes, BudgetUsedUp());
  }
  request_.message = *std::move(message);
  if (const auto* handler = std::get_if<GrpcServerStreamHandler>(&method_); handler != nullptr) {
    return (*handler)(std::move(request_), GrpcWriter(self()));
  }
  std::get<GrpcHandler>(method_)(std::move(request_), GrpcResponder(self()));
}

void GrpcCall::Deliver() {
  if (std::exchange(is_delivering_, true)) return;
  const auto keep = self();
  while (read_done_ && !ended() && (!messages_.empty() || request_ended_)) DeliverOne();
  is_delivering_ = false;
}

void GrpcCall::DeliverOne() {
  MessageDone done = std::exchange(read_done_, nullptr);
  if (messages_.empty()) return done(std::optional<GrpcMessage>());
  grpc::SentMessage message = std::move(messages_.front());
  messages_.pop_front();
  held().Sub(message.content.size());
  if (messages_.empty()) connection_->ConsumeOnStream(stream_id(), std::exchange(unconsumed_bytes_, 0));
  const size_t bytes_max = connection_->context().options.limits.message_bytes_max;
  const bool was_compressed = message.is_compressed;
  StatusOr<Bytes> inflated = grpc::InflateMessage(std::move(message), compression_, bytes_max);
  if (inflated.ok()) return done(GrpcMessage{.bytes = *std::move(inflated), .was_compressed = was_compressed});
  Refuse(CauseOf(inflated.status()), inflated.status());
  done(inflated.status());
}

void GrpcCall::Read(MessageDone done) {
  OnLoop([this, done = std::move(done)](const ServerConnection* connection) mutable {
    if (connection == nullptr || ended()) return done(Gone());
    CHECK(!read_done_);  // one Read at a time
    read_done_ = std::move(done);
    Deliver();
  });
}

void GrpcCall::Respond(StatusOr<Bytes> answer, GrpcAnswerOptions options) {
  OnLoop([this, answer = std::move(answer), options = std::move(options)](const ServerConnection* connection) mutable {
    if (connection == nullptr || ended()) return;
    Answer(std::move(answer), options);
    cancel_state().Settle();
  });
}

void GrpcCall::Answer(StatusOr<Bytes> answer, const GrpcAnswerOptions& options) {
  const StatusOr<grpc::Fields> initial = grpc::EncodeMetadata(options.initial_metadata);
  if (!initial.ok()) return SendEnd(BadMetadata(initial.status()));
  const StatusOr<grpc::Fields> trailing = grpc::EncodeMetadata(options.trailing_metadata);
  if (!trailing.ok()) return SendEnd(BadMetadata(trailing.status()));
  if (!answer.ok()) return SendEnd(answer.status(), *initial, *trailing);
  SetAnswerCompression(options.compression);
  AnswerMessage(*std::move(answer), *initial, *trailing);
}

void GrpcCall::SetAnswerCompression(AnswerCompression wanted) {
  answer_compression_ = grpc::CompressionOfAnswer(wanted, compression_, accepted_encodings_);
  always_compresses_ = wanted == AnswerCompression::kOn;
}

// A message as it is sent; small ones are not worth compressing, unless that was asked for.
OutgoingPiece GrpcCall::Framed(Bytes message) const {
  const bool is_worth_it = always_compresses_ || message.size() >= grpc::kCompressedAnswerBytesMin;
  const bool is_compressed = answer_compression_ != Compression::kNone && is_worth_it;
  if (is_compressed) message = Compress(answer_compression_, message.view());
  std::string prefix = grpc::MessagePrefix(is_compressed, message.size());
  return {.prefix = std::move(prefix), .content = std::move(message)};
}

void GrpcCall::AnswerMessage(Bytes message, const grpc::Fields& initial, const grpc::Fields& trailing) {
  OutgoingPiece piece = Framed(std::move(message));
  const bool is_compressed = piece.prefix.front() != 0;
  OutgoingBody body{.prefix = std::move(piece.prefix),
                    .content = std::move(piece.content),
                    .trailers = TrailersOf(absl::OkStatus(), trailing)};
  const Compression named = is_compressed ? answer_compression_ : Compression::kNone;
  SubmitHeaders(*connection_, stream_id(), named, initial, std::move(body));
  set_ended();
  held().Release();
}

void GrpcCall::SendHeaders(HttpHeaders initial_metadata, AnswerCompression compression) {
  OnLoop([this, metadata = std::move(initial_metadata), compression](const ServerConnection* connection) {
    if (connection == nullptr || ended()) return;
    CHECK(!answer_begun_);  // once, before the first message
    const StatusOr<grpc::Fields> fields = grpc::EncodeMetadata(metadata);
    if (!fields.ok()) {
      const Status status = BadMetadata(fields.status());
      SendEnd(status);
      return EndWith(status);
    }
    SetAnswerCompression(compression);
    BeginAnswer(*fields);
  });
}

void GrpcCall::BeginAnswer(const grpc::Fields& initial) {
  answer_begun_ = true;
  SubmitHeaders(*connection_, stream_id(), answer_compression_, initial, OutgoingBody{.is_open = true});
}

void GrpcCall::Write(Bytes message, WriteDone done) {
  OnLoop([this, message = std::move(message), done = std::move(done)](const ServerConnection* connection) mutable {
    if (connection == nullptr || ended()) return done(Gone());
    CHECK(!write_done_);  // one Write at a time
    write_done_ = std::move(done);
    SendMessage(std::move(message));
  });
}

void GrpcCall::SendMessage(Bytes message) {
  if (!answer_begun_) BeginAnswer({});
  connection_->AppendToBody(stream_id(), Framed(std::move(message)));
}

void GrpcCall::OnDrained() {
  if (write_done_) std::exchange(write_done_, nullptr)(absl::OkStatus());
}

void GrpcCall::Finish(Status status, HttpHeaders trailing_metadata) {
  OnLoop(
      [this, status = std::move(status), metadata = std::move(trailing_metadata)](const ServerConnection* connection) {
        if (connection == nullptr || ended()) return;
        const StatusOr<grpc::Fields> trailing = grpc::EncodeMetadata(metadata);
        if (trailing.ok()) {
          SendEnd(status, {}, *trailing);
        } else {
          SendEnd(BadMetadata(trailing.status()));
        }
        cancel_state().Settle();
        EndWith(Gone());
      });
}

void GrpcCall::SendEnd(const Status& status, const grpc::Fields& initial, const grpc::Fields& trailing) {
  if (answer_begun_) {
    connection_->CloseBody(stream_id(), TrailersOf(status, trailing));
  } else {
    grpc::Fields metadata = initial;
    metadata.insert(metadata.end(), trailing.begin(), trailing.end());
    SendError(*connection_, stream_id(), status, metadata);
  }
  set_ended();
  held().Release();
}

void GrpcCall::Refuse(Refusal cause, const Status& status) {
  connection_->context().refusals.Count(cause);
  SendEnd(status);
  EndWith(status);
}

void GrpcCall::OnDeadline() {
  const Status status = absl::DeadlineExceededError("the deadline of the call has passed");
  Refuse(Refusal::kDeadline, status);
}

void GrpcCall::OnGone(const Status& reason) {
  set_ended();
  EndWith(absl::CancelledError(reason.message()));
}

// Tells the handler. Its callbacks may let go of the call.
void GrpcCall::EndWith(const Status& reason) {
  const auto keep = self();
  messages_.clear();
  cancel_state().Cancel();
  if (read_done_) std::exchange(read_done_, nullptr)(reason);
  if (write_done_) std::exchange(write_done_, nullptr)(reason);
}

}  // namespace spanloom::net::http2
