// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/tail_sampling_options.h"

#include <absl/algorithm/container.h>
#include <absl/container/flat_hash_set.h>

#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "ottl/condition.h"
#include "pipeline/processors/pattern.h"

namespace spanloom::pipeline {
namespace {

using Type = TracePolicyType;

constexpr std::string_view kInvertWords =
    "Turns it round: a trace is sampled unless a value matches. What the Collector called inverted decisions is gone "
    "there, too; to refuse traces that others sample, use drop.";

constexpr std::pair<std::string_view, Type> kTypes[] = {{"", Type::kNone},
                                                        {"always_sample", Type::kAlwaysSample},
                                                        {"latency", Type::kLatency},
                                                        {"numeric_attribute", Type::kNumericAttribute},
                                                        {"probabilistic", Type::kProbabilistic},
                                                        {"status_code", Type::kStatusCode},
                                                        {"string_attribute", Type::kStringAttribute},
                                                        {"rate_limiting", Type::kRateLimiting},
                                                        {"bytes_limiting", Type::kBytesLimiting},
                                                        {"span_count", Type::kSpanCount},
                                                        {"trace_state", Type::kTraceState},
                                                        {"trace_flags", Type::kTraceFlags},
                                                        {"boolean_attribute", Type::kBooleanAttribute},
                                                        {"ottl_condition", Type::kOttlCondition},
                                                        {"and", Type::kAnd},
                                                        {"not", Type::kNot},
                                                        {"drop", Type::kDrop},
                                                        {"composite", Type::kComposite}};

constexpr size_t kSimpleTypes = static_cast<size_t>(Type::kOttlCondition) + 1;
constexpr size_t kCompositeSubTypes = static_cast<size_t>(Type::kAnd) + 1;

void DeclareNameAndType(config::OptionsReader& r, std::string& name, Type& type, size_t types) {
  r.Field("name", name, "What it is called in metrics.");
  r.Choice<Type>("type", type, std::span(kTypes).first(types), "What it asks; the section of that name says the rest.");
}

Status Invalid(const std::string& what) {
  return absl::InvalidArgumentError(what);
}

// One of several policies below another: `place` says where.
template <typename Policy>
Status CheckBelow(std::string_view place, const Policy& policy) {
  if (policy.type == Type::kNone) return Invalid(StrCat(place, ": policy \"", policy.name, "\" has no type"));
  const Status status = policy.CheckType();
  return status.ok() ? status : Annotate(status, StrCat(place, ": policy \"", policy.name, "\""));
}

template <typename Policy>
Status CheckAllBelow(std::string_view place, const std::vector<Policy>& policies) {
  if (policies.empty()) return Invalid(StrCat(place, " must have at least one policy"));
  for (const Policy& policy : policies) RETURN_IF_ERROR(CheckBelow(place, policy));
  return absl::OkStatus();
}

Status CheckPatterns(const StringAttributePolicyOptions& options) {
  if (!options.enabled_regex_matching) return absl::OkStatus();
  for (const std::string& value : options.values) RETURN_IF_ERROR(CheckPatternOf("string_attribute", value));
  return absl::OkStatus();
}

Status CheckComposite(const CompositePolicyOptions& composite) {
  RETURN_IF_ERROR(CheckAllBelow("composite composite_sub_policy", composite.composite_sub_policy));
  absl::flat_hash_set<std::string_view> names;
  for (const CompositeSubPolicyOptions& policy : composite.composite_sub_policy) names.insert(policy.name);
  for (const std::string& name : composite.policy_order) {
    if (!names.contains(name))
      return Invalid(StrCat("composite policy_order names \"", name, "\", which is not there"));
  }
  for (const RateAllocationOptions& rate : composite.rate_allocation) {
    if (names.contains(rate.policy)) continue;
    return Invalid(StrCat("composite rate_allocation names \"", rate.policy, "\", which is not there"));
  }
  return absl::OkStatus();
}

bool IsStatefulType(Type type) {
  return type == Type::kRateLimiting || type == Type::kBytesLimiting;
}

template <typename Policy>
bool AnyStateful(const std::vector<Policy>& policies) {
  return absl::c_any_of(policies, [](const Policy& policy) { return IsStatefulType(policy.type); });
}

}  // namespace

void LatencyPolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("threshold_ms", threshold_ms, "Shortest time from the earliest start to the latest end of a trace.",
          {.min = 0, .unit = "ms"});
  r.Field("upper_threshold_ms", upper_threshold_ms,
          "Longest such time; 0: no limit. With it, a trace must be longer than threshold_ms.",
          {.min = 0, .unit = "ms"});
}

