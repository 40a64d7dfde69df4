// SPDX-License-Identifier: Apache-2.0
//
// Which paths a condition on spans may name, and what they read. The names are the Collector's
// (pkg/ottl/contexts/ottlspan).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/status.h"
#include "otlp/batch.h"
#include "ottl/ast.h"
#include "ottl/operand.h"

namespace spanloom::ottl {

enum class AttributeSource : uint8_t { kSpan, kResource, kScope };
inline constexpr size_t kAttributeSourceCount = 3;

// The attribute `key` of the span, its resource or its scope.
struct AttributePath {
  AttributeSource source = AttributeSource::kSpan;
  std::string key;

  friend bool operator==(const AttributePath&, const AttributePath&) = default;
};

// Reads one field that every span has.
using FieldReader = Operand (*)(const otlp::SpanContext&);

using SpanPath = std::variant<AttributePath, FieldReader>;

// kInvalidArgument names the path and lists those that are valid.
StatusOr<SpanPath> ResolveSpanPath(const Path& path);

// The number behind SPAN_KIND_SERVER and the like. kInvalidArgument lists the valid symbols.
StatusOr<int64_t> ResolveEnum(std::string_view symbol);

}  // namespace spanloom::ottl
