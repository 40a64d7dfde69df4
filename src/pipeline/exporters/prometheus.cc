// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/prometheus.h"

#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/compression.h"
#include "pipeline/exporters/export_counters.h"

namespace spanloom::pipeline {
namespace {

constexpr size_t kCompressBytesMin = 1'024;  // smaller pages are sent as they are; guess
constexpr std::string_view kAdvice =
    "send sums as cumulative, and each metric under one name with one type; see spanloom_exporter_series for how many "
    "series there are";

constexpr std::pair<std::string_view, TranslationStrategy> kStrategies[] = {
    {"", TranslationStrategy::kUnsaid},
    {"UnderscoreEscapingWithSuffixes", TranslationStrategy::kWithSuffixes},
    {"UnderscoreEscapingWithoutSuffixes", TranslationStrategy::kWithoutSuffixes},
};

constexpr ComponentDoc kDoc = {
    .words =
        "Shows metrics to Prometheus: it keeps the last value of every series and answers GET /metrics with them, "
        "named "
        "as Prometheus names things. Points that count by intervals are added up.",
    .example = R"(connectors:
  span_metrics:
exporters:
  prometheus:
    endpoint: 127.0.0.1:8889
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [spanloom_store, span_metrics]
    metrics:
      receivers: [span_metrics]
      exporters: [prometheus]
)",
};

// What a client would like.
struct Wish {
  bool open_metrics = false;
  bool gzip = false;
};

Wish WishOf(const net::HttpRequest& request, bool knows_open_metrics) {
  const auto names = [&](std::string_view header, std::string_view word) {
    return request.headers.Get(header).find(word) != std::string_view::npos;
  };
  return {.open_metrics = knows_open_metrics && names("accept", "application/openmetrics-text"),
          .gzip = names("accept-encoding", "gzip")};
}

net::HttpResponse Answer(PrometheusPage& page, const Wish& wish) {
  net::HttpResponse response;
  response.headers.Add("content-type", wish.open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                                         : "text/plain; version=0.0.4; charset=utf-8");
  response.body = Bytes(page.Render(wish.open_metrics));
  if (!wish.gzip || response.body.size() < kCompressBytesMin) return response;
  response.body = net::Compress(net::Compression::kGzip, response.body.view());
  response.headers.Add("content-encoding", "gzip");
  return response;
}

}  // namespace

void ResourceToTelemetryOptions::Declare(config::OptionsReader& r) {
  r.Field("enabled", enabled, "Whether attributes of the resource are labels of every series.");
  r.Field("exclude_service_attributes", exclude_service_attributes,
          "Whether service.name, service.namespace and service.instance.id are not, since job and instance say it.");
}

void PrometheusOptions::Declare(config::OptionsReader& r) {
  DeclarePageServer(r, server, "Address to listen on, HOST:PORT or unix:/PATH; metrics are at /metrics.");
  r.Field("namespace", namespace_prefix, "What names of metrics begin with.");
  r.Field("const_labels", const_labels, "Labels of every series.");
  r.Field("send_timestamps", send_timestamps, "Whether values have the time of their point.");
  r.Field("metric_expiration", metric_expiration, "Silence after which a series is shown no more.");
  r.Field("enable_open_metrics", enable_open_metrics,
          "Whether a client that asks for OpenMetrics gets it; exemplars are shown in no other format.");
  r.Field(
      "add_metric_suffixes", add_metric_suffixes,
      "Taken and not used, with a warning if it is false, as by the Collector since 0.132; translation_strategy has "
      "its place.");
  r.Choice<TranslationStrategy>("translation_strategy", translation_strategy, kStrategies,
                                "Whether names end in unit and type, as they do if it is empty. Names that are no "
                                "classic names of Prometheus are not shown as they are.");
  r.Field("without_scope_info", without_scope_info, "Whether labels say nothing of the scope.");
  r.Field("resource_to_telemetry_conversion", resource_to_telemetry_conversion,
          "Whether labels say what target_info says of the resource.");
  r.Unsupported("resource_constant_labels", "write resource_to_telemetry_conversion.enabled: true");
  r.Unsupported("sending_queue", "remove it; points are on the page at once");
}

