// SPDX-License-Identifier: Apache-2.0
//
// The two ends of the peer.

#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>

// gRPC's own, which its interoperability tests use (src/core/lib/surface/call_test_only.h), and the friends that may
// ask.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace grpc::testing {

// GRPC_WRITE_INTERNAL_COMPRESS and GRPC_WRITE_INTERNAL_TEST_ONLY_WAS_COMPRESSED
constexpr uint32_t kCompressedFlag = 0xC0000000U;

// Whether the last message that came was compressed.
class InteropClientContextInspector {
 public:
  static bool WasCompressed(const ClientContext& context) {
    return (grpc_call_test_only_get_message_flags(context.call_) & kCompressedFlag) != 0;
  }
};
class InteropServerContextInspector {
 public:
  static bool WasCompressed(ServerContext& context) {
    return (grpc_call_test_only_get_message_flags(context.c_call()) & kCompressedFlag) != 0;
  }
};

}  // namespace grpc::testing

namespace spanloom::interop {

// Serves on a free port of loopback, which it prints, until the process ends.
void Serve();

// Runs one case; "" if all was as it should be, else what was not.
std::string RunCase(const std::string& endpoint, const std::string& name);

}  // namespace spanloom::interop
