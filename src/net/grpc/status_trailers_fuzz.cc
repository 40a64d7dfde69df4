// SPDX-License-Identifier: Apache-2.0
//
// Whatever a peer sends as grpc-status-details-bin and grpc-message: a delay that is not negative, or none.

#include "base/check.h"
#include "net/grpc/status_trailers.h"
#include "net/http.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto status = spanloom::net::grpc::WithStatusDetails(absl::UnavailableError("x"), text);
  const auto delay = spanloom::RetryDelay(status);
  CHECK(!delay.has_value() || delay->count() >= 0);
  CHECK(spanloom::net::PercentDecode(spanloom::net::grpc::EncodeGrpcMessage(text)) == text);
  return 0;
}
