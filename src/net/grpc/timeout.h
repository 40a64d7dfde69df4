// SPDX-License-Identifier: Apache-2.0
//
// grpc-timeout: at most 8 digits and a unit, "TimeoutValue TimeoutUnit" in doc/PROTOCOL-HTTP2.md of grpc/grpc.

#pragma once

#include <chrono>
#include <string_view>

#include "base/status.h"

namespace spanloom::net::grpc {

// The time that `text` ("10S", "250m") stands for. kInternal, in grpc-go's words, if it is malformed: such a call is
// answered with that. Hours beyond what nanoseconds can count become the longest time they can.
StatusOr<std::chrono::nanoseconds> ParseTimeout(std::string_view text);

}  // namespace spanloom::net::grpc
