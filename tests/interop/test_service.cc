// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/test_service.h"

#include <absl/base/thread_annotations.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "tests/interop/messages.h"

namespace spanloom::interop {
namespace {

constexpr uint32_t kResponseBytesMax = 64 << 20;  // of what a client may ask for; guess

Status ToStatus(const EchoStatus& echo) {
  return Status(static_cast<absl::StatusCode>(echo.code), echo.message);
}

StatusOr<Bytes> AnswerUnary(std::string_view wire) {
  ASSIGN_OR_RETURN(const SimpleRequest request, SimpleRequest::Parse(wire));
  if (request.status.has_value() && request.status->code != 0) {
    return ToStatus(*request.status);
  }
  if (request.response_size > kResponseBytesMax) return absl::InvalidArgumentError("response_size is too large");
  return Bytes(EncodePayload(std::string(request.response_size, '\0')));
}

// StreamingOutputCall and FullDuplexCall: answers each request with the messages that it asks for, then reads the next
// one. Kept alive by its callbacks; on the connection's loop.
class OutputCall : public std::enable_shared_from_this<OutputCall> {
 public:
  OutputCall(std::optional<net::GrpcReader> reader, net::GrpcWriter writer)
      : reader_(std::move(reader)), writer_(std::move(writer)) {}

  void Take(std::string_view message) {
    StatusOr<StreamingOutputRequest> request = StreamingOutputRequest::Parse(message);
    if (!request.ok()) return std::move(writer_).Finish(request.status());
    if (request->status.has_value()) return std::move(writer_).Finish(ToStatus(*request->status));
    sizes_.assign(request->response_sizes.begin(), request->response_sizes.end());
    WriteNext();
  }

  void ReadNext() {
    if (!reader_.has_value()) return std::move(writer_).Finish(absl::OkStatus());
    reader_->Read([self = shared_from_this()](StatusOr<std::optional<net::GrpcMessage>> message) {
      if (!message.ok()) return;  // the call has ended
      if (!message->has_value()) return std::move(self->writer_).Finish(absl::OkStatus());
      self->Take((*message)->bytes.view());
    });
  }

 private:
  void WriteNext() {
    if (sizes_.empty()) return ReadNext();
    const std::string body(sizes_.front(), '\0');
    sizes_.pop_front();
    writer_.Write(Bytes(EncodePayload(body)), [self = shared_from_this()](const Status& status) {
      if (status.ok()) self->WriteNext();
    });
  }

  std::optional<net::GrpcReader> reader_;  // none if the client sends one message
  net::GrpcWriter writer_;
  std::deque<uint32_t> sizes_;  // of the messages still to be sent for the last request
};

// StreamingInputCall: adds up the payloads of all messages. Kept alive by its callbacks.
class InputCall : public std::enable_shared_from_this<InputCall> {
 public:
  InputCall(net::GrpcReader reader, net::GrpcWriter writer) : reader_(std::move(reader)), writer_(std::move(writer)) {}

  void ReadNext() {
    reader_.Read([self = shared_from_this()](const StatusOr<std::optional<net::GrpcMessage>>& message) {
      if (message.ok()) self->Take(*message);  // else the call has ended
    });
  }

 private:
  void Take(const std::optional<net::GrpcMessage>& message) {
    if (!message.has_value()) return Answer();
    const StatusOr<std::string> body = ParsePayload(message->bytes.view());
    if (!body.ok()) return std::move(writer_).Finish(body.status());
    bytes_ += body->size();
    ReadNext();
  }

  void Answer() {
    writer_.Write(Bytes(EncodeAggregatedSize(bytes_)), [self = shared_from_this()](const Status& status) {
      if (status.ok()) std::move(self->writer_).Finish(absl::OkStatus());
    });
  }

  net::GrpcReader reader_;
  net::GrpcWriter writer_;
  size_t bytes_ = 0;
};

// Responders of calls that are never answered.
class Unanswered {
 public:
  void Keep(net::GrpcResponder responder) {
    const MutexLock lock(mutex_);
    kept_.push_back(std::move(responder));
  }

 private:
  Mutex mutex_;
  std::vector<net::GrpcResponder> kept_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

net::GrpcMethods TestService() {
  net::GrpcMethods methods;
  methods["/grpc.testing.TestService/EmptyCall"] =
      net::GrpcHandler([](net::GrpcRequest, net::GrpcResponder responder) { std::move(responder).Respond(Bytes()); });
  methods["/grpc.testing.TestService/UnaryCall"] =
      net::GrpcHandler([](net::GrpcRequest request, net::GrpcResponder responder) {
        std::move(responder).Respond(AnswerUnary(request.message.view()));
      });
  methods["/grpc.testing.TestService/StreamingOutputCall"] =
      net::GrpcServerStreamHandler([](net::GrpcRequest request, net::GrpcWriter writer) {
        std::make_shared<OutputCall>(std::nullopt, std::move(writer))->Take(request.message.view());
      });
  methods["/grpc.testing.TestService/FullDuplexCall"] =
      net::GrpcStreamHandler([](net::GrpcRequest, net::GrpcReader reader, net::GrpcWriter writer) {
        std::make_shared<OutputCall>(std::move(reader), std::move(writer))->ReadNext();
      });
  methods["/grpc.testing.TestService/StreamingInputCall"] =
      net::GrpcStreamHandler([](net::GrpcRequest, net::GrpcReader reader, net::GrpcWriter writer) {
        std::make_shared<InputCall>(std::move(reader), std::move(writer))->ReadNext();
      });
  methods["/spanloom.testing.Sleep/Forever"] =
      net::GrpcHandler([unanswered = std::make_shared<Unanswered>()](net::GrpcRequest, net::GrpcResponder responder) {
        unanswered->Keep(std::move(responder));
      });
  return methods;
}

}  // namespace spanloom::interop
