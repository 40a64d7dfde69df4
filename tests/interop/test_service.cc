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

// Metadata of the request that the server sends back (custom_metadata), by where it goes.
struct Echoed {
  explicit Echoed(const net::HttpHeaders& metadata) {
    for (const auto& [name, value] : metadata.fields()) {
      if (name == "x-grpc-test-echo-initial") initial.Add(name, value);
      if (name == "x-grpc-test-echo-trailing-bin") trailing.Add(name, value);
    }
  }
  net::HttpHeaders initial;
  net::HttpHeaders trailing;
};

// client_compressed_*: what the client says must be so.
Status CheckCompression(std::optional<bool> claimed, bool was_compressed) {
  if (!claimed.has_value() || *claimed == was_compressed) return absl::OkStatus();
  return absl::InvalidArgumentError(was_compressed ? "the message was compressed" : "the message was not compressed");
}

StatusOr<Bytes> PayloadOf(uint32_t bytes) {
  if (bytes > kResponseBytesMax) return absl::InvalidArgumentError("the answer that is asked for is too large");
  return Bytes(EncodePayload(std::string(bytes, '\0')));
}

net::AnswerCompression CompressionOf(std::optional<bool> wanted) {
  if (!wanted.has_value()) return net::AnswerCompression::kAsRequest;
  return *wanted ? net::AnswerCompression::kOn : net::AnswerCompression::kOff;
}

StatusOr<Bytes> AnswerTo(const SimpleRequest& request, bool was_compressed) {
  RETURN_IF_ERROR(CheckCompression(request.is_compressed, was_compressed));
  if (request.status.has_value() && request.status->code != 0) return ToStatus(*request.status);
  return PayloadOf(request.response_size);
}

void AnswerUnary(const net::GrpcRequest& call, net::GrpcResponder responder) {
  const StatusOr<SimpleRequest> request = SimpleRequest::Parse(call.message.view());
  if (!request.ok()) return std::move(responder).Respond(request.status());
  Echoed echoed(call.metadata);
  std::move(responder).Respond(AnswerTo(*request, call.was_compressed),
                               {.initial_metadata = std::move(echoed.initial),
                                .trailing_metadata = std::move(echoed.trailing),
                                .compression = CompressionOf(request->wants_compressed_answer)});
}

// When the messages that were asked for are sent.
enum class Turn {
  kAtOnce,  // then the next request is read
  kAtEnd    // of all requests
};

// StreamingOutputCall, FullDuplexCall and HalfDuplexCall. Kept alive by its callbacks; on the connection's loop.
class OutputCall : public std::enable_shared_from_this<OutputCall> {
 public:
  OutputCall(Turn turn, net::HttpHeaders trailing_metadata, std::optional<net::GrpcReader> reader,
             net::GrpcWriter writer)
      : turn_(turn),
        trailing_metadata_(std::move(trailing_metadata)),
        reader_(std::move(reader)),
        writer_(std::move(writer)) {}

  void Take(std::string_view message) {
    StatusOr<StreamingOutputRequest> request = StreamingOutputRequest::Parse(message);
    if (!request.ok()) return Finish(request.status());
    if (request->status.has_value()) return Finish(ToStatus(*request->status));
    sizes_.insert(sizes_.end(), request->response_sizes.begin(), request->response_sizes.end());
    if (sizes_.size() > kWaitingMax) return Finish(absl::ResourceExhaustedError("too many answers are asked for"));
    if (turn_ == Turn::kAtOnce) return WriteNext();
    ReadNext();
  }

  void ReadNext() {
    if (!reader_.has_value()) return Finish(absl::OkStatus());
    reader_->Read([self = shared_from_this()](StatusOr<std::optional<net::GrpcMessage>> message) {
      if (!message.ok()) return;  // the call has ended
      if (message->has_value()) return self->Take((*message)->bytes.view());
      self->reader_.reset();
      self->WriteNext();
    });
  }

 private:
  void WriteNext() {
    if (sizes_.empty()) return ReadNext();
    StatusOr<Bytes> payload = PayloadOf(sizes_.front());
    sizes_.pop_front();
    if (!payload.ok()) return Finish(payload.status());
    writer_.Write(*std::move(payload), [self = shared_from_this()](const Status& status) {
      if (status.ok()) self->WriteNext();
    });
  }

  void Finish(Status status) { std::move(writer_).Finish(std::move(status), trailing_metadata_); }

  static constexpr size_t kWaitingMax = 10'000;  // guess

  const Turn turn_;
  const net::HttpHeaders trailing_metadata_;
  std::optional<net::GrpcReader> reader_;  // none once the client has sent its last message
  net::GrpcWriter writer_;
  std::deque<uint32_t> sizes_;  // of the messages still to be sent
};

// The methods whose client streams too.
net::GrpcStreamHandler Duplex(Turn turn) {
  return [turn](const net::GrpcRequest& request, net::GrpcReader reader, net::GrpcWriter writer) {
    Echoed echoed(request.metadata);
    if (!echoed.initial.fields().empty()) writer.SendHeaders(std::move(echoed.initial));
    std::make_shared<OutputCall>(turn, std::move(echoed.trailing), std::move(reader), std::move(writer))->ReadNext();
  };
}

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
    const Status status = Add(*message);
    if (!status.ok()) return std::move(writer_).Finish(status);
    ReadNext();
  }

  Status Add(const net::GrpcMessage& message) {
    ASSIGN_OR_RETURN(const StreamingInputRequest request, StreamingInputRequest::Parse(message.bytes.view()));
    RETURN_IF_ERROR(CheckCompression(request.is_compressed, message.was_compressed));
    bytes_ += request.payload.size();
    return absl::OkStatus();
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

net::GrpcMethods TestService(std::shared_ptr<Visitors> visitors) {
  net::GrpcMethods methods;
  methods["/grpc.testing.TestService/EmptyCall"] =
      net::GrpcHandler([](net::GrpcRequest, net::GrpcResponder responder) { std::move(responder).Respond(Bytes()); });
  methods["/grpc.testing.TestService/UnaryCall"] =
      net::GrpcHandler([visitors = std::move(visitors)](const net::GrpcRequest& request, net::GrpcResponder responder) {
        visitors->Add(request.peer);
        AnswerUnary(request, std::move(responder));
      });
  methods["/grpc.testing.TestService/StreamingOutputCall"] =
      net::GrpcServerStreamHandler([](const net::GrpcRequest& request, net::GrpcWriter writer) {
        std::make_shared<OutputCall>(Turn::kAtOnce, net::HttpHeaders(), std::nullopt, std::move(writer))
            ->Take(request.message.view());
      });
  methods["/grpc.testing.TestService/FullDuplexCall"] = Duplex(Turn::kAtOnce);
  methods["/grpc.testing.TestService/HalfDuplexCall"] = Duplex(Turn::kAtEnd);
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
