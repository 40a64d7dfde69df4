// SPDX-License-Identifier: Apache-2.0

#include "store/scan/trace_reading.h"

#include <algorithm>
#include <utility>

namespace spanloom::store::scan {

void TraceReading::Begin(const otlp::TraceId& id) {
  id_ = id;
  spans_.clear();
  views_.clear();
  places_.clear();
  row_.reset();
}

Status TraceReading::Add(const StoredSpan& span, ReadMeter& meter) {
  const otlp::SpanView view = span.span();
  const auto arrival = static_cast<uint32_t>(spans_.size());
  spans_.push_back({.stored = &span, .start_unix_ns = view.start_unix_ns(), .arrival = arrival});
  if (arrival < kViewsMax) {
    views_.push_back(view);
  } else {
    views_.clear();
  }
  return meter.Span(span.wire.size());
}

void TraceReading::Sort() {
  const auto starts_before = [](const Entry& a, const Entry& b) {
    return std::pair(a.start_unix_ns, a.arrival) < std::pair(b.start_unix_ns, b.arrival);
  };
  if (!std::is_sorted(spans_.begin(), spans_.end(), starts_before)) {
    std::sort(spans_.begin(), spans_.end(), starts_before);
  }
}

Status TraceReading::Read(const otlp::TraceId& id, const std::vector<StoredSpan>& spans, ReadMeter& meter) {
  Begin(id);
  meter.Trace();
  for (const StoredSpan& span : spans) RETURN_IF_ERROR(Add(span, meter));
  Sort();
  return absl::OkStatus();
}

const otlp::SpanView& TraceReading::view(size_t ordinal) {
  if (!views_.empty()) return views_[spans_[ordinal].arrival];
  last_view_.emplace(stored(ordinal).wire.view());
  return *last_view_;
}

const SpanPlace& TraceReading::place(size_t ordinal) {
  if (places_.empty()) PlaceAll();
  return places_[ordinal];
}

void TraceReading::PlaceAll() {
  std::vector<SpanLink> links;
  links.reserve(size());
  for (size_t i = 0; i < size(); ++i) {
    const otlp::SpanView span = stored(i).span();
    links.push_back({.id = span.span_id(), .parent_id = span.parent_span_id()});
  }
  places_ = PlaceSpans(links);
}

const TraceRow& TraceReading::row() {
  if (!row_) SumUp();
  return *row_;
}

void TraceReading::SumUp() {
  TraceRowBuilder builder(id_);
  for (size_t i = 0; i < size(); ++i) builder.Add(stored(i), stored(i).span());
  row_ = std::move(builder).Finish(0);
}

}  // namespace spanloom::store::scan
