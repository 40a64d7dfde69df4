// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/redaction.h"

#include <absl/algorithm/container.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <memory>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "pipeline/processors/attribute_value.h"
#include "semconv/names.h"

namespace spanloom::pipeline {
namespace {

using ValueKind = otlp::ValueView::Kind;

// What the summary is written under, with ".keys" and ".count" behind it.
constexpr std::string_view kRedacted = "redaction.redacted";
constexpr std::string_view kMasked = "redaction.masked";
constexpr std::string_view kAllowed = "redaction.allowed";
constexpr std::string_view kIgnored = "redaction.ignored";

ValueMask MaskOf(const RedactionOptions& options) {
  StatusOr<ValueMask> mask = ValueMask::Make(options.hash_function, options.hmac_key);
  CHECK(mask.ok());
  return *std::move(mask);
}

constexpr ComponentDoc kDoc = {
    .words =
        "Removes attributes that are not allowed and masks values that must not be passed on, of resources, scopes, "
        "spans and their events; status messages and links are not looked at, names only by the sanitizers. Of each "
        "attribute is asked, in "
        "this order: whether its key is ignored, whether it is allowed, whether its value is allowed, whether its key "
        "is blocked (then the whole value is masked), and what of its value is blocked (then that is); last come "
        "url_sanitizer and "
        "db_sanitizer. A mask is ****, "
        "or a digest with hash_function; MD5 and SHA do not hide what can be guessed, an HMAC does as long as its key "
        "is secret.",
    .example = R"(processors:
  redaction/payloads:
    allow_all_keys: true
    blocked_key_patterns:
      - (?i)api_key
    blocked_values:
      - \b[0-9]{3}-[0-9]{2}-[0-9]{4}\b
      - \b(?:[0-9]{4}[ -]?){3}[0-9]{4}\b
      - (?i)bearer [a-z0-9._~+/-]+
    summary: debug
  redaction/queries:
    allow_all_keys: true
    url_sanitizer:
      enabled: true
      attributes: [url.full, url.path]
    db_sanitizer:
      sql:
        enabled: true
        attributes: [db.query.text, db.statement]
      redis:
        enabled: true
        attributes: [db.query.text, db.statement]
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [redaction/payloads, redaction/queries]
      exporters: [spanloom_store]
)",
};

}  // namespace

// Keys are copied, since an edit invalidates what the editor gave out.
struct RedactionProcessor::Findings {
  std::vector<std::string> redacted;
  std::vector<std::string> masked;
  std::vector<std::string> masked_values;  // [masked]
  std::vector<std::string> allowed;
  std::vector<std::string> ignored;
};

void RedactionOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, Summary> kSummaries[] = {
      {"", Summary::kSilent}, {"debug", Summary::kDebug}, {"info", Summary::kInfo}, {"silent", Summary::kSilent}};
  r.Field("allow_all_keys", allow_all_keys, "Whether every key is allowed; then allowed_keys says nothing.");
  r.Field("allowed_keys", allowed_keys, "Keys of attributes that are kept; others are removed, all if it is empty.");
  r.Field("ignored_keys", ignored_keys, "Keys of attributes that are passed on unread.");
  r.Field("ignored_key_patterns", ignored_key_patterns, "Regular expressions for more of them.", CheckPattern);
  r.Field("redact_all_types", redact_all_types,
          "Whether values that are no texts are looked at as well, as text; one that is masked becomes a text.");
  r.Field("blocked_key_patterns", blocked_key_patterns,
          "Regular expressions for keys whose values are masked, whatever their type.", CheckPattern);
  r.Field("blocked_values", blocked_values,
          "Regular expressions; what matches within a value is masked, by one after the other.", CheckPattern);
  r.Field("allowed_values", allowed_values, "Regular expressions; a value in which one matches is left alone.",
          CheckPattern);
  r.Field(
      "hash_function", hash_function,
      "What a mask is instead of ****: the md5, sha1, sha3 (SHA3-256), hmac-sha256 or hmac-sha512 of what it hides.");
  r.Field("hmac_key", hmac_key,
          "The key of hmac-sha256 (at least 32 bytes) or hmac-sha512 (at least 64 bytes); of no use to others.");
  r.Choice<Summary>(
      "summary", summary, kSummaries,
      "What is added as attributes redaction.*: keys and counts (debug), counts (info), nothing (silent or \"\").");
  r.Field("url_sanitizer", url_sanitizer, "Takes what varies out of URLs and names of HTTP spans.");
  r.Field("db_sanitizer", db_sanitizer, "Takes values out of queries and commands of databases.");
  r.Field("skip_conditions", skip_conditions,
          "OTTL conditions whose paths begin with their context: a resource, scope or span for which one holds is left "
          "alone with all that it has, and so is an event. One that fails refuses the batch.",
          SkipConditions::Check);
}

Status RedactionOptions::Validate() const {
  return ValueMask::Make(hash_function, hmac_key).status();
}

