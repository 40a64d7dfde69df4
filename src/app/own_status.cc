// SPDX-License-Identifier: Apache-2.0

#include "app/own_status.h"

#include <array>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "app/version.h"

namespace spanloom::app {
namespace {

// A metric of spans, and what the page calls it.
struct Counted {
  std::string_view metric;
  std::string_view event;
};

// In the order of a span's way. Whose series they are is said by their label, see kParts.
constexpr std::array<Counted, 14> kCounted = {{
    {"otelcol_receiver_accepted_spans", "accepted"},
    {"otelcol_receiver_refused_spans", "refused"},
    {"otelcol_receiver_failed_spans", "failed"},
    {"spanloom_pipeline_accepted_spans", "accepted"},
    {"spanloom_pipeline_refused_spans", "refused"},
    {"spanloom_pipeline_filtered_spans", "filtered"},
    {"otelcol_processor_memory_limiter_refused_spans", "refused"},
    {"spanloom_processor_held_spans", "waiting"},
    {"otelcol_exporter_sent_spans", "delivered"},
    {"spanloom_exporter_held_spans", "waiting"},
    {"otelcol_exporter_send_failed_spans", "send_failed"},
    {"otelcol_exporter_enqueue_failed_spans", "queue_full"},
    {"spanloom_exporter_rejected_spans", "rejected"},
    {"spanloom_pipeline_dropped_spans", "lost"},
}};

// Labels that name a component, in the order of a span's way. A series of a processor has its pipeline too: the first
// label of a series decides.
constexpr std::array<std::string_view, 5> kParts = {"receiver", "pipeline", "processor", "connector", "exporter"};

size_t PlaceOf(std::string_view part) {
  for (size_t i = 0; i < kParts.size(); ++i) {
    if (kParts[i] == part) return i;
  }
  return kParts.size();
}

std::string_view LabelOf(const MetricLabels& labels, std::string_view name) {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return "";
}

// Part, id, event, cause; the first and the third by their places.
using Key = std::tuple<size_t, std::string, size_t, std::string>;

std::vector<query::SpanCount> Counts(const std::map<std::string_view, const MetricSnapshot*>& by_name) {
  std::map<Key, double> sums;
  for (size_t event = 0; event < kCounted.size(); ++event) {
    const auto metric = by_name.find(kCounted[event].metric);
    if (metric == by_name.end()) continue;
    for (const MetricSnapshot::Series& series : metric->second->series) {
      const size_t part = series.labels.empty() ? kParts.size() : PlaceOf(series.labels.front().first);
      if (part == kParts.size()) continue;
      sums[{part, series.labels.front().second, event, std::string(LabelOf(series.labels, "cause"))}] += series.value;
    }
  }
  std::vector<query::SpanCount> counts;
  for (const auto& [key, sum] : sums) {
    const auto& [part, id, event, cause] = key;
    counts.push_back({.part = std::string(kParts[part]),
                      .id = id,
                      .event = std::string(kCounted[event].event),
                      .cause = cause,
                      .spans = static_cast<uint64_t>(sum)});
  }
  return counts;
}

// Those of traces.
std::vector<query::QueueState> Queues(const std::map<std::string_view, const MetricSnapshot*>& by_name) {
  std::map<std::string, query::QueueState, std::less<>> queues;
  const auto read = [&](std::string_view name, auto set) {
    const auto metric = by_name.find(name);
    if (metric == by_name.end()) return;
    for (const MetricSnapshot::Series& series : metric->second->series) {
      if (LabelOf(series.labels, "data_type") != "traces") continue;
      const std::string exporter(LabelOf(series.labels, "exporter"));
      query::QueueState& queue = queues[exporter];
      queue.exporter = exporter;
      set(queue, static_cast<uint64_t>(series.value));
    }
  };
  read("otelcol_exporter_queue_capacity", [](query::QueueState& queue, uint64_t value) { queue.capacity += value; });
  read("otelcol_exporter_queue_size", [](query::QueueState& queue, uint64_t value) { queue.size += value; });
  std::vector<query::QueueState> all;
  for (auto& [exporter, queue] : queues) all.push_back(std::move(queue));
  return all;
}

query::SenderState Told(pipeline::SenderReport report) {
  query::SenderState told{.forgotten = report.forgotten,
                          .forgotten_accepted = report.forgotten_accepted,
                          .forgotten_refused = report.forgotten_refused};
  for (pipeline::SenderRow& row : report.senders) {
    told.senders.push_back({.receiver = std::move(row.receiver),
                            .transport = std::move(row.transport),
                            .address = std::move(row.address),
                            .program = std::move(row.program),
                            .services = std::move(row.services),
                            .connections = row.connections,
                            .spans_accepted = row.spans_accepted,
                            .spans_refused = row.spans_refused,
                            .first_unix_ns = row.first_unix_ns,
                            .last_unix_ns = row.last_unix_ns});
  }
  return told;
}

}  // namespace

OwnStatus::OwnStatus(const MetricRegistry& metrics, const pipeline::SenderTable& senders,
                     std::function<query::StoreState()> store, const Clock& clock, int64_t started_unix_ns)
    : metrics_(metrics),
      senders_(senders),
      store_(std::move(store)),
      clock_(clock),
      started_unix_ns_(started_unix_ns) {}

query::StatusReport OwnStatus::Status() const {
  const std::vector<MetricSnapshot> snapshot = metrics_.Snapshot();
  std::map<std::string_view, const MetricSnapshot*> by_name;
  for (const MetricSnapshot& metric : snapshot) by_name[metric.name] = &metric;
  query::StatusReport report{.now_unix_ns = clock_.UnixNs(),
                             .started_unix_ns = started_unix_ns_,
                             .version = Version(),
                             .counts = Counts(by_name),
                             .queues = Queues(by_name),
                             .senders = Told(senders_.Report()),
                             .store = store_()};
  if (const auto segments = by_name.find("spanloom_store_segments"); segments != by_name.end()) {
    report.store.segments = static_cast<uint64_t>(segments->second->series.front().value);
  }
  return report;
}

}  // namespace spanloom::app
