// SPDX-License-Identifier: Apache-2.0

#include "app/store_sample.h"

#include <absl/container/flat_hash_set.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "doctor/count_of.h"
#include "store/span_tags.h"

namespace spanloom::app {
namespace {

using doctor::SeenSpan;
using doctor::SeenTrace;

constexpr std::string_view kSource = "the store of this process";
constexpr size_t kBytesMax = 64U << 20;  // held for one service at a time; guess

SeenSpan Seen(const store::StoredSpan& stored) {
  const otlp::SpanView span = stored.span();
  SeenSpan seen;
  seen.id = span.span_id().Hex();
  if (!span.parent_span_id().IsZero()) seen.parent = span.parent_span_id().Hex();
  seen.service = stored.resource().service_name();
  seen.name = span.name();
  seen.kind = store::SpanKindText(span.kind());
  seen.start_us = static_cast<int64_t>(span.start_unix_ns() / 1'000);
  seen.end_us = static_cast<int64_t>(span.end_unix_ns() / 1'000);
  seen.is_error = span.status_code() == otlp::StatusCode::kError;
  for (const otlp::AttributeView attribute : span.attributes()) {
    const otlp::ValueView value = attribute.value();
    const std::string_view text = value.kind() == otlp::ValueView::Kind::kString ? value.string_value() : "";
    const int64_t number = value.kind() == otlp::ValueView::Kind::kInt ? value.int_value() : 0;
    doctor::SeeAttribute(attribute.key(), text, number, seen);
  }
  return seen;
}

// Brings the traces of one service after the other together, each trace once.
class Sampler {
 public:
  Sampler(const store::SpanStore& store, const StoreSampleLimits& limits, store::TimeRange starts,
          const store::ReadLimits& reading)
      : store_(store), limits_(limits), starts_(starts), reading_(reading) {}

  // OK also if nothing more fits.
  Status AddService(const std::string& service) {
    store::FetchPlan plan;
    plan.spansets = {store::Predicate({.field = store::Field::Of(store::Intrinsic::kService),
                                       .comparison = store::Comparison::kEqual,
                                       .operand = store::Value::String(service)})};
    plan.starts = starts_;
    plan.rows = store::FetchPlan::Rows::kWholeTrace;
    plan.wants_messages = true;
    plan.traces_max = limits_.traces_max;
    plan.limits = reading_;
    ASSIGN_OR_RETURN(const std::unique_ptr<store::SpanCursor> cursor, store_.Fetch(std::move(plan)));
    while (!is_full()) {
      ASSIGN_OR_RETURN(const std::optional<store::SpanBatch> batch, cursor->Next());
      if (!batch) break;
      Add(*batch);
    }
    return absl::OkStatus();
  }

  [[nodiscard]] bool is_full() const { return spans_ >= limits_.spans_max; }
  std::vector<SeenTrace> Take() && { return std::move(traces_); }

 private:
  void Add(const store::SpanBatch& batch) {
    for (const store::TraceRows& rows : batch.traces) {
      if (is_full()) return;
      if (!ids_.insert(rows.position.id).second) continue;
      SeenTrace trace{.id = rows.position.id.Hex()};
      for (size_t i = 0; i < rows.row_count; ++i) trace.spans.push_back(Seen(batch.messages[rows.first_row + i]));
      spans_ += trace.spans.size();
      traces_.push_back(std::move(trace));
    }
  }

  const store::SpanStore& store_;
  const StoreSampleLimits& limits_;
  const store::TimeRange starts_;
  const store::ReadLimits reading_;
  absl::flat_hash_set<otlp::TraceId> ids_;
  std::vector<SeenTrace> traces_;
  size_t spans_ = 0;
};

// Those that there are to sample from, with a word on those that are too many.
StatusOr<std::vector<store::ServiceName>> RecentServices(const store::SpanStore& store, const StoreSampleLimits& limits,
                                                         const store::TimeRange& starts,
                                                         const store::ReadLimits& reading,
                                                         std::vector<std::string>& left_out) {
  ASSIGN_OR_RETURN(const std::vector<store::ServiceName> all, store.Services({.starts = starts, .limits = reading}));
  if (all.size() <= limits.services_max) return all;
  left_out.push_back(StrCat("traces of ", doctor::CountOf(all.size() - limits.services_max, "service"), ": only those ",
                            limits.services_max, " with the most spans are looked at"));
  return store.Services({.starts = starts, .names_max = limits.services_max, .limits = reading});
}

}  // namespace

StatusOr<StoreSample> SampleStore(const store::SpanStore& store, const Clock& clock, const StoreSampleLimits& limits,
                                  const std::stop_token& stop) {
  const store::ReadLimits reading{
      .deadline_steady_ns = clock.SteadyNs() + std::chrono::nanoseconds(limits.time_max).count(),
      .stop = stop,
      .bytes_max = kBytesMax};
  const int64_t now_ns = clock.UnixNs();
  const store::TimeRange starts{.begin_unix_ns =
                                    static_cast<uint64_t>(now_ns - std::chrono::nanoseconds(limits.lookback).count())};
  StoreSample sample;
  sample.traces.source = kSource;
  sample.traces.settled_before_us = now_ns / 1'000 - std::chrono::microseconds(limits.settle).count();
  ASSIGN_OR_RETURN(const std::vector<store::ServiceName> known, store.Services({.limits = reading}));
  for (const store::ServiceName& service : known) sample.traces.services.push_back(service.name);
  ASSIGN_OR_RETURN(const std::vector<store::ServiceName> recent,
                   RecentServices(store, limits, starts, reading, sample.left_out));
  Sampler sampler(store, limits, starts, reading);
  for (const store::ServiceName& service : recent) {
    const Status added = sampler.AddService(service.name);
    if (absl::IsCancelled(added)) return added;
    if (!added.ok()) sample.left_out.push_back(StrCat("traces of ", service.name, ": ", StdView(added.message())));
  }
  if (sampler.is_full()) {
    sample.left_out.push_back(StrCat("traces beyond the sample's ", doctor::CountOf(limits.spans_max, "span")));
  }
  sample.traces.traces = std::move(sampler).Take();
  return sample;
}

}  // namespace spanloom::app
