// SPDX-License-Identifier: Apache-2.0
//
// What a destination says in an ExportTraceServiceResponse: OTLP 1.x, "Partial Success".

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spanloom::otlp {

struct PartialSuccess {
  size_t rejected_spans = 0;
  std::string message;  // may be a warning when no span was rejected
};

// Lenient: bytes that are not such a message say nothing.
[[nodiscard]] PartialSuccess ReadPartialSuccess(std::string_view response);

}  // namespace spanloom::otlp
