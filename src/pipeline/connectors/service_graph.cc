// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/service_graph.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "otlp/writer.h"
#include "store/value_text.h"

namespace spanloom::pipeline {
namespace {

constexpr double kNsPerSecond = 1e9;
constexpr int64_t kSilenceMaxNs = 15LL * 60 * 1'000'000'000;  // of a series; the Collector's
constexpr size_t kSeriesMax = 100'000;                        // some 1 KB each; guess
constexpr size_t kSeriesPerPart = 500;                        // some 300 us of writing; guess
// The Collector's.
constexpr double kDefaultBounds[] = {0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1, 1.4, 2, 5, 10, 15};

constexpr ComponentDoc kDoc = {
    .words =
        "Makes metrics of who calls whom: it pairs the client's span of a request with the server's (a producer's with "
        "a consumer's) and counts, by both services, `traces_service_graph_request_total`, `..._request_failed_total` "
        "and the seconds on either side, `traces_service_graph_request_client` and `..._request_server`. A call of a "
        "database needs no other half; a half that stays alone is paired with a virtual node, or else counted as "
        "`..._unpaired_spans_total`, and what finds no room as `..._dropped_spans_total`. It needs all spans of a "
        "trace.",
    .example = R"(connectors:
  service_graph:
    store:
      ttl: 5s
      max_items: 10000
exporters:
  debug:
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [spanloom_store, service_graph]
    metrics:
      receivers: [service_graph]
      exporters: [debug]
)",
};

double SecondsOf(const otlp::SpanView& span) {
  return static_cast<double>(span.duration_ns()) / kNsPerSecond;
}

// What the resource says of `key`, or else the span.
std::optional<std::string> TextOf(const otlp::SpanContext& context, std::string_view key) {
  if (const auto value = FindAttribute(context.resource.attributes(), key)) return store::ValueText(*value);
  if (const auto value = FindAttribute(context.span.attributes(), key)) return store::ValueText(*value);
  return std::nullopt;
}

std::vector<std::string> DatabaseAttributes(const ServiceGraphOptions& options) {
  if (!options.database_name_attribute.empty()) return {options.database_name_attribute};
  return options.database_name_attributes;
}

void WriteAttributes(std::string_view wire, otlp::AttributeWriter& attributes) {
  for (const otlp::AttributeView attribute : otlp::RepeatedView<otlp::AttributeView, 1>(wire)) {
    attributes.Copy(attribute);
  }
}

void BeginSum(std::string_view name, std::string_view description, otlp::MetricsWriter& writer) {
  writer.BeginMetric({.name = name,
                      .description = description,
                      .kind = otlp::MetricKind::kSum,
                      .temporality = otlp::Temporality::kCumulative,
                      .is_monotonic = true});
}

// A sum of those members of `entries` that count something.
template <typename Entries, typename Count>
void WriteSum(std::string_view name, std::string_view description, const Entries& entries, Count count,
              const otlp::PointTimes& times, otlp::MetricsWriter& writer) {
  bool has_begun = false;
  for (const auto* entry : entries) {
    if (entry->*count == 0) continue;
    if (!std::exchange(has_begun, true)) BeginSum(name, description, writer);
    writer.AddSum(times, static_cast<int64_t>(entry->*count),
                  [&](otlp::AttributeWriter& attributes) { WriteAttributes(entry->attributes, attributes); });
  }
}

// Calls `write` with some of the values of `map` after the others, each time under `mutex`, which others may have in
// between.
template <typename Map, typename Write>
void ForEachPart(Mutex& mutex, const Map& map, Write write) {
  for (std::optional<std::string> last;;) {
    const MutexLock lock(mutex);
    auto next = last ? map.upper_bound(*last) : map.begin();
    if (next == map.end()) return;
    std::vector<const typename Map::mapped_type*> part;
    for (; next != map.end() && part.size() < kSeriesPerPart; ++next) part.push_back(&next->second);
    last = std::prev(next)->first;
    write(part);
  }
}

Counter& OwnCounter(const BuildContext& context, const ComponentId& id, std::string_view name, std::string_view help) {
  return context.metrics.GetCounter(StrCat("otelcol_connector_servicegraph_", name), help,
                                    {{"connector", id.ToString()}});
}

}  // namespace

