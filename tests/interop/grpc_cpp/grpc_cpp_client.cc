// SPDX-License-Identifier: Apache-2.0

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "grpc_cpp_interop.h"
#include "interop.grpc.pb.h"

namespace spanloom::interop {
namespace {

using grpc::ClientContext;
using grpc::Status;
using grpc::testing::Empty;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingInputCallRequest;
using grpc::testing::StreamingInputCallResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;
using Stub = grpc::testing::TestService::Stub;

// Sizes of doc/interop-test-descriptions.md.
constexpr int kLargeRequestBytes = 271'828;
constexpr int kLargeResponseBytes = 314'159;
constexpr int kRequestSizes[] = {27'182, 8, 1'828, 45'904};
constexpr int kResponseSizes[] = {31'415, 9, 2'653, 58'979};
constexpr int kThreads = 8;
constexpr int kCallsOfThread = 200;

std::string Words(const Status& status) {
  return "code " + std::to_string(status.error_code()) + ": " + status.error_message();
}

SimpleRequest LargeRequest() {
  SimpleRequest request;
  request.set_response_size(kLargeResponseBytes);
  request.mutable_payload()->set_body(std::string(kLargeRequestBytes, '\0'));
  return request;
}

std::string EmptyUnary(Stub& stub) {
  ClientContext context;
  Empty answer;
  const Status status = stub.EmptyCall(&context, {}, &answer);
  return status.ok() ? "" : Words(status);
}

std::string Unary(Stub& stub, grpc_compression_algorithm compression) {
  ClientContext context;
  context.set_compression_algorithm(compression);
  SimpleResponse answer;
  const Status status = stub.UnaryCall(&context, LargeRequest(), &answer);
  if (!status.ok()) return Words(status);
  return answer.payload().body() == std::string(kLargeResponseBytes, '\0') ? "" : "another payload";
}

// A message that says of itself whether it is compressed; "" if the code is as it should be.
std::string Claim(Stub& stub, bool claim, bool is_compressed, grpc::StatusCode code) {
  ClientContext context;
  context.set_compression_algorithm(is_compressed ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
  SimpleRequest request = LargeRequest();
  request.mutable_expect_compressed()->set_value(claim);
  SimpleResponse answer;
  const Status status = stub.UnaryCall(&context, request, &answer);
  return status.error_code() == code ? "" : Words(status);
}

std::string ClientCompressedUnary(Stub& stub) {
  std::string fault = Claim(stub, true, false, grpc::StatusCode::INVALID_ARGUMENT);
  if (fault.empty()) fault = Claim(stub, true, true, grpc::StatusCode::OK);
  return fault.empty() ? Claim(stub, false, false, grpc::StatusCode::OK) : fault;
}

std::string ServerCompressedUnary(Stub& stub) {
  for (const bool wanted : {true, false}) {
    ClientContext context;
    SimpleRequest request = LargeRequest();
    request.mutable_response_compressed()->set_value(wanted);
    SimpleResponse answer;
    const Status status = stub.UnaryCall(&context, request, &answer);
    if (!status.ok()) return Words(status);
    const bool was_compressed = grpc::testing::InteropClientContextInspector::WasCompressed(context);
    if (was_compressed != wanted) return wanted ? "it was not compressed" : "it was compressed";
    if (answer.payload().body() != std::string(kLargeResponseBytes, '\0')) return "another payload";
  }
  return "";
}

constexpr char kInitialName[] = "x-grpc-test-echo-initial";
constexpr char kInitialValue[] = "test_initial_metadata_value";
constexpr char kTrailingName[] = "x-grpc-test-echo-trailing-bin";
constexpr char kTrailingValue[] = "\xab\xab\xab";

void AddCustomMetadata(ClientContext& context) {
  context.AddMetadata(kInitialName, kInitialValue);
  context.AddMetadata(kTrailingName, kTrailingValue);
}

std::string CheckCustomMetadata(const ClientContext& context) {
  const auto& initial = context.GetServerInitialMetadata();
  const auto& trailing = context.GetServerTrailingMetadata();
  const auto first = initial.find(kInitialName);
  const auto last = trailing.find(kTrailingName);
  if (first == initial.end() || first->second != kInitialValue) return "other initial metadata";
  return last == trailing.end() || last->second != kTrailingValue ? "other trailing metadata" : "";
}

std::string CustomMetadata(Stub& stub) {
  ClientContext unary;
  AddCustomMetadata(unary);
  SimpleResponse answer;
  Status status = stub.UnaryCall(&unary, LargeRequest(), &answer);
  if (!status.ok()) return Words(status);
  std::string fault = CheckCustomMetadata(unary);
  if (!fault.empty()) return fault;
  ClientContext duplex;
  AddCustomMetadata(duplex);
  const auto stream = stub.FullDuplexCall(&duplex);
  StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(kLargeResponseBytes);
  StreamingOutputCallResponse message;
  if (!stream->Write(request) || !stream->Read(&message)) return "ended: " + Words(stream->Finish());
  stream->WritesDone();
  if (stream->Read(&message)) return "a message too many";
  status = stream->Finish();
  return status.ok() ? CheckCustomMetadata(duplex) : Words(status);
}

std::string StatusCodeAndMessage(Stub& stub) {
  ClientContext context;
  SimpleRequest request;
  request.mutable_response_status()->set_code(grpc::StatusCode::UNKNOWN);
  request.mutable_response_status()->set_message("test status message \t\r\n ☺ 😈");
  SimpleResponse answer;
  const Status status = stub.UnaryCall(&context, request, &answer);
  const bool as_sent =
      status.error_code() == grpc::StatusCode::UNKNOWN && status.error_message() == request.response_status().message();
  return as_sent ? "" : Words(status);
}

std::string UnimplementedMethod(Stub& stub) {
  ClientContext context;
  Empty answer;
  const Status status = stub.UnimplementedCall(&context, {}, &answer);
  return status.error_code() == grpc::StatusCode::UNIMPLEMENTED ? "" : Words(status);
}

std::string ManyCalls(Stub& stub) {
  std::vector<std::string> faults(kThreads);
  std::vector<std::thread> threads;
  for (std::string& fault : faults) {
    threads.emplace_back([&stub, &fault] {
      for (int i = 0; i < kCallsOfThread && fault.empty(); ++i) fault = EmptyUnary(stub);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fault : faults) {
    if (!fault.empty()) return fault;
  }
  return "";
}

std::string ClientStreaming(Stub& stub) {
  ClientContext context;
  StreamingInputCallResponse answer;
  const auto writer = stub.StreamingInputCall(&context, &answer);
  int bytes = 0;
  for (const int size : kRequestSizes) {
    StreamingInputCallRequest request;
    request.mutable_payload()->set_body(std::string(static_cast<size_t>(size), '\0'));
    writer->Write(request);
    bytes += size;
  }
  writer->WritesDone();
  const Status status = writer->Finish();
  if (!status.ok()) return Words(status);
  return answer.aggregated_payload_size() == bytes ? "" : "another sum";
}

std::string ServerStreaming(Stub& stub) {
  ClientContext context;
  StreamingOutputCallRequest request;
  for (const int size : kResponseSizes) request.add_response_parameters()->set_size(size);
  const auto reader = stub.StreamingOutputCall(&context, request);
  StreamingOutputCallResponse answer;
  for (const int size : kResponseSizes) {
    if (!reader->Read(&answer)) return "too few messages: " + Words(reader->Finish());
    if (answer.payload().body().size() != static_cast<size_t>(size)) return "another size";
  }
  if (reader->Read(&answer)) return "too many messages";
  const Status status = reader->Finish();
  return status.ok() ? "" : Words(status);
}

std::string PingPong(Stub& stub) {
  ClientContext context;
  const auto stream = stub.FullDuplexCall(&context);
  for (size_t i = 0; i < std::size(kRequestSizes); ++i) {
    StreamingOutputCallRequest request;
    request.add_response_parameters()->set_size(kResponseSizes[i]);
    request.mutable_payload()->set_body(std::string(static_cast<size_t>(kRequestSizes[i]), '\0'));
    StreamingOutputCallResponse answer;
    if (!stream->Write(request) || !stream->Read(&answer)) return "ended: " + Words(stream->Finish());
    if (answer.payload().body().size() != static_cast<size_t>(kResponseSizes[i])) return "another size";
  }
  stream->WritesDone();
  const Status status = stream->Finish();
  return status.ok() ? "" : Words(status);
}

std::string HalfDuplex(Stub& stub) {
  ClientContext context;
  const auto stream = stub.HalfDuplexCall(&context);
  for (const int size : kResponseSizes) {
    StreamingOutputCallRequest request;
    request.add_response_parameters()->set_size(size);
    if (!stream->Write(request)) return "ended: " + Words(stream->Finish());
  }
  stream->WritesDone();
  StreamingOutputCallResponse answer;
  for (const int size : kResponseSizes) {
    if (!stream->Read(&answer)) return "too few messages: " + Words(stream->Finish());
    if (answer.payload().body().size() != static_cast<size_t>(size)) return "another size";
  }
  if (stream->Read(&answer)) return "too many messages";
  const Status status = stream->Finish();
  return status.ok() ? "" : Words(status);
}

std::string EmptyStream(Stub& stub) {
  ClientContext context;
  const auto stream = stub.FullDuplexCall(&context);
  stream->WritesDone();
  StreamingOutputCallResponse answer;
  if (stream->Read(&answer)) return "a message";
  const Status status = stream->Finish();
  return status.ok() ? "" : Words(status);
}

std::string CancelAfterBegin(Stub& stub) {
  ClientContext context;
  StreamingInputCallResponse answer;
  const auto writer = stub.StreamingInputCall(&context, &answer);
  context.TryCancel();
  const Status status = writer->Finish();
  return status.error_code() == grpc::StatusCode::CANCELLED ? "" : Words(status);
}

std::string CancelAfterFirstResponse(Stub& stub) {
  ClientContext context;
  const auto stream = stub.FullDuplexCall(&context);
  StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(kResponseSizes[0]);
  StreamingOutputCallResponse answer;
  if (!stream->Write(request) || !stream->Read(&answer)) return "ended: " + Words(stream->Finish());
  context.TryCancel();
  const Status status = stream->Finish();
  return status.error_code() == grpc::StatusCode::CANCELLED ? "" : Words(status);
}

std::string TimeoutOnSleepingServer(Stub& stub) {
  ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  const auto stream = stub.FullDuplexCall(&context);
  StreamingOutputCallRequest request;
  request.mutable_payload()->set_body(std::string(kRequestSizes[0], '\0'));
  stream->Write(request);
  const Status status = stream->Finish();
  return status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED ? "" : Words(status);
}

const std::map<std::string, std::function<std::string(Stub&)>>& Cases() {
  static const std::map<std::string, std::function<std::string(Stub&)>> cases = {
      {"empty_unary", EmptyUnary},
      {"large_unary", [](Stub& stub) { return Unary(stub, GRPC_COMPRESS_NONE); }},
      {"compressed_unary", [](Stub& stub) { return Unary(stub, GRPC_COMPRESS_GZIP); }},
      {"deflated_unary", [](Stub& stub) { return Unary(stub, GRPC_COMPRESS_DEFLATE); }},
      {"client_compressed_unary", ClientCompressedUnary},
      {"server_compressed_unary", ServerCompressedUnary},
      {"custom_metadata", CustomMetadata},
      {"half_duplex", HalfDuplex},
      {"status_code_and_message", StatusCodeAndMessage},
      {"unimplemented_method", UnimplementedMethod},
      {"many_calls", ManyCalls},
      {"client_streaming", ClientStreaming},
      {"server_streaming", ServerStreaming},
      {"ping_pong", PingPong},
      {"empty_stream", EmptyStream},
      {"cancel_after_begin", CancelAfterBegin},
      {"cancel_after_first_response", CancelAfterFirstResponse},
      {"timeout_on_sleeping_server", TimeoutOnSleepingServer},
  };
  return cases;
}

}  // namespace

std::string RunCase(const std::string& endpoint, const std::string& name) {
  const auto found = Cases().find(name);
  if (found == Cases().end()) return "no such case";
  const auto stub =
      grpc::testing::TestService::NewStub(grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials()));
  return found->second(*stub);
}

}  // namespace spanloom::interop