void NumericAttributePolicyOptions::Declare(config::OptionsReader& r) {
  constexpr int64_t kLowest = -std::numeric_limits<int64_t>::max();
  r.Field("key", key, "Attribute of a resource or span. Its integer values count, no others.");
  r.Field("min_value", min_value, "Smallest value; 0: no limit.", {.min = kLowest, .unit = "value"});
  r.Field("max_value", max_value, "Largest value; 0: no limit.", {.min = kLowest, .unit = "value"});
  r.Field("invert_match", invert_match, kInvertWords);
}

void ProbabilisticPolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("hash_salt", hash_salt,
          "Collectors that stand behind each other have different ones; those with the same decide alike. Empty: "
          "default-hash-seed.");
  r.Field("sampling_percentage", sampling_percentage, "The share of traces, by a hash of their ids.",
          {.min = 0, .unit = "%"});
}

void StatusCodePolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("status_codes", status_codes, "Any of OK, ERROR, UNSET; a span must have one of them.",
          [](const std::string& code) {
            if (code == "OK" || code == "ERROR" || code == "UNSET") return absl::OkStatus();
            return Invalid(StrCat("unknown status code \"", code, "\", supported: OK, ERROR, UNSET"));
          });
}

void StringAttributePolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("key", key, "Attribute of a resource or span. Its string values count, no others.");
  r.Field("values", values, "What matches: texts, or regular expressions.");
  r.Field("enabled_regex_matching", enabled_regex_matching,
          "Whether values are regular expressions (RE2), which match anywhere in a text unless they are anchored.");
  r.Field("cache_max_size", cache_max_size,
          "Texts whose answer is remembered, the last used ones; 0 means 128. Of regular expressions only.",
          {.min = 0, .max = 10'000'000, .unit = "texts"});
  r.Field("invert_match", invert_match, kInvertWords);
}

void RateLimitingPolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("spans_per_second", spans_per_second, "Spans that are sampled in the long run.",
          {.min = 0, .unit = "spans/s"});
  r.Field("burst_capacity", burst_capacity, "Spans that may come at once; 0: twice spans_per_second.",
          {.min = 0, .unit = "spans"});
}

void BytesLimitingPolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("bytes_per_second", bytes_per_second, "Bytes of protobuf that are sampled in the long run.",
          {.min = 0, .unit = "bytes/s"});
  r.Field("burst_capacity", burst_capacity, "Bytes that may come at once; 0: twice bytes_per_second.",
          {.min = 0, .unit = "bytes"});
}

void SpanCountPolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("min_spans", min_spans, "Fewest spans of a trace.", {.min = 0, .unit = "spans"});
  r.Field("max_spans", max_spans, "Most spans of a trace; 0: no limit.", {.min = 0, .unit = "spans"});
}

void TraceStatePolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("key", key, "Key in a span's tracestate.");
  r.Field("values", values, "Values of which it must have one. Key and value together have at most 255 bytes.");
}

void BooleanAttributePolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("key", key, "Attribute of a resource or span. Its boolean values count, no others.");
  r.Field("value", value, "The value.");
  r.Field("invert_match", invert_match, kInvertWords);
}

void OttlConditionPolicyOptions::Declare(config::OptionsReader& r) {
  DeclareErrorMode(r, error_mode,
                   "What an error during evaluation means: with ignore it is logged and the condition does not hold, "
                   "silent does not log it, with propagate the policy says nothing of the trace.");
  r.Field("span", span, "OTTL conditions; one of them must hold for a span.",
          [](const std::string& text) { return ottl::CheckCondition(ottl::Context::kSpan, text); });
  r.Field("spanevent", spanevent, "OTTL conditions; one of them must hold for an event of a span.",
          [](const std::string& text) { return ottl::CheckCondition(ottl::Context::kSpanEvent, text); });
}

void SimplePolicyOptions::Declare(config::OptionsReader& r) {
  DeclareNameAndType(r, name, type, kSimpleTypes);
  DeclareSections(r);
}

