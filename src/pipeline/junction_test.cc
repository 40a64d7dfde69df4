// SPDX-License-Identifier: Apache-2.0

#include "pipeline/junction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

// Spans go the ways whose letters their names hold: "a" the first, "b" the second, "c" the third; a capital letter
// makes an extra share.
class ByLetters final : public ChoosingConnector {
 public:
  [[nodiscard]] const std::vector<std::vector<ComponentId>>& ways() const override { return ways_; }
  StatusOr<WayShares> Choose(const otlp::Batch& batch) override {
    if (!refusal.ok()) return refusal;
    WayShares all;
    for (size_t way = 0; way < ways_.size(); ++way) {
      for (const bool is_extra : {false, true}) {
        const char letter = static_cast<char>((is_extra ? 'A' : 'a') + way);
        otlp::Batch share = With(batch, [letter](std::string_view name) { return name.find(letter) != name.npos; });
        if (!share.empty()) all.shares.push_back({.way = way, .batch = share, .is_extra = is_extra});
      }
    }
    all.unrouted_spans =
        With(batch, [](std::string_view name) { return name.find_first_of("abcABC") == name.npos; }).span_count();
    return all;
  }

  Status refusal;

 private:
  template <typename Predicate>
  static otlp::Batch With(otlp::Batch batch, Predicate predicate) {
    for (otlp::Slice& slice : batch.slices()) {
      slice.DropIf([&](const otlp::SpanContext& context) { return !predicate(context.span.name()); });
    }
    return batch;
  }

  const std::vector<std::vector<ComponentId>> ways_ = {
      {{"traces", "a"}}, {{"traces", "b"}}, {{"traces", "c"}, {"traces", "d"}}};
};

class JunctionTest : public testing::Test {
 protected:
  enum class Kind : uint8_t { kPlain, kStores, kFollows };

  Junction Make(Kind a, Kind b, Kind c) {
    const auto way = [](FakeConsumer& consumer, Kind kind, const std::vector<std::string>& pipelines) {
      JunctionWay way{&consumer, {}, kind == Kind::kStores, kind == Kind::kFollows};
      for (const std::string& pipeline : pipelines) way.owners.push_back({{"pipeline", pipeline}});
      return way;
    };
    return Junction("routing", chooser_,
                    {way(a_, a, {"traces/a"}), way(b_, b, {"traces/b"}), way(c_, c, {"traces/c", "traces/d"})},
                    context_);
  }
  Junction Plain() { return Make(Kind::kPlain, Kind::kPlain, Kind::kPlain); }
  Junction Storing() { return Make(Kind::kStores, Kind::kStores, Kind::kPlain); }

  uint64_t Dropped(const std::string& pipeline) const {
    return metrics_.Sum("spanloom_pipeline_dropped_spans", {{"pipeline", pipeline}});
  }
  uint64_t Repeated(const std::string& pipeline) const {
    return metrics_.Sum("spanloom_pipeline_repeated_spans", {{"pipeline", pipeline}});
  }
  uint64_t Unrouted() const {
    return metrics_.Sum("spanloom_pipeline_dropped_spans", {{"connector", "routing"}, {"cause", "unrouted"}});
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
  ByLetters chooser_;
  FakeConsumer a_;
  FakeConsumer b_;
  FakeConsumer c_;
};

const Status kFull = WithRetryDelay(absl::UnavailableError("full"), milliseconds(7));
const Status kBad = absl::InvalidArgumentError("bad");

// Scenario: spans for three ways, one of them for two of them, and one for none.
// Guarantees: each way is given its own; what has no way is a counted drop, and the answer is OK.
TEST_F(JunctionTest, SendsEachShareItsWay) {
  Junction junction = Plain();
  EXPECT_TRUE(Deliver(junction, BatchOf({"a1", "b1", "ac", "x", "c1", "b2"})).ok());
  EXPECT_THAT(a_.names(), ElementsAre("a1", "ac"));
  EXPECT_THAT(b_.names(), ElementsAre("b1", "b2"));
  EXPECT_THAT(c_.names(), ElementsAre("ac", "c1"));
  EXPECT_EQ(Unrouted(), 1u);
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans"), 1u);
}

// Scenario: no span has a way.
// Guarantees: OK, and a drop.
TEST_F(JunctionTest, DropsABatchThatHasNoWay) {
  Junction junction = Plain();
  EXPECT_TRUE(Deliver(junction, BatchOf({"x", "y"})).ok());
  EXPECT_EQ(Unrouted(), 2u);
  EXPECT_EQ(a_.offers() + b_.offers() + c_.offers(), 0u);
}

// Scenario: the connector refuses.
// Guarantees: its refusal is the answer, and nobody is offered anything.
TEST_F(JunctionTest, ARefusalOfTheConnectorIsTheAnswer) {
  Junction junction = Plain();
  chooser_.refusal = kBad;
  EXPECT_EQ(Deliver(junction, BatchOf({"a"})), kBad);
  EXPECT_EQ(a_.offers(), 0u);
}

// Scenario: one way refuses its share for the moment, while another takes its own.
// Guarantees: nobody else has what was refused, so the sender is told to send again; what was taken counts as repeated,
// and nothing is dropped, what has no way included.
TEST_F(JunctionTest, ARefusalForTheMomentMakesTheSenderComeAgain) {
  Junction junction = Plain();
  b_.Script(kFull);
  const Status answer = Deliver(junction, BatchOf({"a", "b", "b", "x"}));
  EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RetryDelay(answer), milliseconds(7));
  EXPECT_EQ(Repeated("traces/a"), 1u);
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans"), 0u);
  EXPECT_TRUE(Deliver(junction, BatchOf({"a", "b", "b", "x"})).ok());
  EXPECT_THAT(b_.names(), ElementsAre("b", "b"));
  EXPECT_EQ(Unrouted(), 1u);
}

