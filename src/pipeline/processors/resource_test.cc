// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/resource.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "config/yaml.h"
#include "otlp/request_origin.h"
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

// Scenario: two requests of two tenants in one batch.
// Guarantees: each resource gets what came with its own request.
TEST(ResourceProcessor, KnowsTheRequestOfEachSlice) {
  config::Problems problems;
  ResourceProcessor processor(
      Read("attributes: [{key: tenant, action: upsert, from_context: metadata.x-tenant}]", problems));
  EXPECT_THAT(problems.lines(), IsEmpty());
  otlp::Batch batch;
  for (const char* tenant : {"a", "b"}) {
    otlp::Batch one = BatchOf({"span"});
    auto origin = std::make_shared<otlp::RequestOrigin>();
    origin->metadata = {{"x-tenant", tenant}};
    one.slices().front().set_origin(std::move(origin));
    batch.Add(std::move(one));
  }
  EXPECT_TRUE(processor.Process(batch).ok());
  std::vector<std::string> tenants;
  for (const ShownSpan& span : ShownSpans(batch)) tenants.push_back(span.resource_attributes.back());
  EXPECT_THAT(tenants, ElementsAre("tenant=\"a\"", "tenant=\"b\""));
}

TEST(ResourceOptions, NeedsActions) {
  config::Problems problems;
  static_cast<void>(Read("{}", problems));
  EXPECT_THAT(problems.lines(), ElementsAre(HasSubstr("attributes must name at least one action")));
}

}  // namespace
}  // namespace spanloom::pipeline
