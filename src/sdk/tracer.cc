// SPDX-License-Identifier: Apache-2.0

#include "sdk/tracer.h"

#include <absl/algorithm/container.h>

#include <cstring>
#include <utility>

#include "base/utf8.h"

namespace spanloom::sdk {
namespace {

constexpr uint64_t kRngStep = 0x9e3779b97f4a7c15ULL;  // by which Rng's state moves on with each word

// A word of an id. An id that is all zero would be none, so zero is no word.
void PutWord(Rng& rng, uint8_t* bytes) {
  const uint64_t word = rng.Next();
  const uint64_t id_word = word == 0 ? 1 : word;
  std::memcpy(bytes, &id_word, sizeof(id_word));
}

// Keeps the limits of an event or a link; returns how many are left out.
uint32_t Limit(Attributes& attributes, size_t count_max, size_t text_length) {
  uint32_t dropped = 0;
  if (attributes.size() > count_max) {
    dropped = static_cast<uint32_t>(attributes.size() - count_max);
    attributes.erase(attributes.begin() + static_cast<ptrdiff_t>(count_max), attributes.end());
  }
  for (Attribute& attribute : attributes) {
    auto* text = std::get_if<std::string>(&attribute.value);
    if (text != nullptr) text->resize(Utf8Prefix(*text, text_length).size());
  }
  return dropped;
}

}  // namespace

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  End();
  tracer_ = other.tracer_;
  record_ = std::move(other.record_);
  context_ = std::move(other.context_);
  start_steady_ns_ = other.start_steady_ns_;
  return *this;
}

void Span::Record(std::string_view key, decltype(Attribute::value) value) {
  Attributes& attributes = record_->attributes;
  const auto found = absl::c_find_if(attributes, [&](const Attribute& attribute) { return attribute.key == key; });
  if (found != attributes.end()) {
    found->value = std::move(value);
  } else if (attributes.size() < tracer_->options_.limits.attributes && !key.empty()) {
    attributes.push_back({key, std::move(value)});
  } else {
    ++record_->dropped.attributes;
  }
}

void Span::RecordText(std::string_view key, std::string_view value) {
  Record(key, std::string(Utf8Prefix(value, tracer_->options_.limits.text_length)));
}

Span& Span::SetStrings(std::string_view key, std::span<const std::string> values) {
  if (is_recording()) Record(key, ListValue::Of(values, tracer_->options_.limits.text_length));
  return *this;
}

int64_t Span::NowUnixNs() const {
  return record_->start_unix_ns + tracer_->clock_->SteadyNs() - start_steady_ns_;
}

Span& Span::AddEvent(std::string_view name, Attributes attributes) {
  if (!is_recording()) return *this;
  const SpanLimits& limits = tracer_->options_.limits;
  if (record_->events.size() >= limits.events) {
    ++record_->dropped.events;
    return *this;
  }
  const uint32_t dropped = Limit(attributes, limits.event_attributes, limits.other_text_length);
  record_->events.push_back({NowUnixNs(), std::string(name), std::move(attributes), dropped});
  return *this;
}

Span& Span::AddLink(const TraceContext& link, Attributes attributes) {
  if (!is_recording() || !link.IsValid()) return *this;
  const SpanLimits& limits = tracer_->options_.limits;
  if (record_->links.size() >= limits.links) {
    ++record_->dropped.links;
    return *this;
  }
  const uint32_t dropped = Limit(attributes, limits.link_attributes, limits.other_text_length);
  record_->links.push_back({link, std::move(attributes), dropped});
  return *this;
}

Span& Span::SetStatus(otlp::StatusCode code, std::string_view message) {
  if (!is_recording() || code == otlp::StatusCode::kUnset || record_->status == otlp::StatusCode::kOk) return *this;
  record_->status = code;
  record_->status_message = code == otlp::StatusCode::kError ? message : std::string_view();
  return *this;
}

void Span::Finish() {
  record_->end_unix_ns = NowUnixNs();
  context_ = record_->context;
  tracer_->sink_->Take(std::move(record_));
}

Tracer::Tracer(Sampler sampler, const Clock& clock, Rng rng, SpanSink& sink, const TracerOptions& options)
    : sampler_(sampler), options_(options), clock_(&clock), sink_(&sink), rng_state_(rng.Next()) {}

const Tracer& Tracer::None() {
  static const Tracer none;
  return none;
}

// The words of one span are next to each other, so that threads meet once a span.
void Tracer::BeginContext(const TraceContext& parent, TraceContext& context) const {
  const bool is_root = !parent.IsValid();
  Rng rng(rng_state_.fetch_add((is_root ? 3 : 1) * kRngStep, std::memory_order_relaxed));
  PutWord(rng, context.span_id.bytes.data());
  if (!parent.baggage.empty()) context.baggage = parent.baggage;
  if (is_root) {
    PutWord(rng, context.trace_id.bytes.data());
    PutWord(rng, context.trace_id.bytes.data() + sizeof(uint64_t));
    context.flags = kRandomFlag;
    return;
  }
  context.trace_id = parent.trace_id;
  if (!parent.trace_state.empty()) context.trace_state = parent.trace_state;
  context.flags = parent.flags & kRandomFlag;
}

std::unique_ptr<SpanRecord> Tracer::NewRecord(std::string_view name, otlp::SpanKind kind,
                                              const TraceContext& parent) const {
  auto record = std::make_unique<SpanRecord>();
  if (parent.IsValid()) record->parent = parent.span_id;
  record->parent_is_remote = parent.IsValid() && parent.is_remote;
  record->name = name;
  record->kind = kind;
  record->scope = options_.scope;
  record->start_unix_ns = clock_->UnixNs();
  return record;
}

Span Tracer::Start(std::string_view name, otlp::SpanKind kind, const TraceContext& parent) const {
  Span span;
  if (!is_on()) {
    span.context_ = parent;
    return span;
  }
  BeginContext(parent, span.context_);
  if (!sampler_.Samples(parent, span.context_.trace_id)) return span;
  span.context_.flags |= kSampledFlag;
  span.tracer_ = this;
  span.record_ = NewRecord(name, kind, parent);
  span.record_->context = std::move(span.context_);
  span.start_steady_ns_ = clock_->SteadyNs();
  return span;
}

}  // namespace spanloom::sdk