RedactionProcessor::RedactionProcessor(const ComponentId& id, const RedactionOptions& options, const Clock& clock)
    : id_(id.ToString()),
      allow_all_keys_(options.allow_all_keys),
      redact_all_types_(options.redact_all_types),
      summary_(options.summary),
      mask_(MaskOf(options)),
      allowed_keys_(options.allowed_keys.begin(), options.allowed_keys.end()),
      ignored_keys_(options.ignored_keys.begin(), options.ignored_keys.end()),
      ignored_key_patterns_(options.ignored_key_patterns),
      blocked_key_patterns_(options.blocked_key_patterns),
      blocked_values_(options.blocked_values),
      allowed_values_(options.allowed_values),
      is_empty_allowed_(allowed_values_.AnyMatches("")),
      is_empty_blocked_(blocked_values_.AnyMatches("")),
      url_sanitizer_(options.url_sanitizer.enabled ? std::optional<UrlSanitizer>(std::in_place, options.url_sanitizer)
                                                   : std::nullopt),
      db_sanitizer_(options.db_sanitizer),
      skip_conditions_(options.skip_conditions, clock) {
  // So that another such processor behind this one leaves the summary there, and adds to it.
  for (const std::string_view name : {kRedacted, kMasked, kAllowed, kIgnored}) {
    allowed_keys_.insert(StrCat(name, ".keys"));
    allowed_keys_.insert(StrCat(name, ".count"));
  }
}

Status RedactionProcessor::Start() {
  if (!IsIgnored(semconv::resource::kServiceName) && !IsAllowed(semconv::resource::kServiceName)) {
    Log(LogLevel::kWarn, "service.name is removed from every resource: spans become those of an unknown service",
        {{"processor", id_}, {"advice", "add service.name to allowed_keys, or set allow_all_keys"}});
  }
  return absl::OkStatus();
}

Status RedactionProcessor::Process(otlp::Batch& batch) {
  for (otlp::Slice& slice : batch.slices()) {
    Skips skips;
    slice.EditSpans([&](otlp::SpanEditContext& edited) { RedactSpan(edited, skips); });
    if (!skips.error.ok()) return skips.error;
  }
  return absl::OkStatus();
}

void RedactionProcessor::RedactSpan(otlp::SpanEditContext& edited, Skips& skips) const {
  using ottl::Context;
  const auto skipped = [&](Context context) {
    return !skip_conditions_.empty() && skip_conditions_.Match(context, ottl::Scene(edited), skips.error);
  };
  if (!skips.error.ok()) return;
  if (edited.begins_resource()) {
    skips.resource = skipped(Context::kResource);
    if (!skips.resource) Redact(edited.resource());
  }
  if (skips.resource) return;
  if (edited.begins_scope()) {
    skips.scope = skipped(Context::kScope);
    if (!skips.scope) Redact(edited.scope());
  }
  if (skips.scope || skipped(Context::kSpan)) return;
  std::vector<bool> skipped_events;
  if (!skip_conditions_.empty()) skipped_events = skip_conditions_.MatchEvents(edited.context(), skips.error);
  if (!skips.error.ok()) return;
  if (url_sanitizer_ || !db_sanitizer_.empty()) SanitizeName(edited.span());
  const std::string db_system = Redact(edited.span());
  RedactEvents(edited, skipped_events, db_system);
}

// `skipped` is empty if none is.
void RedactionProcessor::RedactEvents(otlp::SpanEditContext& edited, const std::vector<bool>& skipped,
                                      std::string_view db_system) const {
  size_t index = 0;
  edited.span().EditEvents([&](otlp::EventEditor& event) {
    const bool is_skipped = index < skipped.size() && skipped[index];
    ++index;
    if (!is_skipped) Redact(event, db_system);
    return otlp::Fate::kKeep;
  });
}

void RedactionProcessor::SanitizeName(otlp::SpanEditor& span) const {
  if (allowed_values_.AnyMatches(span.view().name())) return;
  std::optional<std::string> name;
  if (url_sanitizer_) name = url_sanitizer_->SpanName(span.view());
  if (!name && !db_sanitizer_.empty()) {
    name = db_sanitizer_.SpanName(span.view(), DbSanitizer::SystemOf(span.view().attributes()));
  }
  if (name) span.SetName(*name);
}

template <typename View, uint32_t kField>
std::string RedactionProcessor::Redact(otlp::ViewEditor<View, kField>& editor, std::string_view db_system) const {
  std::string own_system = db_sanitizer_.empty() ? "" : DbSanitizer::SystemOf(editor.view().attributes());
  if (own_system.empty()) own_system = db_system;
  Findings findings;
  for (const otlp::AttributeView attribute : editor.view().attributes()) Judge(attribute, own_system, findings);
  Apply(findings, editor);
  return own_system;
}