void EdgeStoreOptions::Declare(config::OptionsReader& r) {
  r.Field("max_items", max_items, "How many requests wait for their other half; a span beyond is not paired.",
          {.min = 1, .max = 10'000'000, .unit = "requests"});
  r.Field("ttl", ttl, "How long one waits.");
}

void ServiceGraphOptions::Declare(config::OptionsReader& r) {
  r.Field("latency_histogram_buckets", latency_histogram_buckets,
          "Upper bounds, ascending durations; without them 2ms, 4ms, 6ms, 8ms, 10ms, 50ms, 100ms, 200ms, 400ms, 800ms, "
          "1s, 1400ms, 2s, 5s, 10s and 15s.",
          CheckBound);
  r.Field("exponential_histogram_max_size", exponential_histogram_max_size,
          "Most buckets of an exponential histogram in place of one with bounds; 0 means bounds.",
          {.min = 0, .max = kExponentialSizeMax, .unit = "buckets"});
  r.Field("dimensions", dimensions,
          "Attributes that are labels too, as client_NAME and server_NAME by the side that has them.");
  r.Field("store", store, "Requests of which one half has come.");
  r.Field("cache_loop", cache_loop, "How often series that were silent for 15m are dropped.",
          {.min = std::chrono::milliseconds(1)});
  r.Field("store_expiration_loop", store_expiration_loop, "How often requests that have waited for long are given up.",
          {.min = std::chrono::milliseconds(1)});
  r.Field("virtual_node_peer_attributes", virtual_node_peer_attributes,
          "Attributes of a client's span that name the server that sends no spans, the first that is there; none: a "
          "request without its other half is not counted.");
  r.Field("virtual_node_extra_label", virtual_node_extra_label,
          "Whether the label virtual_node says which side sends no spans.");
  r.Field("metrics_flush_interval", metrics_flush_interval,
          "Time between two points of a series; 0 makes points with every batch of spans.");
  r.Field("metrics_timestamp_offset", metrics_timestamp_offset, "How far back the times of points are put.");
  r.Field("database_name_attribute", database_name_attribute, "One attribute in place of database_name_attributes.");
  r.Field("database_name_attributes", database_name_attributes,
          "Attributes that name a database, the first that is there; a client's span with one has no other half.");
  r.Unsupported("metrics_exporter", "remove it; metrics go to the pipelines that begin with this connector");
}

Status ServiceGraphOptions::Validate() const {
  if (!latency_histogram_buckets.empty() && exponential_histogram_max_size > 0) {
    return absl::InvalidArgumentError("use either `latency_histogram_buckets` or `exponential_histogram_max_size`");
  }
  return CheckAscending("latency_histogram_buckets", Shape().bounds);
}

HistogramShape ServiceGraphOptions::Shape() const {
  if (exponential_histogram_max_size > 0) {
    return {.exponential_size_max = std::max(kExponentialSizeMin, static_cast<size_t>(exponential_histogram_max_size))};
  }
  if (latency_histogram_buckets.empty()) return {.bounds = {std::begin(kDefaultBounds), std::end(kDefaultBounds)}};
  return {.bounds = BoundsOf(latency_histogram_buckets, kNsPerSecond)};
}

