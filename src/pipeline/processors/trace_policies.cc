// SPDX-License-Identifier: Apache-2.0
//
// The policies that have none below them.

#include <absl/algorithm/container.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "otlp/trace_state.h"
#include "ottl/condition.h"
#include "pipeline/processors/lru_map.h"
#include "pipeline/processors/pattern.h"
#include "pipeline/processors/token_bucket.h"
#include "pipeline/processors/trace_policy.h"

namespace spanloom::pipeline {
namespace {

using ValueKind = otlp::ValueView::Kind;

// A policy that never fails: it samples or does not.
class MatchPolicy : public TracePolicy {
 public:
  StatusOr<TraceVerdict> Evaluate(const TraceUnderDecision& trace, int64_t now_ns) final {
    return Matches(trace, now_ns) ? TraceVerdict::kSampled : TraceVerdict::kNotSampled;
  }

 private:
  virtual bool Matches(const TraceUnderDecision& trace, int64_t now_ns) = 0;
};

class AlwaysSamplePolicy final : public MatchPolicy {
  bool Matches(const TraceUnderDecision&, int64_t) override { return true; }
};

class LatencyPolicy final : public MatchPolicy {
 public:
  explicit LatencyPolicy(const LatencyPolicyOptions& options) : options_(options) {}

 private:
  bool Matches(const TraceUnderDecision& trace, int64_t) override {
    uint64_t start_ns = 0;  // 0: none is known
    uint64_t end_ns = 0;
    static_cast<void>(trace.AnySpan([&](const otlp::SpanContext& context) {
      const otlp::SpanView& span = context.span;
      if (start_ns == 0 || span.start_unix_ns() < start_ns) start_ns = span.start_unix_ns();
      end_ns = std::max(end_ns, span.end_unix_ns());
      return false;
    }));
    const int64_t duration_ms = static_cast<int64_t>(end_ns - start_ns) / 1'000'000;
    if (options_.upper_threshold_ms == 0) return duration_ms >= options_.threshold_ms;
    return options_.threshold_ms < duration_ms && duration_ms <= options_.upper_threshold_ms;
  }

  const LatencyPolicyOptions options_;
};

class NumericAttributePolicy final : public MatchPolicy {
 public:
  explicit NumericAttributePolicy(const NumericAttributePolicyOptions& options)
      : key_(options.key),
        min_(options.min_value == 0 ? std::numeric_limits<int64_t>::min() : options.min_value),
        max_(options.max_value == 0 ? std::numeric_limits<int64_t>::max() : options.max_value),
        inverts_(options.invert_match) {}

 private:
  bool Matches(const TraceUnderDecision& trace, int64_t) override {
    return inverts_ != trace.AnyAttribute(key_, [this](const otlp::ValueView& value) {
      return value.kind() == ValueKind::kInt && value.int_value() >= min_ && value.int_value() <= max_;
    });
  }

  const std::string key_;
  const int64_t min_;
  const int64_t max_;
  const bool inverts_;
};

class BooleanAttributePolicy final : public MatchPolicy {
 public:
  explicit BooleanAttributePolicy(const BooleanAttributePolicyOptions& options) : options_(options) {}

 private:
  bool Matches(const TraceUnderDecision& trace, int64_t) override {
    return options_.invert_match != trace.AnyAttribute(options_.key, [this](const otlp::ValueView& value) {
      return value.kind() == ValueKind::kBool && value.bool_value() == options_.value;
    });
  }

  const BooleanAttributePolicyOptions options_;
};

// Which texts match: some, or those of regular expressions.
class TextMatcher {
 public:
  explicit TextMatcher(const StringAttributePolicyOptions& options)
      : texts_(options.values.begin(), options.values.end()),
        known_(options.cache_max_size > 0 ? static_cast<size_t>(options.cache_max_size) : kKnownTexts) {
    texts_.erase("");
    if (options.enabled_regex_matching) patterns_.emplace(options.values);
  }

  bool Matches(std::string_view text) {
    if (!patterns_) return texts_.contains(AbslView(text));
    if (text.size() > kKnownTextSize) return patterns_->AnyMatches(text);
    if (const bool* const known = known_.Find(AbslView(text))) return *known;
    const bool matches = patterns_->AnyMatches(text);
    known_.Put(std::string(text), matches);
    return matches;
  }

 private:
  static constexpr size_t kKnownTexts = 128;         // the Collector's
  static constexpr size_t kKnownTextSize = 1 << 10;  // bytes; longer ones seldom come again. Guess

  absl::flat_hash_set<std::string> texts_;
  std::optional<PatternList> patterns_;
  LruMap<std::string, bool> known_;
};

class StringAttributePolicy final : public MatchPolicy {
 public:
  explicit StringAttributePolicy(const StringAttributePolicyOptions& options)
      : key_(options.key), inverts_(options.invert_match), matcher_(options) {}

