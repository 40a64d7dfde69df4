// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace spanloom::query::jaeger {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kNow = 1'795'368'584'000'000'000;  // 2026-11-22
constexpr uint64_t kDay = 86'400'000'000'000;

TraceSearch Parse(std::string_view query) {
  auto search = ParseTraceSearch(Parameters(query), kNow);
  EXPECT_TRUE(search.ok()) << query << ": " << search.status();
  return search.ok() ? *std::move(search) : TraceSearch{};
}

std::string ErrorOf(std::string_view query) {
  const auto search = ParseTraceSearch(Parameters(query), kNow);
  EXPECT_EQ(search.status().code(), absl::StatusCode::kInvalidArgument) << query;
  return std::string(search.status().message());
}

// Scenario: no parameter at all, and parameters without a value.
// Guarantees: two days up to now, 100 traces, all services, no other condition.
TEST(TraceSearchParameters, HaveJaegersDefaults) {
  for (const std::string_view query : {"", "service=&operation=&start=&end=&limit=&minDuration=&tags=&raw=&traceID="}) {
    const TraceSearch search = Parse(query);
    EXPECT_EQ(search.plan.starts, (store::TimeRange{kNow - 2 * kDay, kNow + 1}));
    EXPECT_EQ(search.plan.traces_max, 100);
    ASSERT_THAT(search.plan.spansets, SizeIs(1));
    EXPECT_THAT(search.plan.spansets[0].parts(), IsEmpty());
    EXPECT_THAT(search.trace_ids, IsEmpty());
    EXPECT_FALSE(search.is_raw);
  }
}

// Scenario: the address that the Jaeger UI of v2.15 builds.
// Guarantees: every parameter arrives, decoded; `lookback` is ignored as Jaeger does.
TEST(TraceSearchParameters, ReadsWhatTheUiSends) {
  const TraceSearch search = Parse(
      "end=1795368584000000&limit=20&lookback=1h&maxDuration=1.5s&minDuration=100us&operation=GET%20%2Fx&service=vllm-"
      "decode"
      "&start=1795364984000000&tags=%7B%22error%22%3A%22true%22%7D&tag=a:b:c");
  EXPECT_EQ(search.plan.starts.begin_unix_ns, 1'795'364'984'000'000'000);
  EXPECT_EQ(search.plan.starts.end_unix_ns, 1'795'368'584'000'001'000);  // the whole last microsecond
  EXPECT_EQ(search.plan.traces_max, 20);
  ASSERT_THAT(search.plan.spansets, SizeIs(1));
  EXPECT_EQ(search.plan.spansets[0].ToString(),
            "(service = \"vllm-decode\" and name = \"GET /x\" and anywhere.a has text \"b:c\" and anywhere.error has "
            "text \"true\" and duration >= \"100000\" and duration <= \"1500000000\")");
}

// Scenario: repeated trace ids, a short one, one in base64, and raw in Go's words.
// Guarantees: all are read; short ids are padded on the left.
TEST(TraceSearchParameters, ReadsTraceIds) {
  const TraceSearch search =
      Parse("traceID=abc&traceID=fe0c9c04f376e6bb23b6a0c31ea5682a&traceID=AAAAAAAAAAAAAAAAAAAAAQ%3D%3D&raw=T");
  ASSERT_THAT(search.trace_ids, SizeIs(3));
  EXPECT_EQ(search.trace_ids[0].Hex(), "00000000000000000000000000000abc");
  EXPECT_EQ(search.trace_ids[1].Hex(), "fe0c9c04f376e6bb23b6a0c31ea5682a");
  EXPECT_EQ(search.trace_ids[2].Hex(), "00000000000000000000000000000001");
  EXPECT_TRUE(search.is_raw);
}

// Scenario: times before 1970, and beyond what 64 bits of nanoseconds hold.
// Guarantees: they are brought to the ends of the range, never wrapped round.
TEST(TraceSearchParameters, KeepsTimesInRange) {
  const TraceSearch search = Parse("start=-5&end=9223372036854775807");
  EXPECT_EQ(search.plan.starts, store::TimeRange());
}

// Scenario: one wrong value for each parameter.
// Guarantees: kInvalidArgument that names the parameter, the value and what was expected.
TEST(TraceSearchParameters, NameWhatIsWrong) {
  EXPECT_EQ(ErrorOf("start=yesterday"),
            R"(unable to parse param 'start': "yesterday" is not a whole number of microseconds)");
  EXPECT_THAT(ErrorOf("end=99999999999999999999"), HasSubstr("'end'"));
  EXPECT_THAT(ErrorOf("limit=many"), HasSubstr("'limit'"));
  EXPECT_EQ(ErrorOf("limit=0"), "invalid parameter: limit must be greater than 0");
  EXPECT_EQ(ErrorOf("minDuration=5%20parsecs"),
            R"(unable to parse param 'minDuration': "5 parsecs" is not a duration such as 1.5s, 100ms or 250us)");
  EXPECT_EQ(ErrorOf("minDuration=2s&maxDuration=1s"), "'maxDuration' should be greater than 'minDuration'");
  EXPECT_EQ(ErrorOf("start=2&end=1"), "invalid parameter: start time must be before end time");
  EXPECT_EQ(ErrorOf("tag=bare"), "malformed 'tag' parameter, expecting key:value, received: bare");
  EXPECT_THAT(ErrorOf("tags=%5B1%5D"), HasSubstr("malformed 'tags' parameter"));
  EXPECT_THAT(ErrorOf("traceID=xyz"), HasSubstr("cannot parse traceID param: \"xyz\""));
  EXPECT_EQ(ErrorOf("raw=maybe"), R"(unable to parse param 'raw': "maybe" is not true or false)");
}

// Scenario: endTs and lookback in milliseconds, and neither.
// Guarantees: the range that they span; one day up to now by default; never below zero.
TEST(DependencyParameters, SpanARange) {
  const auto given = ParseDependencyRange(Parameters("endTs=5000&lookback=2000"), kNow);
  ASSERT_TRUE(given.ok());
  EXPECT_EQ(given->begin_unix_ns, 3'000'999'999);
  EXPECT_EQ(given->end_unix_ns, 5'001'000'000);
  EXPECT_EQ(ParseDependencyRange(Parameters(""), kNow)->begin_unix_ns, kNow - kDay);
  EXPECT_EQ(ParseDependencyRange(Parameters("endTs=1"), kNow)->begin_unix_ns, 0);
  EXPECT_FALSE(ParseDependencyRange(Parameters("endTs=x"), kNow).ok());
}

// Scenario: prettyPrint in several spellings.
// Guarantees: any value but "false" turns it on.
TEST(PrettyPrintParameter, IsOnUnlessEmptyOrFalse) {
  EXPECT_TRUE(WantsPrettyPrint(Parameters("prettyPrint=true")));
  EXPECT_TRUE(WantsPrettyPrint(Parameters("prettyPrint=0")));
  EXPECT_FALSE(WantsPrettyPrint(Parameters("prettyPrint=false")));
  EXPECT_FALSE(WantsPrettyPrint(Parameters("prettyPrint=")));
  EXPECT_FALSE(WantsPrettyPrint(Parameters("")));
}

}  // namespace
}  // namespace spanloom::query::jaeger