ServiceGraphConnector::ServiceGraphConnector(const ComponentId& id, const ServiceGraphOptions& options,
                                             const BuildContext& context, Consumer& next)
    : id_(id.ToString()),
      options_(options),
      shape_(options.Shape()),
      database_attributes_(DatabaseAttributes(options)),
      clock_(context.clock),
      start_unix_ns_(static_cast<uint64_t>(context.clock.UnixNs())),
      outlet_(id, context, next),
      dropped_(OwnCounter(context, id, "dropped_spans", "Number of spans dropped when trying to add edges.")),
      edges_total_(OwnCounter(context, id, "total_edges", "Total number of unique edges.")),
      expired_(
          OwnCounter(context, id, "expired_edges", "Number of edges that expired before finding its matching span.")),
      edges_(static_cast<size_t>(options.store.max_items), options.store.ttl) {
  const auto tick = [&](std::chrono::nanoseconds interval, void (ServiceGraphConnector::*task)()) {
    tickers_.push_back(std::make_unique<Ticker>(context.loops, interval, [this, task] { (this->*task)(); }));
  };
  if (options.metrics_flush_interval.count() > 0) tick(options.metrics_flush_interval, &ServiceGraphConnector::Flush);
  tick(options.store_expiration_loop, &ServiceGraphConnector::ExpireEdges);
  tick(options.cache_loop, &ServiceGraphConnector::DropSilentSeries);
}

Status ServiceGraphConnector::Start() {
  for (const auto& ticker : tickers_) ticker->Start();
  return absl::OkStatus();
}

void ServiceGraphConnector::Stop(std::chrono::milliseconds grace) {
  is_stopped_ = true;
  for (const auto& ticker : tickers_) ticker->Stop();
  outlet_.Send(Collect());
  outlet_.Drain(grace);
}

void ServiceGraphConnector::Consume(otlp::Batch batch, Done done) {
  if (is_stopped_) return std::move(done)(absl::UnavailableError(StrCat("connector ", id_, " is stopped")));
  {
    const MutexLock lock(mutex_);
    const int64_t now_ns = clock_.SteadyNs();
    for (const otlp::Slice& slice : batch.slices()) {
      slice.ForEach([&](const otlp::SpanContext& context)
                        ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { Add(context, now_ns); });
    }
  }
  std::move(done)(absl::OkStatus());
  if (options_.metrics_flush_interval.count() == 0) Flush();
}

void ServiceGraphConnector::Add(const otlp::SpanContext& context, int64_t now_ns) {
  const otlp::SpanKind kind = context.span.kind();
  const bool is_client = kind == otlp::SpanKind::kClient || kind == otlp::SpanKind::kProducer;
  const bool is_server = kind == otlp::SpanKind::kServer || kind == otlp::SpanKind::kConsumer;
  if (!is_client && !is_server) return;
  const auto service = FindAttribute(context.resource.attributes(), "service.name");
  if (!service || service->kind() != otlp::ValueView::Kind::kString) return;
  const bool is_message = kind == otlp::SpanKind::kProducer || kind == otlp::SpanKind::kConsumer;
  AddHalf({context, service->string_value(), is_message ? "messaging_system" : ""}, is_client, now_ns);
}

void ServiceGraphConnector::AddHalf(const Half& half, bool is_client, int64_t now_ns) {
  const otlp::SpanView& span = half.context.span;
  const EdgeStore::Key key(span.trace_id(), is_client ? span.span_id() : span.parent_span_id());
  const auto expire = [this](const EdgeStore::Key& expired, Edge& edge)
                          ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { OnExpired(expired, edge); };
  if (edges_.is_full()) edges_.Expire(now_ns, expire);
  const auto result = edges_.Update(
      key, now_ns, [&](Edge& edge) { is_client ? FillClient(half, edge) : FillServer(half, edge); },
      [this](const EdgeStore::Key&, Edge& edge) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { Count(edge); });
  if (result == EdgeStore::Result::kFull) {
    Edge edge;
    is_client ? FillClient(half, edge) : FillServer(half, edge);
    dropped_.Add(1);
    CountLost(edge, &LostHalves::dropped);
  }
  if (result == EdgeStore::Result::kNew) edges_total_.Add(1);
}

