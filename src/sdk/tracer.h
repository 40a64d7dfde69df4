// SPDX-License-Identifier: Apache-2.0
//
// Makes spans for our own components. The parent is passed explicitly, the clock and the randomness too: there are no
// globals and no current span of a thread. A span that is not sampled costs some 20 ns and no allocation but for a long
// tracestate or baggage; a tracer that is off costs a branch and what the parent's context is to copy. What the rest
// costs is measured by sdk_bench.cc.
//
//   sdk::Span server = tracer.Start("POST /v1/completions", otlp::SpanKind::kServer,
//                                   sdk::Extract(request.headers, tracer.propagation()));
//   sdk::Span client = tracer.Start("decode", otlp::SpanKind::kClient, server.context());
//   sdk::Inject(client.context(), outgoing.headers, tracer.propagation());
//   client.SetString("server.address", host).SetInt("server.port", port);
//   client.End();
//
// Manual: docs/sdk.md.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/rng.h"
#include "otlp/views.h"
#include "sdk/sampler.h"
#include "sdk/span_limits.h"
#include "sdk/span_record.h"
#include "sdk/trace_context.h"

namespace spanloom::sdk {

class Tracer;

// One span under way. Movable. Thread-compatible: any thread may use it, one at a time, so it may be started on one and
// ended on another if something orders the two, as a Post does; context() may be read by several while nobody sets
// anything. Ends when it is destroyed, unless it has ended. On a span that is not recorded every call but context()
// does nothing.
class Span {
 public:
  Span() = default;  // not recorded, context() is not valid
  Span(Span&&) noexcept = default;
  Span& operator=(Span&& other) noexcept;
  ~Span() { End(); }

  // False: what is set is thrown away, so it need not be worked out.
  [[nodiscard]] bool is_recording() const { return record_ != nullptr; }
  // What children and other processes are told of it; also after End. If it is not recorded: valid but not sampled, or
  // of a tracer that is off the parent's.
  [[nodiscard]] const TraceContext& context() const { return record_ == nullptr ? context_ : record_->context; }

  // `key` must be of static storage, and not empty. A key that is set again is replaced. What is beyond the tracer's
  // limits is left out and counted, or cut. Any bytes may be in a text: see WriteAttributes.
  Span& SetString(std::string_view key, std::string_view value) {
    if (is_recording()) RecordText(key, value);
    return *this;
  }
  Span& SetInt(std::string_view key, int64_t value) {
    if (is_recording()) Record(key, value);
    return *this;
  }
  Span& SetDouble(std::string_view key, double value) {
    if (is_recording()) Record(key, value);
    return *this;
  }
  Span& SetBool(std::string_view key, bool value) {
    if (is_recording()) Record(key, value);
    return *this;
  }
  Span& SetStrings(std::string_view key, std::span<const std::string> values);
  Span& SetInts(std::string_view key, std::span<const int64_t> values) { return SetList(key, values); }
  Span& SetDoubles(std::string_view key, std::span<const double> values) { return SetList(key, values); }
  Span& SetBools(std::string_view key, std::span<const bool> values) { return SetList(key, values); }

  // Something that happens now. Its keys and texts are as those of a span; a key must not come twice.
  Span& AddEvent(std::string_view name, Attributes attributes = {});
  // Another span that this one has to do with. A context that is not valid is left out.
  Span& AddLink(const TraceContext& link, Attributes attributes = {});
  // The last one counts, but for OpenTelemetry's order: unset changes nothing, and what is OK stays so. Only an error
  // has a message.
  Span& SetStatus(otlp::StatusCode code, std::string_view message = {});

  // Hands the span to the tracer's sink. Nothing may be set afterwards.
  void End() {
    if (is_recording()) Finish();
  }

 private:
  friend class Tracer;
  template <typename T>
  Span& SetList(std::string_view key, std::span<const T> values) {
    if (is_recording()) Record(key, ListValue::Of(values));
    return *this;
  }
  void RecordText(std::string_view key, std::string_view value);
  void Record(std::string_view key, decltype(Attribute::value) value);
  void Finish();
  [[nodiscard]] int64_t NowUnixNs() const;

  const Tracer* tracer_ = nullptr;
  std::unique_ptr<SpanRecord> record_;  // null if it is not recorded, or has ended
  TraceContext context_;                // while there is no record
  int64_t start_steady_ns_ = 0;
};

struct TracerOptions {
  Propagation propagation = {};  // how the requests that spans are about are to be read and written
  SpanLimits limits = {};
  uint32_t scope = 0;  // SpanRecord::scope of its spans
};

// Thread-safe.
class Tracer {
 public:
  // `clock` and `sink` must outlive the tracer, and the tracer its spans. Ids come from `rng`.
  Tracer(Sampler sampler, const Clock& clock, Rng rng, SpanSink& sink, const TracerOptions& options = {});
  // Off: its spans are not recorded, and have the context of their parent, so that what came in goes on unchanged.
  explicit Tracer(Propagation propagation) : options_{.propagation = propagation} {}
  // The same; lives for ever.
  static const Tracer& None();

  [[nodiscard]] bool is_on() const { return sink_ != nullptr; }
  [[nodiscard]] const Propagation& propagation() const { return options_.propagation; }

  // A child of `parent`, in its trace and with its tracestate and baggage; a root, perhaps with baggage, if `parent` is
  // not valid.
  [[nodiscard]] Span Start(std::string_view name, otlp::SpanKind kind, const TraceContext& parent = {}) const;

 private:
  friend class Span;
  Tracer() = default;
  void BeginContext(const TraceContext& parent, TraceContext& context) const;
  [[nodiscard]] std::unique_ptr<SpanRecord> NewRecord(std::string_view name, otlp::SpanKind kind,
                                                      const TraceContext& parent) const;

  Sampler sampler_ = Sampler::AlwaysOff();
  TracerOptions options_;
  const Clock* clock_ = nullptr;
  SpanSink* sink_ = nullptr;                     // null: off
  mutable std::atomic<uint64_t> rng_state_ = 0;  // SplitMix64 is a mixed counter, which threads can share
};

}  // namespace spanloom::sdk
