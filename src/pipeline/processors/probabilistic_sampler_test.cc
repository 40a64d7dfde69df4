// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/probabilistic_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "config/yaml.h"
#include "pipeline/sampling/sampling_threshold.h"
#include "pipeline/testing/attributed_spans.h"
#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Mode = ProbabilisticSamplerOptions::Mode;

constexpr char kDropped[] = "dropped";

otlp::TraceId Id(std::string_view hex) {
  return *otlp::ParseTraceId(hex);
}

// One span, and how it is decided about.
struct Case {
  Mode mode = Mode::kHashSeed;
  double percentage = 100;
  int precision = kSamplingHexDigits;
  std::string id = "fefefefefefefefefe80000000000000";  // sampled at 50 %, not at 49 %
  std::string trace_state = {};
  bool fail_closed = false;
  uint32_t seed = 0;
  WriteAttributes attributes = otlp::WriteNoAttributes;
};

SpanSampler::Decision Decide(const Case& c) {
  ProbabilisticSamplerOptions options;
  options.mode = c.mode;
  options.sampling_percentage = c.percentage;
  options.sampling_precision = c.precision;
  options.fail_closed = c.fail_closed;
  options.hash_seed = c.seed;
  EXPECT_TRUE(options.Validate().ok());
  const otlp::Batch batch = BatchOfSpan(
      {.fields = {.trace_id = Id(c.id), .trace_state = c.trace_state, .name = "s"}, .attributes = c.attributes});
  SpanSampler::Decision decision;
  batch.slices()[0].ForEach([&](const otlp::SpanContext& span) { decision = SpanSampler(options).Decide(span.span); });
  return decision;
}

// The tracestate of the span, or kDropped.
std::string After(const Case& c) {
  const SpanSampler::Decision decision = Decide(c);
  return decision.is_sampled ? decision.trace_state.value_or("as it was") : kDropped;
}

// The Collector's own examples for its hash: a seed, a trace id, and whether half of the traces have it among them
// (opentelemetry-collector-contrib, processor/probabilisticsamplerprocessor/tracesprocessor_test.go).
TEST(SpanSampler, HashSeedDecidesAsTheCollectorDoes) {
  struct Example {
    uint32_t seed;
    const char* id;
    bool is_sampled;
  };
  constexpr Example kExamples[] = {
      {653, "474a03c76d75951a4b4c537ced8f1122", true},  {563, "53a518291e91307e43cd8467bb06f986", true},
      {142, "a56a02f843b9bc6ee0b13889249e90e6", true},  {904, "4e40762d3ee97a1c0932e4fa584f89a8", false},
      {445, "5224507db93db513f0ea2a4b4e0578c8", true},  {38, "0c8717ced36216037af657e9d7f8b35b", true},
      {561, "2a8aa76c18d08e1e8be935541f9318c7", false}, {757, "9e3d0f9481dc422cb613ea550897ae71", false},
      {22, "66a66c516ac22054673e5da5e6492545", false},  {172, "84a1ce7bcea3e66194e72b4aa2694e31", true},
      {552, "a811a7def34ca4b98d8e320afd115fad", false}, {546, "e3a345cc8dbb6f014bfa1edad3981820", true},
      {315, "a71effb50e28d27cbdc9892f3765b8c2", false}, {510, "55ee665a3fa22f8ea1b744ce15a7339d", false},
      {230, "7a5006be4d0ce7b542d59f83cd6f1c41", false}, {544, "825b8fb9cfd45867794f4cd8a5a699bd", false},
      {790, "7629ecbea89398bfd9752a2f51c2c137", true},  {16, "2533c732bed8c1ba4721c25a1205f06c", false},
      {6, "d6a68b47c66d1f94eed46b8ddc72faf4", false},   {99, "497f02db51c898ac441aae18a8b7ced9", false},
      {773, "988481445600bb91bbe23e3103034bcd", true},  {928, "f1813835ac0f456721ef3aac39c0269a", true},
      {235, "1999920085682c007eb3a6984d2a7f05", true},  {460, "60c3b9a2dde734d71ba5cca7eb164bce", true}};
  for (const Example& example : kExamples) {
    EXPECT_EQ(Decide({.percentage = 50, .id = example.id, .seed = example.seed}).is_sampled, example.is_sampled)
        << example.seed << " " << example.id;
  }
}

