// SPDX-License-Identifier: Apache-2.0

#include "sdk/tracer.h"

#include <absl/algorithm/container.h>

#include <cstring>
#include <utility>

#include "base/check.h"

namespace spanloom::sdk {
namespace {

void PutWord(uint64_t word, uint8_t* bytes) {
  std::memcpy(bytes, &word, sizeof(word));
}

}  // namespace

Span::Span(const Tracer& tracer, std::unique_ptr<SpanRecord> record, int64_t start_steady_ns)
    : tracer_(&tracer), record_(std::move(record)), start_steady_ns_(start_steady_ns) {}

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  End();
  tracer_ = other.tracer_;
  record_ = std::move(other.record_);
  context_ = std::move(other.context_);
  start_steady_ns_ = other.start_steady_ns_;
  return *this;
}

void Span::Set(std::string_view key, decltype(Attribute::value) value) {
  Attributes& attributes = record_->attributes;
  const auto found = absl::c_find_if(attributes, [&](const Attribute& attribute) { return attribute.key == key; });
  if (found != attributes.end()) {
    found->value = std::move(value);
  } else if (attributes.size() < kAttributesMax) {
    attributes.push_back({key, std::move(value)});
  } else {
    ++record_->dropped.attributes;
  }
}

Span& Span::SetString(std::string_view key, std::string_view value) {
  if (record_ != nullptr) Set(key, std::string(value));
  return *this;
}

Span& Span::SetInt(std::string_view key, int64_t value) {
  if (record_ != nullptr) Set(key, value);
  return *this;
}

Span& Span::SetDouble(std::string_view key, double value) {
  if (record_ != nullptr) Set(key, value);
  return *this;
}

Span& Span::SetBool(std::string_view key, bool value) {
  if (record_ != nullptr) Set(key, value);
  return *this;
}

int64_t Span::NowUnixNs() const {
  return record_->start_unix_ns + tracer_->clock_->SteadyNs() - start_steady_ns_;
}

Span& Span::AddEvent(std::string_view name, Attributes attributes) {
  if (record_ == nullptr) return *this;
  if (record_->events.size() < kEventsMax) {
    record_->events.push_back({NowUnixNs(), std::string(name), std::move(attributes)});
  } else {
    ++record_->dropped.events;
  }
  return *this;
}

Span& Span::AddLink(const TraceContext& link) {
  if (record_ == nullptr || !link.IsValid()) return *this;
  if (record_->links.size() < kLinksMax) {
    record_->links.push_back(link);
  } else {
    ++record_->dropped.links;
  }
  return *this;
}

Span& Span::SetStatus(otlp::StatusCode code, std::string_view message) {
  if (record_ == nullptr) return *this;
  record_->status = code;
  record_->status_message = code == otlp::StatusCode::kError ? message : std::string_view();
  return *this;
}

void Span::End() {
  if (record_ == nullptr) return;
  record_->end_unix_ns = NowUnixNs();
  context_ = record_->context;
  tracer_->sink_->Take(std::move(record_));
}

Tracer::Tracer(Sampler sampler, const Clock& clock, Rng rng, SpanSink& sink, Propagation propagation)
    : sampler_(sampler), propagation_(propagation), clock_(&clock), sink_(&sink), rng_state_(rng.Next()) {}

const Tracer& Tracer::None() {
  static const Tracer none;
  return none;
}

uint64_t Tracer::NextRandom() const {
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15ULL;  // by which Rng's state moves on
  while (true) {
    const uint64_t word = Rng(rng_state_.fetch_add(kStep, std::memory_order_relaxed)).Next();
    if (word != 0) return word;
  }
}

TraceContext Tracer::NewContext(const TraceContext& parent) const {
  TraceContext context;
  PutWord(NextRandom(), context.span_id.bytes.data());
  context.baggage = parent.baggage;
  if (parent.IsValid()) {
    context.trace_id = parent.trace_id;
    context.trace_state = parent.trace_state;
    context.flags = parent.flags & kRandomFlag;
  } else {
    PutWord(NextRandom(), context.trace_id.bytes.data());
    PutWord(NextRandom(), context.trace_id.bytes.data() + sizeof(uint64_t));
  }
  return context;
}

Span Tracer::Start(std::string_view name, otlp::SpanKind kind, const TraceContext& parent) const {
  if (sink_ == nullptr) return {};
  TraceContext context = NewContext(parent);
  if (!sampler_.Samples(parent, context.trace_id)) return Span(std::move(context));
  context.flags |= kSampledFlag;
  auto record = std::make_unique<SpanRecord>();
  record->context = std::move(context);
  if (parent.IsValid()) record->parent = parent.span_id;
  record->parent_is_remote = parent.IsValid() && parent.is_remote;
  record->name = name;
  record->kind = kind;
  record->start_unix_ns = clock_->UnixNs();
  return Span(*this, std::move(record), clock_->SteadyNs());
}

}  // namespace spanloom::sdk
