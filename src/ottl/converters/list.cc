// SPDX-License-Identifier: Apache-2.0
//
// Converters of lists and maps.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/getter.h"
#include "ottl/go_format.h"
#include "ottl/map_builder.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

constexpr Parameter kMap = {"target", Type::kMap};

Value Len(Evaluation& e, const Arguments& a) {
  const Value& target = a[0];
  switch (target.kind()) {
    case Kind::kString:
    case Kind::kBytes:
      return Value::Int(static_cast<int64_t>(target.text().size()));
    case Kind::kList:
    case Kind::kMap:
      return Value::Int(static_cast<int64_t>(CountOf(target)));
    case Kind::kMessages:
      if (target.messages() != Value::Messages::kStatus) return Value::Int(target.int_value());
      [[fallthrough]];
    default:
      return e.Fail(StrCat("Len: unsupported target type ", target.type_name()));
  }
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
  if (a.choices.empty()) return e.Fail("Coalesce requires at least one argument");
  for (const GetterPtr& choice : a.choices) {
    const Value value = choice->Get(e);
    if (e.failed() || !value.is_nil()) return value;
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
  if (!CanBeAttributeThroughout(a[0])) return e.Fail("Index: target: only attributes' values can lie in a list");
  const auto elements = ElementsOf(a[0], e.arena());
  for (size_t i = 0; i < elements.size(); ++i) {
    if (Compare(elements[i], ComparisonOperator::kEqual, a[1])) return Value::Int(static_cast<int64_t>(i));
  }
  return Value::Int(-1);
}

// What decides how a list is sorted: by number if all its elements are numbers, by text if there are strings, booleans
// or empty ones. One that holds anything else stays as it is.
enum class SortBy : uint8_t { kNumber, kText, kNothing };

SortBy SortByOf(std::span<const Value> elements) {
  SortBy by = SortBy::kNumber;
  for (const Value& element : elements) {
    if (element.is(Kind::kInt) || element.is(Kind::kDouble)) continue;
    if (!element.is(Kind::kString) && !element.is(Kind::kBool) && !element.is_nil()) return SortBy::kNothing;
    by = SortBy::kText;
  }
  return by;
}

class Order final : public Prepared {
 public:
  explicit Order(bool descends) : descends_(descends) {}
  [[nodiscard]] bool descends() const { return descends_; }

 private:
  bool descends_;
};

PreparedOr PrepareSort(const Arguments& a) {
  const std::string_view order = a.has(1) ? a[1].text() : "asc";
  if (order == "asc" || order == "desc") return std::make_unique<Order>(order == "desc");
  return absl::InvalidArgumentError(
      StrCat("invalid arguments: ", order, ". Order should be either \"asc\" or \"desc\""));
}

Value Sort(Evaluation& e, const Arguments& a) {
  if (!a[0].is(Kind::kList) || !CanBeAttributeThroughout(a[0])) {
    return e.Fail(StrCat("sort with unsupported type: '", a[0].type_name(), "'. Target is not a list"));
  }
  const auto elements = ElementsOf(a[0], e.arena());
  const SortBy by = SortByOf(elements);
  if (by == SortBy::kNothing) return a[0];
  const bool descends = a.as<Order>().descends();
  struct Sorted {
    Value value;
    std::string text;
  };
  std::vector<Sorted> sorted;
  for (const Value& element : elements) {
    sorted.push_back({element, std::string(by == SortBy::kText ? LikeString(e, element).value_or("") : "")});
  }
  std::stable_sort(sorted.begin(), sorted.end(), [by, descends](const Sorted& left, const Sorted& right) {
    const Sorted& low = descends ? right : left;
    const Sorted& high = descends ? left : right;
    return by == SortBy::kNumber ? Compare(low.value, ComparisonOperator::kLess, high.value) : low.text < high.text;
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
    {"Coalesce", {Parameter{"values", Type::kChoices}}, Coalesce},
    {"Index", {Parameter{"target"}, Parameter{"value"}}, Index},
    {"Sort", {Parameter{"target"}, Parameter{"order", Type::kStringLiteral, true}}, Sort, PrepareSort, 1 << 1},
    {"SliceToMap",
     {Parameter{"target", Type::kList}, Parameter{"keyPath", Type::kStringLiterals, true},
      Parameter{"valuePath", Type::kStringLiterals, true}},
     SliceToMap},
};

}  // namespace

std::span<const Function> ListConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