// The bucket that the Collector gives 16 bytes of zeros.
TEST(SpanSampler, HashesAsTheCollectorDoes) {
  EXPECT_EQ(TraceIdHash(0, otlp::TraceId()) & 0x3FFF, 0x2455u);
}

// Scenario: a trace id whose rv the Collector wrote (recorded from v0.155), with two seeds.
// Guarantees: all 56 bits are the Collector's, not those alone that decide.
TEST(SpanSampler, HashSeedWritesTheCollectorsRandomness) {
  constexpr const char* kId = "7178075749df72330b7ea219fbfbb988";
  EXPECT_EQ(After({.percentage = 100, .id = kId}), "ot=rv:ab543f8ae1552a;th:0");
  EXPECT_EQ(After({.percentage = 100, .id = kId, .seed = 22}), "ot=rv:5d9c225697a898;th:0");
}

// Scenario: the hash's thresholds, in its steps of 1/16384, and what is below the first.
// Guarantees: those of the Collector, with a randomness that is consistent with the decision.
TEST(SpanSampler, HashSeedWritesThresholdAndRandomness) {
  const auto threshold = [](double percentage) {
    Rng rng(7);
    while (true) {
      const std::string id = RandomnessText(rng.Next() >> 8) + RandomnessText(rng.Next() >> 8) + "0123";
      const std::string text = After({.percentage = percentage, .id = id});
      if (text == kDropped) continue;
      const auto state = SamplingTraceState::Read(text);
      EXPECT_TRUE(state.ok());
      EXPECT_GE(state->randomness(), state->threshold());
      return ThresholdText(*state->threshold());
    }
  };
  EXPECT_EQ(threshold(100), "0");
  EXPECT_EQ(threshold(75), "4");
  EXPECT_EQ(threshold(50), "8");
  EXPECT_EQ(threshold(25), "c");
  EXPECT_EQ(threshold(10), "e668");
  EXPECT_EQ(threshold(100.0 / 3), "aaac");
  EXPECT_FALSE(Decide({.percentage = 0.005}).is_sampled);
}

// Scenario: a tracestate that another sampler wrote, in the mode that does not read it.
// Guarantees: fail_closed decides, and the tracestate stays as it was.
TEST(SpanSampler, HashSeedLeavesAnotherSamplersStateAlone) {
  EXPECT_EQ(After({.trace_state = "ot=th:8"}), "as it was");
  EXPECT_EQ(After({.trace_state = "ot=rv:abcdefabcdefab"}), "as it was");
  EXPECT_EQ(After({.trace_state = "ot=th:8", .fail_closed = true}), kDropped);
}

