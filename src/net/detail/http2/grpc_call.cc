// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/grpc_call.h"

#include <algorithm>
#include <array>
#include <span>
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

// "Trailers-Only": one HEADERS frame says it all.
void SendError(ServerConnection& connection, int32_t stream_id, const Status& status) {
  const grpc::Trailers trailers = grpc::StatusToTrailers(status);
  std::vector<Header> headers = {
      {":status", "200"}, {"content-type", "application/grpc"}, {"grpc-accept-encoding", grpc::kAcceptedEncodings}};
  for (const auto& [name, value] : trailers) headers.push_back({name, value});
  connection.SubmitResponse(stream_id, headers, std::nullopt);
}

void SendHeaders(ServerConnection& connection, int32_t stream_id, Compression compression, OutgoingBody body) {
  const bool is_compressed = compression != Compression::kNone;
  std::array<Header, 3> headers = {{{":status", "200"}, {"content-type", "application/grpc"}, {}}};
  if (is_compressed) headers.back() = {"grpc-encoding", grpc::EncodingName(compression)};
  connection.SubmitResponse(stream_id, std::span(headers).first(is_compressed ? 3 : 2), std::move(body));
}

// A message as it is sent; small ones are not worth compressing.
OutgoingPiece Framed(Bytes message, Compression compression) {
  const bool is_compressed = compression != Compression::kNone && message.size() >= grpc::kCompressedAnswerBytesMin;
  if (is_compressed) message = Compress(compression, message.view());
  std::string prefix = grpc::MessagePrefix(is_compressed, message.size());
  return {.prefix = std::move(prefix), .content = std::move(message)};
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
  const StatusOr<TimePoint> deadline = DeadlineOf(request.headers);
  if (!deadline.ok()) return refuse(Refusal::kBadRequest, deadline.status());

  auto call = std::make_shared<GrpcCall>(connection, stream_id, **method, *compression);
  call->answer_compression_ = grpc::AnswerCompression(*compression, request.headers.Get("grpc-accept-encoding"));
  call->set_deadline(*deadline);
  call->request_ = {.method = std::move(request.path),
                    .metadata = std::move(request.headers),
                    .message = {},
                    .peer = std::move(request.peer),
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
  if (messages_.empty()) return done(std::optional<Bytes>());
  grpc::SentMessage message = std::move(messages_.front());
  messages_.pop_front();
  held().Sub(message.content.size());
  if (messages_.empty()) connection_->ConsumeOnStream(stream_id(), std::exchange(unconsumed_bytes_, 0));
  const size_t bytes_max = connection_->context().options.limits.message_bytes_max;
  StatusOr<Bytes> inflated = grpc::InflateMessage(std::move(message), compression_, bytes_max);
  if (inflated.ok()) return done(*std::move(inflated));
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

void GrpcCall::Respond(StatusOr<Bytes> answer) {
  OnLoop([this, answer = std::move(answer)](const ServerConnection* connection) mutable {
    if (connection == nullptr || ended()) return;
    if (answer.ok()) {
      AnswerMessage(*std::move(answer));
    } else {
      SendEnd(answer.status());
    }
    cancel_state().Settle();
  });
}

void GrpcCall::AnswerMessage(Bytes message) {
  OutgoingPiece piece = Framed(std::move(message), answer_compression_);
  const bool is_compressed = piece.prefix.front() != 0;
  OutgoingBody body{.prefix = std::move(piece.prefix),
                    .content = std::move(piece.content),
                    .trailers = grpc::StatusToTrailers(absl::OkStatus())};
  SendHeaders(*connection_, stream_id(), is_compressed ? answer_compression_ : Compression::kNone, std::move(body));
  set_ended();
  held().Release();
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
  if (!std::exchange(answer_begun_, true)) {
    SendHeaders(*connection_, stream_id(), answer_compression_, OutgoingBody{.is_open = true});
  }
  connection_->AppendToBody(stream_id(), Framed(std::move(message), answer_compression_));
}

void GrpcCall::OnDrained() {
  if (write_done_) std::exchange(write_done_, nullptr)(absl::OkStatus());
}

void GrpcCall::Finish(Status status) {
  OnLoop([this, status = std::move(status)](const ServerConnection* connection) {
    if (connection == nullptr || ended()) return;
    SendEnd(status);
    cancel_state().Settle();
    EndWith(Gone());
  });
}

void GrpcCall::SendEnd(const Status& status) {
  if (answer_begun_) {
    connection_->CloseBody(stream_id(), grpc::StatusToTrailers(status));
  } else {
    SendError(*connection_, stream_id(), status);
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
