// SPDX-License-Identifier: Apache-2.0
//
// What there is to ask about: services, operations, attribute keys and values, with counts, for lists and completion.

#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "otlp/views.h"
#include "store/field.h"
#include "store/predicate.h"
#include "store/read_limits.h"
#include "store/time_range.h"
#include "store/value.h"

namespace spanloom::store {

// Names that spans within `starts` have, sorted. A store may answer for a somewhat longer time, in steps of
// Capabilities::names_step_ns.
struct NameQuery {
  TimeRange starts = {};
  std::string prefix = {};
  size_t names_max = 10'000;  // where there are more, those with the most spans stay; ties by name
  ReadLimits limits = {};
};

struct ServiceName {
  std::string name;
  uint64_t spans = 0;
  friend auto operator<=>(const ServiceName&, const ServiceName&) = default;
};

struct Operation {
  std::string name;
  otlp::SpanKind kind = otlp::SpanKind::kUnspecified;
  friend auto operator<=>(const Operation&, const Operation&) = default;
};

struct OperationName {
  Operation operation;
  uint64_t spans = 0;
  friend auto operator<=>(const OperationName&, const OperationName&) = default;
};

// An attribute key in one of the scopes kSpan, kResource, kInstrumentation, kEvent, kLink.
struct KeyName {
  AttributeScope scope = AttributeScope::kSpan;
  std::string key;
  uint64_t spans = 0;
  friend auto operator<=>(const KeyName&, const KeyName&) = default;
};

struct FieldValue {
  Value value;
  uint64_t spans = 0;
  friend auto operator<=>(const FieldValue&, const FieldValue&) = default;
};

// Values that `field` has on spans that meet `where`. `prefix` is compared with Value::ToText.
struct ValueQuery {
  Field field;
  Predicate where = {};
  NameQuery names = {};
};

}  // namespace spanloom::store
