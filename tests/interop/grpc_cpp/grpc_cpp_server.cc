// SPDX-License-Identifier: Apache-2.0

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "grpc_cpp_interop.h"
#include "interop.grpc.pb.h"

namespace spanloom::interop {
namespace {

using grpc::ServerContext;
using grpc::Status;
using grpc::testing::EchoStatus;

Status StatusOf(const EchoStatus& echo) {
  return Status(static_cast<grpc::StatusCode>(echo.code()), echo.message());
}

// Sends back what the custom_metadata case sends.
void EchoMetadata(ServerContext& context) {
  for (const auto& [name, value] : context.client_metadata()) {
    const std::string key(name.data(), name.size());
    const std::string text(value.data(), value.size());
    if (key == "x-grpc-test-echo-initial") context.AddInitialMetadata(key, text);
    if (key == "x-grpc-test-echo-trailing-bin") context.AddTrailingMetadata(key, text);
  }
}

class Service final : public grpc::testing::TestService::Service {
  Status EmptyCall(ServerContext* context, const grpc::testing::Empty*, grpc::testing::Empty*) override {
    EchoMetadata(*context);
    return Status::OK;
  }

  Status UnaryCall(ServerContext* context, const grpc::testing::SimpleRequest* request,
                   grpc::testing::SimpleResponse* response) override {
    EchoMetadata(*context);
    if (request->response_status().code() != 0) return StatusOf(request->response_status());
    const bool was_compressed = grpc::testing::InteropServerContextInspector::WasCompressed(*context);
    if (request->has_expect_compressed() && request->expect_compressed().value() != was_compressed) {
      return Status(grpc::StatusCode::INVALID_ARGUMENT, "the claim about compression is false");
    }
    if (request->has_response_compressed()) {
      context->set_compression_algorithm(request->response_compressed().value() ? GRPC_COMPRESS_GZIP
                                                                                : GRPC_COMPRESS_NONE);
    }
    response->mutable_payload()->set_body(std::string(static_cast<size_t>(request->response_size()), '\0'));
    return Status::OK;
  }

  Status StreamingOutputCall(ServerContext*, const grpc::testing::StreamingOutputCallRequest* request,
                             grpc::ServerWriter<grpc::testing::StreamingOutputCallResponse>* writer) override {
    for (const auto& parameters : request->response_parameters()) Send(parameters, *writer);
    return Status::OK;
  }

  Status StreamingInputCall(ServerContext*, grpc::ServerReader<grpc::testing::StreamingInputCallRequest>* reader,
                            grpc::testing::StreamingInputCallResponse* response) override {
    grpc::testing::StreamingInputCallRequest request;
    int bytes = 0;
    while (reader->Read(&request)) bytes += static_cast<int>(request.payload().body().size());
    response->set_aggregated_payload_size(bytes);
    return Status::OK;
  }

  Status FullDuplexCall(ServerContext* context,
                        grpc::ServerReaderWriter<grpc::testing::StreamingOutputCallResponse,
                                                 grpc::testing::StreamingOutputCallRequest>* stream) override {
    EchoMetadata(*context);
    grpc::testing::StreamingOutputCallRequest request;
    while (stream->Read(&request)) {
      if (request.response_status().code() != 0) return StatusOf(request.response_status());
      for (const auto& parameters : request.response_parameters()) Send(parameters, *stream);
    }
    return Status::OK;
  }

  Status HalfDuplexCall(ServerContext*,
                        grpc::ServerReaderWriter<grpc::testing::StreamingOutputCallResponse,
                                                 grpc::testing::StreamingOutputCallRequest>* stream) override {
    std::vector<grpc::testing::StreamingOutputCallRequest> requests(1);
    while (stream->Read(&requests.back())) requests.emplace_back();
    for (const auto& request : requests) {
      for (const auto& parameters : request.response_parameters()) Send(parameters, *stream);
    }
    return Status::OK;
  }

  template <typename Writer>
  static void Send(const grpc::testing::ResponseParameters& parameters, Writer& writer) {
    std::this_thread::sleep_for(std::chrono::microseconds(parameters.interval_us()));
    grpc::testing::StreamingOutputCallResponse response;
    response.mutable_payload()->set_body(std::string(static_cast<size_t>(parameters.size()), '\0'));
    writer.Write(response);
  }
};

}  // namespace

void Serve() {
  Service service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::printf("%d\n", port);
  std::fflush(stdout);
  server->Wait();
}

}  // namespace spanloom::interop
