// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/span_matcher.h"

#include <absl/algorithm/container.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "semconv/names.h"

namespace spanloom::pipeline {
namespace {

// What the Collector compares with where a resource has no service.name.
constexpr std::string_view kNoServiceName = "<nil-service-name>";

constexpr std::string_view kOnlySpans = "it is about other signals than spans; remove it";

// [SpanKind]
constexpr std::array<std::string_view, 6> kKindNames = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                        "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                        "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};

std::string_view KindName(otlp::SpanKind kind) {
  const auto index = static_cast<size_t>(kind);
  return index < kKindNames.size() ? kKindNames[index] : std::string_view();
}

std::string ServiceName(const otlp::ResourceView& resource) {
  const auto value = otlp::FindAttribute(resource.attributes(), semconv::resource::kServiceName);
  return value ? ValueAsString(*value) : std::string(kNoServiceName);
}

Status Invalid(std::string_view message) {
  return absl::InvalidArgumentError(AbslView(message));
}

Status CheckTexts(TextFilter::Type type, std::string_view name, const std::vector<std::string>& texts) {
  if (type == TextFilter::Type::kStrict) return absl::OkStatus();
  for (const std::string& text : texts) RETURN_IF_ERROR(CheckPatternOf(name, text));
  return absl::OkStatus();
}

// Expressions match the text of a value, so they are texts themselves.
Status CheckAttributes(TextFilter::Type type, std::string_view name,
                       const std::vector<AttributeMatchOptions>& attributes) {
  if (type == TextFilter::Type::kStrict) return absl::OkStatus();
  for (const AttributeMatchOptions& attribute : attributes) {
    if (!attribute.value) continue;
    const auto text = config::ReadString(*attribute.value);
    if (!text)
      return Invalid(StrCat(name, " of match_type regexp take texts as values; quote that of ", attribute.key));
    RETURN_IF_ERROR(CheckPatternOf(name, *text));
  }
  return absl::OkStatus();
}

Status CheckLibraries(TextFilter::Type type, const std::vector<LibraryMatchOptions>& libraries) {
  for (const LibraryMatchOptions& library : libraries) {
    RETURN_IF_ERROR(CheckTexts(type, "libraries", {library.name}));
    if (library.version) RETURN_IF_ERROR(CheckTexts(type, "libraries", {*config::ReadString(*library.version)}));
  }
  return absl::OkStatus();
}

Status CheckKinds(TextFilter::Type type, const std::vector<std::string>& kinds) {
  if (type == TextFilter::Type::kRegexp) return CheckTexts(type, "span_kinds", kinds);
  for (const std::string& kind : kinds) {
    if (absl::c_linear_search(kKindNames, kind) && kind != kKindNames[0]) continue;
    return Invalid(
        StrCat("span_kinds of match_type strict are SPAN_KIND_CLIENT, SPAN_KIND_CONSUMER, SPAN_KIND_INTERNAL, "
               "SPAN_KIND_PRODUCER and SPAN_KIND_SERVER, not ",
               kind));
  }
  return absl::OkStatus();
}

std::optional<TextFilter::Type> ReadType(std::string_view text) {
  if (text == "strict") return TextFilter::Type::kStrict;
  return text == "regexp" ? std::optional(TextFilter::Type::kRegexp) : std::nullopt;
}

// nullopt where there is nothing to match with: then everything does.
std::optional<TextFilter> FilterOf(TextFilter::Type type, const std::vector<std::string>& texts) {
  return texts.empty() ? std::nullopt : std::optional<TextFilter>(std::in_place, type, texts);
}

std::optional<SpanMatcher> MatcherOf(const std::optional<SpanMatchOptions>& options) {
  return options ? std::optional<SpanMatcher>(*options) : std::nullopt;
}

}  // namespace

TextFilter::TextFilter(Type type, const std::vector<std::string>& texts)
    : texts_(type == Type::kStrict ? texts : std::vector<std::string>()),
      patterns_(type == Type::kRegexp ? texts : std::vector<std::string>()) {}

bool TextFilter::Matches(std::string_view text) const {
  return absl::c_linear_search(texts_, text) || patterns_.AnyMatches(text);
}

void AttributeMatchOptions::Declare(config::OptionsReader& r) {
  r.Field("key", key, "The attribute.");
  r.Field("value", value, "Its value, of the type that it is written with; without it any value matches.");
}

Status AttributeMatchOptions::Validate() const {
  if (key.empty()) return Invalid("key is missing");
  const Status status = value ? ConfiguredValue::Make(*value).status() : absl::OkStatus();
  return status.ok() ? status : Invalid(StrCat("value ", StdView(status.message())));
}

void LibraryMatchOptions::Declare(config::OptionsReader& r) {
  r.Field("name", name, "The name of the instrumentation scope.");
  r.Field("version", version, "Its version; without it any version matches.");
}

Status LibraryMatchOptions::Validate() const {
  const bool is_text = !version || config::ReadString(*version).has_value();
  return is_text ? absl::OkStatus() : Invalid("version must be a text; quote it");
}

void MatchCacheOptions::Declare(config::OptionsReader& r) {
  r.Field("cacheenabled", cacheenabled,
          "Whether the Collector keeps what matched before. Matching gives the same without, so that it does nothing "
          "here.");
  r.Field("cachemaxnumentries", cachemaxnumentries, "How much of it the Collector keeps; it does nothing here.",
          {.min = 0, .unit = "matches"});
}

