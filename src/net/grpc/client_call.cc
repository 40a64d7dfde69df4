// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/client_call.h"

#include <utility>

#include "base/text.h"
#include "net/grpc/call_rules.h"

namespace spanloom::net {
namespace {

using std::chrono::steady_clock;

steady_clock::time_point DeadlineAfter(std::chrono::milliseconds patience) {
  const auto now = steady_clock::now();
  const auto left = std::chrono::floor<std::chrono::milliseconds>(steady_clock::time_point::max() - now);
  return patience > left ? steady_clock::time_point::max() : now + patience;
}

// An answer that is too large is not to be taken for the peer's word on the request.
Status OfAnswer(const Status& status, size_t bytes_max) {
  if (!absl::IsResourceExhausted(status)) return status;
  return absl::ResourceExhaustedError(StrCat("the message of the answer has more than ", bytes_max, " bytes"));
}

}  // namespace

ClientCall::ClientCall(std::string method, GrpcCallOptions options)
    : method_(std::move(method)),
      options_(std::move(options)),
      metadata_(grpc::EncodeMetadata(options_.metadata)),
      deadline_(DeadlineAfter(options_.deadline)) {}

void ClientCall::Adopt(uint64_t call_id, std::weak_ptr<ClientCallOwner> owner, Timer deadline_timer) {
  id_ = call_id;
  owner_ = std::move(owner);
  deadline_timer_ = std::move(deadline_timer);
}

Status ClientCall::Send(std::shared_ptr<http2::ClientConnection> connection, std::span<const http2::Header> headers) {
  ASSIGN_OR_RETURN(stream_id_, connection->Begin(headers, MakeBody(), shared_from_this()));
  connection_ = std::move(connection);
  OnSent();
  return absl::OkStatus();
}

void ClientCall::Withdraw() {
  deadline_timer_.Cancel();
  if (connection_ != nullptr) std::exchange(connection_, nullptr)->Cancel(stream_id_);
}

bool ClientCall::TakeSecondTry() {
  return is_repeatable() && !std::exchange(was_sent_again_, true);
}

void ClientCall::OnHeaders(const HttpHeaders& headers) {
  answer_compression_ = grpc::MessageCompression(headers);
}

// Servers that watch the deadline too reset the stream when it passes, perhaps before our timer has run.
void ClientCall::OnEnd(Status status, HttpHeaders trailers) {
  if (absl::IsCancelled(status) && steady_clock::now() >= deadline_) {
    status = absl::DeadlineExceededError(status.message());
  }
  connection_ = nullptr;
  deadline_timer_.Cancel();
  if (const auto owner = owner_.lock(); owner != nullptr) {
    owner->OnCallEnded(id_, std::move(status), std::move(trailers));
  }
}

void ClientCall::OnUnprocessed() {
  connection_ = nullptr;
  if (const auto owner = owner_.lock(); owner != nullptr) owner->OnCallUnprocessed(id_);
}

std::string ClientCall::PrefixOf(size_t bytes) const {
  return grpc::MessagePrefix(options_.message_compression != Compression::kNone, bytes);
}

http2::OutgoingPiece ClientCall::Framed(Bytes message) const {
  std::string prefix = PrefixOf(message.size());
  return {.prefix = std::move(prefix), .content = std::move(message)};
}

UnaryCall::UnaryCall(std::string method, ByteChain message, GrpcCallOptions options, size_t message_bytes_max,
                     Done done)
    : ClientCall(std::move(method), std::move(options)),
      message_(std::move(message)),
      message_bytes_max_(message_bytes_max),
      answer_(message_bytes_max),
      done_(std::move(done)) {}

http2::OutgoingBody UnaryCall::MakeBody() {
  http2::OutgoingBody body{.prefix = PrefixOf(message_.size())};
  const std::vector<Bytes>& pieces = message_.pieces();
  if (pieces.empty()) return body;
  body.content = pieces.front();
  for (const Bytes& piece : std::span(pieces).subspan(1)) body.more.push_back({.content = piece});
  return body;
}

Status UnaryCall::OnBody(std::string_view piece) {
  ConsumeWindow(piece.size());
  return OfAnswer(answer_.Append(piece), message_bytes_max_);
}

void UnaryCall::Finish(Status status, HttpHeaders) {
  if (!status.ok()) return done_(std::move(status));
  if (!answer_compression().ok()) return done_(answer_compression().status());
  StatusOr<Bytes> message = std::move(answer_).Finish(*answer_compression());
  if (!message.ok()) message = OfAnswer(message.status(), message_bytes_max_);
  done_(std::move(message));
}

}  // namespace spanloom::net
