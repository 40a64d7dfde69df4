// SPDX-License-Identifier: Apache-2.0

#include "ottl/value.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "otlp/validate.h"
#include "otlp/wire/writer.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using ElementViews = otlp::RepeatedView<otlp::ValueView, otlp::field::Array::kValues>;
using EntryViews = otlp::RepeatedView<otlp::AttributeView, otlp::field::Map::kValues>;

template <typename T>
bool Ordered(const T& a, ComparisonOperator op, const T& b) {
  switch (op) {
    case ComparisonOperator::kEqual:
      return a == b;
    case ComparisonOperator::kNotEqual:
      return a != b;
    case ComparisonOperator::kLess:
      return a < b;
    case ComparisonOperator::kLessEqual:
      return a <= b;
    case ComparisonOperator::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

bool IsNumber(const Value& value) {
  return value.is(Kind::kInt) || value.is(Kind::kDouble);
}

double AsDouble(const Value& value) {
  return value.is(Kind::kInt) ? static_cast<double>(value.int_value()) : value.double_value();
}

bool HaveSameElements(const Value& a, const Value& b) {
  Arena arena;
  const auto a_elements = ElementsOf(a, arena);
  const auto b_elements = ElementsOf(b, arena);
  return std::equal(a_elements.begin(), a_elements.end(), b_elements.begin(), b_elements.end(), IsIdentical);
}

std::vector<Entry> SortedEntries(const Value& map, Arena& arena) {
  const auto entries = EntriesOf(map, arena);
  std::vector<Entry> sorted(entries.begin(), entries.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& x, const Entry& y) { return x.key < y.key; });
  return sorted;
}

bool HaveSameEntries(const Value& a, const Value& b) {
  if (CountOf(a) != CountOf(b)) return false;
  Arena arena;
  const auto a_entries = SortedEntries(a, arena);
  const auto b_entries = SortedEntries(b, arena);
  return std::equal(a_entries.begin(), a_entries.end(), b_entries.begin(),
                    [](const Entry& x, const Entry& y) { return x.key == y.key && IsIdentical(x.value, y.value); });
}

// Writes AnyValues.
class Encoder {
 public:
  explicit Encoder(std::string& out) : writer_(out) {}

  // The content of an AnyValue. False if it cannot be one.
  bool Content(const Value& value, int depth) {
    switch (value.kind()) {
      case Kind::kNil:
        return true;
      case Kind::kBool:
        writer_.Varint(otlp::field::Value::kBool, value.bool_value() ? 1 : 0);
        return true;
      case Kind::kInt:
        writer_.Varint(otlp::field::Value::kInt, static_cast<uint64_t>(value.int_value()));
        return true;
      case Kind::kDouble:
        writer_.Double(otlp::field::Value::kDouble, value.double_value());
        return true;
      case Kind::kString:
        writer_.Bytes(otlp::field::Value::kString, value.text());
        return true;
      case Kind::kBytes:
        writer_.Bytes(otlp::field::Value::kBytes, value.text());
        return true;
      case Kind::kList:
        return depth < otlp::kValueDepthMax && List(value, depth + 1);
      case Kind::kMap:
        return depth < otlp::kValueDepthMax && Map(value, depth + 1);
      default:
        return depth > 0;
    }
  }

 private:
  bool List(const Value& value, int depth) {
    Arena arena;
    const auto list = writer_.Begin(otlp::field::Value::kArray);
    for (const Value& element : ElementsOf(value, arena)) {
      const auto any_value = writer_.Begin(otlp::field::Array::kValues);
      if (!Content(element, depth)) return false;
      writer_.End(any_value);
    }
    writer_.End(list);
    return true;
  }

  bool Map(const Value& value, int depth) {
    Arena arena;
    const auto map = writer_.Begin(otlp::field::Value::kMap);
    for (const Entry& entry : EntriesOf(value, arena)) {
      const auto key_value = writer_.Begin(otlp::field::Map::kValues);
      writer_.Bytes(otlp::field::KeyValue::kKey, entry.key);
      const auto any_value = writer_.Begin(otlp::field::KeyValue::kValue);
      if (!Content(entry.value, depth)) return false;
      writer_.End(any_value);
      writer_.End(key_value);
    }
    writer_.End(map);
    return true;
  }

  otlp::wire::Writer writer_;
};

}  // namespace