void SimplePolicyOptions::DeclareSections(config::OptionsReader& r) {
  r.Field("latency", latency, "Of type latency: how long the trace took.");
  r.Field("numeric_attribute", numeric_attribute, "Of type numeric_attribute: a number of a resource or span.");
  r.Field("probabilistic", probabilistic, "Of type probabilistic: a share of the traces.");
  r.Field("status_code", status_code, "Of type status_code: the status of a span.");
  r.Field("string_attribute", string_attribute, "Of type string_attribute: a text of a resource or span.");
  r.Field("rate_limiting", rate_limiting, "Of type rate_limiting: what there are tokens for, one a span.");
  r.Field("bytes_limiting", bytes_limiting, "Of type bytes_limiting: what there are tokens for, one a byte.");
  r.Field("span_count", span_count, "Of type span_count: how many spans the trace has.");
  r.Field("trace_state", trace_state, "Of type trace_state: the tracestate of a span.");
  r.Field("boolean_attribute", boolean_attribute, "Of type boolean_attribute: a truth of a resource or span.");
  r.Field("ottl_condition", ottl_condition, "Of type ottl_condition: what OTTL says of a span or event.");
}

Status SimplePolicyOptions::CheckType() const {
  switch (type) {
    case Type::kNumericAttribute:
      if (numeric_attribute.min_value == 0 && numeric_attribute.max_value == 0) {
        return Invalid("numeric_attribute must have a min_value or a max_value");
      }
      if (numeric_attribute.max_value != 0 && numeric_attribute.min_value > numeric_attribute.max_value) {
        return Invalid("numeric_attribute has a min_value that is greater than its max_value");
      }
      return absl::OkStatus();
    case Type::kStatusCode:
      if (!status_code.status_codes.empty()) return absl::OkStatus();
      return Invalid("status_code: expected at least one status code to filter on");
    case Type::kStringAttribute:
      return CheckPatterns(string_attribute);
    case Type::kOttlCondition:
      if (!ottl_condition.span.empty() || !ottl_condition.spanevent.empty()) return absl::OkStatus();
      return Invalid("ottl_condition: expected at least one OTTL condition to filter on");
    default:
      return absl::OkStatus();
  }
}

void AndPolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("and_sub_policy", and_sub_policy, "Policies that must all sample the trace.");
}

void NotPolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("not_sub_policy", not_sub_policy, "The policy that must not sample the trace.");
}

void DropPolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("drop_sub_policy", drop_sub_policy, "Policies: where all of them sample, the trace is dropped.");
}

void CompositeSubPolicyOptions::Declare(config::OptionsReader& r) {
  DeclareNameAndType(r, name, type, kCompositeSubTypes);
  DeclareSections(r);
  r.Field("and", and_policy, "Of type and: several at once.");
}

Status CompositeSubPolicyOptions::CheckType() const {
  if (type == Type::kAnd) return CheckAllBelow("and and_sub_policy", and_policy.and_sub_policy);
  return SimplePolicyOptions::CheckType();
}

void RateAllocationOptions::Declare(config::OptionsReader& r) {
  r.Field("policy", policy, "Name of a policy of composite_sub_policy.");
  r.Field("percent", percent, "Its share of max_total_spans_per_second; 0: as much as if all had the same.",
          {.min = 0, .unit = "%"});
}

void CompositePolicyOptions::Declare(config::OptionsReader& r) {
  r.Field("max_total_spans_per_second", max_total_spans_per_second, "Spans that are allotted to the policies below.",
          {.min = 0, .unit = "spans/s"});
  r.Field("policy_order", policy_order,
          "Names of the policies below, in the order in which they are asked; those it leaves out come after them.");
  r.Field("composite_sub_policy", composite_sub_policy,
          "Policies of which the first that would sample a trace decides: it is sampled if that policy has not used up "
          "its share of this second.");
  r.Field("rate_allocation", rate_allocation,
          "Shares of the policies. One without a share has as much as if all had the same.");
}

void TailSamplingPolicyOptions::Declare(config::OptionsReader& r) {
  DeclareNameAndType(r, name, type, std::size(kTypes));
  DeclareSections(r);
  r.Field("and", and_policy, "Of type and: several at once.");
  r.Field("not", not_policy, "Of type not: the opposite.");
  r.Field("drop", drop_policy, "Of type drop: a trace is dropped, whatever others say.");
  r.Field("composite", composite, "Of type composite: several in order, each with a share of a rate.");
}

Status TailSamplingPolicyOptions::Validate() const {
  if (name.empty()) return Invalid("name: policy name cannot be empty");
  switch (type) {
    case Type::kNone:
      return Invalid("type must be set");
    case Type::kAnd:
      return CheckAllBelow("and and_sub_policy", and_policy.and_sub_policy);
    case Type::kNot:
      return CheckBelow("not not_sub_policy", not_policy.not_sub_policy);
    case Type::kDrop:
      return CheckAllBelow("drop drop_sub_policy", drop_policy.drop_sub_policy);
    case Type::kComposite:
      return CheckComposite(composite);
    default:
      return CheckType();
  }
}

