// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/filter.h"

#include <absl/algorithm/container.h>
#include <absl/strings/str_replace.h>

#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kOnlyTraces = "remove it; only traces are processed";

bool DropsEveryBareGet(std::string_view condition) {
  const std::string dense = absl::StrReplaceAll(AbslView(condition), {{" ", ""}, {"\t", ""}});
  return dense == "name==\"GET\"" || dense == "span.name==\"GET\"";
}

// A scrape through a traced proxy makes two spans, and the client's has nothing of the path but url.full: conditions on
// url.path, http.route and names leave it behind, a root without a parent (seen with llm-d's sidecar, 20 a second and
// pod).
bool LeavesClientHalfOfScrapes(const std::vector<std::string>& conditions) {
  const auto any_has = [&](std::string_view text) {
    return absl::c_any_of(conditions,
                          [&](const std::string& condition) { return condition.find(text) != std::string::npos; });
  };
  return any_has("\"/metrics\"") && !any_has("url.full");
}

// The conditions of a group by what they are about, outermost first. Without a context each says that for itself.
using ConditionsByContext = std::map<ottl::Context, std::vector<std::string>>;
StatusOr<ConditionsByContext> ByContext(const FilterConditionsOptions& group) {
  ConditionsByContext sorted;
  for (const std::string& condition : group.conditions) {
    ASSIGN_OR_RETURN(const ottl::Context context, Resolved(group.context, std::span(&condition, 1)));
    sorted[context].push_back(condition);
  }
  return sorted;
}

constexpr ComponentDoc kDoc = {
    .words =
        "Drops resources, scopes, spans and span events for which a condition holds. Conditions are written in OTTL, "
        "the "
        "Collector's transformation language. A span takes its events with it; a span that has lost all of its events "
        "stays; what has no spans left goes too. Conditions stand under `traces` by context, or under "
        "`trace_conditions`, where paths begin with their context (`span.name`) or a group names it; or, without OTTL, "
        "under `spans`.",
    .example = R"yaml(processors:
  filter/scrapes:
    error_mode: ignore
    traces:
      span:
        - attributes["url.path"] == "/metrics"
        - IsMatch(name, "^GET /(metrics|health)")
  filter/noise:
    trace_conditions:
      - resource.attributes["service.name"] == "canary"
      - span.attributes["url.path"] == "/ready" and span.status.code != STATUS_CODE_ERROR
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [filter/scrapes, filter/noise]
      exporters: [spanloom_store]
)yaml",
};

}  // namespace

void FilterTracesOptions::Declare(config::OptionsReader& r) {
  using ottl::Context;
  const auto check = [](Context context) {
    return [context](const std::string& condition) { return ottl::CheckCondition(context, condition); };
  };
  r.Field("resource", resource, "OTTL conditions on resources; all spans of one for which one holds are dropped.",
          check(Context::kResource));
  r.Field("span", span, "OTTL conditions on spans; a span for which one holds is dropped.", check(Context::kSpan));
  r.Field("spanevent", spanevent, "OTTL conditions on span events; an event for which one holds is dropped.",
          check(Context::kSpanEvent));
  r.Field("span_event", span_event, "Another spelling of spanevent, which the Collector does not know.",
          check(Context::kSpanEvent));
}

void FilterConditionsOptions::Declare(config::OptionsReader& r) {
  DeclareContext(r, context);
  r.Field("conditions", conditions, "OTTL conditions; what one holds for is dropped.");
  DeclareErrorMode(r, error_mode);
}

Status FilterConditionsOptions::Validate() const {
  ASSIGN_OR_RETURN(const ConditionsByContext sorted, ByContext(*this));
  for (const auto& [resolved, texts] : sorted) {
    for (const std::string& condition : texts) RETURN_IF_ERROR(ottl::CheckCondition(resolved, condition));
  }
  return absl::OkStatus();
}

