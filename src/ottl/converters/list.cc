// SPDX-License-Identifier: Apache-2.0
//
// Converters of lists and maps.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/go_format.h"
#include "ottl/map_builder.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

constexpr Parameter kMap = {"target", Type::kMap};

Value Len(Evaluation& e, const Arguments& a) {
  const Value& target = a[0];
  if (target.is(Kind::kString)) return Value::Int(static_cast<int64_t>(target.text().size()));
  if (target.is(Kind::kMessages)) return Value::Int(target.int_value());
  if (target.is(Kind::kList) || target.is(Kind::kMap)) return Value::Int(static_cast<int64_t>(CountOf(target)));
  return e.Fail(StrCat("Len: target: unsupported type ", target.type_name()));
}

Value Keys(Evaluation& e, const Arguments& a) {
  std::vector<Value> keys;
  for (const Entry& entry : EntriesOf(a[0], e.arena())) keys.push_back(Value::String(entry.key));
  return e.NewList(keys);
}

Value Values(Evaluation& e, const Arguments& a) {
  std::vector<Value> values;
  for (const Entry& entry : EntriesOf(a[0], e.arena())) values.push_back(entry.value);
  return e.NewList(values);
}

Value ContainsValue(Evaluation& e, const Arguments& a) {
  const auto elements = ElementsOf(a[0], e.arena());
  return Value::Bool(std::any_of(elements.begin(), elements.end(), [&a](const Value& element) {
    return Compare(element, ComparisonOperator::kEqual, a[1]);
  }));
}

Value Coalesce(Evaluation& e, const Arguments& a) {
  for (const Value& value : ElementsOf(a[0], e.arena())) {
    if (!value.is_nil()) return value;
  }
  return {};
}

Value Index(Evaluation& e, const Arguments& a) {
  if (a[0].is(Kind::kString)) {
    if (!a[1].is(Kind::kString)) return e.Fail(StrCat("Index: value: expected string but got ", a[1].type_name()));
    const size_t at = a[0].text().find(a[1].text());
    return Value::Int(at == std::string_view::npos ? -1 : static_cast<int64_t>(at));
  }
  if (!a[0].is(Kind::kList))
    return e.Fail(StrCat("Index: target: expected string or slice but got ", a[0].type_name()));
  const auto elements = ElementsOf(a[0], e.arena());
  for (size_t i = 0; i < elements.size(); ++i) {
    if (Compare(elements[i], ComparisonOperator::kEqual, a[1])) return Value::Int(static_cast<int64_t>(i));
  }
  return Value::Int(-1);
}

// By number if all are numbers, else by text.
Value Sort(Evaluation& e, const Arguments& a) {
  const bool descends = a.has(1) && a[1].text() == "desc";
  if (a.has(1) && !descends && a[1].text() != "asc") {
    return e.Fail(StrCat("invalid arguments: ", a[1].text(), ". Order must be either \"asc\" or \"desc\""));
  }
  const auto elements = ElementsOf(a[0], e.arena());
  bool are_numbers = true;
  for (const Value& element : elements) {
    const bool is_number = element.is(Kind::kInt) || element.is(Kind::kDouble);
    are_numbers = are_numbers && is_number;
    if (!is_number && !element.is(Kind::kString) && !element.is(Kind::kBool)) {
      return e.Fail(StrCat("Sort: unsupported type ", element.type_name()));
    }
  }
  struct Sorted {
    Value value;
    std::string text;
  };
  std::vector<Sorted> sorted;
  for (const Value& element : elements) sorted.push_back({element, are_numbers ? "" : FormatGo(element)});
  std::stable_sort(sorted.begin(), sorted.end(), [are_numbers, descends](const Sorted& left, const Sorted& right) {
    const Sorted& low = descends ? right : left;
    const Sorted& high = descends ? left : right;
    return are_numbers ? Compare(low.value, ComparisonOperator::kLess, high.value) : low.text < high.text;
  });
  std::vector<Value> values;
  for (const Sorted& element : sorted) values.push_back(element.value);
  return e.NewList(values);
}

// What lies at the end of a path of keys; nullopt if there is nothing.
std::optional<Value> AtPath(const Value& map, std::span<const Value> path) {
  Value value = map;
  for (const Value& key : path) {
    const auto next = value.is(Kind::kMap) ? FindEntry(value, key.text()) : std::nullopt;
    if (!next) return std::nullopt;
    value = *next;
  }
  return value;
}

Value SliceToMap(Evaluation& e, const Arguments& a) {
  const auto elements = ElementsOf(a[0], e.arena());
  MapBuilder map;
  for (size_t i = 0; i < elements.size(); ++i) {
    Entry entry{e.arena().Copy(StrCat(i)), elements[i]};
    if ((a.has(1) || a.has(2)) && !elements[i].is(Kind::kMap)) {
      return e.Fail(StrCat("SliceToMap: could not cast element '", FormatGo(elements[i]), "' to map"));
    }
    if (a.has(1)) {
      const auto key = AtPath(elements[i], ElementsOf(a[1], e.arena()));
      if (!key || !key->is(Kind::kString)) return e.Fail("SliceToMap: could not extract key value: it is no string");
      entry.key = key->text();
    }
    if (a.has(2)) {
      const auto value = AtPath(elements[i], ElementsOf(a[2], e.arena()));
      if (!value) return e.Fail("SliceToMap: could not extract value: the provided object does not contain the path");
      entry.value = *value;
    }
    map.Set(entry.key, entry.value);
  }
  return e.NewMap(map.entries());
}

constexpr Function kFunctions[] = {
    {"Len", {Parameter{"target"}}, Len},
    {"Keys", {kMap}, Keys},
    {"Values", {kMap}, Values},
    {"ContainsValue", {Parameter{"target", Type::kList}, Parameter{"item"}}, ContainsValue},
    {"Coalesce", {Parameter{"values", Type::kList}}, Coalesce},
    {"Index", {Parameter{"target"}, Parameter{"value"}}, Index},
    {"Sort", {Parameter{"target", Type::kList}, Parameter{"order", Type::kString, true}}, Sort},
    {"SliceToMap",
     {Parameter{"target", Type::kList}, Parameter{"keyPath", Type::kStrings, true},
      Parameter{"valuePath", Type::kStrings, true}},
     SliceToMap},
};

}  // namespace

std::span<const Function> ListConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
