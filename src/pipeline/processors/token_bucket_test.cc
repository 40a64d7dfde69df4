// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/token_bucket.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(TokenBucket, IsFullAtFirstAndFillsSteadily) {
  TokenBucket bucket(10, 20);
  EXPECT_FALSE(bucket.Take(21, kSecond)) << "more than it ever holds";
  EXPECT_TRUE(bucket.Take(20, kSecond));
  EXPECT_FALSE(bucket.Take(1, kSecond));
  EXPECT_FALSE(bucket.Take(6, kSecond + kSecond / 2));
  EXPECT_TRUE(bucket.Take(5, kSecond + kSecond / 2));
  EXPECT_TRUE(bucket.Take(20, 100 * kSecond));
  EXPECT_FALSE(bucket.Take(1, 100 * kSecond)) << "no more than its capacity was saved";
}

TEST(TokenBucket, GivesNothingWithoutARate) {
  TokenBucket bucket(0, 0);
  EXPECT_FALSE(bucket.Take(1, kSecond));
  EXPECT_FALSE(bucket.Take(1, 100 * kSecond));
}

}  // namespace
}  // namespace spanloom::pipeline
