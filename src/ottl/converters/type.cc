// SPDX-License-Identifier: Apache-2.0
//
// Converters that ask for the type of a value or change it.

#include <absl/strings/escaping.h>

#include <memory>

#include "base/text.h"
#include "ottl/function_table.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

constexpr Parameter kValue = {"target", Type::kAny};
constexpr Parameter kBytes = {"target", Type::kBytesLike};

// Of a question for a type: a literal of another one is refused.
constexpr Parameter Asked(Type type) {
  return {.name = "target", .literal_type = type};
}

template <Kind kKind>
Value Is(Evaluation&, const Arguments& a) {
  return Value::Bool(a[0].is(kKind));
}

Value IsEmpty(Evaluation&, const Arguments& a) {
  const Value& value = a[0];
  switch (value.kind()) {
    case Kind::kNil:
      return Value::Bool(true);
    case Kind::kString:
    case Kind::kBytes:
      return Value::Bool(value.text().empty());
    case Kind::kTraceId:
    case Kind::kSpanId:
      return Value::Bool(value.text().find_first_not_of('\0') == std::string_view::npos);
    case Kind::kList:
    case Kind::kMap:
      return Value::Bool(CountOf(value) == 0);
    case Kind::kDouble:
      return Value::Bool(value.double_value() == 0);
    case Kind::kTime:
      return Value::Bool(false);  // Go's zero time is the year 1, which no span has
    default:
      return Value::Bool(value.int_value() == 0);
  }
}

Value IsRootSpan(Evaluation& e, const Arguments&) {
  return Value::Bool(e.scene().span().parent_span_id().IsZero());
}

Value IsList(Evaluation&, const Arguments& a) {
  return Value::Bool(a[0].is(Kind::kList) || (a[0].is(Kind::kMessages) && a[0].messages() != Value::Messages::kStatus));
}

// The type of the parameter has converted it.
Value Converted(Evaluation&, const Arguments& a) {
  return a[0];
}

Value Hex(Evaluation& e, const Arguments& a) {
  return e.NewString(a.has(0) ? absl::BytesToHexString(AbslView(a[0].text())) : std::string());
}

class Checked final : public Prepared {};

template <size_t kSize>
PreparedOr PrepareId(const Arguments& a) {
  const std::string_view bytes = a.has(0) ? a[0].text() : std::string_view();
  const bool is_hex =
      bytes.size() == 2 * kSize && bytes.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (is_hex || bytes.size() == kSize) return std::make_unique<Checked>();
  return absl::InvalidArgumentError(StrCat("an id needs ", kSize, " bytes or ", 2 * kSize, " hexadecimal digits"));
}

// The id of `kSize` bytes, or the one that twice as many hexadecimal digits spell, as PrepareId has seen.
template <size_t kSize, Value (*kMake)(std::string_view)>
Value Id(Evaluation& e, const Arguments& a) {
  const std::string_view bytes = a[0].text();
  return kMake(bytes.size() == kSize ? bytes : e.arena().Copy(absl::HexStringToBytes(AbslView(bytes))));
}

constexpr Function kFunctions[] = {
    {"IsBool", {Asked(Type::kBool)}, Is<Kind::kBool>},
    {"IsDouble", {Asked(Type::kDouble)}, Is<Kind::kDouble>},
    {"IsInt", {Asked(Type::kInt)}, Is<Kind::kInt>},
    {"IsList", {kValue}, IsList},
    {"IsMap", {Asked(Type::kMap)}, Is<Kind::kMap>},
    {"IsString", {Asked(Type::kString)}, Is<Kind::kString>},
    {"IsEmpty", {kValue}, IsEmpty},
    {.name = "IsRootSpan", .call = IsRootSpan, .is_pure = false, .is_of_spans = true},
    {"Int", {Parameter{"target", Type::kIntLike}}, Converted},
    {"Double", {Parameter{"target", Type::kDoubleLike}}, Converted},
    {"Bool", {Parameter{"target", Type::kBoolLike}}, Converted},
    {"String", {Parameter{"target", Type::kStringLike}}, Converted},
    {"Hex", {kBytes}, Hex},
    {"TraceID", {kBytes}, Id<16, Value::TraceId>, PrepareId<16>, 1 << 0},
    {"SpanID", {kBytes}, Id<8, Value::SpanId>, PrepareId<8>, 1 << 0},
    {"ProfileID", {kBytes}, Id<16, Value::TraceId>, PrepareId<16>, 1 << 0},
};

}  // namespace

std::span<const Function> TypeConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
