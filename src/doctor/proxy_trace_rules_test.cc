// SPDX-License-Identifier: Apache-2.0

#include "doctor/proxy_trace_rules.h"

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

SeenSpan Span(std::string id, std::string parent, std::string service, std::string name) {
  return {.id = std::move(id), .parent = std::move(parent), .service = std::move(service), .name = std::move(name)};
}

// Below a client's span that has not come: the proxy's server span and its request, and what a test adds.
std::vector<Finding> FindingsWith(const std::vector<SeenSpan>& added, const std::string& caller = "client") {
  SeenTrace trace{.id = "t",
                  .spans = {Span("p1", caller, "proxy", "llm_d.pd_proxy.POST /v1/completions"),
                            Span("p2", "p1", "proxy", "llm_d.pd_proxy.request")}};
  trace.spans.insert(trace.spans.end(), added.begin(), added.end());
  Findings findings;
  CheckProxyTraces({.source = "here", .traces = {trace}}, findings);
  return std::move(findings).Take();
}

TEST(ProxyTraceRules, FindEnginesBesideTheProxy) {
  const std::vector<Finding> found = FindingsWith(
      {Span("e1", "client", "vllm-prefill", "llm_request"), Span("e2", "client", "vllm-decode", "llm_request")});
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].rule, "live-engine-beside-proxy");
  EXPECT_THAT(found[0].what, HasSubstr("1 span of vllm-decode came beside those of proxy, not below (trace t)"));
  EXPECT_THAT(found[1].what, HasSubstr("of vllm-prefill"));
}

// Scenario: engines below the proxy's legs; an engine whose parent has not come; a proxy without a caller beside an
// engine that is a root too; ids that go round in a circle.
// Guarantees: none is taken for an engine beside the proxy.
TEST(ProxyTraceRules, AreSilentWithoutEvidence) {
  EXPECT_THAT(FindingsWith({Span("e1", "p2", "vllm", "llm_request")}), IsEmpty());
  EXPECT_THAT(FindingsWith({Span("e1", "gone", "vllm", "llm_request")}), IsEmpty());
  EXPECT_THAT(FindingsWith({Span("e1", "", "vllm", "llm_request")}, ""), IsEmpty());
  EXPECT_THAT(FindingsWith({Span("e1", "gone", "vllm", "llm_request")}, "p2"), IsEmpty());
}

TEST(ProxyTraceRules, NoteDecodeBelowPrefill) {
  const std::vector<Finding> found =
      FindingsWith({Span("p3", "p2", "proxy", "prefill"), Span("p4", "p3", "proxy", "decode")});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].rule, "live-decode-under-prefill");
  EXPECT_EQ(found[0].severity, Severity::kNote);
  EXPECT_THAT(found[0].what, HasSubstr("1 decode span of proxy lay below prefill (trace t)"));
  EXPECT_THAT(FindingsWith({Span("p3", "p2", "proxy", "prefill"), Span("p4", "p2", "proxy", "decode")}), IsEmpty());
}

}  // namespace
}  // namespace spanloom::doctor
