// SPDX-License-Identifier: Apache-2.0
//
// Writes the spans of one generated trace straight into OTLP's wire form (otlp/writer.h), as SDKs write them.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/rng.h"
#include "cli/tracegen/trace_shape.h"
#include "otlp/ids.h"
#include "otlp/views.h"
#include "otlp/writer.h"

namespace spanloom::cli::tracegen {

// A stretch of time, in nanoseconds from the start of its trace.
struct Interval {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  [[nodiscard]] int64_t duration_ns() const { return end_ns - start_ns; }
};

// Span.flags as real SDKs send them: Go says "sampled", Python never does; both say whether the parent is in another
// process.
inline constexpr uint32_t kGoLocalParent = 0x101;
inline constexpr uint32_t kGoRemoteParent = 0x301;
inline constexpr uint32_t kPythonRemoteParent = 0x300;

// What a span is, before its attributes.
struct SpanHead {
  SpanOrigin origin;
  otlp::SpanId parent = {};  // zero for a root
  std::string_view name;
  otlp::SpanKind kind = otlp::SpanKind::kInternal;
  Interval time;
  uint32_t flags = kGoLocalParent;
};

// A Resource or an InstrumentationScope in wire form.
using StringAttributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;
std::string EncodeResource(StringAttributes attributes);
std::string EncodeScope(std::string_view name, std::string_view version, StringAttributes attributes = {});

// One span under construction: attributes, then at most one exception, then End. Calls may be chained.
class SpanWriter {
 public:
  SpanWriter& String(std::string_view key, std::string_view value);
  SpanWriter& Int(std::string_view key, int64_t value);
  SpanWriter& Double(std::string_view key, double value);
  SpanWriter& Bool(std::string_view key, bool value);
  SpanWriter& Strings(std::string_view key, std::initializer_list<std::string_view> values);
  SpanWriter& Doubles(std::string_view key, std::initializer_list<double> values);

  // The event that SDKs record for an exception.
  SpanWriter& Exception(int64_t time_ns, std::string_view type, std::string_view message);

  // Closes the span, which must be the one begun last, and returns its id.
  otlp::SpanId End(otlp::StatusCode code = otlp::StatusCode::kUnset, std::string_view message = {});

 private:
  friend class TraceWriter;
  SpanWriter(GeneratedTrace& trace, const otlp::TraceId& trace_id, otlp::SpanId span_id, int64_t origin_unix_ns,
             const SpanHead& head);

  GeneratedTrace& trace_;
  otlp::SpanWriter writer_;
  otlp::SpanId span_id_;
  int64_t origin_unix_ns_;
};

// Writes the spans of one trace into `trace`, which it clears. Ids come from `rng`. Both must outlive it.
class TraceWriter {
 public:
  // `origin_unix_ns` is the time that intervals count from.
  TraceWriter(GeneratedTrace& trace, Rng& rng, int64_t origin_unix_ns);

  // An id for a span whose children are written before it.
  [[nodiscard]] otlp::SpanId NewSpanId();

  // Begins a span with a new id, or with one that NewSpanId gave out. A span ends before the next one begins.
  [[nodiscard]] SpanWriter Begin(const SpanHead& head) { return Begin(head, NewSpanId()); }
  [[nodiscard]] SpanWriter Begin(const SpanHead& head, otlp::SpanId span_id);

  [[nodiscard]] int64_t origin_unix_ns() const { return origin_unix_ns_; }

 private:
  GeneratedTrace& trace_;
  Rng& rng_;
  int64_t origin_unix_ns_;
  otlp::TraceId trace_id_;
};

}  // namespace spanloom::cli::tracegen
