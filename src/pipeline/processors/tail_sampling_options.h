// SPDX-License-Identifier: Apache-2.0
//
// The options of tail_sampling, with those of every type of policy. Keys and defaults are those of the Collector's
// processor at v0.155.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "config/options.h"
#include "pipeline/processors/ottl_options.h"

namespace spanloom::pipeline {

enum class TracePolicyType : uint8_t {
  kNone,  // not said
  kAlwaysSample,
  kLatency,
  kNumericAttribute,
  kProbabilistic,
  kStatusCode,
  kStringAttribute,
  kRateLimiting,
  kBytesLimiting,
  kSpanCount,
  kTraceState,
  kTraceFlags,
  kBooleanAttribute,
  kOttlCondition,
  // From here on those that have others below them.
  kAnd,
  kNot,
  kDrop,
  kComposite,
};

struct LatencyPolicyOptions {
  int64_t threshold_ms = 0;
  int64_t upper_threshold_ms = 0;
  void Declare(config::OptionsReader& r);
};

struct NumericAttributePolicyOptions {
  std::string key;
  int64_t min_value = 0;
  int64_t max_value = 0;
  bool invert_match = false;
  void Declare(config::OptionsReader& r);
};

struct ProbabilisticPolicyOptions {
  std::string hash_salt;
  double sampling_percentage = 0;
  void Declare(config::OptionsReader& r);
};

struct StatusCodePolicyOptions {
  std::vector<std::string> status_codes;
  void Declare(config::OptionsReader& r);
};

struct StringAttributePolicyOptions {
  std::string key;
  std::vector<std::string> values;
  bool enabled_regex_matching = false;
  int64_t cache_max_size = 0;
  bool invert_match = false;
  void Declare(config::OptionsReader& r);
};

struct RateLimitingPolicyOptions {
  int64_t spans_per_second = 0;
  int64_t burst_capacity = 0;
  void Declare(config::OptionsReader& r);
};

struct BytesLimitingPolicyOptions {
  int64_t bytes_per_second = 0;
  int64_t burst_capacity = 0;
  void Declare(config::OptionsReader& r);
};

struct SpanCountPolicyOptions {
  int32_t min_spans = 0;
  int32_t max_spans = 0;
  void Declare(config::OptionsReader& r);
};

struct TraceStatePolicyOptions {
  std::string key;
  std::vector<std::string> values;
  void Declare(config::OptionsReader& r);
};

struct BooleanAttributePolicyOptions {
  std::string key;
  bool value = false;
  bool invert_match = false;
  void Declare(config::OptionsReader& r);
};

struct OttlConditionPolicyOptions {
  OttlErrorMode error_mode = OttlErrorMode::kSilent;  // the Collector's, by leaving it empty
  std::vector<std::string> span;
  std::vector<std::string> spanevent;
  void Declare(config::OptionsReader& r);
};

// A policy that has none below it. Of the sections, the one of its type counts; the Collector, too, takes others and
// leaves them.
struct SimplePolicyOptions {
  std::string name;
  TracePolicyType type = TracePolicyType::kNone;
  LatencyPolicyOptions latency;
  NumericAttributePolicyOptions numeric_attribute;
  ProbabilisticPolicyOptions probabilistic;
  StatusCodePolicyOptions status_code;
  StringAttributePolicyOptions string_attribute;
  RateLimitingPolicyOptions rate_limiting;
  BytesLimitingPolicyOptions bytes_limiting;
  SpanCountPolicyOptions span_count;
  TraceStatePolicyOptions trace_state;
  BooleanAttributePolicyOptions boolean_attribute;
  OttlConditionPolicyOptions ottl_condition;
  void Declare(config::OptionsReader& r);

  // kInvalidArgument: what is wrong with the section of its type; the message begins with it. Not called Validate,
  // because what is below a policy of another type need not be right.
  [[nodiscard]] Status CheckType() const;

 protected:
  void DeclareSections(config::OptionsReader& r);
};

struct AndPolicyOptions {
  std::vector<SimplePolicyOptions> and_sub_policy;
  void Declare(config::OptionsReader& r);
};

struct NotPolicyOptions {
  SimplePolicyOptions not_sub_policy;
  void Declare(config::OptionsReader& r);
};

struct DropPolicyOptions {
  std::vector<SimplePolicyOptions> drop_sub_policy;
  void Declare(config::OptionsReader& r);
};

struct CompositeSubPolicyOptions : SimplePolicyOptions {
  AndPolicyOptions and_policy;  // `and`
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status CheckType() const;
};

struct RateAllocationOptions {
  std::string policy;
  int64_t percent = 0;
  void Declare(config::OptionsReader& r);
};

struct CompositePolicyOptions {
  int64_t max_total_spans_per_second = 0;
  std::vector<std::string> policy_order;
  std::vector<CompositeSubPolicyOptions> composite_sub_policy;
  std::vector<RateAllocationOptions> rate_allocation;
  void Declare(config::OptionsReader& r);
};

struct TailSamplingPolicyOptions : SimplePolicyOptions {
  AndPolicyOptions and_policy;    // `and`
  NotPolicyOptions not_policy;    // `not`
  DropPolicyOptions drop_policy;  // `drop`
  CompositePolicyOptions composite;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  // True if what it says of a trace depends on the traces before.
  [[nodiscard]] bool is_stateful() const;
};

struct DecisionCacheOptions {
  size_t sampled_cache_size = 0;
  size_t non_sampled_cache_size = 0;
  void Declare(config::OptionsReader& r);
};

struct TailSamplingOptions {
  enum class Strategy : uint8_t { kTraceComplete, kSpanIngest };

  std::chrono::nanoseconds decision_wait = std::chrono::seconds(30);
  std::chrono::nanoseconds decision_wait_after_root_received = std::chrono::nanoseconds::zero();
  size_t num_traces = 50'000;
  size_t expected_new_traces_per_sec = 0;
  size_t maximum_trace_size_bytes = 0;
  Strategy sampling_strategy = Strategy::kTraceComplete;
  bool sample_on_first_match = false;
  bool drop_pending_traces_on_shutdown = false;
  bool block_on_overflow = false;
  DecisionCacheOptions decision_cache;
  std::vector<TailSamplingPolicyOptions> policies;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

}  // namespace spanloom::pipeline
