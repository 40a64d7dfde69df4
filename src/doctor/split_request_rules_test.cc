// SPDX-License-Identifier: Apache-2.0

#include "doctor/split_request_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace spanloom::doctor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

SeenSpan Span(std::string service, std::string name, int64_t start_us, std::string request, std::string parent = "") {
  SeenSpan span{.id = "1", .parent = std::move(parent), .service = std::move(service), .name = std::move(name)};
  span.start_us = start_us;
  span.request_id = std::move(request);
  return span;
}

std::vector<Finding> FindingsOf(std::vector<SeenTrace> traces) {
  Findings findings;
  CheckSplitRequests({.source = "here", .traces = std::move(traces)}, findings);
  return std::move(findings).Take();
}

// Scenario: a client sends a traceparent; the scheduler begins a trace of its own, proxy and engines go on with the
// client's; two requests of that kind, the engine's span arriving first.
// Guarantees: one finding for the pair, with both requests, a trace of each to look at, and the cause.
TEST(SplitRequestRules, FindSchedulersThatBeginTheirOwn) {
  const std::vector<Finding> found = FindingsOf({
      {.id = "e1",
       .spans = {Span("vllm-decode", "llm_request", 30, "r1", "a"),
                 Span("routing-proxy", "llm_d.pd_proxy.request", 20, "", "a")}},
      {.id = "s1", .spans = {Span("epp", "gateway.request", 10, ""), Span("epp", "pick", 11, "r1", "1")}},
      {.id = "s2", .spans = {Span("epp", "gateway.request", 40, ""), Span("epp", "pick", 41, "r2", "1")}},
      {.id = "e2",
       .spans = {Span("routing-proxy", "llm_d.pd_proxy.request", 50, "", "b"),
                 Span("vllm-decode", "llm_request", 60, "r2", "b")}},
  });
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].rule, "live-request-split");
  EXPECT_THAT(found[0].what,
              AllOf(HasSubstr("2 requests came in two traces, of epp and of routing-proxy (s1 and e1, request r1)"),
                    HasSubstr("schedulers up to v0.6")));
}

// Scenario: nobody sends a traceparent, Envoy traces; and the same with a client that sends one, to an old scheduler.
// Guarantees: Envoy is named where it began the trace, the scheduler where it did not.
TEST(SplitRequestRules, TellEnvoyFromTheScheduler) {
  const auto with_ingress_under = [](const std::string& parent) {
    return FindingsOf({{.id = "a", .spans = {Span("gateway", "ingress", 1, "r", parent)}},
                       {.id = "b", .spans = {Span("epp", "gateway.request", 2, "r")}}});
  };
  ASSERT_THAT(with_ingress_under(""), SizeIs(1));
  EXPECT_THAT(with_ingress_under("")[0].what, AllOf(HasSubstr("1 request came"), HasSubstr("Envoy writes")));
  ASSERT_THAT(with_ingress_under("c"), SizeIs(1));
  EXPECT_THAT(with_ingress_under("c")[0].what, HasSubstr("schedulers up to v0.6"));
}

// Scenario: a proxy that passes no context on: prefill and decode each begin a trace.
// Guarantees: both are found beside the first, without a word on schedulers.
TEST(SplitRequestRules, FindEachPartBesideTheFirst) {
  const std::vector<Finding> found = FindingsOf({{.id = "a", .spans = {Span("proxy", "serve", 1, "r")}},
                                                 {.id = "b", .spans = {Span("prefill", "llm_request", 2, "r")}},
                                                 {.id = "c", .spans = {Span("decode", "llm_request", 3, "r")}}});
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].what,
              AllOf(HasSubstr("of proxy and of decode (a and c"), HasSubstr("pass its caller's traceparent")));
  EXPECT_THAT(found[1].what, HasSubstr("of proxy and of prefill (a and b"));
}

// Scenario: one trace with all; a client that tries again with the same id; spans that name no request.
// Guarantees: nothing is found.
TEST(SplitRequestRules, FindNothingInWhatIsWhole) {
  EXPECT_THAT(
      FindingsOf(
          {{.id = "a", .spans = {Span("epp", "gateway.request", 1, "r"), Span("vllm", "llm_request", 2, "r", "1")}}}),
      IsEmpty());
  EXPECT_THAT(
      FindingsOf(
          {{.id = "a", .spans = {Span("epp", "gateway.request", 1, "r")}},
           {.id = "b", .spans = {Span("epp", "gateway.request", 2, "r"), Span("vllm", "llm_request", 3, "r", "1")}}}),
      IsEmpty());
  EXPECT_THAT(
      FindingsOf({{.id = "a", .spans = {Span("epp", "x", 1, "")}}, {.id = "b", .spans = {Span("vllm", "y", 2, "")}}}),
      IsEmpty());
}

}  // namespace
}  // namespace spanloom::doctor
