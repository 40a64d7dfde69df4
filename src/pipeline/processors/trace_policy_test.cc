// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/trace_policy.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "config/yaml.h"
#include "pipeline/testing/traces.h"

namespace spanloom::pipeline {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr auto kSampled = TraceVerdict::kSampled;
constexpr auto kNotSampled = TraceVerdict::kNotSampled;
using otlp::StatusCode;

class TracePolicyTest : public testing::Test {
 protected:
  void Make(const std::string& yaml) {
    config::Problems problems;
    const auto options = config::ReadOptions<TailSamplingPolicyOptions>(
        *config::ParseYaml("{name: p, " + yaml + "}", "f"), "p", problems);
    ASSERT_TRUE(problems.empty()) << problems.lines()[0];
    policy_ = MakeTracePolicy(options, "tail_sampling", clock_);
  }

  // nullopt: it failed.
  std::optional<TraceVerdict> Says(const std::vector<SpanSketch>& spans, int64_t now_ns = kSecond) {
    otlp::ContextTable contexts;
    auto traces = otlp::DetachByTrace(RequestOf(spans), contexts);
    EXPECT_EQ(traces.size(), 1u);
    const TraceUnderDecision trace(traces[0].id, traces[0].spans, spans.size());
    const auto verdict = policy_->Evaluate(trace, now_ns);
    return verdict.ok() ? std::optional(*verdict) : std::nullopt;
  }

