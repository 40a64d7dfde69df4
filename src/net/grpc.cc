// SPDX-License-Identifier: Apache-2.0

#include "net/grpc.h"

#include <utility>

#include "base/check.h"
#include "net/detail/server_exchange.h"

namespace spanloom::net {
namespace {

CancelSignal SignalOf(const std::shared_ptr<GrpcServerExchange>& exchange) {
  if (exchange == nullptr) return CancelSignal();
  return CancelSignal(std::shared_ptr<CancelState>(exchange, &exchange->cancel_state()));
}

}  // namespace

GrpcResponder::GrpcResponder(std::shared_ptr<GrpcServerExchange> exchange) : exchange_(std::move(exchange)) {}
GrpcResponder::GrpcResponder(GrpcResponder&&) noexcept = default;

GrpcResponder& GrpcResponder::operator=(GrpcResponder&& other) noexcept {
  std::swap(exchange_, other.exchange_);
  return *this;
}

GrpcResponder::~GrpcResponder() {
  if (exchange_ != nullptr) exchange_->Respond(absl::InternalError("the request was dropped without an answer"), {});
}

void GrpcResponder::Respond(StatusOr<Bytes> answer, GrpcAnswerOptions options) && {
  CHECK(exchange_ != nullptr);  // a call is answered once
  std::exchange(exchange_, nullptr)->Respond(std::move(answer), std::move(options));
}

CancelSignal GrpcResponder::cancel_signal() const {
  return SignalOf(exchange_);
}

GrpcWriter::GrpcWriter(std::shared_ptr<GrpcServerExchange> exchange) : exchange_(std::move(exchange)) {}
GrpcWriter::GrpcWriter(GrpcWriter&&) noexcept = default;

GrpcWriter& GrpcWriter::operator=(GrpcWriter&& other) noexcept {
  std::swap(exchange_, other.exchange_);
  return *this;
}

GrpcWriter::~GrpcWriter() {
  if (exchange_ != nullptr) exchange_->Finish(absl::InternalError("the call was dropped before its end"), {});
}

void GrpcWriter::SendHeaders(HttpHeaders initial_metadata, AnswerCompression compression) {
  CHECK(exchange_ != nullptr);
  exchange_->SendHeaders(std::move(initial_metadata), compression);
}

void GrpcWriter::Write(Bytes message, WriteDone done) {
  CHECK(exchange_ != nullptr);
  exchange_->Write(std::move(message), std::move(done));
}

void GrpcWriter::Finish(Status status, HttpHeaders trailing_metadata) && {
  CHECK(exchange_ != nullptr);  // a call ends once
  std::exchange(exchange_, nullptr)->Finish(std::move(status), std::move(trailing_metadata));
}

CancelSignal GrpcWriter::cancel_signal() const {
  return SignalOf(exchange_);
}

GrpcReader::GrpcReader(std::shared_ptr<GrpcServerExchange> exchange) : exchange_(std::move(exchange)) {}

void GrpcReader::Read(MessageDone done) {
  exchange_->Read(std::move(done));
}

}  // namespace spanloom::net