void ServiceGraphConnector::FillClient(const Half& half, Edge& edge) const {
  const otlp::SpanView& span = half.context.span;
  edge.connection = half.connection;
  edge.client = half.service;
  edge.client_seconds = SecondsOf(span);
  edge.is_failed = edge.is_failed || span.status_code() == otlp::StatusCode::kError;
  AddDimensions(half, "client_", edge);
  for (const std::string& name : options_.virtual_node_peer_attributes) {
    const auto peer = FindAttribute(span.attributes(), name);
    if (!peer) continue;
    edge.peer = store::ValueText(*peer);
    break;
  }
  for (const std::string& name : database_attributes_) {
    auto database = TextOf(half.context, name);
    if (!database) continue;
    edge.connection = "database";
    edge.server = *std::move(database);
    edge.server_seconds = SecondsOf(span);
    return;
  }
}

void ServiceGraphConnector::FillServer(const Half& half, Edge& edge) const {
  edge.connection = half.connection;
  edge.server = half.service;
  edge.server_seconds = SecondsOf(half.context.span);
  edge.is_failed = edge.is_failed || half.context.span.status_code() == otlp::StatusCode::kError;
  AddDimensions(half, "server_", edge);
}

void ServiceGraphConnector::AddDimensions(const Half& half, std::string_view side, Edge& edge) const {
  for (const std::string& name : options_.dimensions) {
    if (auto value = TextOf(half.context, name)) edge.dimensions.emplace_back(StrCat(side, name), *std::move(value));
  }
}

void ServiceGraphConnector::OnExpired(const EdgeStore::Key& key, Edge& edge) {
  expired_.Add(1);
  // The client of a server's span that has a parent is somewhere: no virtual node stands for it.
  const bool is_orphan = edge.client.empty() && !key.second.IsZero();
  if (options_.virtual_node_peer_attributes.empty() || is_orphan) return CountLost(edge, &LostHalves::unpaired);
  edge.connection = "virtual_node";
  if (edge.client.empty() && key.second.IsZero()) {
    edge.client = "user";
    edge.virtual_node = "client";
    Count(edge);
  }
  if (edge.server.empty()) {
    edge.server = edge.peer.empty() ? "unknown" : edge.peer;
    edge.virtual_node = "server";
    Count(edge);
  }
}

std::string ServiceGraphConnector::EncodeAttributes(const Edge& edge) const {
  std::string attributes;
  const otlp::wire::Writer wire(attributes);
  otlp::AttributeWriter writer(wire, 1);
  writer.String("client", edge.client).String("server", edge.server).String("connection_type", edge.connection);
  writer.Bool("failed", edge.is_failed);
  for (const auto& [name, value] : edge.dimensions) writer.String(name, value);
  if (options_.virtual_node_extra_label) writer.String("virtual_node", edge.virtual_node);
  return attributes;
}

bool ServiceGraphConnector::HasRoomForSeries() const {
  return series_.size() + lost_.size() < kSeriesMax;
}

void ServiceGraphConnector::Count(const Edge& edge) {
  std::string attributes = EncodeAttributes(edge);
  auto known = series_.find(attributes);
  if (known == series_.end()) {
    if (!HasRoomForSeries()) return dropped_.Add(1);
    Series made{.attributes = attributes, .client = DurationHistogram(shape_), .server = DurationHistogram(shape_)};
    known = series_.emplace(std::move(attributes), std::move(made)).first;
  }
  Series& series = known->second;
  series.last_seen_ns = clock_.SteadyNs();
  ++series.total;
  series.failed += edge.is_failed ? 1 : 0;
  series.client.Add(shape_, edge.client_seconds, 1);
  series.server.Add(shape_, edge.server_seconds, 1);
}

