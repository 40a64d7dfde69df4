// SPDX-License-Identifier: Apache-2.0

#include "net/detail/date.h"

#include <gtest/gtest.h>

namespace spanloom::net {
namespace {

TEST(DateText, IsWrittenAsHttpWantsIt) {
  DateText date;
  EXPECT_EQ(date.At(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");  // the example of RFC 9110, 5.6.7
  EXPECT_EQ(date.At(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.At(784'111'778), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(date.At(1'767'225'600), "Thu, 01 Jan 2026 00:00:00 GMT");
}

}  // namespace
}  // namespace spanloom::net
