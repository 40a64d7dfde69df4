// SPDX-License-Identifier: Apache-2.0
//
// Which paths each context has, and how they are read and written. The names are the Collector's
// (pkg/ottl/contexts/ottl{resource,scope,span,spanevent}).

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "otlp/message_editor.h"
#include "ottl/ast.h"
#include "ottl/evaluation.h"
#include "ottl/getter.h"
#include "ottl/scene.h"

namespace spanloom::ottl {

enum class AttributeSource : uint8_t { kResource, kScope, kSpan, kEvent };
inline constexpr size_t kAttributeSourceCount = 4;

// Changes a field. Fails by Evaluation::Fail, if the value is of another kind; the scene can be edited.
using FieldWriter = void (*)(Evaluation&, const Value&);

struct Field {
  std::string_view name;
  FieldReader read = nullptr;
  FieldWriter write = nullptr;
};

// What a path begins with; keys may follow.
struct PathRoot {
  enum class Kind : uint8_t {
    kField,       // `field`
    kAttributes,  // of `source`, as a map
    kCache,       // a map
    kTraceState,  // `field`, a string; with a key one of its entries
  };
  Kind kind = Kind::kField;
  const Field* field = nullptr;
  AttributeSource source = AttributeSource::kSpan;
  const std::vector<Operand>* keys = nullptr;  // of the path; perhaps none
};

// kInvalidArgument names the path, its first segment that is not known, and where the valid ones are listed.
StatusOr<PathRoot> ResolvePath(Context context, const Operand& path);

// The context that the path's first segment names, if it is one of the four (with the alias instrumentation_scope).
[[nodiscard]] std::optional<Context> PrefixOf(const Operand& path);

// True if texts of that context may name enums.
[[nodiscard]] constexpr bool HasEnums(Context context) {
  return context >= Context::kSpan;
}

// The number behind SPAN_KIND_SERVER and the like. kInvalidArgument names the symbol, or the context if it has none.
StatusOr<int64_t> ResolveEnum(Context context, std::string_view symbol);

// The first attribute called `key`; nil if there is none.
[[nodiscard]] Value ReadAttribute(const Scene& scene, AttributeSource source, std::string_view key);
[[nodiscard]] Value ReadAttributes(Evaluation& evaluation, AttributeSource source);
// Never null, if the scene can be edited.
[[nodiscard]] otlp::MessageEditor* AttributesEditor(const Scene& scene, AttributeSource source);

}  // namespace spanloom::ottl