  SimClock clock_;
  std::unique_ptr<TracePolicy> policy_;
};

TEST_F(TracePolicyTest, AlwaysSample) {
  Make("type: always_sample");
  EXPECT_EQ(Says({{}}), kSampled);
}

// Scenario: spans that overlap, follow each other, and come in any order.
// Guarantees: what counts is from the earliest start to the latest end; both thresholds are as documented.
TEST_F(TracePolicyTest, Latency) {
  Make("type: latency, latency: {threshold_ms: 500}");
  EXPECT_EQ(Says({{.start_ms = 1'000, .end_ms = 1'499}}), kNotSampled);
  EXPECT_EQ(Says({{.start_ms = 1'000, .end_ms = 1'500}}), kSampled);
  EXPECT_EQ(Says({{.start_ms = 1'400, .end_ms = 1'500}, {.start_ms = 1'000, .end_ms = 1'100}}), kSampled);
  Make("type: latency, latency: {threshold_ms: 500, upper_threshold_ms: 1000}");
  EXPECT_EQ(Says({{.start_ms = 1'000, .end_ms = 1'500}}), kNotSampled);
  EXPECT_EQ(Says({{.start_ms = 1'000, .end_ms = 2'000}}), kSampled);
  EXPECT_EQ(Says({{.start_ms = 1'000, .end_ms = 1'700}, {.start_ms = 1'000, .end_ms = 2'001}}), kNotSampled)
      << "the whole trace counts, not its beginning";
}

TEST_F(TracePolicyTest, NumericAttribute) {
  Make("type: numeric_attribute, numeric_attribute: {key: code, min_value: 400, max_value: 499}");
  EXPECT_EQ(Says({{.numbers = {{"code", 200}}}, {.numbers = {{"code", 499}}}}), kSampled);
  EXPECT_EQ(Says({{.numbers = {{"code", 500}}}}), kNotSampled);
  EXPECT_EQ(Says({{.texts = {{"code", "404"}}}}), kNotSampled);
  EXPECT_EQ(Says({{}}), kNotSampled);
  Make("type: numeric_attribute, numeric_attribute: {key: code, min_value: 400, invert_match: true}");
  EXPECT_EQ(Says({{.numbers = {{"code", 200}}}, {.numbers = {{"code", 5'000}}}}), kNotSampled);
  EXPECT_EQ(Says({{.numbers = {{"code", 200}}}, {}}), kSampled);
}

TEST_F(TracePolicyTest, BooleanAttribute) {
  Make("type: boolean_attribute, boolean_attribute: {key: keep, value: true}");
  EXPECT_EQ(Says({{}, {.truths = {{"keep", true}}}}), kSampled);
  EXPECT_EQ(Says({{.truths = {{"keep", false}}}}), kNotSampled);
  EXPECT_EQ(Says({{.texts = {{"keep", "true"}}}}), kNotSampled);
  Make("type: boolean_attribute, boolean_attribute: {key: keep, value: false, invert_match: true}");
  EXPECT_EQ(Says({{.truths = {{"keep", false}}}}), kNotSampled);
  EXPECT_EQ(Says({{}}), kSampled);
}

// Guarantees: attributes of resources count as those of spans do; texts match whole, expressions anywhere; what is
// asked often gets the same answer.
TEST_F(TracePolicyTest, StringAttribute) {
  Make("type: string_attribute, string_attribute: {key: service.name, values: [prefill, '']}");
  EXPECT_EQ(Says({{.service = "decode"}, {.service = "prefill"}}), kSampled);
  EXPECT_EQ(Says({{.service = "prefill-2"}}), kNotSampled);
  EXPECT_EQ(Says({{.service = "decode", .texts = {{"service.name", "prefill"}}}}), kSampled);
  EXPECT_EQ(Says({{.service = ""}}), kNotSampled);
  Make(
      "type: string_attribute, string_attribute: {key: url, values: ['^/health', 'x$'], enabled_regex_matching: true, "
      "cache_max_size: 1}");
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(Says({{.texts = {{"url", "/healthz"}}}}), kSampled);
    EXPECT_EQ(Says({{.texts = {{"url", "/api/health"}}}}), kNotSampled);
    EXPECT_EQ(Says({{.texts = {{"url", StrCat(std::string(2'000, 'a'), "x")}}}}), kSampled);
  }
  Make("type: string_attribute, string_attribute: {key: url, values: [/health], invert_match: true}");
  EXPECT_EQ(Says({{.texts = {{"url", "/api"}}}, {}}), kSampled);
  EXPECT_EQ(Says({{.texts = {{"url", "/api"}}}, {.texts = {{"url", "/health"}}}}), kNotSampled);
}

// Guarantees: the share is right, the same ids are taken each time, other salts take others; and the decisions are
// those of the Collector: FNV-1a of 64 bits over the salt and the id.
TEST_F(TracePolicyTest, Probabilistic) {
  std::vector<bool> first;
  for (const char* salt : {"", "other"}) {
    Make(std::string("type: probabilistic, probabilistic: {sampling_percentage: 25, hash_salt: '") + salt + "'}");
    int sampled = 0;
    int same = 0;
    for (int trace = 0; trace < 256; ++trace) {
      const bool is_sampled = Says({{.trace = static_cast<uint8_t>(trace)}}) == kSampled;
      EXPECT_EQ(Says({{.trace = static_cast<uint8_t>(trace)}}) == kSampled, is_sampled);
      sampled += is_sampled ? 1 : 0;
      if (*salt == '\0') {
        first.push_back(is_sampled);
      } else {
        same += first[static_cast<size_t>(trace)] == is_sampled ? 1 : 0;
      }
    }
    EXPECT_NEAR(sampled, 64, 25);
    EXPECT_LT(same, 200);
  }
  Make("type: probabilistic, probabilistic: {sampling_percentage: 100}");
  EXPECT_EQ(Says({{}}), kSampled);
  Make("type: probabilistic");
  EXPECT_EQ(Says({{}}), kNotSampled);
}

TEST_F(TracePolicyTest, StatusCode) {
  Make("type: status_code, status_code: {status_codes: [ERROR, OK]}");
  EXPECT_EQ(Says({{}, {.status = StatusCode::kError}}), kSampled);
  EXPECT_EQ(Says({{.status = StatusCode::kOk}}), kSampled);
  EXPECT_EQ(Says({{}}), kNotSampled);
  Make("type: status_code, status_code: {status_codes: [UNSET]}");
  EXPECT_EQ(Says({{.status = StatusCode::kOk}, {}}), kSampled);
}

TEST_F(TracePolicyTest, RateLimiting) {
  Make("type: rate_limiting, rate_limiting: {spans_per_second: 2}");
  EXPECT_EQ(Says({{}, {}, {}}), kSampled);
  EXPECT_EQ(Says({{}, {}}), kNotSampled) << "one token is left";
  EXPECT_EQ(Says({{}}), kSampled);
  EXPECT_EQ(Says({{}, {}}, 2 * kSecond), kSampled);
  Make("type: rate_limiting, rate_limiting: {spans_per_second: 100, burst_capacity: 1}");
  EXPECT_EQ(Says({{}, {}}), kNotSampled);
}

TEST_F(TracePolicyTest, BytesLimiting) {
  Make("type: bytes_limiting, bytes_limiting: {bytes_per_second: 1000}");
  const SpanSketch large = {.texts = {{"prompt", std::string(1'500, 'x')}}};
  EXPECT_EQ(Says({large}), kSampled);
  EXPECT_EQ(Says({large}), kNotSampled);
  EXPECT_EQ(Says({{}}), kSampled);
}

TEST_F(TracePolicyTest, SpanCount) {
  Make("type: span_count, span_count: {min_spans: 2, max_spans: 3}");
  EXPECT_EQ(Says({{}}), kNotSampled);
  EXPECT_EQ(Says({{}, {}}), kSampled);
  EXPECT_EQ(Says({{}, {}, {}}), kSampled);
  EXPECT_EQ(Says({{}, {}, {}, {}}), kNotSampled);
  Make("type: span_count, span_count: {min_spans: 2}");
  EXPECT_EQ(Says({{}, {}, {}, {}}), kSampled);
}

TEST_F(TracePolicyTest, TraceState) {
  Make("type: trace_state, trace_state: {key: tier, values: [gold, '']}");
  EXPECT_EQ(Says({{}, {.trace_state = "a=1,tier=gold"}}), kSampled);
  EXPECT_EQ(Says({{.trace_state = "tier=silver"}}), kNotSampled);
}

TEST_F(TracePolicyTest, TraceFlags) {
  Make("type: trace_flags");
  EXPECT_EQ(Says({{.flags = 0x100}, {.flags = 0x301}}), kSampled);
  EXPECT_EQ(Says({{.flags = 0x300}}), kNotSampled);
}

// Guarantees: one condition for one span or event is enough; an error is what error_mode says.
TEST_F(TracePolicyTest, OttlCondition) {
  Make(
      R"(type: ottl_condition, ottl_condition: {span: ['name == "a"', 'attributes["n"] > 5'], spanevent: ['name == "e"']})");
  EXPECT_EQ(Says({{.name = "b"}, {.name = "a"}}), kSampled);
  EXPECT_EQ(Says({{.name = "b", .numbers = {{"n", 6}}}}), kSampled);
  EXPECT_EQ(Says({{.name = "b", .events = {"d", "e"}}}), kSampled);
  EXPECT_EQ(Says({{.name = "b", .events = {"a"}}}), kNotSampled);
  const std::string fails = R"(span: ['Substring(attributes["t"], 0, 4) == "keep"', 'name == "a"']})";
  for (const std::string mode : {"error_mode: ignore, ", ""}) {
    Make("type: ottl_condition, ottl_condition: {" + mode + fails);
    EXPECT_EQ(Says({{.name = "a"}}), kSampled);
    EXPECT_EQ(Says({{.name = "b"}}), kNotSampled);
  }
  Make("type: ottl_condition, ottl_condition: {error_mode: propagate, " + fails);
  EXPECT_EQ(Says({{.name = "a"}}), std::nullopt);
  EXPECT_EQ(Says({{.name = "b", .texts = {{"t", "keeper"}}}}), kSampled);
}

TEST_F(TracePolicyTest, And) {
  Make(
      "type: and, and: {and_sub_policy: [{name: a, type: status_code, status_code: {status_codes: [ERROR]}}, "
      "{name: b, type: span_count, span_count: {min_spans: 2}}]}");
  EXPECT_EQ(Says({{.status = StatusCode::kError}, {}}), kSampled);
  EXPECT_EQ(Says({{.status = StatusCode::kError}}), kNotSampled);
  EXPECT_EQ(Says({{}, {}}), kNotSampled);
}

TEST_F(TracePolicyTest, DropAndNot) {
  Make(
      "type: drop, drop: {drop_sub_policy: [{name: a, type: string_attribute, string_attribute: {key: url, values: "
      "[/health]}}]}");
  EXPECT_EQ(Says({{.texts = {{"url", "/health"}}}}), TraceVerdict::kDropped);
  EXPECT_EQ(Says({{}}), kNotSampled);
  Make("type: not, not: {not_sub_policy: {name: a, type: span_count, span_count: {min_spans: 2}}}");
  EXPECT_EQ(Says({{}}), kSampled);
  EXPECT_EQ(Says({{}, {}}), kNotSampled);
}

// Scenario: two policies below; the order is said, one has a share.
// Guarantees: the first that samples decides, within its share of the second; a smaller trace still fits.
TEST_F(TracePolicyTest, Composite) {
  Make(
      "type: composite, composite: {max_total_spans_per_second: 10, policy_order: [errors, all], "
      "composite_sub_policy: [{name: all, type: always_sample}, "
      "{name: errors, type: and, and: {and_sub_policy: [{name: e, type: status_code, status_code: {status_codes: "
      "[ERROR]}}]}}], "
      "rate_allocation: [{policy: errors, percent: 30}]}");
  EXPECT_EQ(Says({{.status = StatusCode::kError}, {}}), kSampled);
  EXPECT_EQ(Says({{.status = StatusCode::kError}, {}}), kNotSampled) << "3 a second";
  EXPECT_EQ(Says({{.status = StatusCode::kError}}), kSampled);
  EXPECT_EQ(Says({{}, {}, {}, {}, {}}), kSampled);
  EXPECT_EQ(Says({{}}), kNotSampled) << "5 a second, as if both had the same share";
  EXPECT_EQ(Says({{}}, 2 * kSecond), kSampled);
}

}  // namespace
}  // namespace spanloom::pipeline