// Scenario: one way refuses its share for good, while another takes its own; then all refuse for good.
// Guarantees: sending again would not help, so it is a drop of its pipelines, each of which has lost it; a batch that
// nobody takes is refused.
TEST_F(JunctionTest, AFinalRefusalIsADropIfOthersWereTaken) {
  Junction junction = Plain();
  c_.AnswerWith(kBad);
  EXPECT_TRUE(Deliver(junction, BatchOf({"a", "c", "c"})).ok());
  EXPECT_EQ(Dropped("traces/c"), 2u);
  EXPECT_EQ(Dropped("traces/d"), 2u);
  a_.AnswerWith(kBad);
  EXPECT_EQ(Deliver(junction, BatchOf({"a", "c", "x"})), kBad);
  EXPECT_EQ(Dropped("traces/c"), 2u);
  EXPECT_EQ(Unrouted(), 0u);
}

// Scenario: two ways store; one has no room.
// Guarantees: nobody is given anything, and the other's room is given back.
TEST_F(JunctionTest, WithoutRoomAtOneStoreNothingIsTaken) {
  Junction junction = Storing();
  a_.KeepRoomFor(10);
  b_.KeepRoomFor(1, milliseconds(9));
  const Status answer = Deliver(junction, BatchOf({"a", "b", "b", "c"}));
  EXPECT_EQ(RetryDelay(answer), milliseconds(9));
  EXPECT_EQ(a_.room_spans(), 10u);
  EXPECT_EQ(a_.offers() + b_.offers() + c_.offers(), 0u);
  EXPECT_TRUE(Deliver(junction, BatchOf({"a", "b", "c"})).ok());
  EXPECT_EQ(a_.room_spans(), 9u);
  EXPECT_EQ(b_.room_spans(), 0u);
}

// Scenario: a batch for one way that stores, while another that stores has no room.
// Guarantees: who gets nothing of it is not asked.
TEST_F(JunctionTest, AStoreThatGetsNothingIsNotAsked) {
  Junction junction = Storing();
  b_.KeepRoomFor(0);
  EXPECT_TRUE(Deliver(junction, BatchOf({"a", "c"})).ok());
  EXPECT_THAT(a_.names(), ElementsAre("a"));
}