void ServiceGraphConnector::CountLost(const Edge& edge, uint64_t LostHalves::*count) {
  std::string attributes;
  const otlp::wire::Writer wire(attributes);
  otlp::AttributeWriter writer(wire, 1);
  writer.String("client", edge.client).String("server", edge.server).String("connection_type", edge.connection);
  auto known = lost_.find(attributes);
  if (known == lost_.end()) {
    if (!HasRoomForSeries()) return;  // it is in the connector's own counters
    LostHalves made{.attributes = attributes};
    known = lost_.emplace(std::move(attributes), std::move(made)).first;
  }
  known->second.last_seen_ns = clock_.SteadyNs();
  ++(known->second.*count);
}

void ServiceGraphConnector::WriteEdges(const std::vector<const Series*>& part, const otlp::PointTimes& times,
                                       otlp::MetricsWriter& writer) const {
  WriteSum("traces_service_graph_request_total", "How many requests there were between two services.", part,
           &Series::total, times, writer);
  WriteSum("traces_service_graph_request_failed_total", "How many requests between two services failed.", part,
           &Series::failed, times, writer);
  const auto write_seconds = [&](std::string_view name, std::string_view description,
                                 DurationHistogram Series::*histogram) {
    writer.BeginMetric({.name = name,
                        .description = description,
                        .unit = "s",
                        .kind = shape_.kind(),
                        .temporality = otlp::Temporality::kCumulative});
    for (const Series* series : part) {
      (series->*histogram)
          .Write(
              shape_, times,
              [&](otlp::AttributeWriter& attributes) { WriteAttributes(series->attributes, attributes); }, {}, writer);
    }
  };
  write_seconds("traces_service_graph_request_client", "How long requests between two services took the client.",
                &Series::client);
  write_seconds("traces_service_graph_request_server", "How long requests between two services took the server.",
                &Series::server);
}

std::vector<MetricsRequest> ServiceGraphConnector::Collect() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  // The maps are named here and locked in ForEachPart.
  const otlp::PointTimes times{
      .start_unix_ns = start_unix_ns_,
      .time_unix_ns = static_cast<uint64_t>(clock_.UnixNs() - options_.metrics_timestamp_offset.count())};
  MetricsRequests requests("traces_service_graph");
  requests.BeginResource("");
  ForEachPart(mutex_, series_, [&](const auto& part) { WriteEdges(part, times, requests.writer()); });
  ForEachPart(mutex_, lost_, [&](const auto& part) {
    otlp::MetricsWriter& writer = requests.writer();
    WriteSum("traces_service_graph_unpaired_spans_total", "How many spans waited in vain for their other half.", part,
             &LostHalves::unpaired, times, writer);
    WriteSum("traces_service_graph_dropped_spans_total", "How many spans found no room to wait for their other half.",
             part, &LostHalves::dropped, times, writer);
  });
  return requests.Take();
}

void ServiceGraphConnector::Flush() {
  outlet_.Send(Collect());
}

void ServiceGraphConnector::ExpireEdges() {
  const MutexLock lock(mutex_);
  edges_.Expire(clock_.SteadyNs(), [this](const EdgeStore::Key& key, Edge& edge)
                                       ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { OnExpired(key, edge); });
}

void ServiceGraphConnector::DropSilentSeries() {
  const MutexLock lock(mutex_);
  const int64_t now_ns = clock_.SteadyNs();
  const auto is_silent = [&](const auto& entry) { return now_ns - entry.second.last_seen_ns > kSilenceMaxNs; };
  std::erase_if(series_, is_silent);
  std::erase_if(lost_, is_silent);
}

void RegisterServiceGraphConnector(Registry& registry) {
  registry.connectors.Add<ServiceGraphOptions>(
      "service_graph", kDoc,
      [](const ComponentId& id, const ServiceGraphOptions& options, const BuildContext& context, Consumer& next) {
        return std::make_unique<ServiceGraphConnector>(id, options, context, next);
      },
      Carries{{{otlp::Signal::kTraces, otlp::Signal::kMetrics}}});
  registry.connectors.AddAlias("servicegraph", "service_graph");
}

}  // namespace spanloom::pipeline
