// SPDX-License-Identifier: Apache-2.0
//
// Unary gRPC as values: a message in, a message or a status out. Framing, compression and trailers are net/grpc's
// (specification: "gRPC over HTTP2", doc/PROTOCOL-HTTP2.md of grpc/grpc).

#pragma once

#include <absl/functional/any_invocable.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "net/http.h"

namespace spanloom::net {

struct GrpcRequest {
  std::string method;    // "/package.Service/Method"
  HttpHeaders metadata;  // without the pseudo headers
  Bytes message;         // decompressed, without its 5-byte prefix
  std::string peer;      // "address:port" of the other end
};

// Answers one call, once, from any thread: a message, or an error whose code becomes grpc-status and whose retry delay
// (see base/status.h) becomes google.rpc.RetryInfo in grpc-status-details-bin. Destroying it unanswered answers
// INTERNAL.
class GrpcResponder {
 public:
  using Sink = absl::AnyInvocable<void(StatusOr<Bytes>)>;
  explicit GrpcResponder(Sink sink);
  GrpcResponder(GrpcResponder&&) noexcept;
  GrpcResponder& operator=(GrpcResponder&&) noexcept;
  ~GrpcResponder();
  void Respond(StatusOr<Bytes> answer) &&;

 private:
  Sink sink_;
};

// Called on the loop of the connection. Thread-safe.
using GrpcHandler = std::function<void(GrpcRequest, GrpcResponder)>;

// Handlers by full method name, "/package.Service/Method". Anything else is answered UNIMPLEMENTED.
using GrpcMethods = std::map<std::string, GrpcHandler, std::less<>>;

}  // namespace spanloom::net
