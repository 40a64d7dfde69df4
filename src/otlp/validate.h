// SPDX-License-Identifier: Apache-2.0
//
// The one check of a received request: after it, views.h cannot meet malformed bytes. Received requests come through
// request.h, which calls it.

#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"
#include "otlp/signal.h"

namespace spanloom::otlp {

inline constexpr int kValueDepthMax =
    64;  // nested arrays and maps in one attribute value; guess (protobuf's own limit is 100)

struct RequestStats {
  size_t spans = 0;  // or data points, or log records
  size_t events = 0;
  size_t links = 0;
  // A message that may stand once in its parent is written in several parts: see merge.h.
  bool has_split_messages = false;
};

// Walks an ExportTraceServiceRequest down to the last attribute value. kInvalidArgument with the field's path
// ("resource_spans[0].scope_spans[0].spans[3].trace_id") and byte offset if a field is malformed or cut short, a trace
// id is not 0 or 16 bytes, a span id not 0 or 8, a known field has another wire type, or values nest deeper than
// kValueDepthMax. Allocates nothing unless it refuses.
//
// Against libprotobuf: accepts text that is not UTF-8 (senders do send it) and values nested deeper than its default
// limit of 100 messages; refuses known fields with another wire type (Go does too; libprotobuf takes them for unknown
// ones), ids of other sizes (the OTLP specification calls them invalid), groups nested more than 32 deep, and tags of
// more than 32 bits (libprotobuf drops the bits beyond).
StatusOr<RequestStats> ValidateTraces(std::string_view wire);

// The same for a request of any signal.
StatusOr<RequestStats> ValidateRequest(Signal signal, std::string_view wire);

}  // namespace spanloom::otlp
