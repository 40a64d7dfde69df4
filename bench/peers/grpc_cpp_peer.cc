// SPDX-License-Identifier: Apache-2.0
//
// gRPC C++ at its leanest: the callback API with a generic service, so that no message is parsed. Answers every call
// with an empty message. Prints its port.

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <cstdio>

namespace spanloom::bench {
namespace {

constexpr int kMessageBytesMax = 64 << 20;

class Call final : public grpc::ServerGenericBidiReactor {
 public:
  Call() { StartRead(&request_); }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::INTERNAL, "no message"));
    grpc::Slice empty;
    answer_ = grpc::ByteBuffer(&empty, 1);
    StartWriteAndFinish(&answer_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer request_;
  grpc::ByteBuffer answer_;
};

class Service final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override { return new Call(); }
};

void Run() {
  Service service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.RegisterCallbackGenericService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::printf("%d\n", port);
  std::fflush(stdout);
  server->Wait();
}

}  // namespace
}  // namespace spanloom::bench

int main() {
  spanloom::bench::Run();
}
