// SPDX-License-Identifier: Apache-2.0

#include "config/duration.h"

#include <gtest/gtest.h>

namespace spanloom::config {
namespace {

using namespace std::chrono_literals;

// Scenario: durations as they stand in Collector files.
// Guarantees: Go's syntax is read to the nanosecond.
TEST(Duration, ReadsGoSyntax) {
  EXPECT_EQ(ParseDuration("200ms"), 200ms);
  EXPECT_EQ(ParseDuration("1h2m3.5s"), 1h + 2min + 3500ms);
  EXPECT_EQ(ParseDuration("1.5µs"), 1500ns);
  EXPECT_EQ(ParseDuration("-1s"), -1s);
  EXPECT_EQ(ParseDuration("0"), 0ns);
}

// Scenario: text that Go refuses, and Abseil's own "inf".
// Guarantees: none of it becomes a duration.
TEST(Duration, RefusesWhatGoRefuses) {
  for (const char* text : {"", "5", "s", "1 s", " 1s", "1s ", "inf", "-inf", "1d", "300000000000h"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

// Scenario: durations of every magnitude are printed.
// Guarantees: they look as Go prints them.
TEST(Duration, PrintsAsGoDoes) {
  EXPECT_EQ(FormatDuration(0ns), "0s");
  EXPECT_EQ(FormatDuration(1500ns), "1.5µs");
  EXPECT_EQ(FormatDuration(200ms), "200ms");
  EXPECT_EQ(FormatDuration(5min), "5m0s");
  EXPECT_EQ(FormatDuration(1h + 2min + 3456ms), "1h2m3.456s");
  EXPECT_EQ(FormatDuration(-1500ms), "-1.5s");
}

// Scenario: durations across the whole range, printed and read back.
// Guarantees: nothing is lost.
TEST(DurationProperty, WhatIsPrintedReadsBackTheSame) {
  for (int64_t ns = 1; ns < INT64_MAX / 7; ns = ns * 7 + 3) {
    const std::chrono::nanoseconds duration(ns);
    EXPECT_EQ(ParseDuration(FormatDuration(duration)), duration) << ns;
  }
}

}  // namespace
}  // namespace spanloom::config
