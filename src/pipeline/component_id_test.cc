// SPDX-License-Identifier: Apache-2.0

#include "pipeline/component_id.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

// Scenario: ids as they stand in Collector files.
// Guarantees: split into type and name, and printed as written.
TEST(ComponentId, SplitsTypeAndName) {
  const auto id = ComponentId::Parse("filter/drop-metrics-scraping");
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id->type, "filter");
  EXPECT_EQ(id->name, "drop-metrics-scraping");
  EXPECT_EQ(id->ToString(), "filter/drop-metrics-scraping");
  EXPECT_EQ(ComponentId::Parse("otlp")->ToString(), "otlp");
  EXPECT_EQ(ComponentId::Parse("otlp/a/b")->name, "a/b");
}

// Scenario: what breaks the Collector's rules.
// Guarantees: refused.
TEST(ComponentId, RefusesWhatIsNoId) {
  for (const std::string& text : {std::string(), std::string("1a"), std::string("a-b"), std::string("a/"),
                                  std::string("a/b c"), std::string(64, 'a'), std::string("a/").append(1025, 'b')}) {
    EXPECT_EQ(ComponentId::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace spanloom::pipeline
