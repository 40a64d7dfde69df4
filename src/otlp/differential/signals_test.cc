// SPDX-License-Identifier: Apache-2.0
//
// Random requests of metrics and logs: cut in pieces and written as JSON, nothing of them is lost.

#include <gtest/gtest.h>

#include <string>

#include "base/rng.h"
#include "otlp/batch.h"
#include "otlp/differential/messages.h"
#include "otlp/json/transcode.h"
#include "otlp/json/write.h"
#include "otlp/request.h"
#include "otlp/validate.h"

namespace spanloom::otlp {
namespace {

std::string JsonOf(const Slice& slice) {
  std::string json;
  WriteJson(Batch(slice), json);
  return json;
}

class SignalProperty : public testing::TestWithParam<Signal> {};

// Scenario: requests with fields in any order and number, unknown ones too, cut at random.
// Guarantees: each piece is a request with as many items as it says; together they have all.
TEST_P(SignalProperty, PiecesAreRequestsThatTogetherHaveAllItems) {
  Rng rng(7);
  for (int round = 0; round < 500; ++round) {
    const std::string wire = RandomRequest(rng, Oddities::kAll, GetParam());
    auto slice = ReadRequest(GetParam(), Bytes(wire));
    ASSERT_TRUE(slice.ok()) << slice.status();
    const size_t total = slice->span_count();
    size_t found = 0;
    while (slice->span_count() > 0) {
      const Slice piece = slice->TakeFront(1 + rng.Below(4));
      const std::string bytes(Batch(piece).Encode().view());
      const auto stats = ValidateRequest(GetParam(), bytes);
      ASSERT_TRUE(stats.ok()) << stats.status();
      ASSERT_EQ(stats->spans, piece.span_count()) << "round " << round;
      found += stats->spans;
    }
    ASSERT_EQ(found, total) << "round " << round;
  }
}

// Guarantees: the JSON of a request says all of it: read again, it is written the same.
TEST_P(SignalProperty, JsonThatIsReadAgainIsTheSame) {
  Rng rng(8);
  int compared = 0;
  for (int round = 0; round < 500; ++round) {
    const auto slice = ReadRequest(GetParam(), Bytes(RandomRequest(rng, Oddities::kNone, GetParam())));
    ASSERT_TRUE(slice.ok()) << slice.status();
    if (slice->span_count() == 0) continue;
    const std::string json = JsonOf(*slice);
    const auto wire = TranscodeJson(GetParam(), json);
    ASSERT_TRUE(wire.ok()) << wire.status() << json;
    const auto read = ReadRequest(GetParam(), Bytes(*wire));
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_EQ(read->span_count(), slice->span_count()) << json;
    ASSERT_TRUE(JsonOf(*read) == json) << "round " << round;
    ++compared;
  }
  EXPECT_GT(compared, 50);
}

INSTANTIATE_TEST_SUITE_P(All, SignalProperty, testing::Values(Signal::kTraces, Signal::kMetrics, Signal::kLogs),
                         [](const auto& parameter) { return std::string(SignalText(parameter.param)); });

}  // namespace
}  // namespace spanloom::otlp
