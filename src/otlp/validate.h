// SPDX-License-Identifier: Apache-2.0
//
// The one check of a received request: after it, views.h cannot meet malformed bytes.

#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"

namespace spanloom::otlp {

inline constexpr int kValueDepthMax =
    64;  // nested arrays and maps in one attribute value; guess (protobuf's own limit is 100)

struct RequestStats {
  size_t spans = 0;
  size_t events = 0;
  size_t links = 0;
};

// Walks an ExportTraceServiceRequest down to the last attribute value. kInvalidArgument with the byte offset if a field
// is malformed or cut short, a trace id is not 0 or 16 bytes, a span id not 0 or 8, a known field has another wire
// type, or values nest deeper than kValueDepthMax. Invalid UTF-8 is accepted: senders do send it. Allocates nothing.
StatusOr<RequestStats> ValidateTraces(std::string_view wire);

}  // namespace spanloom::otlp
