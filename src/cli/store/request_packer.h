// SPDX-License-Identifier: Apache-2.0
//
// Puts stored spans back into OTLP requests.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/span.h"

namespace spanloom::cli::store {

// Collects spans and hands out requests of some hundred, the spans of a trace together as far as they fit. Spans come
// byte for byte, under the resource and scope that they came with. Thread-compatible.
class RequestPacker {
 public:
  // Is given an ExportTraceServiceRequest in protobuf.
  using Emit = absl::FunctionRef<Status(std::string request)>;

  // Errors: those of `emit`.
  Status Add(const std::vector<spanloom::store::StoredSpan>& spans, Emit emit);
  // What is left.
  Status Finish(Emit emit);

 private:
  static constexpr size_t kSpansMax = 512;      // of a request, as SDKs send at most
  static constexpr size_t kBytesMax = 2 << 20;  // of their messages; half of what gRPC servers take by default

  std::vector<spanloom::store::StoredSpan> spans_;
  size_t bytes_ = 0;
};

}  // namespace spanloom::cli::store
