// SPDX-License-Identifier: Apache-2.0

#include "base/shortest_double.h"

#include <gtest/gtest.h>

namespace spanloom {
namespace {

std::string Text(DoubleForm form, std::initializer_list<double> values) {
  std::string text;
  for (const double value : values) {
    AppendShortest(value, form, text);
    text += ' ';
  }
  return text;
}

// Scenario: doubles at the ends of each form, and some whose digits end before the point.
// Guarantees: what programs in Go write (encoding/json and %v).
TEST(AppendShortest, WritesWhatGoWrites) {
  EXPECT_EQ(Text(DoubleForm::kJson, {0.0, 1.0, -2.5, 1e20, 1e21, 1.5e300, 1e-6, 1e-7, 0.00001, 9223372036854775807.0,
                                     -9007199254740993.0, 5e-324, 1e15, 12345.678}),
            "0 1 -2.5 100000000000000000000 1e+21 1.5e+300 0.000001 1e-07 0.00001 9223372036854776000 "
            "-9007199254740992 5e-324 1000000000000000 12345.678 ");
  EXPECT_EQ(Text(DoubleForm::kPlain, {1e23, -1.5e-10, 1.2345678901234567e20, -0.0, 100.5}),
            "100000000000000000000000 -0.00000000015 123456789012345670000 -0 100.5 ");
  EXPECT_EQ(Text(DoubleForm::kGeneral, {1e5, 1e6, 1234567, 1e20, 1e21, 123456789.5, 1e-4, 1e-5, 0.25, -0.5}),
            "100000 1e+06 1.234567e+06 1e+20 1e+21 1.234567895e+08 0.0001 1e-05 0.25 -0.5 ");
}

}  // namespace
}  // namespace spanloom
