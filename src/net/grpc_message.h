// SPDX-License-Identifier: Apache-2.0
//
// What either end of a gRPC call reads from the other.

#pragma once

#include <absl/functional/any_invocable.h>

#include <optional>

#include "base/bytes.h"
#include "base/status.h"

namespace spanloom::net {

struct GrpcMessage {
  Bytes bytes;                  // decompressed, without the 5-byte prefix
  bool was_compressed = false;  // as it was sent
};

// The next message; nullopt when the other end has sent its last. What errors mean is said where messages are read.
using MessageDone = absl::AnyInvocable<void(StatusOr<std::optional<GrpcMessage>>)>;

}  // namespace spanloom::net