// Scenario: a store fails when it commits, beside a way that does not store.
// Guarantees: the other is offered nothing, so that it gets its spans once when they are sent again.
TEST_F(JunctionTest, WhatAStoreRefusesGoesNowhere) {
  Junction junction = Storing();
  a_.Script(kFull);
  EXPECT_EQ(Deliver(junction, BatchOf({"a", "b", "c"})).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(c_.offers(), 0u);
  EXPECT_EQ(Repeated("traces/b"), 1u);
  EXPECT_TRUE(Deliver(junction, BatchOf({"a", "b", "c"})).ok());
  EXPECT_THAT(c_.names(), ElementsAre("c"));
}

// Scenario: stores have their shares, a way that does not store refuses its own, for the moment and for good.
// Guarantees: for the moment: the sender comes again, since nobody has those spans; for good: a drop.
TEST_F(JunctionTest, AWayThatDoesNotStoreDecidesAboutItsSpans) {
  Junction junction = Storing();
  c_.Script(kFull);
  EXPECT_EQ(Deliver(junction, BatchOf({"a", "c"})).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Repeated("traces/a"), 1u);
  c_.Script(kBad);
  EXPECT_TRUE(Deliver(junction, BatchOf({"a", "c"})).ok());
  EXPECT_EQ(Dropped("traces/d"), 1u);
}

// Scenario: room is reserved, then a part of the batch is committed; or the reservation is given up.
// Guarantees: room is kept for the whole batch at each store, and what was not used is given back.
TEST_F(JunctionTest, ReservesForWhatMayGoToAStore) {
  Junction junction = Storing();
  a_.KeepRoomFor(2);
  b_.KeepRoomFor(3);
  {
    const auto admission = junction.Reserve(BatchOf({"a", "b"}));
    ASSERT_TRUE(admission.ok());
    EXPECT_EQ(a_.room_spans(), 0u);
    EXPECT_EQ(b_.room_spans(), 1u);
    Status answer = kBad;
    (*admission)->Commit(BatchOf({"b", "c"}), [&](Status status) { answer = std::move(status); });
    EXPECT_TRUE(answer.ok());
    EXPECT_EQ(a_.room_spans(), 2u);
    EXPECT_EQ(b_.room_spans(), 2u);
  }
  EXPECT_THAT(a_.names(), IsEmpty());
  EXPECT_THAT(b_.names(), ElementsAre("b"));
  EXPECT_THAT(c_.names(), ElementsAre("c"));
  { ASSERT_TRUE(junction.Reserve(BatchOf({"a"})).ok()); }
  EXPECT_EQ(a_.room_spans(), 2u);
  EXPECT_FALSE(junction.Reserve(BatchOf({"a", "a", "a"})).ok());
  EXPECT_EQ(b_.room_spans(), 2u);
}

// Scenario: a way that gets copies alone, and one that follows, refuse; then the way that decides does.
// Guarantees: they are offered what was taken, and what they refuse is a drop; of what was refused they see nothing.
TEST_F(JunctionTest, CopiesAndFollowersDecideNothing) {
  Junction junction = Make(Kind::kPlain, Kind::kPlain, Kind::kFollows);
  b_.AnswerWith(kFull);
  c_.AnswerWith(kFull);
  EXPECT_TRUE(Deliver(junction, BatchOf({"aB", "a", "c"})).ok());
  EXPECT_EQ(Dropped("traces/b"), 1u);
  EXPECT_EQ(Dropped("traces/c"), 1u);
  a_.Script(kFull);
  EXPECT_EQ(Deliver(junction, BatchOf({"aB", "c"})).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(b_.offers(), 1u);
  EXPECT_EQ(c_.offers(), 1u);
}

// Scenario: a batch all of which goes to a way that follows.
// Guarantees: then that one decides.
TEST_F(JunctionTest, AFollowerAloneDecides) {
  Junction junction = Make(Kind::kPlain, Kind::kPlain, Kind::kFollows);
  c_.Script(kFull);
  EXPECT_EQ(Deliver(junction, BatchOf({"c"})).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Deliver(junction, BatchOf({"c"})).ok());
}

// Scenario: ways leave their shares without an answer for a while.
// Guarantees: the answer waits for all of them, and comes once.
TEST_F(JunctionTest, TheAnswerWaitsForAll) {
  Junction junction = Storing();
  a_.Hold();
  c_.Hold();
  int answers = 0;
  Status answer;
  junction.Consume(BatchOf({"a", "b", "c"}), [&](Status status) {
    ++answers;
    answer = std::move(status);
  });
  EXPECT_EQ(answers, 0);
  EXPECT_EQ(c_.offers(), 0u);
  a_.Release(absl::OkStatus());
  EXPECT_EQ(answers, 0);
  EXPECT_EQ(c_.offers(), 1u);
  c_.Release(absl::OkStatus());
  EXPECT_EQ(answers, 1);
  EXPECT_TRUE(answer.ok());
}

}  // namespace
}  // namespace spanloom::pipeline
