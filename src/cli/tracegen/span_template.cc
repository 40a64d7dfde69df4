// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/span_template.h"

#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "otlp/views.h"

namespace spanloom::cli::tracegen {
namespace {

constexpr size_t kVarintBytes = 2;
constexpr uint64_t kIdSeed = 1;  // of the ids that stand in a template
constexpr Interval kTime = {.start_ns = 0x1122'3344'5566'7788, .end_ns = 0x2233'4455'6677'8899};
constexpr int64_t kIntPlaceholder = SpanTemplate::kIntMax;
constexpr double kDoublePlaceholder = 0.1;

template <typename T>
void Put(const T& value, char* target) {
  std::memcpy(target, &value, sizeof(value));
}

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

void PutVarint(uint64_t value, char* target) {
  target[0] = static_cast<char>(value | 0x80);
  target[1] = static_cast<char>(value >> 7);
}

}  // namespace

SpanTemplate::Attributes& SpanTemplate::Attributes::RequestId(std::string_view key, std::string_view prefix) {
  writer_.String(key, StrCat(prefix, std::string(kRequestIdBytes, '0')));
  made_.holes_.push_back({.kind = HoleKind::kRequestId, .at = trace_.wire.size() - kRequestIdBytes});
  return *this;
}

SpanTemplate::Attributes& SpanTemplate::Attributes::Seconds(std::string_view key, double low, double high) {
  writer_.Double(key, kDoublePlaceholder);
  made_.holes_.push_back(
      {.kind = HoleKind::kSeconds, .at = trace_.wire.size() - sizeof(double), .low = low, .range = high - low});
  return *this;
}

SpanTemplate::Attributes& SpanTemplate::Attributes::WholeMs(std::string_view key, int64_t low, int64_t high) {
  writer_.Double(key, kDoublePlaceholder);
  made_.holes_.push_back({.kind = HoleKind::kWholeMs,
                          .at = trace_.wire.size() - sizeof(double),
                          .low = static_cast<double>(low),
                          .range = static_cast<double>(high - low + 1)});
  return *this;
}

SpanTemplate::Attributes& SpanTemplate::Attributes::Int(std::string_view key, int64_t low, int64_t high) {
  CHECK(kIntMin <= low && low <= high && high <= kIntMax);
  writer_.Int(key, kIntPlaceholder);
  made_.holes_.push_back({.kind = HoleKind::kInt,
                          .at = trace_.wire.size() - kVarintBytes,
                          .low = static_cast<double>(low),
                          .range = static_cast<double>(high - low + 1)});
  return *this;
}

SpanTemplate::SpanTemplate(const SpanHead& head, otlp::StatusCode status,
                           absl::FunctionRef<void(Attributes&)> write_attributes)
    : origin_(head.origin) {
  Rng rng(kIdSeed);
  GeneratedTrace trace;
  TraceWriter writer(trace, rng, 0);
  SpanHead timed = head;
  timed.time = kTime;
  SpanWriter span = writer.Begin(timed);
  Attributes attributes(span, trace, *this);
  write_attributes(attributes);
  const std::string before = trace.wire;  // a length in front that grew would move what was noted
  const otlp::SpanId span_id = span.End(status);
  wire_ = std::move(trace.wire);
  CHECK(holes_.empty() || wire_.compare(holes_[0].at, before.size() - holes_[0].at, before, holes_[0].at) == 0);
  const otlp::ScopeSpansView scope(wire_);
  const otlp::TraceId trace_id = (*scope.spans().begin()).trace_id();
  trace_id_ = Find(trace_id.view());
  span_id_ = Find(span_id.view());
  if (!head.parent.IsZero()) parent_ = Find(head.parent.view());
  start_ = Find(BytesOf(kTime.start_ns));
  end_ = Find(BytesOf(kTime.end_ns));
}

size_t SpanTemplate::Find(std::string_view bytes) const {
  const size_t at = wire_.find(bytes);
  CHECK(at != std::string::npos && wire_.find(bytes, at + 1) == std::string::npos);
  return at;
}

void SpanTemplate::Fill(const Hole& hole, const SpanFacts& facts, Rng& rng, char* span) const {
  char* const target = span + hole.at;
  switch (hole.kind) {
    case HoleKind::kRequestId:
      std::memcpy(target, facts.request_id.data(), kRequestIdBytes);
      return;
    case HoleKind::kSeconds:
      return Put(hole.low + hole.range * rng.Unit(), target);
    case HoleKind::kWholeMs:
      return Put(hole.low + static_cast<double>(static_cast<int64_t>(hole.range * rng.Unit())), target);
    case HoleKind::kInt:
      return PutVarint(static_cast<uint64_t>(hole.low + hole.range * rng.Unit()), target);
  }
}

void SpanTemplate::Append(const SpanFacts& facts, Rng& rng, GeneratedTrace& trace) const {
  DCHECK(facts.request_id.size() == kRequestIdBytes && facts.parent.IsZero() == (parent_ == 0));
  const size_t begin = trace.wire.size();
  trace.wire.append(wire_);
  char* const span = trace.wire.data() + begin;
  Put(facts.trace_id.bytes, span + trace_id_);
  Put(facts.span_id.bytes, span + span_id_);
  if (parent_ != 0) Put(facts.parent.bytes, span + parent_);
  Put(facts.start_unix_ns, span + start_);
  Put(facts.end_unix_ns, span + end_);
  for (const Hole& hole : holes_) Fill(hole, facts, rng, span);
  trace.spans.push_back({.origin = origin_, .begin = begin, .size = wire_.size()});
}

}  // namespace spanloom::cli::tracegen