void FilterSpansOptions::Declare(config::OptionsReader& r) {
  r.Field("include", include, "Spans that do not match are dropped; without it, none of them.");
  r.Field("exclude", exclude, "Spans that match are dropped.");
}

void FilterOptions::Declare(config::OptionsReader& r) {
  DeclareErrorMode(r, error_mode);
  r.Field("traces", traces, "What is dropped, by context.");
  r.SectionsOrTexts<FilterConditionsOptions>(
      "trace_conditions", trace_conditions,
      "What is dropped: a list of conditions whose paths begin with their context, or of groups. A group is applied to "
      "what those before it have left, and within one resources come before scopes, spans and events. Not together "
      "with "
      "traces.",
      [](std::vector<std::string> texts) { return FilterConditionsOptions{.conditions = std::move(texts)}; });
  r.Field(
      "spans", spans,
      "The older way, without OTTL: spans that `include` does not match and those that `exclude` matches are dropped. "
      "Not together with conditions.");
  for (const char* name :
       {"metrics", "logs", "profiles", "metric_conditions", "log_conditions", "profile_conditions"}) {
    r.Unsupported(name, kOnlyTraces);
  }
}

Status FilterOptions::Validate() const {
  const bool has_old =
      !traces.resource.empty() || !traces.span.empty() || !traces.spanevent.empty() || !traces.span_event.empty();
  if (spans.include || spans.exclude) {
    if (has_old) {
      return absl::InvalidArgumentError(
          "cannot use \"traces.resource\", \"traces.span\", \"traces.spanevent\" and the span settings "
          "\"spans.include\", "
          "\"spans.exclude\" at the same time");
    }
    if (!trace_conditions.empty()) {
      return absl::InvalidArgumentError("cannot use \"trace_conditions\" and \"spans\" at the same time");
    }
  }
  if (!has_old || trace_conditions.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "cannot use context inferred trace conditions \"trace_conditions\" and the settings \"traces.resource\", "
      "\"traces.span\", \"traces.spanevent\" at the same time");
}

FilterProcessor::FilterProcessor(const ComponentId& id, const FilterOptions& options, const BuildContext& context)
    : id_(id.ToString()),
      options_(options),
      errors_(id_, "condition", context.clock),
      filtered_(context.metrics.GetCounter("otelcol_processor_filter_spans_filtered",
                                           "Number of spans dropped by the filter processor.", {{"filter", id_}})) {
  if (options.spans.include) include_.emplace(*options.spans.include);
  if (options.spans.exclude) exclude_.emplace(*options.spans.exclude);
  const FilterTracesOptions& traces = options.traces;
  std::vector<std::string> event_conditions = traces.spanevent;
  event_conditions.insert(event_conditions.end(), traces.span_event.begin(), traces.span_event.end());
  AddGroup(ottl::Context::kResource, traces.resource, options.error_mode, context.clock);
  AddGroup(ottl::Context::kSpan, traces.span, options.error_mode, context.clock);
  AddGroup(ottl::Context::kSpanEvent, event_conditions, options.error_mode, context.clock);
  for (const FilterConditionsOptions& group : options.trace_conditions) {
    const auto sorted = ByContext(group);
    CHECK(sorted.ok());
    const OttlErrorMode mode = group.error_mode.value_or(options.error_mode);
    for (const auto& [group_context, conditions] : *sorted) AddGroup(group_context, conditions, mode, context.clock);
  }
}

// `conditions` have passed FilterOptions' checks.
void FilterProcessor::AddGroup(ottl::Context context, const std::vector<std::string>& conditions, OttlErrorMode mode,
                               const Clock& clock) {
  if (conditions.empty()) return;
  auto compiled = ottl::Conditions::Compile(context, conditions, clock);
  CHECK(compiled.ok());
  groups_.push_back({context, *std::move(compiled), mode});
}

