// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/test_service.h"

#include <absl/base/thread_annotations.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "tests/interop/messages.h"

namespace spanloom::interop {
namespace {

constexpr uint32_t kResponseBytesMax = 64 << 20;  // of what a client may ask for; guess

StatusOr<Bytes> AnswerUnary(std::string_view wire) {
  ASSIGN_OR_RETURN(const SimpleRequest request, SimpleRequest::Parse(wire));
  if (request.status.has_value() && request.status->code != 0) {
    return Status(static_cast<absl::StatusCode>(request.status->code), request.status->message);
  }
  if (request.response_size > kResponseBytesMax) return absl::InvalidArgumentError("response_size is too large");
  return Bytes(EncodePayload(std::string(request.response_size, '\0')));
}

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
  methods["/grpc.testing.TestService/EmptyCall"] = [](net::GrpcRequest, net::GrpcResponder responder) {
    std::move(responder).Respond(Bytes());
  };
  methods["/grpc.testing.TestService/UnaryCall"] = [](net::GrpcRequest request, net::GrpcResponder responder) {
    std::move(responder).Respond(AnswerUnary(request.message.view()));
  };
  methods["/spanloom.testing.Sleep/Forever"] = [unanswered = std::make_shared<Unanswered>()](
                                                   net::GrpcRequest, net::GrpcResponder responder) {
    unanswered->Keep(std::move(responder));
  };
  return methods;
}

}  // namespace spanloom::interop
