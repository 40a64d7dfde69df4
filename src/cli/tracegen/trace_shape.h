// SPDX-License-Identifier: Apache-2.0
//
// What a shape of traces is: a fixed set of processes that export spans, and a pure function from a trace's number to
// its spans. Everything random comes from the seed, so the same seed gives the same bytes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/status.h"

namespace spanloom::cli::tracegen {

// A process whose SDK exports spans: one resource, several instrumentation scopes.
struct Emitter {
  struct Scope {
    std::string wire;  // InstrumentationScope
  };
  std::string resource_wire;  // Resource
  std::string schema_url;     // of the resource; "" for none
  std::vector<Scope> scopes;  // at least one
};

// Which emitter and which of its scopes made a span.
struct SpanOrigin {
  uint32_t emitter = 0;  // index into TraceShape::emitters()
  uint32_t scope = 0;    // index into Emitter::scopes
};

// The spans of one trace, encoded. A buffer to be used again and again.
struct GeneratedTrace {
  struct Span {
    SpanOrigin origin;
    size_t begin = 0;  // into `wire`
    size_t size = 0;   // bytes
  };
  std::string wire;  // the spans one after the other, each as the field ScopeSpans.spans
  std::vector<Span> spans;

  void Clear() {
    wire.clear();
    spans.clear();
  }
  [[nodiscard]] std::string_view WireOf(const Span& span) const {
    return std::string_view(wire).substr(span.begin, span.size);
  }
};

// Immutable and thread-safe.
class TraceShape {
 public:
  virtual ~TraceShape() = default;

  [[nodiscard]] const std::vector<Emitter>& emitters() const { return emitters_; }

  // Replaces `trace` with trace number `index`. Its last span ends at `end_unix_ns`.
  virtual void Generate(uint64_t index, int64_t end_unix_ns, GeneratedTrace& trace) const = 0;

  // True if the spans of a trace come in one request, as a Collector in front of the receiver would send them; else
  // every emitter sends its own.
  [[nodiscard]] virtual bool ArrivesWhole() const { return false; }

 protected:
  TraceShape(std::vector<Emitter> emitters, uint64_t seed) : emitters_(std::move(emitters)), seed_(seed) {}

  // The random numbers of trace `index`, independent of those of its neighbours.
  [[nodiscard]] Rng RngOf(uint64_t index) const;

 private:
  std::vector<Emitter> emitters_;
  uint64_t seed_;
};

enum class ShapeKind {
  kLlmd,        // llm-d-inference-scheduler v0.6 with prefill/decode disaggregation: 11 spans a request
  kLlmdPrefix,  // the same with the precise prefix-cache scorer: 19 spans
  kLlmdHead,    // llm-d-router of August 2026: 26 spans
  kPlain,       // a web shop: 6 spans, no inference
  kLoad,        // the load that stores are measured with: 6 spans
};

// "llmd", "llmd-prefix", "llmd-head", "plain" or "load". kInvalidArgument names the allowed values.
StatusOr<ShapeKind> ParseShapeKind(std::string_view name);

// The name that ParseShapeKind takes.
std::string_view ShapeName(ShapeKind kind);

std::unique_ptr<TraceShape> MakeTraceShape(ShapeKind kind, uint64_t seed);

}  // namespace spanloom::cli::tracegen
