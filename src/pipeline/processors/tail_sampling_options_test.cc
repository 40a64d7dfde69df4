// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/tail_sampling_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/yaml.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> ProblemsOf(const std::string& yaml) {
  config::Problems problems;
  config::ReadOptions<TailSamplingOptions>(*config::ParseYaml(yaml, "f"), "processors::tail_sampling", problems);
  return problems.lines();
}

std::vector<std::string> ProblemsOfPolicy(const std::string& policy) {
  return ProblemsOf("policies: [{name: p, " + policy + "}]");
}

// Scenario: what a Collector prints of a configuration: every key, and sections of other types, empty.
// Guarantees: it is taken, with the values that it says.
TEST(TailSamplingOptions, TakesWhatACollectorPrints) {
  const std::string yaml = R"(
block_on_overflow: false
decision_cache: {non_sampled_cache_size: 20, sampled_cache_size: 10}
decision_wait: 10s
decision_wait_after_root_received: 1s
drop_pending_traces_on_shutdown: false
expected_new_traces_per_sec: 5
maximum_trace_size_bytes: 0
num_traces: 100
policies:
  - name: errors
    type: status_code
    status_code: {status_codes: [ERROR]}
    and: {and_sub_policy: []}
    composite: {composite_sub_policy: [], max_total_spans_per_second: 0, policy_order: [], rate_allocation: []}
    drop: {drop_sub_policy: []}
    not: {not_sub_policy: {}}
sample_on_first_match: false
sampling_strategy: trace-complete
tail_storage: null
)";
  EXPECT_THAT(ProblemsOf(yaml), IsEmpty());
  config::Problems problems;
  const auto options = config::ReadOptions<TailSamplingOptions>(*config::ParseYaml(yaml, "f"), "", problems);
  EXPECT_EQ(options.decision_wait, std::chrono::seconds(10));
  EXPECT_EQ(options.num_traces, 100u);
  EXPECT_EQ(options.decision_cache.non_sampled_cache_size, 20u);
  EXPECT_EQ(options.policies[0].type, TracePolicyType::kStatusCode);
}

TEST(TailSamplingOptions, RefusesPoliciesThatCannotBeAsked) {
  EXPECT_THAT(ProblemsOf("{}"), ElementsAre(HasSubstr("policies must have at least one policy")));
  EXPECT_THAT(ProblemsOf("policies: [{name: a, type: always_sample}, {name: a, type: always_sample}]"),
              ElementsAre(HasSubstr("duplicate policy name \"a\"")));
  EXPECT_THAT(ProblemsOf("policies: [{type: always_sample}]"), ElementsAre(HasSubstr("cannot be empty")));
  EXPECT_THAT(ProblemsOfPolicy(""), ElementsAre(HasSubstr("type must be set")));
  EXPECT_THAT(ProblemsOfPolicy("type: my_extension"), ElementsAre(HasSubstr("my_extension")));
  EXPECT_THAT(ProblemsOfPolicy("type: numeric_attribute"), ElementsAre(HasSubstr("min_value or a max_value")));
  EXPECT_THAT(ProblemsOfPolicy("type: numeric_attribute, numeric_attribute: {key: a, min_value: 5, max_value: 4}"),
              ElementsAre(HasSubstr("greater")));
  EXPECT_THAT(ProblemsOfPolicy("type: status_code"), ElementsAre(HasSubstr("at least one status code")));
  EXPECT_THAT(ProblemsOfPolicy("type: status_code, status_code: {status_codes: [BAD]}"),
              ElementsAre(HasSubstr("supported: OK, ERROR, UNSET")));
  EXPECT_THAT(ProblemsOfPolicy("type: ottl_condition"), ElementsAre(HasSubstr("at least one OTTL condition")));
  EXPECT_THAT(ProblemsOfPolicy("type: ottl_condition, ottl_condition: {span: ['name ==']}"),
              ElementsAre(HasSubstr("name ==")));
  EXPECT_THAT(
      ProblemsOfPolicy("type: string_attribute, string_attribute: {values: ['('], enabled_regex_matching: true}"),
      ElementsAre(HasSubstr("string_attribute")));
  EXPECT_THAT(ProblemsOfPolicy("type: string_attribute, string_attribute: {values: ['(']}"), IsEmpty());
}

TEST(TailSamplingOptions, LooksBelowPolicies) {
  EXPECT_THAT(ProblemsOfPolicy("type: and"), ElementsAre(HasSubstr("at least one policy")));
  EXPECT_THAT(ProblemsOfPolicy("type: and, and: {and_sub_policy: [{name: a}]}"),
              ElementsAre(HasSubstr("policy \"a\" has no type")));
  EXPECT_THAT(ProblemsOfPolicy("type: and, and: {and_sub_policy: [{name: a, type: drop}]}"),
              ElementsAre(HasSubstr("drop")));
  EXPECT_THAT(ProblemsOfPolicy("type: not, not: {not_sub_policy: {name: a, type: status_code}}"),
              ElementsAre(HasSubstr("policy \"a\"")));
  EXPECT_THAT(ProblemsOfPolicy("type: composite, composite: {policy_order: [b], composite_sub_policy: [{name: a, type: "
                               "always_sample}]}"),
              ElementsAre(HasSubstr("policy_order names \"b\"")));
  EXPECT_THAT(ProblemsOfPolicy("type: composite, composite: {rate_allocation: [{policy: b}], composite_sub_policy: "
                               "[{name: a, type: always_sample}]}"),
              ElementsAre(HasSubstr("rate_allocation names \"b\"")));
}

TEST(TailSamplingOptions, RefusesWhatCannotBeHonoured) {
  const std::string policies = "policies: [{name: p, type: always_sample}]";
  EXPECT_THAT(ProblemsOf("{tail_storage: pebble_tail_storage, " + policies + "}"),
              ElementsAre(HasSubstr("tail_storage is not supported")));
  EXPECT_THAT(ProblemsOf("{sampling_strategy: other, " + policies + "}"), ElementsAre(HasSubstr("span-ingest")));
  EXPECT_THAT(ProblemsOf("{sampling_strategy: span-ingest, " + policies + "}"), IsEmpty());
  for (const char* stateful :
       {"type: rate_limiting", "type: bytes_limiting",
        "type: and, and: {and_sub_policy: [{name: a, type: rate_limiting}]}",
        "type: not, not: {not_sub_policy: {name: a, type: rate_limiting}}",
        "type: composite, composite: {composite_sub_policy: [{name: a, type: bytes_limiting}]}"}) {
    EXPECT_THAT(ProblemsOf(std::string("{sampling_strategy: span-ingest, policies: [{name: p, ") + stateful + "}]}"),
                ElementsAre(HasSubstr("policy \"p\" is stateful")))
        << stateful;
  }
}

}  // namespace
}  // namespace spanloom::pipeline
