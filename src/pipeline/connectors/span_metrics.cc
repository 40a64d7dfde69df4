// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/span_metrics.h"

#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Makes metrics of spans: `traces.span.metrics.calls` counts them, `traces.span.metrics.duration` measures how "
        "long they took, `traces.span.metrics.events` counts their events, by service, name, kind, status and what "
        "else "
        "is named. It ends pipelines of traces and begins pipelines of metrics. Beside other destinations it counts "
        "what they have taken, once; spans of a resource without service.name are not counted. A span whose tracestate "
        "says that it was sampled counts for those it stands for.",
    .example = R"(connectors:
  span_metrics:
    dimensions:
      - name: http.route
      - name: http.request.method
        default: GET
    metrics_flush_interval: 15s
exporters:
  debug:
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [spanloom_store, span_metrics]
    metrics:
      receivers: [span_metrics]
      exporters: [debug]
)",
};

}  // namespace

SpanMetricsConnector::SpanMetricsConnector(const ComponentId& id, const SpanMetricsOptions& options,
                                           const BuildContext& context, Consumer& next)
    : id_(id.ToString()),
      options_(options),
      tally_(options, context.instance_id, context.clock, context.seed),
      outlet_(id, context, next),
      skipped_(context.metrics.GetCounter("spanloom_connector_skipped_spans",
                                          "Spans of resources without service.name, which are not counted.",
                                          {{"connector", id_}})),
      series_gauge_(context.metrics.AddGauge("spanloom_connector_series", "Series that a connector keeps.",
                                             {{"connector", id_}},
                                             [this] { return static_cast<double>(tally_.series_count()); })),
      lost_gauge_(context.metrics.AddReadCounter(
          "spanloom_connector_lost_series",
          "Series that were dropped untold, because more resources came and went than are kept.", {{"connector", id_}},
          [this] { return static_cast<double>(tally_.lost_series()); })),
      ticker_(context.loops, options.metrics_flush_interval, [this] { Flush(); }) {}

Status SpanMetricsConnector::Start() {
  ticker_.Start();
  return absl::OkStatus();
}

void SpanMetricsConnector::Stop(std::chrono::milliseconds grace) {
  is_stopped_ = true;
  ticker_.Stop();
  outlet_.Send(tally_.Collect(true));
  outlet_.Drain(grace);
}

void SpanMetricsConnector::Consume(otlp::Batch batch, Done done) {
  if (is_stopped_) return std::move(done)(absl::UnavailableError(StrCat("connector ", id_, " is stopped")));
  if (const size_t skipped = tally_.Count(batch); skipped > 0) skipped_.Add(skipped);
  std::move(done)(absl::OkStatus());
}

void SpanMetricsConnector::Flush() {
  outlet_.Send(tally_.Collect(false));
}

void RegisterSpanMetricsConnector(Registry& registry) {
  registry.connectors.Add<SpanMetricsOptions>(
      "span_metrics", kDoc,
      [](const ComponentId& id, const SpanMetricsOptions& options, const BuildContext& context, Consumer& next) {
        return std::make_unique<SpanMetricsConnector>(id, options, context, next);
      },
      Carries{{{otlp::Signal::kTraces, otlp::Signal::kMetrics}}});
  registry.connectors.AddAlias("spanmetrics", "span_metrics");
}

}  // namespace spanloom::pipeline