bool TailSamplingPolicyOptions::is_stateful() const {
  switch (type) {
    case Type::kAnd:
      return AnyStateful(and_policy.and_sub_policy);
    case Type::kNot:
      return IsStatefulType(not_policy.not_sub_policy.type);
    case Type::kDrop:
      return AnyStateful(drop_policy.drop_sub_policy);
    case Type::kComposite:
      return absl::c_any_of(composite.composite_sub_policy, [](const CompositeSubPolicyOptions& policy) {
        return policy.type == Type::kAnd ? AnyStateful(policy.and_policy.and_sub_policy) : IsStatefulType(policy.type);
      });
    default:
      return IsStatefulType(type);
  }
}

void DecisionCacheOptions::Declare(config::OptionsReader& r) {
  r.Field("sampled_cache_size", sampled_cache_size,
          "Ids of sampled traces that are remembered when the trace is gone, the last used ones; 0: none.",
          {.min = 0, .max = 100'000'000, .unit = "traces"});
  r.Field("non_sampled_cache_size", non_sampled_cache_size, "The same of traces that were not sampled.",
          {.min = 0, .max = 100'000'000, .unit = "traces"});
}

void TailSamplingOptions::Declare(config::OptionsReader& r) {
  r.Field("decision_wait", decision_wait, "How long the first span of a trace waits for the decision.",
          {.max = std::chrono::hours(24)});
  r.Field("decision_wait_after_root_received", decision_wait_after_root_received,
          "How long a trace waits at most once it has a span without a parent; 0: no shorter than decision_wait.",
          {.max = std::chrono::hours(24)});
  r.Field(
      "num_traces", num_traces,
      "Traces in memory: those that wait, and decisions that are remembered for late spans. For one more, the oldest "
      "decision is forgotten; without one, the oldest trace that waits is dropped, as in the Collector.",
      {.min = 1, .unit = "traces"});
  r.Field("expected_new_traces_per_sec", expected_new_traces_per_sec, "Room that is made at the start.",
          {.min = 0, .unit = "traces/s"});
  r.Field("maximum_trace_size_bytes", maximum_trace_size_bytes,
          "A trace that grows beyond that before its decision is dropped, as protobuf; 0: no limit.",
          {.min = 0, .unit = "bytes"});
  static constexpr std::pair<std::string_view, Strategy> kStrategies[] = {{"trace-complete", Strategy::kTraceComplete},
                                                                          {"span-ingest", Strategy::kSpanIngest}};
  r.Choice<Strategy>(
      "sampling_strategy", sampling_strategy, kStrategies,
      "When policies are asked: trace-complete asks them of all spans of a trace when it has waited. span-ingest asks "
      "them of the spans of each batch as they come: who samples or drops then decides, what nobody has sampled until "
      "the wait is over is not sampled, and forgotten unless decision_cache keeps it; rate_limiting and bytes_limiting "
      "are not possible there.");
  r.Field("sample_on_first_match", sample_on_first_match, "Whether no further policy is asked once one has sampled.");
  r.Field("drop_pending_traces_on_shutdown", drop_pending_traces_on_shutdown,
          "Whether traces that wait at a stop are dropped, rather than decided about as they are.");
  r.Field(
      "block_on_overflow", block_on_overflow,
      "Whether senders are told to come again (UNAVAILABLE, 503) while num_traces wait, rather than that the oldest "
      "is dropped.");
  r.Field("decision_cache", decision_cache, "Decisions that are remembered when the trace is gone from memory.");
  r.Field("policies", policies, "What is asked of each trace, in this order, but drop before all others.");
  r.Unsupported("tail_storage", "remove it; traces wait in memory, without the requests that they came in");
}

Status TailSamplingOptions::Validate() const {
  if (policies.empty()) return Invalid("policies must have at least one policy");
  absl::flat_hash_set<std::string_view> names;
  for (const TailSamplingPolicyOptions& policy : policies) {
    if (!names.insert(policy.name).second)
      return Invalid(StrCat("policies: duplicate policy name \"", policy.name, "\""));
    if (sampling_strategy == Strategy::kSpanIngest && policy.is_stateful()) {
      return Invalid(StrCat("sampling_strategy \"span-ingest\" requires all policies to be stateless, but policy \"",
                            policy.name, "\" is stateful"));
    }
  }
  return absl::OkStatus();
}

}  // namespace spanloom::pipeline