void SpanMatchOptions::Declare(config::OptionsReader& r) {
  r.Field("match_type", match_type, "How texts below are meant: strict, or regexp (which match anywhere).");
  r.Field("regexp", regexp, "Of match_type regexp.");
  r.Field("services", services, "Values of service.name; one must match.");
  r.Field("span_names", span_names, "Names of spans; one must match.");
  r.Field("span_kinds", span_kinds, "Kinds, as SPAN_KIND_SERVER; one must match.");
  r.Field("attributes", attributes, "Attributes of the span; all must match.");
  r.Field("resources", resources, "Attributes of the resource; all must match.");
  r.Field("libraries", libraries, "Instrumentation scopes; one must match.");
  for (const char* name : {"log_bodies", "log_severity_texts", "log_severity_number", "metric_names"}) {
    r.Unsupported(name, kOnlySpans);
  }
}

Status SpanMatchOptions::Validate() const {
  const std::optional<TextFilter::Type> type = ReadType(match_type);
  if (!type) return Invalid("match_type must be strict or regexp");
  if (services.empty() && span_names.empty() && span_kinds.empty() && attributes.empty() && resources.empty() &&
      libraries.empty()) {
    return Invalid(
        "at least one of services, span_names, span_kinds, attributes, resources and libraries must be there");
  }
  RETURN_IF_ERROR(CheckTexts(*type, "services", services));
  RETURN_IF_ERROR(CheckTexts(*type, "span_names", span_names));
  RETURN_IF_ERROR(CheckKinds(*type, span_kinds));
  RETURN_IF_ERROR(CheckAttributes(*type, "attributes", attributes));
  RETURN_IF_ERROR(CheckAttributes(*type, "resources", resources));
  return CheckLibraries(*type, libraries);
}

SpanMatcher::SpanMatcher(const SpanMatchOptions& options) {
  const TextFilter::Type type = *ReadType(options.match_type);
  services_ = FilterOf(type, options.services);
  span_names_ = FilterOf(type, options.span_names);
  span_kinds_ = FilterOf(type, options.span_kinds);
  attributes_ = CompiledAttributes(type, options.attributes);
  resources_ = CompiledAttributes(type, options.resources);
  for (const LibraryMatchOptions& library : options.libraries) {
    LibraryMatch& match = libraries_.emplace_back(LibraryMatch{.name = {type, {library.name}}, .version = {}});
    if (library.version) match.version.emplace(type, std::vector{*config::ReadString(*library.version)});
  }
}

std::vector<SpanMatcher::AttributeMatch> SpanMatcher::CompiledAttributes(
    TextFilter::Type type, const std::vector<AttributeMatchOptions>& options) {
  std::vector<AttributeMatch> matches;
  for (const AttributeMatchOptions& attribute : options) {
    AttributeMatch& match = matches.emplace_back();
    match.key = attribute.key;
    if (!attribute.value) continue;
    if (type == TextFilter::Type::kStrict) {
      match.value = *ConfiguredValue::Make(*attribute.value);
    } else {
      match.text.emplace(type, std::vector{*config::ReadString(*attribute.value)});
    }
  }
  return matches;
}

template <typename Attributes>
bool SpanMatcher::MatchAll(const std::vector<AttributeMatch>& matches, const Attributes& attributes) {
  return absl::c_all_of(matches, [&](const AttributeMatch& match) {
    const std::optional<otlp::ValueView> value = otlp::FindAttribute(attributes, match.key);
    if (!value) return false;
    if (match.value) return AreEqual(match.value->view(), *value);
    if (!match.text) return true;
    const std::optional<std::string> text = ScalarText(*value);
    return text && match.text->Matches(*text);
  });
}

bool SpanMatcher::MatchesLibrary(const otlp::ScopeView& scope) const {
  return libraries_.empty() || absl::c_any_of(libraries_, [&](const LibraryMatch& library) {
           return library.name.Matches(scope.name()) && (!library.version || library.version->Matches(scope.version()));
         });
}

bool SpanMatcher::Matches(const otlp::SpanContext& span) const {
  if (services_ && !services_->Matches(ServiceName(span.resource))) return false;
  if (span_names_ && !span_names_->Matches(span.span.name())) return false;
  if (span_kinds_ && !span_kinds_->Matches(KindName(span.span.kind()))) return false;
  return MatchesLibrary(span.scope) && MatchAll(resources_, span.resource.attributes()) &&
         MatchAll(attributes_, span.span.attributes());
}

void SpanSelectionOptions::Declare(config::OptionsReader& r) {
  r.Field("include", include, "The spans that this is about; without it, all.");
  r.Field("exclude", exclude, "Spans of those that are left alone.");
}

SpanSelection::SpanSelection(const SpanSelectionOptions& options)
    : include_(MatcherOf(options.include)), exclude_(MatcherOf(options.exclude)) {}

bool SpanSelection::Selects(otlp::SpanEditContext& span) const {
  if (!include_ && !exclude_) return true;
  const otlp::SpanContext context = span.context();
  return (!include_ || include_->Matches(context)) && (!exclude_ || !exclude_->Matches(context));
}

}  // namespace spanloom::pipeline
