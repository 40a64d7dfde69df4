// SPDX-License-Identifier: Apache-2.0

#include "pipeline/sampling/sampling_threshold.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

std::string TextOf(double probability, int precision) {
  return ThresholdText(*ThresholdOf(probability, precision));
}

TEST(SamplingThreshold, IsTheShareThatIsNotTaken) {
  EXPECT_EQ(TextOf(1, 4), "0");
  EXPECT_EQ(TextOf(0.5, 4), "8");
  EXPECT_EQ(TextOf(0.25, 4), "c");
  EXPECT_EQ(TextOf(0.01, 14), "fd70a3d70a3d71");
  EXPECT_EQ(TextOf(kSmallestProbability, 4), "ffffffffffffff");
}

// Scenario: precisions that cut the threshold, near 1 too, where leading digits say nothing.
// Guarantees: it is rounded to the digits that do.
TEST(SamplingThreshold, IsRounded) {
  EXPECT_EQ(TextOf(0.01, 4), "fd70a");
  EXPECT_EQ(TextOf(0.01, 3), "fd71");
  EXPECT_EQ(TextOf(0.4, 3), "99a");
  EXPECT_EQ(TextOf(1.0 / (1 << 28), 4), "fffffff");
}

TEST(SamplingThreshold, HasNoneOutsideTheRange) {
  EXPECT_EQ(ThresholdOf(0, 4), std::nullopt);
  EXPECT_EQ(ThresholdOf(kSmallestProbability / 2, 4), std::nullopt);
  EXPECT_EQ(ThresholdOf(1.5, 4), std::nullopt);
}

TEST(SamplingThreshold, ReadsWhatItWrites) {
  EXPECT_EQ(ReadThreshold("8"), uint64_t{1} << 55);
  EXPECT_EQ(ReadThreshold("80000000000000"), uint64_t{1} << 55);
  EXPECT_EQ(ReadThreshold("FF"), uint64_t{0xFF} << 48);
  EXPECT_EQ(ReadThreshold(""), std::nullopt);
  EXPECT_EQ(ReadThreshold("-1"), std::nullopt);
  EXPECT_EQ(ReadThreshold("abababababababab"), std::nullopt);
  EXPECT_EQ(ProbabilityOf(*ReadThreshold("c")), 0.25);
  EXPECT_EQ(ReadRandomness("00aabbccddeeff"), 0xAABBCCDDEEFFu);
  EXPECT_EQ(ReadRandomness("8"), std::nullopt);
  EXPECT_EQ(RandomnessText(0xAABBCCDDEEFF), "00aabbccddeeff");
}

TEST(SamplingThreshold, TakesRandomnessFromTheEndOfATraceId) {
  EXPECT_EQ(RandomnessOf(*otlp::ParseTraceId("fefefefefefefefefe80000000000001")), 0x80000000000001u);
}

}  // namespace
}  // namespace spanloom::pipeline
