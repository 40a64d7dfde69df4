// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "pipeline/testing/attributed_spans.h"
#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

AttributesOptions Read(std::string_view yaml, config::Problems& problems) {
  return config::ReadOptions<AttributesOptions>(*config::ParseYaml(yaml, "f"), "processors::attributes", problems);
}

void Process(std::string_view yaml, otlp::Batch& batch) {
  config::Problems problems;
  AttributesProcessor processor(Read(yaml, problems));
  EXPECT_THAT(problems.lines(), IsEmpty());
  EXPECT_TRUE(processor.Process(batch).ok());
}

std::vector<std::vector<std::string>> AttributesOf(const otlp::Batch& batch) {
  std::vector<std::vector<std::string>> attributes;
  for (ShownSpan& span : ShownSpans(batch)) attributes.push_back(std::move(span.attributes));
  return attributes;
}

// Scenario: three spans, two of which are included, one of those excluded.
// Guarantees: the action is carried out on the one that is left.
TEST(AttributesProcessor, ActsOnTheSpansThatAreSelected) {
  otlp::Batch batch = BatchOf({"decode", "decode_step", "prefill"});
  Process(
      "include: {match_type: regexp, span_names: [^decode]}\n"
      "exclude: {match_type: strict, span_names: [decode_step]}\n"
      "actions: [{key: k, action: insert, value: v}]",
      batch);
  EXPECT_THAT(AttributesOf(batch), ElementsAre(ElementsAre("k=\"v\""), IsEmpty(), IsEmpty()));
}

// Scenario: actions that change nothing of a request.
// Guarantees: it is passed on as it came.
TEST(AttributesProcessor, LeavesARequestWholeThatItDoesNotChange) {
  otlp::Batch batch = BatchOf({"a", "b"});
  Process("actions: [{key: absent, action: delete}, {pattern: x, action: hash}]", batch);
  EXPECT_TRUE(batch.slices()[0].is_whole());
}

TEST(AttributesProcessor, DoesNotTouchTheResource) {
  otlp::Batch batch = BatchOf({"a"});
  Process("actions: [{key: service.name, action: delete}]", batch);
  EXPECT_THAT(ShownSpans(batch)[0].resource_attributes, ElementsAre("service.name=\"vllm-decode\""));
}

TEST(AttributesOptions, NeedsActions) {
  config::Problems problems;
  static_cast<void>(Read("include: {match_type: strict, services: [a]}", problems));
  EXPECT_THAT(problems.lines(),
              ElementsAre(HasSubstr("processors::attributes: actions must name at least one action")));
}

}  // namespace
}  // namespace spanloom::pipeline