// The Collector's own table for both consistent modes (same file): equalizing, then proportional.
TEST(SpanSampler, ConsistentModesDecideAsTheCollectorDoes) {
  struct Example {
    double percentage;
    int precision;
    const char* id;  // "" for that of Case
    const char* before;
    const char* equalized;
    const char* proportional;
  };
  constexpr int kAll = kSamplingHexDigits;
  constexpr char kHighest[] = "111111111111111111ffffffffffffff";
  const Example examples[] = {
      {100, kAll, "", "", "ot=th:0", "ot=th:0"},
      {50, kAll, "", "", "ot=th:8", "ot=th:8"},
      {49, kAll, "", "", kDropped, kDropped},
      {200, kAll, "", "", "ot=th:0", "ot=th:0"},
      {25, kAll, "ddddddddddddddddddc0000000000000", "", "ot=th:c", "ot=th:c"},
      {25, kAll, "ddddddddddddddddddb0000000000000", "", kDropped, kDropped},
      {1, 4, "", "ot=rv:FD70A3D70A3D71", "ot=rv:FD70A3D70A3D71;th:fd70a", "ot=rv:FD70A3D70A3D71;th:fd70a"},
      {1, 3, "", "ot=rv:FD70A3D70A3D71", kDropped, kDropped},
      {1, 4, "a0a0a0a0a0a0a0a0a0fe000000000000", "", "ot=th:fd70a", "ot=th:fd70a"},
      {50, kAll, "", "ot=rv:90000000000000;th:80000000000000", "ot=rv:90000000000000;th:8", kDropped},
      {25, kAll, "", "ot=th:8", kDropped, kDropped},
      {25, kAll, "ffffffffffffffffffffffffffffffff", "ot=th:8", "ot=th:c", "ot=th:e"},
      {50, kAll, "", "ot=rv:c0000000000000;th:8", "ot=rv:c0000000000000;th:8", "ot=rv:c0000000000000;th:c"},
      {40, 3, "", "ot=rv:a0000000000000", "ot=rv:a0000000000000;th:99a", "ot=rv:a0000000000000;th:99a"},
      {40, 6, "a0a0a0a0a0a0a0a0a0d0000000000000", "ot=th:8", "ot=th:99999a", "ot=th:cccccd"},
      {40, 3, "a0a0a0a0a0a0a0a0a0b0000000000000", "ot=th:8", "ot=th:99a", kDropped},
      {40, 3, "a0a0a0a0a0a0a0a0a080000000000000", "ot=th:8", kDropped, kDropped},
      {100.0 / 16384, kAll, kHighest, "ot=th:fffc", "ot=th:fffc", "ot=th:fffffff"},
      {(1 - 8e-7) * 100, 10, kHighest, "", "ot=th:00000cccccccd", "ot=th:00000cccccccd"},
      {0.0625, kAll, kHighest, "ot=th:fffffffffffff8", "ot=th:fffffffffffff8", kDropped},
  };
  for (const Example& example : examples) {
    Case c = {.percentage = example.percentage, .precision = example.precision, .trace_state = example.before};
    if (*example.id != 0) c.id = example.id;
    c.mode = Mode::kEqualizing;
    EXPECT_EQ(After(c), example.equalized) << example.percentage << " " << example.before;
    c.mode = Mode::kProportional;
    EXPECT_EQ(After(c), example.proportional) << example.percentage << " " << example.before;
  }
}

// Scenario: no randomness, malformed states, thresholds that cannot be true.
// Guarantees: fail_closed decides; what is passed on says 100 %, unless its state could not be read.
TEST(SpanSampler, FailsClosedOrOpen) {
  const std::string zero(32, '0');
  for (const Mode mode : {Mode::kEqualizing, Mode::kProportional}) {
    EXPECT_EQ(After({.mode = mode, .id = zero, .fail_closed = true}), kDropped);
    EXPECT_EQ(After({.mode = mode, .id = zero}), "ot=th:0");
    EXPECT_EQ(After({.mode = mode, .trace_state = "ot=th:-1", .fail_closed = true}), kDropped);
    EXPECT_EQ(After({.mode = mode, .trace_state = "ot=th:-1"}), "as it was");
    EXPECT_EQ(After({.mode = mode, .trace_state = "ot=th:8;rv:40000000000000", .fail_closed = true}), kDropped);
    EXPECT_EQ(After({.mode = mode, .trace_state = "ot=th:8;rv:40000000000000"}), "ot=rv:40000000000000;th:0");
  }
  EXPECT_EQ(After({.percentage = 62, .id = zero, .fail_closed = true}), kDropped);
  EXPECT_EQ(After({.percentage = 62, .id = zero}), "ot=rv:ffffffffffffff;th:0");
  EXPECT_EQ(After({.percentage = 0, .id = zero}), kDropped);
}

