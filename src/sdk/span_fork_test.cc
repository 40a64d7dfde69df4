// SPDX-License-Identifier: Apache-2.0

#include "sdk/span_fork.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace spanloom::sdk {
namespace {

using testing::ElementsAre;

class Names final : public SpanSink {
 public:
  void Take(std::unique_ptr<SpanRecord> span) override { names.push_back(span->name); }
  std::vector<std::string> names;
};

// Scenario: two spans for three sinks.
// Guarantees: each sink gets each span, in order.
TEST(SpanFork, HandsEachSpanToAll) {
  Names first;
  Names second;
  Names third;
  SpanFork fork({&first, &second, &third});
  for (const char* name : {"a", "b"}) {
    auto span = std::make_unique<SpanRecord>();
    span->name = name;
    fork.Take(std::move(span));
  }
  for (const Names& sink : {first, second, third}) EXPECT_THAT(sink.names, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace spanloom::sdk