Value Value::List(std::span<const Value> elements) {
  Value result(Kind::kList, 0);
  result.elements_ = elements.data();
  result.size_ = elements.size();
  return result;
}

Value Value::Map(std::span<const Entry> entries) {
  Value result(Kind::kMap, 0);
  result.entries_ = entries.data();
  result.size_ = entries.size();
  return result;
}

Value Value::Of(const otlp::ValueView& value) {
  const auto encoded = [&](Kind kind) {
    Value result(kind, value.bytes_value());
    result.is_encoded_ = true;
    return result;
  };
  switch (value.kind()) {
    case otlp::ValueView::Kind::kNone:
      return Unset();
    case otlp::ValueView::Kind::kString:
      return String(value.string_value());
    case otlp::ValueView::Kind::kBool:
      return Bool(value.bool_value());
    case otlp::ValueView::Kind::kInt:
      return Int(value.int_value());
    case otlp::ValueView::Kind::kDouble:
      return Double(value.double_value());
    case otlp::ValueView::Kind::kBytes:
      return Bytes(value.bytes_value());
    case otlp::ValueView::Kind::kArray:
      return encoded(Kind::kList);
    case otlp::ValueView::Kind::kMap:
      return encoded(Kind::kMap);
  }
  return {};
}

std::string_view Value::type_name() const {
  constexpr std::array<std::string_view, 12> kNames = {
      "nil",           "bool",        "int64",     "float64",       "string",          "[]byte",
      "pcommon.Slice", "pcommon.Map", "time.Time", "time.Duration", "pcommon.TraceID", "pcommon.SpanID"};
  constexpr std::array<std::string_view, 3> kMessageNames = {"ptrace.Status", "ptrace.SpanEventSlice",
                                                             "ptrace.SpanLinkSlice"};
  return is(Kind::kMessages) ? kMessageNames[static_cast<size_t>(messages())] : kNames[static_cast<size_t>(kind_)];
}

bool IsEncoded(const Value& value) {
  return value.is_encoded_;
}

std::string_view EncodedContent(const Value& value) {
  return {value.chars_, value.size_};
}

std::span<const Value> ElementsOf(const Value& list, Arena& arena) {
  if (!list.is_encoded_) return {list.elements_, list.size_};
  std::vector<Value> elements;
  for (const otlp::ValueView element : ElementViews(EncodedContent(list))) elements.push_back(Value::Of(element));
  return arena.Copy(elements);
}

std::span<const Entry> EntriesOf(const Value& map, Arena& arena) {
  if (!map.is_encoded_) return {map.entries_, map.size_};
  std::vector<Entry> entries;
  for (const otlp::AttributeView entry : EntryViews(EncodedContent(map))) {
    entries.push_back({entry.key(), Value::Of(entry.value())});
  }
  return arena.Copy(entries);
}

std::optional<Value> FindEntry(const Value& map, std::string_view key) {
  if (IsEncoded(map)) {
    const auto value = otlp::FindAttribute(EntryViews(EncodedContent(map)), key);
    return value ? std::optional(Value::Of(*value)) : std::nullopt;
  }
  Arena unused;
  for (const Entry& entry : EntriesOf(map, unused)) {
    if (entry.key == key) return entry.value;
  }
  return std::nullopt;
}

size_t CountOf(const Value& list_or_map) {
  if (IsEncoded(list_or_map)) {
    const std::string_view content = EncodedContent(list_or_map);
    return list_or_map.is(Kind::kList) ? ElementViews(content).Count() : EntryViews(content).Count();
  }
  Arena unused;
  return list_or_map.is(Kind::kList) ? ElementsOf(list_or_map, unused).size() : EntriesOf(list_or_map, unused).size();
}