// Scenario: sampling.priority as every type that clients use, at 0 % and at 100 %.
// Guarantees: above 0 a span is passed on, at 0 dropped; other values say nothing.
TEST(SpanSampler, FollowsThePriority) {
  const auto sampled = [](double percentage, WriteAttributes attributes) {
    return Decide({.mode = Mode::kProportional, .percentage = percentage, .attributes = attributes}).is_sampled;
  };
  EXPECT_TRUE(sampled(0, [](otlp::AttributeWriter& w) { w.Int("sampling.priority", 2); }));
  EXPECT_TRUE(sampled(0, [](otlp::AttributeWriter& w) { w.Double("sampling.priority", 0.5); }));
  EXPECT_TRUE(sampled(0, [](otlp::AttributeWriter& w) { w.String("sampling.priority", "0.5"); }));
  EXPECT_FALSE(sampled(100, [](otlp::AttributeWriter& w) { w.Int("sampling.priority", 0); }));
  EXPECT_FALSE(sampled(100, [](otlp::AttributeWriter& w) { w.String("sampling.priority", "0.0"); }));
  EXPECT_TRUE(sampled(100, [](otlp::AttributeWriter& w) { w.Int("sampling.priority", -1); }));
  EXPECT_TRUE(sampled(100, [](otlp::AttributeWriter& w) { w.String("sampling.priority", "NaN"); }));
  EXPECT_FALSE(sampled(0, [](otlp::AttributeWriter& w) { w.Bool("sampling.priority", true); }));
}

class ProbabilisticSamplerTest : public testing::Test {
 protected:
  uint64_t Count(const char* policy, const char* is_sampled) const {
    return metrics_.Sum("otelcol_processor_probabilistic_sampler_count_traces_sampled",
                        {{"policy", policy}, {"sampled", is_sampled}});
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
};

// Scenario: spans that are passed on stand between others that are dropped.
// Guarantees: each that is left has its own tracestate; both kinds are counted.
TEST_F(ProbabilisticSamplerTest, DropsAndMarksTheRest) {
  ProbabilisticSamplerOptions options;
  options.mode = Mode::kProportional;
  options.sampling_percentage = 50;
  ProbabilisticSampler sampler(ComponentId{"probabilistic_sampler", ""}, options, context_);
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource({});
  request.BeginScope({});
  for (const char* end : {"0", "8", "1", "f"}) {
    const std::string state = std::string("v=") + end;
    const otlp::TraceId id = Id("aaaaaaaaaaaaaaaaaa" + std::string(end) + "0000000000001");
    request.BeginSpan({.trace_id = id, .trace_state = state, .name = end}).End();
  }
  request.End();
  otlp::Batch batch(otlp::Slice(Bytes(std::move(wire)), 4));
  EXPECT_TRUE(sampler.Process(batch).ok());
  EXPECT_THAT(NamesOf(batch), ElementsAre("8", "f"));
  const std::vector<ShownSpan> spans = ShownSpans(batch);
  EXPECT_EQ(spans[0].trace_state, "ot=th:8,v=8");
  EXPECT_EQ(spans[1].trace_state, "ot=th:8,v=f");
  EXPECT_EQ(Count("trace_id_w3c", "true"), 2u);
  EXPECT_EQ(Count("trace_id_w3c", "false"), 2u);
}

std::vector<std::string> ProblemsOf(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<ProbabilisticSamplerOptions>(*config::ParseYaml(yaml, "f"), "p", problems);
  return problems.lines();
}

TEST(ProbabilisticSamplerOptions, RefusesWhatItWouldNotDo) {
  EXPECT_THAT(ProblemsOf("{sampling_percentage: 15.3, mode: equalizing, hash_seed: 22, attribute_source: traceID}"),
              IsEmpty());
  EXPECT_THAT(ProblemsOf("sampling_percentage: -5"), ElementsAre(HasSubstr("sampling_percentage: must be at least 0")));
  EXPECT_THAT(ProblemsOf("sampling_percentage: .nan"), ElementsAre(HasSubstr("must be at least 0")));
  EXPECT_THAT(ProblemsOf("sampling_percentage: 1e-20"), ElementsAre(HasSubstr("sampling_percentage is too small")));
  EXPECT_THAT(ProblemsOf("sampling_precision: 15"), ElementsAre(HasSubstr("must be between 1 and 14")));
  EXPECT_THAT(ProblemsOf("attribute_source: record"), ElementsAre(HasSubstr("attribute_source: unknown value")));
  EXPECT_THAT(ProblemsOf("from_attribute: a"), ElementsAre(HasSubstr("from_attribute is not supported")));
}

}  // namespace
}  // namespace spanloom::pipeline
