// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/cases.h"

#include <absl/strings/match.h>

#include <utility>

#include "base/text.h"
#include "tests/interop/messages.h"

namespace spanloom::interop {
namespace {

constexpr char kEmptyCall[] = "/grpc.testing.TestService/EmptyCall";
constexpr char kUnaryCall[] = "/grpc.testing.TestService/UnaryCall";
constexpr char kFullDuplexCall[] = "/grpc.testing.TestService/FullDuplexCall";
// Sizes and texts of doc/interop-test-descriptions.md.
constexpr uint32_t kLargeRequestBytes = 271'828;
constexpr uint32_t kLargeResponseBytes = 314'159;
constexpr char kSpecialMessage[] = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
constexpr char kInitialName[] = "x-grpc-test-echo-initial";
constexpr char kInitialValue[] = "test_initial_metadata_value";
constexpr char kTrailingName[] = "x-grpc-test-echo-trailing-bin";
constexpr char kTrailingValue[] = "\xab\xab\xab";
constexpr size_t kManyCalls = 1'000;
constexpr size_t kCallsOverGoAway = 4'000;
constexpr size_t kBatchCalls = 20;

net::GrpcCallOptions Within(std::chrono::milliseconds deadline) {
  net::GrpcCallOptions options;
  options.deadline = deadline;
  return options;
}

net::GrpcCallOptions Gzipped() {
  net::GrpcCallOptions options;
  options.message_compression = net::Compression::kGzip;
  return options;
}

Status EmptyUnary(Caller& caller) {
  ASSIGN_OR_RETURN(const Bytes answer, caller.Call(kEmptyCall, ""));
  return Expect(answer.empty(), "the answer is not empty");
}

SimpleRequest LargeRequest() {
  return {.response_size = kLargeResponseBytes, .payload = std::string(kLargeRequestBytes, '\0')};
}

Status ExpectLargePayload(const StatusOr<Bytes>& answer) {
  RETURN_IF_ERROR(answer.status());
  ASSIGN_OR_RETURN(const std::string body, ParsePayload(answer->view()));
  return Expect(body == std::string(kLargeResponseBytes, '\0'), StrCat("a payload of ", body.size(), " bytes"));
}

Status LargeUnary(Caller& caller) {
  return ExpectLargePayload(caller.Call(kUnaryCall, LargeRequest().Encode()));
}

// First the probe, whose claim to be compressed is a lie that the server must see; then the two honest calls.
Status ClientCompressedUnary(Caller& caller) {
  SimpleRequest request = LargeRequest();
  request.is_compressed = true;
  const StatusOr<Bytes> probe = caller.Call(kUnaryCall, request.Encode());
  RETURN_IF_ERROR(Expect(absl::IsInvalidArgument(probe.status()), "the server does not look at compression"));
  const std::string deflated(net::Compress(net::Compression::kGzip, request.Encode()).view());
  const StatusOr<Bytes> answer = caller.Call(kUnaryCall, deflated, Gzipped());
  RETURN_IF_ERROR(ExpectLargePayload(answer));
  request.is_compressed = false;
  return ExpectLargePayload(caller.Call(kUnaryCall, request.Encode()));
}

// Without the server's view of it: a compressed message arrives whole.
Status CompressedUnary(Caller& caller) {
  const std::string deflated(net::Compress(net::Compression::kGzip, LargeRequest().Encode()).view());
  return ExpectLargePayload(caller.Call(kUnaryCall, deflated, Gzipped()));
}

// What the server says of its message is what it does.
Status ExpectCompression(Caller& caller, bool wanted) {
  SimpleRequest request = LargeRequest();
  request.wants_compressed_answer = wanted;
  const auto call = caller.Open(kUnaryCall, request.Encode());
  ASSIGN_OR_RETURN(const auto message, call->Read());
  RETURN_IF_ERROR(Expect(message.has_value(), "no message"));
  RETURN_IF_ERROR(Expect(message->was_compressed == wanted, wanted ? "it was not compressed" : "it was compressed"));
  RETURN_IF_ERROR(ExpectLargePayload(message->bytes));
  return call->Read().status();
}

Status ServerCompressedUnary(Caller& caller) {
  RETURN_IF_ERROR(ExpectCompression(caller, true));
  return ExpectCompression(caller, false);
}

net::GrpcCallOptions WithCustomMetadata() {
  net::GrpcCallOptions options;
  options.metadata.Add(kInitialName, kInitialValue);
  options.metadata.Add(kTrailingName, kTrailingValue);
  return options;
}

// One message comes back, and the metadata with it.
Status ExpectCustomMetadata(Conversation& call) {
  ASSIGN_OR_RETURN(auto message, call.Read());
  RETURN_IF_ERROR(Expect(message.has_value(), "no message"));
  RETURN_IF_ERROR(ExpectLargePayload(message->bytes));
  RETURN_IF_ERROR(Expect(call.initial_metadata().Get(kInitialName) == kInitialValue, "other initial metadata"));
  ASSIGN_OR_RETURN(message, call.Read());
  RETURN_IF_ERROR(Expect(!message.has_value(), "a message too many"));
  return Expect(call.trailing_metadata().Get(kTrailingName) == kTrailingValue, "other trailing metadata");
}

Status CustomMetadata(Caller& caller) {
  RETURN_IF_ERROR(ExpectCustomMetadata(*caller.Open(kUnaryCall, LargeRequest().Encode(), WithCustomMetadata())));
  const auto call = caller.Open(kFullDuplexCall, WithCustomMetadata());
  const StreamingOutputRequest request{.response_sizes = {kLargeResponseBytes},
                                       .payload = std::string(kLargeRequestBytes, '\0')};
  RETURN_IF_ERROR(call->Write(request.Encode()));
  call->Finish();
  return ExpectCustomMetadata(*call);
}

Status ExpectStatus(Caller& caller, absl::StatusCode code, const std::string& message) {
  const SimpleRequest request{.status = EchoStatus{.code = static_cast<int32_t>(code), .message = message}};
  const StatusOr<Bytes> answer = caller.Call(kUnaryCall, request.Encode());
  RETURN_IF_ERROR(Expect(answer.status().code() == code, StrCat("the code is ", answer.status().ToString())));
  // Our client says first which endpoint it was.
  return Expect(absl::EndsWith(answer.status().message(), StrCat(": ", message)),
                StrCat("the message is \"", answer.status().message(), "\""));
}

Status StatusCodeAndMessage(Caller& caller) {
  return ExpectStatus(caller, absl::StatusCode::kUnknown, "test status message");
}

Status SpecialStatusMessage(Caller& caller) {
  return ExpectStatus(caller, absl::StatusCode::kUnknown, kSpecialMessage);
}

Status EveryStatusCode(Caller& caller) {
  for (int code = 1; code <= 16; ++code) {
    RETURN_IF_ERROR(ExpectStatus(caller, static_cast<absl::StatusCode>(code), StrCat("code ", code)));
  }
  return absl::OkStatus();
}

Status ExpectUnimplemented(Caller& caller, const std::string& method) {
  const Status status = caller.Call(method, "").status();
  return Expect(absl::IsUnimplemented(status), StrCat("the code is ", status.ToString()));
}

Status UnimplementedMethod(Caller& caller) {
  return ExpectUnimplemented(caller, "/grpc.testing.TestService/UnimplementedCall");
}

Status UnimplementedService(Caller& caller) {
  return ExpectUnimplemented(caller, "/grpc.testing.UnimplementedService/UnimplementedCall");
}

Status ManyCalls(Caller& caller) {
  return caller.CallAtOnce(kManyCalls, kUnaryCall, SimpleRequest{.response_size = 1'000}.Encode());
}

// One call after another, while the server sends its clients away again and again.
Status CallsOverGoAway(Caller& caller) {
  const std::string message = SimpleRequest{.response_size = 1'000}.Encode();
  for (size_t i = 0; i < kCallsOverGoAway; ++i) {
    const Status status = caller.Call(kUnaryCall, message).status();
    if (!status.ok()) return Annotate(status, StrCat("call ", i));
  }
  return absl::OkStatus();
}

// The same, many at a time: some meet GOAWAY on their way.
Status BatchesOverGoAway(Caller& caller) {
  const std::string message = SimpleRequest{.response_size = 1'000}.Encode();
  for (size_t i = 0; i < kCallsOverGoAway / kBatchCalls; ++i) {
    RETURN_IF_ERROR(caller.CallAtOnce(kBatchCalls, kUnaryCall, message));
  }
  return absl::OkStatus();
}

// A method that never answers.
Status DeadlineExceeded(Caller& caller) {
  const Status status =
      caller.Call("/spanloom.testing.Sleep/Forever", "", Within(std::chrono::milliseconds(50))).status();
  return Expect(absl::IsDeadlineExceeded(status), StrCat("the code is ", status.ToString()));
}

Status LargeMetadata(Caller& caller) {
  net::GrpcCallOptions options;
  options.metadata.Add("x-large", std::string(6'000, 'm'));
  options.metadata.Add("x-test-bin", std::string("\0\1\2\xff", 4));
  return caller.Call(kEmptyCall, "", options).status();
}

}  // namespace

Status Expect(bool holds, std::string_view words) {
  return holds ? absl::OkStatus() : absl::FailedPreconditionError(StrCat(words));
}

std::map<std::string, Case> Cases() {
  return {
      {"empty_unary", EmptyUnary},
      {"large_unary", LargeUnary},
      {"client_compressed_unary", ClientCompressedUnary},
      {"compressed_unary", CompressedUnary},
      {"server_compressed_unary", ServerCompressedUnary},
      {"custom_metadata", CustomMetadata},
      {"status_code_and_message", StatusCodeAndMessage},
      {"special_status_message", SpecialStatusMessage},
      {"every_status_code", EveryStatusCode},
      {"unimplemented_method", UnimplementedMethod},
      {"unimplemented_service", UnimplementedService},
      {"many_calls", ManyCalls},
      {"calls_over_goaway", CallsOverGoAway},
      {"batches_over_goaway", BatchesOverGoAway},
      {"deadline_exceeded", DeadlineExceeded},
      {"large_metadata", LargeMetadata},
  };
}

}  // namespace spanloom::interop
