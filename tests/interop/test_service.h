// SPDX-License-Identifier: Apache-2.0
//
// grpc.testing.TestService, as doc/interop-test-descriptions.md of grpc/grpc describes the server's part.

#pragma once

#include "net/grpc.h"

namespace spanloom::interop {

// All but HalfDuplexCall, which no case uses, and UnimplementedCall, which is left out, as it must be. And
// /spanloom.testing.Sleep/Forever, which is never answered.
net::GrpcMethods TestService();

}  // namespace spanloom::interop
