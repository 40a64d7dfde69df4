// SPDX-License-Identifier: Apache-2.0
//
// What expressions are at run time. A value is small and borrows what it can: strings, bytes, lists and maps lie in the
// span that is looked at, in the compiled text, or in the arena of the evaluation, and are good as long as these.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "otlp/ids.h"
#include "otlp/views.h"
#include "ottl/arena.h"
#include "ottl/ast.h"

namespace spanloom::ottl {

struct Entry;

// Trivially copyable. A list or map is either one that was received, then still in wire form ("encoded"), or one that
// was made, then a range of values in an arena; ElementsOf and EntriesOf make no difference between them.
class Value {
 public:
  enum class Kind : uint8_t {
    kNil,
    kBool,
    kInt,
    kDouble,
    kString,
    kBytes,
    kList,
    kMap,
    kTime,      // nanoseconds since 1970, and an offset from UTC for the calendar
    kDuration,  // nanoseconds
    kTraceId,
    kSpanId,
    kMessages,  // the status, events or links of a span; may only be compared and counted
  };

  // What a kMessages is of the span.
  enum class Messages : uint8_t { kStatus, kEvents, kLinks };

  constexpr Value() = default;
  static Value Bool(bool value) { return Value(Kind::kBool, value ? 1 : 0); }
  static Value Int(int64_t value) { return Value(Kind::kInt, value); }
  static Value Double(double value) {
    Value result(Kind::kDouble, 0);
    result.double_ = value;
    return result;
  }
  static Value String(std::string_view value) { return Value(Kind::kString, value); }
  static Value Bytes(std::string_view value) { return Value(Kind::kBytes, value); }
  static Value Time(int64_t unix_ns, int32_t utc_offset_s = 0) {
    Value result(Kind::kTime, unix_ns);
    result.utc_offset_s_ = utc_offset_s;
    return result;
  }
  static Value Duration(int64_t ns) { return Value(Kind::kDuration, ns); }
  static Value TraceId(std::string_view bytes) { return Value(Kind::kTraceId, bytes); }  // 16 bytes
  static Value SpanId(std::string_view bytes) { return Value(Kind::kSpanId, bytes); }    // 8 bytes
  static Value MessagesOf(Messages messages, int64_t count) {
    Value result(Kind::kMessages, count);
    result.size_ = static_cast<size_t>(messages);
    return result;
  }
  static Value List(std::span<const Value> elements);
  static Value Map(std::span<const Entry> entries);
  // An attribute that is there but has no value: nil, but for what is_unset says.
  static Value Unset() {
    Value result;
    result.is_encoded_ = true;
    return result;
  }
  static Value Of(const otlp::ValueView& value);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_nil() const { return kind_ == Kind::kNil; }
  [[nodiscard]] bool is_unset() const { return is_nil() && is_encoded_; }
  [[nodiscard]] bool is(Kind kind) const { return kind_ == kind; }

  // Each is meaningful for its own kinds only.
  [[nodiscard]] bool bool_value() const { return int_ != 0; }
  [[nodiscard]] int64_t int_value() const { return int_; }
  [[nodiscard]] double double_value() const { return double_; }
  [[nodiscard]] std::string_view text() const { return {chars_, size_}; }  // kString, kBytes, kTraceId, kSpanId
  [[nodiscard]] int64_t ns() const { return int_; }                        // kTime, kDuration
  [[nodiscard]] int32_t utc_offset_s() const { return utc_offset_s_; }     // kTime
  [[nodiscard]] Messages messages() const { return static_cast<Messages>(size_); }  // kMessages, whose int_value counts

  // The word that error messages have for the kind, as the Collector's: "string", "int64", "pcommon.Map".
  [[nodiscard]] std::string_view type_name() const;

 private:
  friend std::span<const Value> ElementsOf(const Value& list, Arena& arena);
  friend std::span<const Entry> EntriesOf(const Value& map, Arena& arena);
  friend std::string_view EncodedContent(const Value& value);
  friend bool IsEncoded(const Value& value);

  constexpr Value(Kind kind, int64_t value) : int_(value), kind_(kind) {}
  Value(Kind kind, std::string_view text) : chars_(text.data()), size_(text.size()), kind_(kind) {}

  union {
    int64_t int_ = 0;
    double double_;
    const char* chars_;  // kString, kBytes, ids; of an encoded list or map the content of the ArrayValue, KeyValueList
    const Value* elements_;  // kList
    const Entry* entries_;   // kMap
  };
  size_t size_ = 0;  // of what the pointer points to; of kMessages, which
  int32_t utc_offset_s_ = 0;
  Kind kind_ = Kind::kNil;
  bool is_encoded_ = false;
};

struct Entry {
  std::string_view key;
  Value value;
};

// The elements of a list, the entries of a map. What was received is decoded by one level, into `arena`.
[[nodiscard]] std::span<const Value> ElementsOf(const Value& list, Arena& arena);
[[nodiscard]] std::span<const Entry> EntriesOf(const Value& map, Arena& arena);

// The entries of attributes as they were received.
template <typename Attributes>
[[nodiscard]] Value MapOf(const Attributes& attributes, Arena& arena) {
  std::vector<Entry> entries;
  for (const otlp::AttributeView attribute : attributes) {
    entries.push_back({attribute.key(), Value::Of(attribute.value())});
  }
  return Value::Map(arena.Copy(entries));
}

// The value of the first entry called `key`; nullopt if there is none.
[[nodiscard]] std::optional<Value> FindEntry(const Value& map, std::string_view key);

// The number of elements or entries.
[[nodiscard]] size_t CountOf(const Value& list_or_map);

// A value of which nothing lies outside of `arena`.
[[nodiscard]] Value CopyInto(const Value& value, Arena& arena);
[[nodiscard]] Value ValueOf(const Literal& literal, Arena& arena);

// The Collector's rules (pkg/ottl/compare.go): integers and doubles are compared by number, an integer being rounded to
// a double; nil equals nil alone; false is less than true; lists and maps are equal or not, and so are ids; values of
// different kinds are unequal and in no order.
[[nodiscard]] bool Compare(const Value& a, ComparisonOperator op, const Value& b);

// True if both are the same in kind and content, all the way down: 1 is not 1.0 there.
[[nodiscard]] bool IsIdentical(const Value& a, const Value& b);

// False for ids, times, durations and messages: OTLP has no such values.
[[nodiscard]] bool CanBeAttribute(const Value& value);

// The same of all that lies in it, too.
[[nodiscard]] bool CanBeAttributeThroughout(const Value& value);

// `value` as an AnyValue in wire form, as an attribute may have it. nullopt if it cannot be one, or nests more than
// otlp::kValueDepthMax deep. What lies in a list and cannot be an attribute is left empty, as in the Collector.
[[nodiscard]] std::optional<std::string> EncodeValue(const Value& value);

}  // namespace spanloom::ottl
