// SPDX-License-Identifier: Apache-2.0

#include "doctor/noise_rules.h"

#include <absl/strings/str_format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spanloom::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<Finding> FindingsOf(const TraceSample& sample) {
  Findings findings;
  CheckNoise(sample, findings);
  return std::move(findings).Take();
}

std::vector<std::string> Rules(const TraceSample& sample) {
  std::vector<std::string> rules;
  for (const Finding& finding : FindingsOf(sample)) rules.emplace_back(finding.rule);
  return rules;
}

TEST(NoiseRules, FindServicesThatAreScrapedAlone) {
  SeenTrace scrape;
  scrape.spans = {{.id = "1", .parent = "", .service = "a", .name = "llm_d.pd_proxy.GET /metrics"},
                  {.id = "2", .parent = "1", .service = "b", .name = "serve"}};
  EXPECT_THAT(Rules({.traces = {scrape}}), ElementsAre("live-only-gets"));
}

// `count` traces of a service of the scheduler, each a root of that name and a child.
void AddTraces(size_t count, const std::string& root, const std::string& child, TraceSample& sample) {
  for (size_t i = 0; i < count; ++i) {
    sample.traces.push_back({.id = absl::StrFormat("%s%d", root, i),
                             .spans = {{.id = "1", .parent = "", .service = "epp", .name = root},
                                       {.id = "2", .parent = "1", .service = "epp", .name = child}}});
  }
}

// Scenario: a scheduler begins 30 traces of KV events beside 10 of requests; then beside 31.
// Guarantees: the events are found where they are at least half, with a filter to paste; not by their names in a trace
// of a request.
TEST(NoiseRules, FindKvEventsThatCrowdOutRequests) {
  TraceSample sample;
  AddTraces(15, "llm_d.kv_cache.index.evict", "x", sample);
  AddTraces(15, "index_add", "x", sample);
  AddTraces(10, "gateway.request", "index_add", sample);
  const std::vector<Finding> found = FindingsOf(sample);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule, "live-kv-events");
  EXPECT_THAT(found[0].what, HasSubstr("30 of 40 traces that epp begins"));
  EXPECT_THAT(found[0].fix, HasSubstr("filter/kv_events"));
  AddTraces(21, "gateway.request", "x", sample);
  EXPECT_THAT(Rules(sample), IsEmpty());
}

TEST(NoiseRules, FindScrapesThatCrowdOutRequests) {
  TraceSample sample;
  AddTraces(30, "llm_d.pd_proxy.GET /metrics", "HTTP GET", sample);
  AddTraces(10, "gateway.request", "x", sample);
  const std::vector<Finding> found = FindingsOf(sample);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule, "live-scrapes");
  EXPECT_THAT(found[0].fix, HasSubstr("filter/scrapes"));
  EXPECT_THAT(Rules({.traces = {sample.traces.begin(), sample.traces.begin() + 30}}), ElementsAre("live-only-gets"));
  AddTraces(21, "gateway.request", "x", sample);
  EXPECT_THAT(Rules(sample), IsEmpty());
}

}  // namespace
}  // namespace spanloom::doctor
