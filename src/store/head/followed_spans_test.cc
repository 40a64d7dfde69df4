// SPDX-License-Identifier: Apache-2.0

#include "store/head/followed_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/rng.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store::head {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr size_t kBytes = 100;  // of a request
constexpr int64_t kPatienceNs = std::chrono::nanoseconds(FollowedSpans::kPatience).count();

class FollowedSpansTest : public testing::Test {
 protected:
  void Make(const RecentLimits& limits) { followed_.emplace(limits, clock_); }

  // A request with spans [first, first + count), each of as many bytes as its number says.
  void Add(uint64_t first, uint64_t count = 1, size_t bytes = kBytes) {
    followed_->Add(bytes, [&](RecentSpans& recent) {
      for (uint64_t i = first; i < first + count; ++i) {
        const StoredSpan span = {.wire = Bytes(bytes_, std::string_view(*bytes_).substr(0, i)), .origin = origin_};
        recent.Add(MakeTraceId(1), {&span, 1});
      }
    });
  }

  // What Add() was given.
  static std::vector<uint64_t> NumbersOf(const std::vector<RecentSpan>& spans) {
    std::vector<uint64_t> numbers;
    for (const RecentSpan& span : spans) numbers.push_back(span.stored.wire.size());
    return numbers;
  }
  RecentPage Read(const TailPosition& position, size_t spans_max = 10'000) {
    auto page = followed_->Read(position, spans_max);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? *std::move(page) : RecentPage();
  }
  [[nodiscard]] bool KeepsAny() const { return !followed_->KeptFrom(0).empty(); }

