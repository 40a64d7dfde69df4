// SPDX-License-Identifier: Apache-2.0

#include "sdk/sampler.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "base/testing/test_data.h"

namespace spanloom::sdk {
namespace {

TraceContext Parent(uint8_t flags) {
  TraceContext parent = *ParseTraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  parent.flags = flags;
  return parent;
}

otlp::TraceId Id(std::string_view hex) {
  return *otlp::ParseTraceId(hex);
}

// Scenario: ratios and trace ids, many of them at the very border, as the OpenTelemetry Python SDK decided them.
// Guarantees: the same decision on every one, so that a trace is whole whoever samples it.
TEST(Sampler, AgreesWithThePythonSdk) {
  std::ifstream file(TestData() / "sdk" / "traceidratio.txt");
  size_t pairs = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string ratio;
    std::string trace_id;
    bool is_sampled = false;
    words >> ratio >> trace_id >> is_sampled;
    const auto sampler = Sampler::Parse("traceidratio", ratio);
    ASSERT_TRUE(sampler.ok()) << line;
    EXPECT_EQ(sampler->Samples({}, Id(trace_id)), is_sampled) << line;
    ++pairs;
  }
  EXPECT_GT(pairs, 50u);
}

// Scenario: each name, for a root, a sampled and an unsampled parent.
// Guarantees: what the specification says.
TEST(Sampler, FollowsTheParentOnlyWhereItsNameSaysSo) {
  const otlp::TraceId id = Id("ffffffffffffffff8000000000000000");  // sampled by ratios above 0.5
  const struct {
    const char* name;
    const char* argument;
    bool root, sampled_parent, unsampled_parent;
  } cases[] = {
      {"always_on", "", true, true, true},
      {"always_off", "", false, false, false},
      {"traceidratio", "0.4", false, false, false},
      {"traceidratio", "0.6", true, true, true},
      {"parentbased_always_on", "", true, true, false},
      {"parentbased_always_off", "", false, true, false},
      {"parentbased_traceidratio", "0.4", false, true, false},
      {"parentbased_traceidratio", "", true, true, false},
      {"ParentBased_Always_ON", "", true, true, false},
  };
  for (const auto& [name, argument, root, sampled_parent, unsampled_parent] : cases) {
    const Sampler sampler = *Sampler::Parse(name, argument);
    EXPECT_EQ(sampler.Samples({}, id), root) << name;
    EXPECT_EQ(sampler.Samples(Parent(kSampledFlag), id), sampled_parent) << name;
    EXPECT_EQ(sampler.Samples(Parent(0), id), unsampled_parent) << name;
  }
}

// Scenario: names that other SDKs have, misspelt ones, and ratios that are none.
// Guarantees: refused, with the names there are; none becomes some rate.
TEST(Sampler, RefusesWhatItDoesNotKnow) {
  for (const char* name : {"", "jaeger_remote", "xray", "parentbased_", "parentbased_xray", "ratio"}) {
    const auto sampler = Sampler::Parse(name, "");
    EXPECT_EQ(sampler.status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_NE(sampler.status().message().find("parentbased_traceidratio"), absl::string_view::npos);
  }
  for (const char* ratio : {"-0.1", "1.1", "nan", "many", "10%"}) {
    EXPECT_EQ(Sampler::Parse("traceidratio", ratio).status().code(), absl::StatusCode::kInvalidArgument) << ratio;
  }
}

}  // namespace
}  // namespace spanloom::sdk
