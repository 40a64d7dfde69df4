// SPDX-License-Identifier: Apache-2.0
//
// Makes spans for our own components. The parent is passed explicitly, the clock and the randomness too. A span that is
// not sampled costs up to three random numbers and no allocation but for a long tracestate; a tracer that is off costs
// a branch.
//
//   sdk::Span span = tracer.Start("receiver/otlp/TraceDataReceived", otlp::SpanKind::kInternal, server.context());
//   span.SetString("transport", "grpc").SetInt("accepted_spans", 12);
//   span.End();

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/rng.h"
#include "otlp/views.h"
#include "sdk/sampler.h"
#include "sdk/span_record.h"
#include "sdk/trace_context.h"

namespace spanloom::sdk {

class Tracer;

// One span under way. Movable; its calls are for one thread at a time. Ends when it is destroyed, unless it has ended.
// On a span that is not recorded every call but context() does nothing.
class Span {
 public:
  Span() = default;  // of a tracer that is off: not recorded, context() is not valid
  Span(Span&&) noexcept = default;
  Span& operator=(Span&& other) noexcept;
  ~Span() { End(); }

  // False: what is set is thrown away, so it need not be worked out.
  [[nodiscard]] bool is_recording() const { return record_ != nullptr; }
  // What children and other processes are told of it; also after End. Valid but not sampled if it is not recorded.
  [[nodiscard]] const TraceContext& context() const { return record_ == nullptr ? context_ : record_->context; }

  // `key` must be of static storage. A key that is set again is replaced. Beyond kAttributesMax, counted and left out.
  Span& SetString(std::string_view key, std::string_view value);
  Span& SetInt(std::string_view key, int64_t value);
  Span& SetDouble(std::string_view key, double value);
  Span& SetBool(std::string_view key, bool value);
  // Something that happens now.
  Span& AddEvent(std::string_view name, Attributes attributes = {});
  // Another span that this one has to do with. A context that is not valid is left out.
  Span& AddLink(const TraceContext& link);
  // The last one counts. Only an error has a message.
  Span& SetStatus(otlp::StatusCode code, std::string_view message = {});

  // Hands the span to the tracer's sink. Nothing may be set afterwards.
  void End();

 private:
  friend class Tracer;
  Span(const Tracer& tracer, std::unique_ptr<SpanRecord> record, int64_t start_steady_ns);
  explicit Span(TraceContext context) : context_(std::move(context)) {}
  void Set(std::string_view key, decltype(Attribute::value) value);
  [[nodiscard]] int64_t NowUnixNs() const;

  const Tracer* tracer_ = nullptr;
  std::unique_ptr<SpanRecord> record_;  // null if it is not recorded, or has ended
  TraceContext context_;                // while there is no record
  int64_t start_steady_ns_ = 0;
};

// Thread-safe.
class Tracer {
 public:
  // `clock` and `sink` must outlive the tracer, and the tracer its spans. Ids come from `rng`.
  // `propagation` is how the requests that spans are about are to be read.
  Tracer(Sampler sampler, const Clock& clock, Rng rng, SpanSink& sink, Propagation propagation = {});
  // Off: makes spans that are nothing. Lives for ever.
  static const Tracer& None();

  [[nodiscard]] bool is_on() const { return sink_ != nullptr; }
  [[nodiscard]] const Propagation& propagation() const { return propagation_; }

  // A child of `parent`, in its trace and with its tracestate and baggage; a root if `parent` is not valid.
  [[nodiscard]] Span Start(std::string_view name, otlp::SpanKind kind, const TraceContext& parent = {}) const;

 private:
  friend class Span;
  Tracer() = default;
  [[nodiscard]] uint64_t NextRandom() const;  // never 0
  [[nodiscard]] TraceContext NewContext(const TraceContext& parent) const;

  Sampler sampler_ = Sampler::AlwaysOff();
  Propagation propagation_;
  const Clock* clock_ = nullptr;
  SpanSink* sink_ = nullptr;                     // null: off
  mutable std::atomic<uint64_t> rng_state_ = 0;  // SplitMix64 is a mixed counter, which threads can share
};

}  // namespace spanloom::sdk