 private:
  bool Matches(const TraceUnderDecision& trace, int64_t) override {
    return inverts_ != trace.AnyAttribute(key_, [this](const otlp::ValueView& value) {
      return value.kind() == ValueKind::kString && !value.string_value().empty() &&
             matcher_.Matches(value.string_value());
    });
  }

  const std::string key_;
  const bool inverts_;
  TextMatcher matcher_;
};

// FNV-1a of 64 bits, over the salt and the id.
uint64_t SaltedHash(std::string_view salt, const otlp::TraceId& id) {
  uint64_t hash = 14695981039346656037U;
  for (const std::string_view part : {salt, id.view()}) {
    for (const char byte : part) hash = (hash ^ static_cast<uint8_t>(byte)) * 1099511628211U;
  }
  return hash;
}

// Hashes up to that are sampled: `ratio` of 2^64 - 1.
uint64_t HighestHash(double ratio) {
  if (ratio >= 1) return std::numeric_limits<uint64_t>::max();
  // A double has 53 bits, so that nothing is cut off from one that is not tiny.
  constexpr int kRatioBits = 63;
  const auto scaled = static_cast<uint64_t>(ratio * static_cast<double>(uint64_t{1} << kRatioBits));
  constexpr unsigned __int128 kMax = std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(kMax * scaled >> kRatioBits);
}

class ProbabilisticPolicy final : public MatchPolicy {
 public:
  explicit ProbabilisticPolicy(const ProbabilisticPolicyOptions& options)
      : salt_(options.hash_salt.empty() ? "default-hash-seed" : options.hash_salt),
        highest_(HighestHash(options.sampling_percentage / 100)) {}

 private:
  bool Matches(const TraceUnderDecision& trace, int64_t) override { return SaltedHash(salt_, trace.id()) <= highest_; }

  const std::string salt_;
  const uint64_t highest_;
};

class StatusCodePolicy final : public MatchPolicy {
 public:
  explicit StatusCodePolicy(const StatusCodePolicyOptions& options) {
    for (const std::string& code : options.status_codes) {
      codes_.push_back(code == "OK"      ? otlp::StatusCode::kOk
                       : code == "ERROR" ? otlp::StatusCode::kError
                                         : otlp::StatusCode::kUnset);
    }
  }

 private:
  bool Matches(const TraceUnderDecision& trace, int64_t) override {
    return trace.AnySpan(
        [this](const otlp::SpanContext& context) { return absl::c_linear_search(codes_, context.span.status_code()); });
  }

  std::vector<otlp::StatusCode> codes_;
};

class RateLimitingPolicy final : public MatchPolicy {
 public:
  explicit RateLimitingPolicy(const RateLimitingPolicyOptions& options)
      : tokens_(options.spans_per_second,
                options.burst_capacity > 0 ? options.burst_capacity : 2 * options.spans_per_second) {}

 private:
  bool Matches(const TraceUnderDecision& trace, int64_t now_ns) override {
    return tokens_.Take(trace.span_count(), now_ns);
  }

  TokenBucket tokens_;
};

class BytesLimitingPolicy final : public MatchPolicy {
 public:
  explicit BytesLimitingPolicy(const BytesLimitingPolicyOptions& options)
      : tokens_(options.bytes_per_second,
                options.burst_capacity > 0 ? options.burst_capacity : 2 * options.bytes_per_second) {}

 private:
  bool Matches(const TraceUnderDecision& trace, int64_t now_ns) override {
    return tokens_.Take(trace.wire_bytes(), now_ns);
  }

  TokenBucket tokens_;
};

class SpanCountPolicy final : public MatchPolicy {
 public:
  explicit SpanCountPolicy(const SpanCountPolicyOptions& options)
      : min_(static_cast<size_t>(options.min_spans)),
        max_(options.max_spans == 0 ? std::numeric_limits<size_t>::max() : static_cast<size_t>(options.max_spans)) {}

 private:
  bool Matches(const TraceUnderDecision& trace, int64_t) override {
    return trace.span_count() >= min_ && trace.span_count() <= max_;
  }

  const size_t min_;
  const size_t max_;
};

class TraceStatePolicy final : public MatchPolicy {
 public:
  explicit TraceStatePolicy(const TraceStatePolicyOptions& options) : key_(options.key) {
    for (const std::string& value : options.values) {
      if (!value.empty() && key_.size() + value.size() < kMemberSizeMax) values_.insert(value);
    }
  }

 private:
  static constexpr size_t kMemberSizeMax = 256;  // the Collector's, without the "="