Status PrometheusOptions::Validate() const {
  if (!server.endpoint.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("endpoint: expecting a non-blank address to run the Prometheus metrics handler");
}

PrometheusPageOptions PrometheusOptions::Page() const {
  return {.prefix = namespace_prefix,
          .labels = const_labels,
          .has_suffixes = translation_strategy != TranslationStrategy::kWithoutSuffixes,
          .has_timestamps = send_timestamps,
          .has_scope = !without_scope_info,
          .has_resource = resource_to_telemetry_conversion.enabled,
          .has_service_attributes = !resource_to_telemetry_conversion.exclude_service_attributes,
          .expiration = metric_expiration};
}

PrometheusExporter::PrometheusExporter(const ComponentId& id, const PrometheusOptions& options,
                                       const BuildContext& context)
    : id_(id.ToString()),
      options_(options),
      context_(context),
      page_(std::make_shared<PrometheusPage>(options.Page(), context.clock)),
      drops_({{"exporter", id_}}, context.metrics, context.clock, otlp::Signal::kMetrics),
      sent_(SentItems(context.metrics, id_, otlp::Signal::kMetrics)),
      series_gauge_(context.metrics.AddGauge("spanloom_exporter_series", "Series that an exporter shows.",
                                             {{"exporter", id_}},
                                             [this] { return static_cast<double>(page_->series_count()); })),
      server_(id_, options_.server, 0, context) {}

Status PrometheusExporter::Start() {
  if (!options_.add_metric_suffixes) {
    Log(LogLevel::kWarn, "add_metric_suffixes changes nothing any more, as in the Collector since 0.132",
        {{"exporter", id_},
         {"advice",
          "remove it; for names without suffixes write translation_strategy: "
          "UnderscoreEscapingWithoutSuffixes"}});
  }
  return server_.Start([this](const net::HttpRequest& request, net::HttpResponder responder) {
    Receive(request, std::move(responder));
  });
}

void PrometheusExporter::Stop(std::chrono::milliseconds grace) {
  server_.Stop(grace);
}

void PrometheusExporter::Receive(const net::HttpRequest& request, net::HttpResponder responder) {
  if (request.path != "/metrics") {
    return std::move(responder).Respond(net::TextResponse(404, "404 page not found; metrics are at /metrics\n"));
  }
  const Wish wish = WishOf(request, options_.enable_open_metrics);
  // The responder is kept where a full queue leaves it.
  const auto kept = std::make_shared<net::HttpResponder>(std::move(responder));
  const bool is_queued =
      context_.loops.workers().Submit([page = page_, wish, kept] { std::move(*kept).Respond(Answer(*page, wish)); });
  if (!is_queued) std::move(*kept).Respond(net::TextResponse(503, "503 too busy; scrape again\n"));
}

void PrometheusExporter::Consume(otlp::Batch batch, Done done) {
  const Bytes request = batch.Encode();
  const PrometheusPage::Refused refused = page_->Add(otlp::MetricsView(request.view()));
  const auto drop = [&](size_t points, const Status& status) {
    if (points > 0) drops_.Count(points, status, kAdvice);
  };
  drop(refused.unsupported, absl::InvalidArgumentError("points that Prometheus cannot have"));
  drop(refused.conflicting, absl::FailedPreconditionError("another metric of this name has another type"));
  drop(refused.too_many, absl::ResourceExhaustedError("there are as many series as may be shown"));
  sent_.Add(batch.span_count());
  std::move(done)(absl::OkStatus());
}

std::vector<Endpoint> PrometheusExporter::endpoints() const {
  return server_.endpoints("prometheus", "/metrics");
}

std::vector<std::string> PrometheusExporter::claims() const {
  return server_.claims();
}

void RegisterPrometheusExporter(Registry& registry) {
  registry.exporters.Add<PrometheusOptions>(
      "prometheus", kDoc,
      [](const ComponentId& id, const PrometheusOptions& options, const BuildContext& context) {
        return std::make_unique<PrometheusExporter>(id, options, context);
      },
      Carries{{{otlp::Signal::kMetrics, otlp::Signal::kMetrics}}});
}

}  // namespace spanloom::pipeline
