// SPDX-License-Identifier: Apache-2.0
//
// A span encoded once, in which ids, times and some values are then put in place: for shapes whose traces have to be
// made faster than any receiver takes them.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "cli/tracegen/span_writer.h"
#include "otlp/ids.h"

namespace spanloom::cli::tracegen {

// What one span has that its template lacks.
struct SpanFacts {
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  otlp::SpanId parent = {};
  uint64_t start_unix_ns = 0;
  uint64_t end_unix_ns = 0;
  std::string_view request_id;  // SpanTemplate::kRequestIdBytes
};

// Immutable once made.
class SpanTemplate {
 public:
  static constexpr size_t kRequestIdBytes = 32;
  // Numbers whose varints have two bytes.
  static constexpr int64_t kIntMin = 128;
  static constexpr int64_t kIntMax = 16'383;

  // Writes the attributes of the template, and notes which of them change.
  class Attributes {
   public:
    Attributes(SpanWriter& writer, GeneratedTrace& trace, SpanTemplate& made)
        : writer_(writer), trace_(trace), made_(made) {}

    // Constant ones.
    SpanWriter& writer() { return writer_; }
    // `prefix` and the request id.
    Attributes& RequestId(std::string_view key, std::string_view prefix);
    // Uniform in [low, high), all bits random.
    Attributes& Seconds(std::string_view key, double low, double high);
    // Uniform in [low, high], a whole number, as a double.
    Attributes& WholeMs(std::string_view key, int64_t low, int64_t high);
    // Uniform in [low, high], which lie in [kIntMin, kIntMax].
    Attributes& Int(std::string_view key, int64_t low, int64_t high);

   private:
    SpanWriter& writer_;
    GeneratedTrace& trace_;
    SpanTemplate& made_;
  };

  // `head` has everything but times, and any parent that is not zero if the spans have one.
  SpanTemplate(const SpanHead& head, otlp::StatusCode status, absl::FunctionRef<void(Attributes&)> write_attributes);

  // Appends a span; its values come from `rng`.
  void Append(const SpanFacts& facts, Rng& rng, GeneratedTrace& trace) const;

 private:
  enum class HoleKind : uint8_t { kRequestId, kSeconds, kWholeMs, kInt };
  struct Hole {
    HoleKind kind = HoleKind::kInt;
    size_t at = 0;  // byte in wire_
    double low = 0;
    double range = 0;
  };

  void Fill(const Hole& hole, const SpanFacts& facts, Rng& rng, char* span) const;
  // Where these bytes are, which stand there once.
  [[nodiscard]] size_t Find(std::string_view bytes) const;

  SpanOrigin origin_;
  std::string wire_;  // a field ScopeSpans.spans
  std::vector<Hole> holes_;
  size_t trace_id_ = 0;  // bytes in wire_, as the following
  size_t span_id_ = 0;
  size_t parent_ = 0;  // 0: none
  size_t start_ = 0;
  size_t end_ = 0;
};

}  // namespace spanloom::cli::tracegen
