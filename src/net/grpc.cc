// SPDX-License-Identifier: Apache-2.0

#include "net/grpc.h"

#include <utility>

#include "base/check.h"

namespace spanloom::net {

GrpcResponder::GrpcResponder(Sink sink) : sink_(std::move(sink)) {}

// A moved-from AnyInvocable is valid but unspecified, hence the exchange.
GrpcResponder::GrpcResponder(GrpcResponder&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)) {}

GrpcResponder& GrpcResponder::operator=(GrpcResponder&& other) noexcept {
  std::swap(sink_, other.sink_);
  return *this;
}

GrpcResponder::~GrpcResponder() {
  if (sink_) sink_(absl::InternalError("the request was dropped without an answer"));
}

void GrpcResponder::Respond(StatusOr<Bytes> answer) && {
  CHECK(sink_ != nullptr);  // a call is answered once
  std::exchange(sink_, nullptr)(std::move(answer));
}

}  // namespace spanloom::net
