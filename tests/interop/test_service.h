// SPDX-License-Identifier: Apache-2.0
//
// grpc.testing.TestService, as doc/interop-test-descriptions.md of grpc/grpc describes the server's part.

#pragma once

#include "net/grpc.h"

namespace spanloom::interop {

// EmptyCall and UnaryCall; UnimplementedCall is left out, as it must be. And /spanloom.testing.Sleep/Forever, which is
// never answered.
net::GrpcMethods TestService();

}  // namespace spanloom::interop
