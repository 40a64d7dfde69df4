// SPDX-License-Identifier: Apache-2.0

#include "otlp/partial_success.h"

#include <algorithm>
#include <cstdint>

#include "otlp/wire/cursor.h"

namespace spanloom::otlp {

namespace {

// A number below zero rejects nothing.
size_t CountOf(uint64_t wire_value) {
  return static_cast<size_t>(std::max<int64_t>(0, static_cast<int64_t>(wire_value)));
}

}  // namespace

// ExportTraceServiceResponse: partial_success = 1 {rejected_spans = 1, error_message = 2}.
PartialSuccess ReadPartialSuccess(std::string_view response) {
  PartialSuccess partial;
  for (wire::Cursor outer(response); outer.Next();) {
    if (outer.field() != 1 || outer.type() != wire::Type::kBytes) continue;
    for (wire::Cursor inner(outer.bytes()); inner.Next();) {
      if (inner.field() == 1 && inner.type() == wire::Type::kVarint) partial.rejected_spans = CountOf(inner.scalar());
      if (inner.field() == 2 && inner.type() == wire::Type::kBytes) partial.message = inner.bytes();
    }
  }
  return partial;
}

}  // namespace spanloom::otlp
