// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/span.h"

#include <memory>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "pipeline/processors/attribute_value.h"

namespace spanloom::pipeline {
namespace {

// What the Collector puts into a name in the place of an array, a map, bytes or no value.
constexpr std::string_view kNoText = "<unknown-attribute-type>";

constexpr std::pair<std::string_view, otlp::StatusCode> kCodes[] = {
    {"Ok", otlp::StatusCode::kOk}, {"Error", otlp::StatusCode::kError}, {"Unset", otlp::StatusCode::kUnset}};

std::optional<otlp::StatusCode> ReadCode(std::string_view text) {
  for (const auto& [name, code] : kCodes) {
    if (name == text) return code;
  }
  return std::nullopt;
}

// `name` with each named group of a match in the place of which "{GROUP}" stands. Groups within others stay inside.
std::string NameOfGroups(std::string_view name, const std::vector<std::string>& group_names,
                         const std::vector<std::string_view>& groups) {
  std::string out;
  size_t copied = 0;
  for (size_t i = 1; i < groups.size(); ++i) {
    if (groups[i].data() == nullptr || group_names[i].empty()) continue;
    const auto begin = static_cast<size_t>(groups[i].data() - name.data());
    if (begin < copied) continue;
    StrAppend(out, name.substr(copied, begin - copied), "{", group_names[i], "}");
    copied = begin + groups[i].size();
  }
  StrAppend(out, name.substr(copied));
  return out;
}

constexpr ComponentDoc kDoc = {
    .words =
        "Names a span after its attributes, takes attributes out of its name, or sets its status, in this order. "
        "Groups of a rule without a name stay in the name and become no attribute.",
    .example = R"(processors:
  span/routes:
    include:
      match_type: strict
      span_kinds: [SPAN_KIND_SERVER]
    name:
      to_attributes:
        rules:
          - ^/v1/models/(?P<gen_ai_request_model>[^/]+)/
  span/named:
    name:
      from_attributes: [http.request.method, http.route]
      separator: " "
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [span/routes, span/named]
      exporters: [spanloom_store]
)",
};

}  // namespace

void SpanToAttributesOptions::Declare(config::OptionsReader& r) {
  r.Field(
      "rules", rules,
      "Regular expressions; each named group of a match becomes an attribute, and {GROUP} stands in its place in the "
      "name, on which the next rule works.",
      CheckPattern);
  r.Field("break_after_match", break_after_match, "Whether the first rule that matches is the last.");
  r.Field("keep_original_name", keep_original_name, "Whether the name stays as it is.");
}

void SpanNameOptions::Declare(config::OptionsReader& r) {
  r.Field("from_attributes", from_attributes,
          "Keys whose values make the new name, in this order; if one is not there, the name stays as it is.");
  r.Field("separator", separator, "What stands between the values.");
  r.Field("to_attributes", to_attributes, "Takes attributes out of the name.");
}

void SpanStatusOptions::Declare(config::OptionsReader& r) {
  r.Field("code", code, "Ok, Error or Unset.");
  r.Field("description", description, "The message that goes with Error.");
}

Status SpanStatusOptions::Validate() const {
  if (!ReadCode(code)) return absl::InvalidArgumentError("code must be one of Ok, Error, Unset");
  if (description.empty() || code == "Error") return absl::OkStatus();
  return absl::InvalidArgumentError("description goes with the code Error alone");
}

void SpanOptions::Declare(config::OptionsReader& r) {
  selection.Declare(r);
  r.Field("name", name, "What becomes of the name.");
  r.Field("status", status, "What becomes of the status.");
}

Status SpanOptions::Validate() const {
  const bool has_rules = name.to_attributes && !name.to_attributes->rules.empty();
  if (!name.from_attributes.empty() || has_rules || status) return absl::OkStatus();
  return absl::InvalidArgumentError("name.from_attributes, name.to_attributes.rules or status is missing");
}

SpanProcessor::SpanProcessor(const SpanOptions& options)
    : selection_(options.selection),
      from_attributes_(options.name.from_attributes),
      separator_(options.name.separator),
      rules_(options.name.to_attributes.value_or(SpanToAttributesOptions()).rules),
      break_after_match_(options.name.to_attributes && options.name.to_attributes->break_after_match),
      keep_original_name_(options.name.to_attributes && options.name.to_attributes->keep_original_name),
      status_(options.status ? std::optional(NewStatus{.code = *ReadCode(options.status->code),
                                                       .message = options.status->description})
                             : std::nullopt) {}

Status SpanProcessor::Process(otlp::Batch& batch) {
  for (otlp::Slice& slice : batch.slices()) {
    slice.EditSpans([this](otlp::SpanEditContext& context) {
      if (!selection_.Selects(context)) return;
      otlp::SpanEditor& span = context.span();
      if (!from_attributes_.empty()) NameAfterAttributes(span);
      if (!rules_.patterns().empty()) TakeAttributesFromName(span);
      if (status_) {
        span.SetStatusCode(status_->code);
        span.SetStatusMessage(status_->message);
      }
    });
  }
  return absl::OkStatus();
}

void SpanProcessor::NameAfterAttributes(otlp::SpanEditor& span) const {
  std::string name;
  for (size_t i = 0; i < from_attributes_.size(); ++i) {
    const std::optional<otlp::ValueView> value = span.FindAttribute(from_attributes_[i]);
    if (!value) return;
    if (i > 0) name += separator_;
    name += ScalarText(*value).value_or(std::string(kNoText));
  }
  span.SetName(name);
}

void SpanProcessor::TakeAttributesFromName(otlp::SpanEditor& span) const {
  std::string name(span.view().name());
  if (name.empty()) return;
  std::vector<std::string_view> groups;
  for (const Pattern& rule : rules_.patterns()) {
    if (!rule.Find(name, groups)) continue;
    for (size_t i = 1; i < groups.size(); ++i) {
      if (!rule.group_names()[i].empty()) span.SetString(rule.group_names()[i], groups[i]);
    }
    if (!keep_original_name_) {
      name = NameOfGroups(name, rule.group_names(), groups);
      span.SetName(name);
    }
    if (break_after_match_) return;
  }
}

void RegisterSpanProcessor(Registry& registry) {
  registry.processors.Add<SpanOptions>("span", kDoc,
                                       [](const ComponentId&, const SpanOptions& options, const BuildContext&) {
                                         return std::make_unique<SpanProcessor>(options);
                                       });
}

}  // namespace spanloom::pipeline
