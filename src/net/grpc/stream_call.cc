// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/stream_call.h"

#include <utility>

#include "base/check.h"

namespace spanloom::net {

GrpcStream::State::State(Loop& loop, std::string method, std::optional<Bytes> message, GrpcCallOptions options,
                         size_t message_bytes_max)
    : ClientCall(std::move(method), std::move(options)),
      loop_(loop),
      message_(std::move(message)),
      writing_is_finished_(message_.has_value()),
      reader_(message_bytes_max) {}

http2::OutgoingBody GrpcStream::State::MakeBody() {
  if (!message_.has_value()) return {.is_open = true};
  http2::OutgoingPiece piece = Framed(*message_);
  return {.prefix = std::move(piece.prefix), .content = std::move(piece.content)};
}

void GrpcStream::State::OnSent() {
  if (!message_.has_value()) SendWaiting();
}

// What was written before there was a connection.
void GrpcStream::State::SendWaiting() {
  if (waiting_.has_value()) {
    has_written_ = true;
    connection()->AppendToBody(stream_id(), Framed(*std::exchange(waiting_, std::nullopt)));
  }
  if (writing_is_finished_) connection()->CloseBody(stream_id(), {});
}

void GrpcStream::State::Write(Bytes message, WriteDone done) {
  CHECK(!writing_is_finished_);  // nothing comes after Finish
  CHECK(!write_done_);           // one Write at a time
  if (end_.has_value()) return ReportLater(std::move(done), absl::CancelledError("the call has ended"));
  write_done_ = std::move(done);
  waiting_ = std::move(message);
  if (connection() != nullptr) SendWaiting();
}

void GrpcStream::State::ReportLater(WriteDone done, Status status) {
  loop_.Post([done = std::move(done), status = std::move(status)]() mutable { done(std::move(status)); });
}

void GrpcStream::State::OnDrained() {
  if (write_done_) std::exchange(write_done_, nullptr)(absl::OkStatus());
}

void GrpcStream::State::FinishWriting() {
  if (std::exchange(writing_is_finished_, true)) return;
  if (connection() != nullptr) connection()->CloseBody(stream_id(), {});
}

void GrpcStream::State::OnHeaders(const HttpHeaders& headers) {
  ClientCall::OnHeaders(headers);
  StatusOr<HttpHeaders> metadata = grpc::MetadataOf(headers);
  if (metadata.ok()) {
    initial_metadata_ = *std::move(metadata);
  } else {
    fault_ = metadata.status();
  }
}

// While somebody waits for the message under way, the peer may go on: it is bounded by its size. Otherwise what arrives
// is held against the stream's window.
Status GrpcStream::State::OnBody(std::string_view piece) {
  const auto keep = shared_from_this();
  RETURN_IF_ERROR(fault_);
  while (!piece.empty()) {
    const size_t before = piece.size();
    RETURN_IF_ERROR(reader_.AppendFront(piece));
    reader_window_bytes_ += before - piece.size();
    if (!reader_.is_complete()) continue;
    messages_.push_back({.message = reader_.Take(), .window_bytes = std::exchange(reader_window_bytes_, 0)});
  }
  Deliver();
  if (read_done_ && connection() != nullptr) GiveBack(std::exchange(reader_window_bytes_, 0));
  return absl::OkStatus();
}

void GrpcStream::State::GiveBack(size_t window_bytes) {
  if (connection() != nullptr && window_bytes > 0) ConsumeWindow(window_bytes);
}

void GrpcStream::State::Read(MessageDone done) {
  CHECK(!read_done_);  // one Read at a time
  read_done_ = std::move(done);
  if (!messages_.empty() || end_.has_value()) return DeliverSoon();
  GiveBack(std::exchange(reader_window_bytes_, 0));
}

void GrpcStream::State::DeliverSoon() {
  loop_.Post([self = self()] { self->Deliver(); });
}

void GrpcStream::State::Deliver() {
  if (!read_done_) return;
  if (!messages_.empty()) return DeliverMessage();
  if (!end_.has_value()) return;
  MessageDone done = std::exchange(read_done_, nullptr);
  if (!end_->ok()) return done(*end_);
  done(std::optional<GrpcMessage>());
}

void GrpcStream::State::DeliverMessage() {
  Arrived arrived = std::move(messages_.front());
  messages_.pop_front();
  GiveBack(arrived.window_bytes);
  const bool was_compressed = arrived.message.is_compressed;
  StatusOr<Bytes> bytes = Inflate(std::move(arrived.message));
  MessageDone done = std::exchange(read_done_, nullptr);
  if (bytes.ok()) return done(GrpcMessage{.bytes = *std::move(bytes), .was_compressed = was_compressed});
  done(Abort(bytes.status()));
}

StatusOr<Bytes> GrpcStream::State::Inflate(grpc::SentMessage message) const {
  ASSIGN_OR_RETURN(const Compression compression, answer_compression());
  return grpc::InflateMessage(std::move(message), compression, reader_.bytes_max());
}

// The caller is told by the Read under way; nothing more is delivered.
Status GrpcStream::State::Abort(const Status& reason) {
  const auto keep = shared_from_this();
  messages_.clear();
  if (end_.has_value()) {
    end_ = reason;
    return reason;
  }
  Withdraw();
  if (const auto call_owner = owner().lock(); call_owner != nullptr) call_owner->OnCallEnded(id(), reason, {});
  return end_.value_or(reason);
}

void GrpcStream::State::Finish(Status status, HttpHeaders trailers) {
  if (status.ok() && !reader_.is_empty()) {
    status = absl::InternalError("grpc: the stream ended inside a message (unexpected EOF)");
  }
  StatusOr<HttpHeaders> metadata = grpc::MetadataOf(trailers);
  status.Update(fault_);
  status.Update(metadata.status());
  end_ = std::move(status);
  if (metadata.ok()) trailing_metadata_ = *std::move(metadata);
  waiting_.reset();
  const auto keep = shared_from_this();
  if (write_done_) std::exchange(write_done_, nullptr)(absl::CancelledError("the call has ended"));
  Deliver();
}

void GrpcStream::State::Cancel() {
  const auto keep = shared_from_this();
  read_done_ = nullptr;
  write_done_ = nullptr;
  messages_.clear();
  if (const auto call_owner = owner().lock(); call_owner != nullptr) call_owner->CancelCall(id());
}

GrpcStream::GrpcStream(std::shared_ptr<State> state) : state_(std::move(state)) {}

GrpcStream::~GrpcStream() {
  state_->Cancel();
}

void GrpcStream::Read(MessageDone done) {
  state_->Read(std::move(done));
}

void GrpcStream::Write(Bytes message, WriteDone done) {
  state_->Write(std::move(message), std::move(done));
}

void GrpcStream::Finish() {
  state_->FinishWriting();
}

const HttpHeaders& GrpcStream::initial_metadata() const {
  return state_->initial_metadata();
}

const HttpHeaders& GrpcStream::trailing_metadata() const {
  return state_->trailing_metadata();
}

}  // namespace spanloom::net
