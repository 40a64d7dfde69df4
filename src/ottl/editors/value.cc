// SPDX-License-Identifier: Apache-2.0
//
// Editors of single values and of lists.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/target.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

constexpr Parameter kTarget = {"target", Type::kTarget};

// nil changes nothing, as in the Collector.
Value Set(Evaluation& e, const Arguments& a) {
  if (a.has(1)) a.target->Set(e, a[1]);
  return {};
}

class Checked final : public Prepared {};

PreparedOr PrepareAppend(const Arguments& a) {
  if (a.is_given(1) || a.is_given(2)) return std::make_unique<Checked>();
  return absl::InvalidArgumentError("at least one of the optional arguments ('value' or 'values') must be provided");
}

Value Append(Evaluation& e, const Arguments& a) {
  const Value before = a.target->Get(e);
  if (e.failed()) return {};
  std::vector<Value> elements;
  if (before.is(Kind::kList)) {
    const auto old = ElementsOf(before, e.arena());
    elements.assign(old.begin(), old.end());
  } else if (!before.is_nil()) {
    elements.push_back(before);
  }
  if (a.is_given(1)) elements.push_back(a[1]);
  if (a.has(2)) {
    for (const Value& value : ElementsOf(a[2], e.arena())) elements.push_back(value);
  }
  for (const Value& value : elements) {
    if (!CanBeAttributeThroughout(value)) return e.Fail(StrCat("<Invalid value type ", value.type_name(), ">"));
  }
  a.target->Set(e, e.NewList(elements));
  return {};
}

Value DeleteIndex(Evaluation& e, const Arguments& a) {
  const Value list = a.target->Get(e);
  if (e.failed()) return {};
  if (!list.is(Kind::kList))
    return e.Fail(StrCat("delete_index: target: expected pcommon.Slice but got ", list.type_name()));
  const auto before = ElementsOf(list, e.arena());
  const auto size = static_cast<int64_t>(before.size());
  const int64_t begin = a[1].int_value();
  const int64_t end = a.has(2) ? a[2].int_value() : begin < size ? begin + 1 : begin;
  const bool is_within = begin >= 0 && begin <= end && end <= size && (a.has(2) || begin < size);
  if (!is_within) {
    return e.Fail(StrCat("delete_index: the range from ", begin, " to ", end, " is out of bounds of a list of ", size));
  }
  std::vector<Value> left(before.begin(), before.begin() + begin);
  left.insert(left.end(), before.begin() + end, before.end());
  if (left.size() < before.size()) a.target->Set(e, e.NewList(left));
  return {};
}

constexpr Function kFunctions[] = {
    {"set", {kTarget, Parameter{"value"}}, Set},
    {"append",
     {kTarget, Parameter{"value", Type::kAny, true}, Parameter{"values", Type::kAnys, true}},
     Append,
     PrepareAppend},
    {"delete_index",
     {kTarget, Parameter{"startIndex", Type::kInt}, Parameter{"endIndex", Type::kInt, true}},
     DeleteIndex},
};

}  // namespace

std::span<const Function> ValueEditors() {
  return kFunctions;
}

}  // namespace spanloom::ottl
