// SPDX-License-Identifier: Apache-2.0
//
// What a condition, a column, a group or a list of names can be about: a field that every span has, or an attribute of
// some scope. The words are TraceQL's ("intrinsics", "scopes") and Jaeger's.

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace spanloom::store {

// Fields that need no key. Those of the trace are computed over all of its spans that are stored.
enum class Intrinsic : uint8_t {
  kNone,  // the field is an attribute
  // Of the span. Times and durations are kInt, in nanoseconds; times beyond the year 2262 are shown as its end.
  kName,           // kString
  kService,        // kString: service.name of the resource, "unknown_service" where there is none
  kKind,           // kInt: otlp::SpanKind
  kStatus,         // kInt: otlp::StatusCode
  kStatusMessage,  // kString, absent if empty
  kStart,
  kEnd,
  kDuration,      // end - start; negative where the sender said so
  kTraceId,       // kBytes, 16
  kSpanId,        // kBytes, 8
  kParentSpanId,  // kBytes, 8; absent for none
  kTraceState,    // kString, absent if empty
  kChildCount,    // kInt: spans of the trace whose parent this is
  // Of the span's place in its trace (span_tree.h), kInt.
  kNestedSetLeft,
  kNestedSetRight,
  kNestedSetParent,
  // Of its scope; absent if empty.
  kScopeName,
  kScopeVersion,
  // Of all of its events or links: a value for each.
  kEventName,
  kEventTimeSinceStart,  // kInt, nanoseconds from the span's start
  kLinkTraceId,
  kLinkSpanId,
  // Of its trace (trace_row.h).
  kTraceDuration,
  kTraceStart,
  kTraceRootName,     // absent while the root is not there
  kTraceRootService,  // absent while the root is not there
  kTraceSpanCount,
  kTraceErrorCount,
};

// Where an attribute is looked for.
enum class AttributeScope : uint8_t {
  kSpan,
  kResource,
  kInstrumentation,  // the instrumentation scope
  kEvent,            // any event of the span
  kLink,             // any link of the span
  // The span, and if it has no such key, its resource: TraceQL's `.key`.
  kSpanThenResource,
  // The span, its resource, its instrumentation scope, its events, and the tags of span_tags.h: Jaeger's `key=value`.
  // `error` has the value "false" where the status is not an error, as people mean it when they type it.
  kAnywhere,
};

// A value.
struct Field {
  Intrinsic intrinsic = Intrinsic::kNone;
  AttributeScope scope = AttributeScope::kSpan;  // of an attribute
  std::string key = {};                          // of an attribute

  static Field Of(Intrinsic intrinsic) { return {.intrinsic = intrinsic}; }
  static Field Attribute(AttributeScope scope, std::string key) { return {.scope = scope, .key = std::move(key)}; }

  [[nodiscard]] bool is_attribute() const { return intrinsic == Intrinsic::kNone; }
  // True if its value follows from the span's place in its trace, and so from the other spans (span_tree.h).
  [[nodiscard]] bool needs_places() const;
  [[nodiscard]] bool is_nested_set() const;
  // True if it is a field of the trace (trace_row.h).
  [[nodiscard]] bool is_of_trace() const;
  // True if it can't be said of the span alone.
  [[nodiscard]] bool needs_trace() const { return needs_places() || is_of_trace(); }
  // "duration", "span.gen_ai.request.model": for messages.
  [[nodiscard]] std::string ToString() const;

  friend auto operator<=>(const Field&, const Field&) = default;
};

}  // namespace spanloom::store