  SimClock clock_;
  std::shared_ptr<const std::string> bytes_ = std::make_shared<const std::string>(10'000, 'x');
  std::shared_ptr<const SpanOrigin> origin_ = std::make_shared<const SpanOrigin>();
  std::optional<FollowedSpans> followed_ = std::make_optional<FollowedSpans>(RecentLimits(), clock_);
};

// Scenario: spans come before anybody asks, and after.
// Guarantees: the first are counted and not kept; the others are read once, in order.
TEST_F(FollowedSpansTest, KeepsNothingBeforeAnybodyAsks) {
  Add(1, 3);
  EXPECT_FALSE(KeepsAny());
  EXPECT_EQ(bytes_.use_count(), 1);
  const TailPosition begin = followed_->Begin();
  EXPECT_EQ(begin.sequence, 3);
  Add(4);
  Add(5, 2);
  RecentPage page = Read(begin, 2);
  EXPECT_THAT(NumbersOf(page.spans), ElementsAre(4, 5));
  page = Read(page.next);
  EXPECT_THAT(NumbersOf(page.spans), ElementsAre(6));
  EXPECT_EQ(page.spans_missed, 0);
  EXPECT_THAT(Read(page.next).spans, IsEmpty());
}

// Scenario: more spans than are copied under one lock.
// Guarantees: one read brings them all.
TEST_F(FollowedSpansTest, ReadsManyAtOnce) {
  const TailPosition begin = followed_->Begin();
  Add(1, 5'000);
  const RecentPage page = Read(begin);
  ASSERT_EQ(page.spans.size(), 5'000);
  EXPECT_EQ(page.spans.back().stored.wire.size(), 5'000);
  EXPECT_EQ(page.next.sequence, begin.sequence + 5'000);
}

// Scenario: a reader asks again just in time, then too late; spans come meanwhile.
// Guarantees: what was kept is freed after that time; the reader is told how many spans it missed, and gets the later
// ones.
TEST_F(FollowedSpansTest, ForgetsWhenNobodyAsksAnyMore) {
  TailPosition position = followed_->Begin();
  Add(1);
  clock_.Advance(kPatienceNs - 1);
  EXPECT_FALSE(followed_->ForgetIfUnfollowed());
  RecentPage page = Read(position);
  EXPECT_THAT(NumbersOf(page.spans), ElementsAre(1));
  page.spans.clear();

  Add(2, 2);
  clock_.Advance(kPatienceNs);
  EXPECT_GT(bytes_.use_count(), 1);
  EXPECT_TRUE(followed_->ForgetIfUnfollowed());
  EXPECT_EQ(bytes_.use_count(), 1);
  Add(4);
  EXPECT_EQ(bytes_.use_count(), 1);

  page = Read(page.next);
  EXPECT_THAT(page.spans, IsEmpty());
  EXPECT_EQ(page.spans_missed, 3);
  Add(5);
  page = Read(page.next);
  EXPECT_THAT(NumbersOf(page.spans), ElementsAre(5));
  EXPECT_EQ(page.spans_missed, 0);
}

// Scenario: nobody asks any more, and nothing calls but who writes.
// Guarantees: writing frees what was kept.
TEST_F(FollowedSpansTest, ForgetsWhenTheNextSpanComes) {
  followed_->Begin();
  Add(1);
  clock_.Advance(kPatienceNs);
  Add(2);
  EXPECT_FALSE(KeepsAny());
}

// Scenario: more spans than the limit, in requests of two.
// Guarantees: the oldest go, one by one.
TEST_F(FollowedSpansTest, KeepsNoMoreSpansThanItsLimit) {
  Make({.spans_max = 3});
  const TailPosition begin = followed_->Begin();
  for (uint64_t i = 1; i <= 5; i += 2) Add(i, 2);
  const RecentPage page = Read(begin);
  EXPECT_THAT(NumbersOf(page.spans), ElementsAre(4, 5, 6));
  EXPECT_EQ(page.spans_missed, 3);
}

// Scenario: requests of which few spans were new, or none, under a limit on bytes; one that is larger than the limit.
// Guarantees: a request counts with all that it keeps in memory, as long as any of its spans is kept, and goes whole.
TEST_F(FollowedSpansTest, KeepsNoMoreBytesThanItsLimit) {
  Make({.bytes_max = 3 * kBytes});
  const TailPosition begin = followed_->Begin();
  Add(1, 2);
  for (int i = 0; i < 100; ++i) Add(1, 0);  // nothing new
  Add(3);
  Add(4);
  EXPECT_THAT(NumbersOf(Read(begin).spans), ElementsAre(1, 2, 3, 4));
  Add(5);
  EXPECT_THAT(NumbersOf(Read(begin).spans), ElementsAre(3, 4, 5));
  Add(6, 1, 3 * kBytes + 1);
  EXPECT_FALSE(KeepsAny());
  EXPECT_EQ(Read(begin).spans_missed, 6);
  Add(7, 1, 3 * kBytes);
  EXPECT_THAT(NumbersOf(Read(begin).spans), ElementsAre(7));
}

// Scenario: limits on both, many requests of one to four spans.
// Guarantees: bytes are given back with the last span of a request: the limit on bytes is never what forgets.
TEST_F(FollowedSpansTest, CountsBytesOfWhatItKeepsAlone) {
  Make({.spans_max = 6, .bytes_max = 7 * kBytes});
  followed_->Begin();
  Rng rng(1);
  for (uint64_t i = 1; i <= 100; ++i) {
    Add(i, 1 + rng.Below(4));
    ASSERT_EQ(followed_->KeptFrom(0).size(), std::min<size_t>(6, followed_->KeptFrom(0).back().sequence + 1));
  }
}

// Scenario: spans are removed in the middle.
// Guarantees: they are not read, and nobody is told of a gap.
TEST_F(FollowedSpansTest, WhatIsRemovedWasNeverThere) {
  const TailPosition begin = followed_->Begin();
  Add(1, 4);
  followed_->Remove({1, 2});
  const RecentPage page = Read(begin);
  EXPECT_THAT(NumbersOf(page.spans), ElementsAre(1, 4));
  EXPECT_EQ(page.spans_missed, 0);
  EXPECT_EQ(page.next.sequence, 4);
}

// Scenario: positions of another epoch, and beyond the end.
// Guarantees: kInvalidArgument; they are no reason to keep anything.
TEST_F(FollowedSpansTest, RefusesOtherPositions) {
  FollowedSpans other({}, clock_);
  const TailPosition begin = other.Begin();
  EXPECT_TRUE(absl::IsInvalidArgument(followed_->Read(begin, 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(other.Read({.epoch = begin.epoch, .sequence = 1}, 1).status()));
  Add(1);
  EXPECT_FALSE(KeepsAny());
}

}  // namespace
}  // namespace spanloom::store::head