void RedactionProcessor::Judge(const otlp::AttributeView& attribute, std::string_view db_system,
                               Findings& findings) const {
  const std::string_view key = attribute.key();
  if (IsIgnored(key)) {
    findings.ignored.emplace_back(key);
    return;
  }
  if (!IsAllowed(key)) {
    findings.redacted.emplace_back(key);
    return;
  }
  // As the Collector has it, a value that is no text counts as an empty one, which a pattern may match.
  const bool is_text = attribute.value().kind() == ValueKind::kString;
  std::string converted;
  if (!is_text && redact_all_types_) converted = ValueAsString(attribute.value());
  const std::string_view text = is_text ? attribute.value().string_value() : std::string_view(converted);
  if (text.empty() ? is_empty_allowed_ : allowed_values_.AnyMatches(text)) {
    findings.allowed.emplace_back(key);
    return;
  }
  const bool is_key_blocked = blocked_key_patterns_.AnyMatches(key);
  const bool is_blocked = !is_key_blocked && (text.empty() ? is_empty_blocked_ : blocked_values_.AnyMatches(text));
  if (!is_key_blocked && !is_blocked && !IsSanitized(key)) return;
  std::string masked = is_key_blocked ? mask_.Of(text) : is_blocked ? WithoutBlocked(text) : std::string(text);
  if (!is_key_blocked) masked = Sanitized(key, db_system, std::move(masked));
  if (!is_key_blocked && !is_blocked && masked == text) return;
  findings.masked.emplace_back(key);
  findings.masked_values.push_back(std::move(masked));
}

void RedactionProcessor::Apply(const Findings& findings, otlp::MessageEditor& editor) const {
  for (size_t i = 0; i < findings.masked.size(); ++i) editor.SetString(findings.masked[i], findings.masked_values[i]);
  if (!findings.redacted.empty()) {
    editor.RewriteAttributes([this](const otlp::AttributeView& attribute, otlp::AttributeWriter& writer) {
      if (IsIgnored(attribute.key()) || IsAllowed(attribute.key())) writer.Copy(attribute);
    });
  }
  Summarise(findings.redacted, kRedacted, editor);
  Summarise(findings.masked, kMasked, editor);
  Summarise(findings.allowed, kAllowed, editor);
  Summarise(findings.ignored, kIgnored, editor);
}

void RedactionProcessor::Summarise(const std::vector<std::string>& keys, std::string_view name,
                                   otlp::MessageEditor& editor) const {
  if (keys.empty() || summary_ == RedactionOptions::Summary::kSilent) return;
  if (summary_ == RedactionOptions::Summary::kDebug && name != kIgnored) {
    std::vector<std::string> all = keys;
    const std::string attribute = StrCat(name, ".keys");
    const auto before = editor.FindAttribute(attribute);
    if (before && before->kind() == ValueKind::kString && !before->string_value().empty()) {
      for (const absl::string_view key : absl::StrSplit(AbslView(before->string_value()), ',')) all.emplace_back(key);
    }
    absl::c_sort(all);
    editor.SetString(attribute, absl::StrJoin(all, ","));
  }
  const std::string attribute = StrCat(name, ".count");
  const auto before = editor.FindAttribute(attribute);
  const int64_t count_before = before && before->kind() == ValueKind::kInt ? before->int_value() : 0;
  editor.SetInt(attribute, count_before + static_cast<int64_t>(keys.size()));
}

bool RedactionProcessor::IsIgnored(std::string_view key) const {
  return ignored_keys_.contains(AbslView(key)) || ignored_key_patterns_.AnyMatches(key);
}

bool RedactionProcessor::IsAllowed(std::string_view key) const {
  return allow_all_keys_ || allowed_keys_.contains(AbslView(key));
}

std::string RedactionProcessor::WithoutBlocked(std::string_view text) const {
  std::string masked(text);
  for (const Pattern& pattern : blocked_values_.patterns()) {
    masked = pattern.ReplaceAll(masked, [this](std::string_view match) { return mask_.Of(match); });
  }
  return masked;
}

bool RedactionProcessor::IsSanitized(std::string_view key) const {
  return (url_sanitizer_ && url_sanitizer_->Covers(key)) || db_sanitizer_.Covers(key);
}

std::string RedactionProcessor::Sanitized(std::string_view key, std::string_view db_system, std::string text) const {
  if (url_sanitizer_ && url_sanitizer_->Covers(key)) text = UrlSanitizer::Sanitized(text);
  if (db_sanitizer_.Covers(key)) text = db_sanitizer_.Sanitized(key, text, db_system);
  return text;
}

void RegisterRedactionProcessor(Registry& registry) {
  registry.processors.Add<RedactionOptions>(
      "redaction", kDoc, [](const ComponentId& id, const RedactionOptions& options, const BuildContext& context) {
        return std::make_unique<RedactionProcessor>(id, options, context.clock);
      });
}

}  // namespace spanloom::pipeline