  bool Matches(const TraceUnderDecision& trace, int64_t) override {
    return trace.AnySpan([this](const otlp::SpanContext& context) {
      const auto state = otlp::TraceState::Parse(context.span.trace_state());
      const auto value = state ? state->Find(key_) : std::nullopt;
      return value && values_.contains(AbslView(*value));
    });
  }

  const std::string key_;
  absl::flat_hash_set<std::string> values_;
};

class TraceFlagsPolicy final : public MatchPolicy {
  static constexpr uint32_t kSampledFlag = 1;  // W3C Trace Context, "sampled flag"

  bool Matches(const TraceUnderDecision& trace, int64_t) override {
    return trace.AnySpan([](const otlp::SpanContext& context) { return (context.span.flags() & kSampledFlag) != 0; });
  }
};

class OttlConditionPolicy final : public TracePolicy {
 public:
  OttlConditionPolicy(const OttlConditionPolicyOptions& options, const std::string& processor, const Clock& clock)
      : error_mode_(options.error_mode),
        errors_(processor, "condition", clock),
        span_(Compiled(ottl::Context::kSpan, options.span, clock)),
        event_(Compiled(ottl::Context::kSpanEvent, options.spanevent, clock)) {}

  StatusOr<TraceVerdict> Evaluate(const TraceUnderDecision& trace, int64_t) override {
    Status refusal;
    const bool holds = trace.AnySpan([&](const otlp::SpanContext& context) {
      return Holds(span_, ottl::Scene(context), refusal) || !refusal.ok() || HoldsForEvent(context, refusal) ||
             !refusal.ok();
    });
    if (!refusal.ok()) return refusal;
    return holds ? TraceVerdict::kSampled : TraceVerdict::kNotSampled;
  }

 private:
  static ottl::Conditions Compiled(ottl::Context context, const std::vector<std::string>& texts, const Clock& clock) {
    auto conditions = ottl::Conditions::Compile(context, texts, clock);
    CHECK(conditions.ok());
    return *std::move(conditions);
  }

  bool Holds(const ottl::Conditions& conditions, const ottl::Scene& scene, Status& refusal) {
    return conditions.Match(scene, [&](std::string_view condition, const Status& error) {
      return errors_.GoesOn(error_mode_, condition, error, refusal);
    });
  }

  bool HoldsForEvent(const otlp::SpanContext& context, Status& refusal) {
    if (event_.empty()) return false;
    size_t index = 0;
    for (const otlp::EventView event : context.span.events()) {
      if (Holds(event_, ottl::Scene(context, event, index++), refusal)) return true;
      if (!refusal.ok()) return false;
    }
    return false;
  }

  const OttlErrorMode error_mode_;
  OttlErrors errors_;
  const ottl::Conditions span_;
  const ottl::Conditions event_;
};

}  // namespace

std::unique_ptr<TracePolicy> MakeSimpleTracePolicy(const SimplePolicyOptions& options, const std::string& processor,
                                                   const Clock& clock) {
  switch (options.type) {
    case TracePolicyType::kAlwaysSample:
      return std::make_unique<AlwaysSamplePolicy>();
    case TracePolicyType::kLatency:
      return std::make_unique<LatencyPolicy>(options.latency);
    case TracePolicyType::kNumericAttribute:
      return std::make_unique<NumericAttributePolicy>(options.numeric_attribute);
    case TracePolicyType::kProbabilistic:
      return std::make_unique<ProbabilisticPolicy>(options.probabilistic);
    case TracePolicyType::kStatusCode:
      return std::make_unique<StatusCodePolicy>(options.status_code);
    case TracePolicyType::kStringAttribute:
      return std::make_unique<StringAttributePolicy>(options.string_attribute);
    case TracePolicyType::kRateLimiting:
      return std::make_unique<RateLimitingPolicy>(options.rate_limiting);
    case TracePolicyType::kBytesLimiting:
      return std::make_unique<BytesLimitingPolicy>(options.bytes_limiting);
    case TracePolicyType::kSpanCount:
      return std::make_unique<SpanCountPolicy>(options.span_count);
    case TracePolicyType::kTraceState:
      return std::make_unique<TraceStatePolicy>(options.trace_state);
    case TracePolicyType::kTraceFlags:
      return std::make_unique<TraceFlagsPolicy>();
    case TracePolicyType::kBooleanAttribute:
      return std::make_unique<BooleanAttributePolicy>(options.boolean_attribute);
    case TracePolicyType::kOttlCondition:
      return std::make_unique<OttlConditionPolicy>(options.ottl_condition, processor, clock);
    default:
      break;
  }
  CHECK(false);
  return nullptr;
}

}  // namespace spanloom::pipeline
