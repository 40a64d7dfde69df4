// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/resource.h"

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

ResourceOptions Read(std::string_view yaml, config::Problems& problems) {
  return config::ReadOptions<ResourceOptions>(*config::ParseYaml(yaml, "f"), "processors::resource", problems);
}

// Scenario: two spans of one resource.
// Guarantees: the resource is changed once, and the spans not at all.
TEST(ResourceProcessor, ActsOnTheResource) {
  config::Problems problems;
  ResourceProcessor processor(Read(
      "attributes: [{key: zone, action: upsert, value: b}, {key: service.name, action: update, value: x}]", problems));
  EXPECT_THAT(problems.lines(), IsEmpty());
  otlp::Batch batch = BatchOf({"a", "b"});
  EXPECT_TRUE(processor.Process(batch).ok());
  for (const ShownSpan& span : ShownSpans(batch)) {
    EXPECT_THAT(span.resource_attributes, ElementsAre("service.name=\"x\"", "zone=\"b\""));
    EXPECT_THAT(span.attributes, IsEmpty());
  }
  EXPECT_EQ(otlp::TracesView(batch.Encode().view()).resource_spans().Count(), 1u);
}

TEST(ResourceOptions, NeedsActions) {
  config::Problems problems;
  static_cast<void>(Read("{}", problems));
  EXPECT_THAT(problems.lines(), ElementsAre(HasSubstr("attributes must name at least one action")));
}

}  // namespace
}  // namespace spanloom::pipeline
