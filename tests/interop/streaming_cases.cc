// SPDX-License-Identifier: Apache-2.0

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "base/text.h"
#include "tests/interop/cases.h"
#include "tests/interop/messages.h"

namespace spanloom::interop {
namespace {

constexpr char kOutputCall[] = "/grpc.testing.TestService/StreamingOutputCall";
constexpr char kInputCall[] = "/grpc.testing.TestService/StreamingInputCall";
constexpr char kFullDuplexCall[] = "/grpc.testing.TestService/FullDuplexCall";
constexpr char kHalfDuplexCall[] = "/grpc.testing.TestService/HalfDuplexCall";
// Sizes of doc/interop-test-descriptions.md.
constexpr uint32_t kRequestSizes[] = {27'182, 8, 1'828, 45'904};
constexpr uint32_t kResponseSizes[] = {31'415, 9, 2'653, 58'979};
constexpr uint32_t kManyMessages = 2'000;
constexpr uint32_t kMessageBytes = 10'000;

Status ExpectPayload(Conversation& call, uint32_t bytes) {
  ASSIGN_OR_RETURN(const auto message, call.Read());
  RETURN_IF_ERROR(Expect(message.has_value(), "the stream ended too early"));
  ASSIGN_OR_RETURN(const std::string payload, ParsePayload(message->bytes.view()));
  return Expect(payload == std::string(bytes, '\0'), StrCat("a payload of ", payload.size(), " bytes, not ", bytes));
}

Status ExpectEnd(Conversation& call) {
  ASSIGN_OR_RETURN(const auto message, call.Read());
  return Expect(!message.has_value(), "a message too many");
}

Status ExpectCode(Conversation& call, absl::StatusCode code) {
  const Status status = call.Read().status();
  return Expect(status.code() == code, StrCat("the code is ", status.ToString()));
}

Status ServerStreaming(Caller& caller) {
  const StreamingOutputRequest request{.response_sizes = {std::begin(kResponseSizes), std::end(kResponseSizes)}};
  const auto call = caller.Open(kOutputCall, request.Encode());
  for (const uint32_t size : kResponseSizes) RETURN_IF_ERROR(ExpectPayload(*call, size));
  return ExpectEnd(*call);
}

// Far more than a window holds, read one by one.
Status LongServerStreaming(Caller& caller) {
  const StreamingOutputRequest request{.response_sizes = std::vector<uint32_t>(kManyMessages, kMessageBytes)};
  const auto call = caller.Open(kOutputCall, request.Encode());
  for (uint32_t i = 0; i < kManyMessages; ++i) RETURN_IF_ERROR(ExpectPayload(*call, kMessageBytes));
  return ExpectEnd(*call);
}

Status ExpectSum(Conversation& call, size_t bytes) {
  ASSIGN_OR_RETURN(const auto message, call.Read());
  RETURN_IF_ERROR(Expect(message.has_value(), "no answer"));
  ASSIGN_OR_RETURN(const size_t sum, ParseAggregatedSize(message->bytes.view()));
  RETURN_IF_ERROR(Expect(sum == bytes, StrCat("the sum is ", sum)));
  return ExpectEnd(call);
}

Status ClientStreaming(Caller& caller) {
  const auto call = caller.Open(kInputCall);
  size_t bytes = 0;
  for (const uint32_t size : kRequestSizes) {
    RETURN_IF_ERROR(call->Write(StreamingInputRequest{.payload = std::string(size, '\0')}.Encode()));
    bytes += size;
  }
  call->Finish();
  return ExpectSum(*call, bytes);
}

Status LongClientStreaming(Caller& caller) {
  const auto call = caller.Open(kInputCall);
  const std::string message = StreamingInputRequest{.payload = std::string(kMessageBytes, '\0')}.Encode();
  for (uint32_t i = 0; i < kManyMessages; ++i) RETURN_IF_ERROR(call->Write(message));
  call->Finish();
  return ExpectSum(*call, size_t{kManyMessages} * kMessageBytes);
}

Status PingPong(Caller& caller) {
  const auto call = caller.Open(kFullDuplexCall);
  for (size_t i = 0; i < std::size(kRequestSizes); ++i) {
    const StreamingOutputRequest request{.response_sizes = {kResponseSizes[i]},
                                         .payload = std::string(kRequestSizes[i], '\0')};
    RETURN_IF_ERROR(call->Write(request.Encode()));
    RETURN_IF_ERROR(ExpectPayload(*call, kResponseSizes[i]));
  }
  call->Finish();
  return ExpectEnd(*call);
}

// The answers come when all was asked for.
Status HalfDuplex(Caller& caller) {
  const auto call = caller.Open(kHalfDuplexCall);
  for (const uint32_t size : kResponseSizes) {
    RETURN_IF_ERROR(call->Write(StreamingOutputRequest{.response_sizes = {size}}.Encode()));
  }
  call->Finish();
  for (const uint32_t size : kResponseSizes) RETURN_IF_ERROR(ExpectPayload(*call, size));
  return ExpectEnd(*call);
}

Status EmptyStream(Caller& caller) {
  const auto call = caller.Open(kFullDuplexCall);
  call->Finish();
  return ExpectEnd(*call);
}

// That the server lets go of it is seen by the calls after it.
Status CancelAfterBegin(Caller& caller) {
  caller.Open(kInputCall).reset();
  return EmptyStream(caller);
}

Status CancelAfterFirstResponse(Caller& caller) {
  auto call = caller.Open(kFullDuplexCall);
  const StreamingOutputRequest request{.response_sizes = {kResponseSizes[0]},
                                       .payload = std::string(kRequestSizes[0], '\0')};
  RETURN_IF_ERROR(call->Write(request.Encode()));
  RETURN_IF_ERROR(ExpectPayload(*call, kResponseSizes[0]));
  call.reset();
  return EmptyStream(caller);
}

Status TimeoutOnSleepingServer(Caller& caller) {
  net::GrpcCallOptions options;
  options.deadline = std::chrono::milliseconds(50);
  const auto call = caller.Open(kFullDuplexCall, options);
  RETURN_IF_ERROR(call->Write(StreamingOutputRequest{.payload = std::string(kRequestSizes[0], '\0')}.Encode()));
  return ExpectCode(*call, absl::StatusCode::kDeadlineExceeded);
}

Status StatusOfAStream(Caller& caller) {
  const auto call = caller.Open(kFullDuplexCall);
  const EchoStatus status{.code = static_cast<int32_t>(absl::StatusCode::kUnknown), .message = "test status message"};
  RETURN_IF_ERROR(call->Write(StreamingOutputRequest{.status = status}.Encode()));
  return ExpectCode(*call, absl::StatusCode::kUnknown);
}

}  // namespace

std::map<std::string, Case> StreamingCases() {
  return {
      {"server_streaming", ServerStreaming},
      {"long_server_streaming", LongServerStreaming},
      {"client_streaming", ClientStreaming},
      {"long_client_streaming", LongClientStreaming},
      {"ping_pong", PingPong},
      {"half_duplex", HalfDuplex},
      {"empty_stream", EmptyStream},
      {"cancel_after_begin", CancelAfterBegin},
      {"cancel_after_first_response", CancelAfterFirstResponse},
      {"timeout_on_sleeping_server", TimeoutOnSleepingServer},
      {"status_of_a_stream", StatusOfAStream},
  };
}

}  // namespace spanloom::interop
