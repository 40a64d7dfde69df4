// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/transform.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "otlp/editor.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kOnlyTraces = "remove it; only traces are processed";

constexpr ComponentDoc kDoc = {
    .words =
        "Changes resources, scopes, spans and span events by statements in OTTL, the Collector's transformation "
        "language: `editor(path, value) where condition`. Paths begin with their context (`span.name`), or a group "
        "names it. Groups are carried out one after the other, each on all of a batch.",
    .example = R"yaml(processors:
  transform:
    trace_statements:
      - set(span.name, "GET /cart") where span.attributes["url.path"] == "/cart"
      - replace_pattern(span.attributes["db.query.text"], "'[^']*'", "'?'")
      - set(span.attributes["host"], resource.attributes["host.name"])
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [transform]
      exporters: [spanloom_store]
)yaml",
};

}  // namespace

void TransformStatementsOptions::Declare(config::OptionsReader& r) {
  DeclareContext(r, context);
  r.Field("conditions", conditions,
          "The statements are carried out where one of these OTTL conditions holds; none: everywhere.");
  r.Field("statements", statements, "OTTL statements, carried out in order.");
  DeclareErrorMode(r, error_mode);
}

Status TransformStatementsOptions::Validate() const {
  ASSIGN_OR_RETURN(const ottl::Context resolved, Resolved(context, conditions, statements));
  return ottl::StatementList::Compile(resolved, statements, conditions).status();
}

void TransformOptions::Declare(config::OptionsReader& r) {
  DeclareErrorMode(r, error_mode);
  r.SectionsOrTexts<TransformStatementsOptions>(
      "trace_statements", trace_statements,
      "What is changed: a list of statements whose paths begin with their context, which is one group, or of groups. "
      "Without a context, a group has the innermost that its paths name: with one on span events, nothing happens to "
      "spans that have none.",
      [](std::vector<std::string> texts) { return TransformStatementsOptions{.statements = std::move(texts)}; });
  for (const char* name : {"metric_statements", "log_statements", "profile_statements", "flatten_data"}) {
    r.Unsupported(name, kOnlyTraces, "false");
  }
}

StatementProcessor::StatementProcessor(const ComponentId& id, const TransformOptions& options,
                                       const BuildContext& context)
    : errors_(id.ToString(), "statement", context.clock) {
  for (const TransformStatementsOptions& group : options.trace_statements) {
    const auto resolved = Resolved(group.context, group.conditions, group.statements);
    CHECK(resolved.ok());
    auto compiled = ottl::StatementList::Compile(*resolved, group.statements, group.conditions, context.clock);
    CHECK(compiled.ok());
    groups_.push_back({*resolved, *std::move(compiled), group.error_mode.value_or(options.error_mode)});
  }
}

Status StatementProcessor::Process(otlp::Batch& batch) {
  Status refusal;
  for (const Group& group : groups_) {
    for (otlp::Slice& slice : batch.slices()) {
      slice.EditSpans([&](otlp::SpanEditContext& edited) { Transform(group, edited, refusal); });
      if (!refusal.ok()) return refusal;
    }
  }
  return absl::OkStatus();
}

void StatementProcessor::Transform(const Group& group, otlp::SpanEditContext& edited, Status& refusal) {
  switch (group.context) {
    case ottl::Context::kResource:
      if (edited.begins_resource()) Execute(group, ottl::Scene(edited), refusal);
      return;
    case ottl::Context::kScope:
      if (edited.begins_scope()) Execute(group, ottl::Scene(edited), refusal);
      return;
    case ottl::Context::kSpan:
      return Execute(group, ottl::Scene(edited), refusal);
    case ottl::Context::kSpanEvent:
      return TransformEvents(group, edited, refusal);
  }
}

// A statement on an event may change its span as well, so the events are taken out of it meanwhile.
void StatementProcessor::TransformEvents(const Group& group, otlp::SpanEditContext& edited, Status& refusal) {
  std::vector<std::string> events;
  for (const otlp::EventView event : edited.context().span.events()) events.emplace_back(event.wire());
  std::vector<std::optional<std::string>> replacements(events.size());
  bool has_changes = false;
  for (size_t i = 0; i < events.size(); ++i) {
    otlp::EventEditor editor;
    editor.Begin(events[i]);
    Execute(group, ottl::Scene(edited, editor, i), refusal);
    if (!editor.is_changed()) continue;
    replacements[i] = std::string(editor.wire());
    has_changes = true;
  }
  if (!has_changes) return;
  size_t next = 0;
  edited.span().ReplaceEvents(
      [&](std::string_view) -> std::optional<std::string_view> { return replacements[next++]; });
}

void StatementProcessor::Execute(const Group& group, const ottl::Scene& scene, Status& refusal) {
  if (!refusal.ok()) return;
  group.statements.Execute(scene, [&](std::string_view statement, const Status& error) {
    return errors_.GoesOn(group.error_mode, statement, error, refusal);
  });
}

void RegisterTransformProcessor(Registry& registry) {
  registry.processors.Add<TransformOptions>(
      "transform", kDoc, [](const ComponentId& id, const TransformOptions& options, const BuildContext& context) {
        return std::make_unique<StatementProcessor>(id, options, context);
      });
}

}  // namespace spanloom::pipeline
