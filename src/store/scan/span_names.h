// SPDX-License-Identifier: Apache-2.0
//
// Services, operations, keys and values, counted over the spans of one trace after the other: the answers to the name
// questions of a store that scans.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/names.h"
#include "store/scan/name_counts.h"
#include "store/scan/predicate_matcher.h"
#include "store/scan/read_meter.h"
#include "store/scan/text_arena.h"
#include "store/scan/trace_reading.h"

namespace spanloom::store::scan {

// Each is thread-compatible, and its query must outlive it. Errors of Add: kResourceExhausted (limits.bytes_max), the
// meter's.

class ServiceCounts {
 public:
  explicit ServiceCounts(const NameQuery& query) : query_(query), counts_(query.limits.bytes_max) {}

  Status Add(TraceReading& trace, ReadMeter& meter);
  // `spans` spans that are known to be within the time range.
  Status AddSpans(std::string_view service, uint64_t spans);
  [[nodiscard]] std::vector<ServiceName> Take() &&;

 private:
  const NameQuery& query_;
  NameCounts<std::string> counts_;
};

class OperationCounts {
 public:
  OperationCounts(std::string service, const NameQuery& query)
      : service_(std::move(service)), query_(query), counts_(query.limits.bytes_max) {}

  Status Add(TraceReading& trace, ReadMeter& meter);
  Status AddSpans(std::string_view name, otlp::SpanKind kind, uint64_t spans);
  [[nodiscard]] std::vector<OperationName> Take() &&;

 private:
  const std::string service_;
  const NameQuery& query_;
  NameCounts<std::pair<std::string, int32_t>> counts_;  // name, kind
};

// A key that a span has more than once counts once.
class KeyCounts {
 public:
  explicit KeyCounts(const NameQuery& query) : query_(query), counts_(query.limits.bytes_max) {}

  Status Add(TraceReading& trace, ReadMeter& meter);
  // `spans` spans that are known to be within the time range, and to have the key.
  Status AddSpans(AttributeScope scope, std::string_view key, uint64_t spans);
  [[nodiscard]] std::vector<KeyName> Take() &&;

 private:
  using Key = std::pair<AttributeScope, std::string_view>;

  Status AddSpan(TraceReading& trace, size_t ordinal);
  template <typename Attributes>
  void Collect(AttributeScope scope, const Attributes& attributes);

  const NameQuery& query_;
  NameCounts<std::pair<AttributeScope, std::string>> counts_;
  std::vector<Key> keys_;  // of one span, reused
};

// A value that a span has more than once counts once.
class ValueCounts {
 public:
  // `query` must be valid: its predicate, and its field (ValidateValueQuery).
  explicit ValueCounts(const ValueQuery& query)
      : query_(query), where_(query.where), counts_(query.names.limits.bytes_max) {}

  Status Add(TraceReading& trace, ReadMeter& meter);
  // `spans` spans that are known to count, and to have the value.
  Status AddSpans(const Value& value, uint64_t spans);
  [[nodiscard]] std::vector<FieldValue> Take() &&;

 private:
  Status AddSpan(TraceReading& trace, size_t ordinal);

  const ValueQuery& query_;
  PredicateMatcher where_;
  NameCounts<Value> counts_;
  // Of one span, reused.
  std::vector<Value> values_;
  TextArena texts_;
};

// kInvalidArgument: a field of the span's place in its trace, or a predicate that is not valid.
[[nodiscard]] Status ValidateValueQuery(const ValueQuery& query);

}  // namespace spanloom::store::scan
