// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/timeout.h"

#include <gtest/gtest.h>

namespace spanloom::net::grpc {
namespace {

using namespace std::chrono_literals;

TEST(GrpcTimeout, KnowsEveryUnit) {
  EXPECT_EQ(*ParseTimeout("2H"), 2h);
  EXPECT_EQ(*ParseTimeout("3M"), 3min);
  EXPECT_EQ(*ParseTimeout("10S"), 10s);
  EXPECT_EQ(*ParseTimeout("250m"), 250ms);
  EXPECT_EQ(*ParseTimeout("7u"), 7us);
  EXPECT_EQ(*ParseTimeout("99999999n"), 99'999'999ns);
  EXPECT_EQ(*ParseTimeout("0n"), 0ns);
}

TEST(GrpcTimeout, SaturatesWhereNanosecondsEnd) {
  EXPECT_EQ(*ParseTimeout("99999999H"), std::chrono::nanoseconds::max());
}

TEST(GrpcTimeout, RefusesWhatIsMalformed) {
  for (const char* text : {"", "S", "10", "10s", "-1S", "+1S", "1.5S", " 1S", "1 S", "123456789S", "1SS"}) {
    EXPECT_TRUE(absl::IsInternal(ParseTimeout(text).status())) << text;
  }
}

}  // namespace
}  // namespace spanloom::net::grpc