Status FilterProcessor::Start() {
  for (const std::string& condition : options_.traces.span) {
    if (!DropsEveryBareGet(condition)) continue;
    Log(LogLevel::kWarn, "this condition drops every span named GET, client calls too, not only scrapes",
        {{"processor", id_},
         {"condition", condition},
         {"advice", "match the path instead: attributes[\"url.path\"] == \"/metrics\""}});
  }
  if (LeavesClientHalfOfScrapes(options_.traces.span)) {
    Log(LogLevel::kWarn,
        "these conditions leave the client's span of each scrape, which has its path in url.full alone",
        {{"processor", id_}, {"advice", StrCat("add: ", kScrapeClientCondition)}});
  }
  if (!options_.traces.span_event.empty()) {
    Log(LogLevel::kWarn, "traces.span_event is taken for traces.spanevent; a Collector refuses it",
        {{"processor", id_}, {"advice", "write traces.spanevent"}});
  }
  return absl::OkStatus();
}

Status FilterProcessor::Process(otlp::Batch& batch) {
  size_t dropped = 0;
  Status refusal;
  if (include_ || exclude_) {
    for (otlp::Slice& slice : batch.slices()) dropped += DropUnselected(slice);
  }
  for (const Group& group : groups_) {
    for (otlp::Slice& slice : batch.slices()) {
      dropped += Filter(group, slice, refusal);
      if (!refusal.ok()) return refusal;
    }
  }
  filtered_.Add(dropped);
  return absl::OkStatus();
}

bool FilterProcessor::Matches(const Group& group, const ottl::Scene& scene, Status& refusal) {
  return group.conditions.Match(scene, [&](std::string_view condition, const Status& error) {
    return errors_.GoesOn(group.error_mode, condition, error, refusal);
  });
}

size_t FilterProcessor::DropUnselected(otlp::Slice& slice) const {
  return slice.DropIf([this](const otlp::SpanContext& span) {
    return (include_ && !include_->Matches(span)) || (exclude_ && exclude_->Matches(span));
  });
}

size_t FilterProcessor::Filter(const Group& group, otlp::Slice& slice, Status& refusal) {
  if (group.context == ottl::Context::kSpanEvent) {
    DropEvents(group, slice, refusal);
    return 0;
  }
  if (group.context == ottl::Context::kSpan) return DropSpans(group, slice, refusal);
  OncePer once(group.context);
  bool drops = false;
  return slice.DropIf([&](const otlp::SpanContext& span) {
    if (refusal.ok() && once.IsNew(span)) drops = Matches(group, ottl::Scene(span), refusal);
    return drops;
  });
}

size_t FilterProcessor::DropSpans(const Group& group, otlp::Slice& slice, Status& refusal) {
  return slice.DropIf(
      [&](const otlp::SpanContext& span) { return refusal.ok() && Matches(group, ottl::Scene(span), refusal); });
}

void FilterProcessor::DropEvents(const Group& group, otlp::Slice& slice, Status& refusal) {
  slice.EditSpans([&](otlp::SpanEditContext& edited) {
    if (!refusal.ok()) return;
    const otlp::SpanContext span = edited.context();
    std::vector<bool> drops;  // [events]
    bool drops_any = false;
    for (const otlp::EventView event : span.span.events()) {
      drops.push_back(refusal.ok() && Matches(group, ottl::Scene(span, event, drops.size()), refusal));
      drops_any = drops_any || drops.back();
    }
    if (!drops_any) return;
    size_t index = 0;
    edited.span().EditEvents(
        [&](otlp::EventEditor&) { return drops[index++] ? otlp::Fate::kDrop : otlp::Fate::kKeep; });
  });
}

void RegisterFilterProcessor(Registry& registry) {
  registry.processors.Add<FilterOptions>(
      "filter", kDoc, [](const ComponentId& id, const FilterOptions& options, const BuildContext& context) {
        return std::make_unique<FilterProcessor>(id, options, context);
      });
}

}  // namespace spanloom::pipeline
