// SPDX-License-Identifier: Apache-2.0

#include "doctor/mixed_request_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace spanloom::doctor {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

SeenSpan Span(std::string id, std::string parent, std::string service, std::string name, std::string request = "") {
  SeenSpan span{
      .id = std::move(id), .parent = std::move(parent), .service = std::move(service), .name = std::move(name)};
  span.request_id = std::move(request);
  return span;
}

std::vector<Finding> FindingsOf(std::vector<SeenSpan> spans) {
  Findings findings;
  CheckMixedRequests({.source = "here", .traces = {{.id = "t", .spans = std::move(spans)}}}, findings);
  return std::move(findings).Take();
}

TEST(MixedRequestRules, FindAnEngineInTheTraceOfAnotherRequest) {
  const std::vector<Finding> found =
      FindingsOf({Span("1", "", "epp", "gateway.request"), Span("2", "1", "epp", "pick", "a"),
                  Span("3", "1", "proxy", "forward_request"), Span("4", "3", "vllm", "llm_request", "a"),
                  Span("5", "3", "vllm", "llm_request", "b")});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].rule, "live-request-mixed");
  EXPECT_THAT(found[0].what,
              HasSubstr("1 span of vllm came in the trace of another request (trace t: request b below a)"));
}

// Scenario: an agent's trace with two requests, each with its scheduler; a trace without a scheduler; one whose
// scheduler names no request; ids that go round in a circle.
// Guarantees: nothing is found.
TEST(MixedRequestRules, FindNothingInWhatBelongsTogether) {
  EXPECT_THAT(FindingsOf({Span("0", "", "agent", "run"), Span("1", "0", "epp", "gateway.request", "a"),
                          Span("2", "0", "epp", "gateway.request", "b"), Span("3", "1", "vllm", "llm_request", "a"),
                          Span("4", "2", "vllm", "llm_request", "b")}),
              IsEmpty());
  EXPECT_THAT(FindingsOf({Span("3", "", "vllm", "llm_request", "a"), Span("4", "", "vllm", "llm_request", "b")}),
              IsEmpty());
  EXPECT_THAT(FindingsOf({Span("1", "", "epp", "gateway.request"), Span("3", "1", "vllm", "llm_request", "a")}),
              IsEmpty());
  EXPECT_THAT(FindingsOf({Span("1", "2", "vllm", "llm_request", "a"), Span("2", "1", "proxy", "x")}), IsEmpty());
}

}  // namespace
}  // namespace spanloom::doctor
