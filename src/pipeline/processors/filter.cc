// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/filter.h"

#include <absl/strings/str_replace.h>

#include <memory>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kOnlySpans = "remove it; only traces.span conditions are known";

// `conditions` have passed FilterOptions::Validate.
ottl::SpanConditions Compiled(const std::vector<std::string>& conditions) {
  StatusOr<ottl::SpanConditions> compiled = ottl::SpanConditions::Compile(conditions);
  CHECK(compiled.ok());
  return *std::move(compiled);
}

bool DropsEveryBareGet(std::string_view condition) {
  const std::string dense = absl::StrReplaceAll(AbslView(condition), {{" ", ""}, {"\t", ""}});
  return dense == "name==\"GET\"" || dense == "span.name==\"GET\"";
}

constexpr ComponentDoc kDoc = {
    .words = "Drops the spans for which a condition holds.",
    .example = R"(processors:
  filter/scrapes:
    error_mode: ignore
    traces:
      span:
        - attributes["url.path"] == "/metrics"
        - name == "GET /metrics"
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [filter/scrapes]
      exporters: [spanloom_store]
)",
};

}  // namespace

void FilterTracesOptions::Declare(config::OptionsReader& r) {
  r.Field("span", span, "OTTL conditions on spans; a span for which one holds is dropped.",
          [](const std::string& condition) { return ottl::CompileSpanCondition(condition).status(); });
  r.Unsupported("resource", "write the conditions as traces.span with resource.attributes[\"...\"]");
  r.Unsupported("spanevent", kOnlySpans);
  r.Unsupported("span_event", kOnlySpans);
}

void FilterOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, ErrorMode> kModes[] = {
      {"ignore", ErrorMode::kIgnore}, {"silent", ErrorMode::kSilent}, {"propagate", ErrorMode::kPropagate}};
  r.Choice<ErrorMode>("error_mode", error_mode, kModes,
                      "What an error in a condition means; no condition of this version can fail.");
  r.Field("traces", traces, "What is dropped.");
  for (const char* name : {"trace_conditions", "spans", "metrics", "logs", "profiles", "metric_conditions",
                           "log_conditions", "profile_conditions"}) {
    r.Unsupported(name, kOnlySpans);
  }
}

FilterProcessor::FilterProcessor(const ComponentId& id, const FilterOptions& options, const BuildContext& context)
    : id_(id.ToString()),
      condition_texts_(options.traces.span),
      conditions_(Compiled(options.traces.span)),
      filtered_(context.metrics.GetCounter("otelcol_processor_filter_spans_filtered",
                                           "Number of spans dropped by the filter processor.", {{"filter", id_}})) {}

Status FilterProcessor::Start() {
  for (const std::string& condition : condition_texts_) {
    if (!DropsEveryBareGet(condition)) continue;
    Log(LogLevel::kWarn, "this condition drops every span named GET, client calls too, not only scrapes",
        {{"processor", id_},
         {"condition", condition},
         {"advice", "match the path instead: attributes[\"url.path\"] == \"/metrics\""}});
  }
  return absl::OkStatus();
}

Status FilterProcessor::Process(otlp::Batch& batch) {
  size_t dropped = 0;
  for (otlp::Slice& slice : batch.slices()) {
    dropped += slice.DropIf([this](const otlp::SpanContext& span) { return conditions_.Match(span); });
  }
  filtered_.Add(dropped);
  return absl::OkStatus();
}

void RegisterFilterProcessor(Registry& registry) {
  registry.processors.Add<FilterOptions>(
      "filter", kDoc, [](const ComponentId& id, const FilterOptions& options, const BuildContext& context) {
        return std::make_unique<FilterProcessor>(id, options, context);
      });
}

}  // namespace spanloom::pipeline
