// SPDX-License-Identifier: Apache-2.0

#include "doctor/trace_rules.h"

#include <absl/strings/str_format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "base/text.h"

namespace spanloom::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kAnswer = R"({"data":[{"traceID":"0af7651916cd43dd8448eb211c80319c","spans":[
  {"spanID":"a","operationName":"llm_d.pd_proxy.request","references":[],"startTime":1000,"duration":500,
   "tags":[{"key":"span.kind","value":"client"},{"key":"http.response.status_code","type":"int64","value":502},
           {"key":"error","type":"bool","value":true}],"processID":"p1"},
  {"spanID":"b","operationName":"llm_request","references":[{"refType":"CHILD_OF","traceID":"x","spanID":"a"}],
   "startTime":1100,"duration":100,
   "tags":[{"key":"gen_ai.request.id","value":"chatcmpl-7"},{"key":"http.status_code","value":"404"}],"processID":"p2"}],
  "processes":{"p1":{"serviceName":"routing-proxy"},"p2":{"serviceName":"vllm-decode"}}}]})";

std::vector<Finding> FindingsOf(TraceSample sample) {
  if (sample.services.empty()) sample.services = {"a", "b"};
  Findings findings;
  CheckTraces(sample, findings);
  return std::move(findings).Take();
}

std::vector<std::string> Rules(const TraceSample& sample) {
  std::vector<std::string> rules;
  for (const Finding& finding : FindingsOf(sample)) rules.emplace_back(finding.rule);
  return rules;
}

// A trace of a client span of `a` from 0 to 10 ms, and a server span of `b` in it from `start_ms` to `end_ms`.
SeenTrace Call(int64_t start_ms, int64_t end_ms) {
  return {
      .id = std::string(32, '0'),
      .spans = {
          {.id = "1", .parent = "", .service = "a", .name = "call", .kind = "client", .start_us = 0, .end_us = 10'000},
          {.id = "2",
           .parent = "1",
           .service = "b",
           .name = "serve",
           .kind = "server",
           .start_us = start_ms * 1'000,
           .end_us = end_ms * 1'000}}};
}

TEST(JaegersAnswer, IsRead) {
  const std::vector<SeenTrace> traces = *ReadTraces(kAnswer);
  ASSERT_EQ(traces.size(), 1U);
  ASSERT_EQ(traces[0].spans.size(), 2U);
  EXPECT_EQ(traces[0].spans[0].service, "routing-proxy");
  EXPECT_EQ(traces[0].spans[0].kind, "client");
  EXPECT_EQ(traces[0].spans[1].parent, "a");
  EXPECT_EQ(traces[0].spans[0].request_id, "");
  EXPECT_EQ(traces[0].spans[1].request_id, "7");
  EXPECT_EQ(traces[0].spans[0].http_status, 502);
  EXPECT_TRUE(traces[0].spans[0].is_error);
  EXPECT_EQ(traces[0].spans[1].http_status, 404);
  EXPECT_FALSE(traces[0].spans[1].is_error);
  EXPECT_EQ(traces[0].spans[1].end_us, 1'200);
  EXPECT_THAT(*ReadServices(R"({"data":["a","b"],"total":2})"), ElementsAre("a", "b"));
  EXPECT_FALSE(ReadTraces("<html>").ok());
}

TEST(TraceRules, FindNothingInWhatIsWell) {
  EXPECT_THAT(Rules({.traces = {Call(1, 9)}}), IsEmpty());
}

TEST(TraceRules, MissServices) {
  const TraceSample sample = {.services = {"vllm-decode", "unknown_service:vllm"},
                              .expected = {"vllm-decode", "vllm-prefill"}};
  EXPECT_THAT(Rules(sample), ElementsAre("live-service-absent", "live-unknown-service"));
  Findings findings;
  CheckTraces({}, findings);
  ASSERT_EQ(findings.all().size(), 1U);
  EXPECT_EQ(findings.all()[0].rule, "live-no-services");
}

// Scenario: the server's span begins before the call; it ends after it; it does so by less than clocks jitter.
// Guarantees: the first two are found, with the worst trace of them and by how much.
TEST(TraceRules, FindClocksThatDiffer) {
  SeenTrace worse = Call(-7, 5);
  worse.id = "0000000000000000000000000000beef";
  const std::vector<Finding> found = FindingsOf({.traces = {Call(1, 12), worse}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule, "live-clock-skew");
  EXPECT_THAT(
      found[0].what,
      HasSubstr("2 spans of b lay outside the call from a, by up to 7.0 ms (trace 0000000000000000000000000000beef)"));
  const std::vector<Finding> single = FindingsOf({.traces = {worse}});
  ASSERT_EQ(single.size(), 1U);
  EXPECT_THAT(single[0].what, HasSubstr("1 span of b lay outside the call"));
  SeenTrace near = Call(1, 10);
  near.spans[1].end_us += 500;
  EXPECT_THAT(Rules({.traces = {near}}), IsEmpty());
}

TEST(TraceRules, FindOrphansAndMissingRoots) {
  SeenTrace trace = Call(1, 9);
  trace.spans.erase(trace.spans.begin());
  EXPECT_THAT(Rules({.traces = {trace}}), ElementsAre("live-orphans", "live-no-root"));
}

// Scenario: the caller's span has not ended yet.
// Guarantees: it is not missed.
TEST(TraceRules, WaitForWhatMayCome) {
  SeenTrace trace = Call(1, 9);
  trace.spans.erase(trace.spans.begin());
  EXPECT_THAT(Rules({.traces = {trace}, .settled_before_us = 8'999}), IsEmpty());
  EXPECT_THAT(Rules({.traces = {trace}, .settled_before_us = 9'000}), ElementsAre("live-orphans", "live-no-root"));
}

// Scenario: two services begin 60 traces each; one has a sampler of 10 %, by the rule of the SDKs.
// Guarantees: the difference is found, with a share near it; not if both keep all.
TEST(TraceRules, GuessSamplers) {
  Rng rng(7);
  TraceSample sample;
  const auto add = [&](std::string_view service, uint64_t low) {
    sample.traces.push_back({.id = StrCat("0123456789abcdef", absl::StrFormat("%016x", low)),
                             .spans = {{.id = "1", .parent = "", .service = std::string(service), .name = "serve"}}});
  };
  for (int i = 0; i < 60; ++i) add("a", rng.Next());
  for (int i = 0; i < 60; ++i) add("b", rng.Next());
  EXPECT_THAT(Rules(sample), IsEmpty());
  sample.traces.resize(60);
  for (int i = 0; i < 60; ++i) add("b", rng.Next() / 10);
  const std::vector<Finding> found = FindingsOf(sample);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule, "live-sampler-differs");
  EXPECT_THAT(found[0].what,
              HasSubstr("b keeps about 10 % of the traces that it begins (60 seen, all ids below), a all"));
}

// Scenario: answers of 502 without an error and with one, and of 404.
// Guarantees: the first is found.
TEST(TraceRules, FindFailuresThatAreNotMarked) {
  SeenTrace trace = Call(1, 9);
  trace.spans[0].http_status = 502;
  trace.spans[1].http_status = 404;
  const std::vector<Finding> found = FindingsOf({.traces = {trace}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule, "live-errors-unmarked");
  EXPECT_THAT(found[0].what, HasSubstr("1 span of a had a status of 5xx and no error (trace"));
  trace.spans[0].is_error = true;
  EXPECT_THAT(Rules({.traces = {trace}}), IsEmpty());
}

}  // namespace
}  // namespace spanloom::doctor