Value CopyInto(const Value& value, Arena& arena) {
  switch (value.kind()) {
    case Kind::kString:
      return Value::String(arena.Copy(value.text()));
    case Kind::kBytes:
      return Value::Bytes(arena.Copy(value.text()));
    case Kind::kTraceId:
      return Value::TraceId(arena.Copy(value.text()));
    case Kind::kSpanId:
      return Value::SpanId(arena.Copy(value.text()));
    case Kind::kList: {
      std::vector<Value> elements;
      for (const Value& element : ElementsOf(value, arena)) elements.push_back(CopyInto(element, arena));
      return Value::List(arena.Copy(elements));
    }
    case Kind::kMap: {
      std::vector<Entry> entries;
      for (const Entry& entry : EntriesOf(value, arena)) {
        entries.push_back({arena.Copy(entry.key), CopyInto(entry.value, arena)});
      }
      return Value::Map(arena.Copy(entries));
    }
    default:
      return value;
  }
}

Value ValueOf(const Literal& literal, Arena& arena) {
  return std::visit(
      [&arena](const auto& value) -> Value {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) return Value::Bool(value);
        if constexpr (std::is_same_v<T, int64_t>) return Value::Int(value);
        if constexpr (std::is_same_v<T, double>) return Value::Double(value);
        if constexpr (std::is_same_v<T, std::string>) return Value::String(arena.Copy(std::string_view(value)));
        if constexpr (std::is_same_v<T, BytesLiteral>) return Value::Bytes(arena.Copy(std::string_view(value.bytes)));
        return {};
      },
      literal);
}

bool Compare(const Value& a, ComparisonOperator op, const Value& b) {
  const bool is_unequal = op == ComparisonOperator::kNotEqual;
  if (IsNumber(a) && IsNumber(b)) {
    if (a.is(Kind::kInt) && b.is(Kind::kInt)) return Ordered(a.int_value(), op, b.int_value());
    return Ordered(AsDouble(a), op, AsDouble(b));
  }
  if (a.kind() != b.kind()) return is_unequal;
  switch (a.kind()) {
    case Kind::kNil:
      return Ordered(0, op, 0);
    case Kind::kBool:
      return Ordered(a.bool_value(), op, b.bool_value());
    case Kind::kString:
    case Kind::kBytes:
      return Ordered(a.text(), op, b.text());
    case Kind::kTime:
    case Kind::kDuration:
      return Ordered(a.ns(), op, b.ns());
    default:
      if (is_unequal) return !IsIdentical(a, b);
      return op == ComparisonOperator::kEqual && IsIdentical(a, b);
  }
}

bool IsIdentical(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kNil:
      return true;
    case Kind::kDouble:
      return a.double_value() == b.double_value();
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kTraceId:
    case Kind::kSpanId:
      return a.text() == b.text();
    case Kind::kList:
      return HaveSameElements(a, b);
    case Kind::kMap:
      return HaveSameEntries(a, b);
    case Kind::kMessages:
      return a.messages() == b.messages();  // of the one span that is looked at
    default:
      return a.int_value() == b.int_value();
  }
}

bool CanBeAttribute(const Value& value) {
  return value.kind() < Kind::kTime;
}

bool CanBeAttributeThroughout(const Value& value) {
  if (!CanBeAttribute(value)) return false;
  if (IsEncoded(value) || (!value.is(Kind::kList) && !value.is(Kind::kMap))) return true;
  Arena unused;
  if (value.is(Kind::kList)) {
    const auto elements = ElementsOf(value, unused);
    return std::all_of(elements.begin(), elements.end(), CanBeAttributeThroughout);
  }
  const auto entries = EntriesOf(value, unused);
  return std::all_of(entries.begin(), entries.end(),
                     [](const Entry& entry) { return CanBeAttributeThroughout(entry.value); });
}

std::optional<std::string> EncodeValue(const Value& value) {
  std::string out;
  if (!Encoder(out).Content(value, 0)) return std::nullopt;
  return out;
}

}  // namespace spanloom::ottl
