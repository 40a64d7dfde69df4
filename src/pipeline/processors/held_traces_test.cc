// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/held_traces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <string>

#include "base/rng.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kSecond = 1'000'000'000;

otlp::TraceId IdOf(uint64_t number) {
  otlp::TraceId id;
  std::memcpy(id.bytes.data(), &number, sizeof(number));
  id.bytes[15] = 1;
  return id;
}

TEST(HeldTraces, KeepsDeadlinesAsFinelyAsTheWaitAsksFor) {
  EXPECT_EQ(HeldTraces::ResolutionFor(30s), 1s);
  EXPECT_EQ(HeldTraces::ResolutionFor(1s), 62'500us);
  EXPECT_EQ(HeldTraces::ResolutionFor(0s), 5ms);
}

// Scenario: traces come one after the other; one of them is hurried.
// Guarantees: each is due when its deadline has passed, at most a tick late.
TEST(HeldTraces, SaysWhatIsDue) {
  HeldTraces traces(30s, 0);
  HeldTrace& first = traces.Add(IdOf(1), 0, 30 * kSecond);
  HeldTrace& second = traces.Add(IdOf(2), kSecond, 31 * kSecond);
  traces.DueBy(second, 5 * kSecond);
  traces.DueBy(second, 9 * kSecond);
  EXPECT_EQ(traces.NextDue(4 * kSecond), nullptr);
  EXPECT_EQ(traces.NextDue(5 * kSecond), &second);
  EXPECT_EQ(traces.NextDue(5 * kSecond), &second) << "until it is settled";
  traces.Settle(second, TraceVerdict::kSampled, 5 * kSecond);
  EXPECT_EQ(traces.NextDue(29 * kSecond), nullptr);
  EXPECT_EQ(traces.NextDue(30 * kSecond), &first);
  EXPECT_EQ(traces.OldestWaiting(), &first);
  EXPECT_EQ(traces.OldestSettled(), &second);
  traces.Remove(first);
  traces.Remove(second);
  EXPECT_EQ(traces.size(), 0u);
  EXPECT_EQ(traces.held_bytes(), 0u);
}

// Scenario: nothing waits for an hour, in which nobody asks; then a trace comes.
// Guarantees: it waits as long as any other.
TEST(HeldTraces, IsNotEarlyAfterALongPause) {
  HeldTraces traces(2s, 0);
  const int64_t now_ns = 3'600 * kSecond;
  traces.Add(IdOf(1), now_ns, now_ns + 2 * kSecond);
  EXPECT_EQ(traces.NextDue(now_ns + kSecond), nullptr);
  EXPECT_NE(traces.NextDue(now_ns + 2 * kSecond), nullptr);
}

// Scenario: random traces that come, are hurried, settled and removed, as time goes on in random steps.
// Guarantees: a map from trace to deadline says the same of what is due, of order and of size.
TEST(HeldTracesProperty, IsAMapWithDeadlines) {
  Rng rng(1);
  for (int round = 0; round < 20; ++round) {
    const auto wait = std::chrono::milliseconds(rng.Below(40'000));
    const int64_t wait_ns = std::chrono::nanoseconds(wait).count();
    int64_t now_ns = static_cast<int64_t>(rng.Below(1'000) * kSecond);
    HeldTraces traces(wait, now_ns);
    const int64_t tick_ns = traces.resolution().count();
    std::map<uint64_t, int64_t> waiting;  // by number, which is by age: deadline
    uint64_t number = 0;
    for (int step = 0; step < 300; ++step) {
      now_ns += static_cast<int64_t>(rng.Below(static_cast<uint64_t>(tick_ns * 2)));
      for (uint64_t i = rng.Below(3); i > 0; --i) {
        traces.Add(IdOf(number), now_ns, now_ns + wait_ns);
        waiting[number++] = now_ns + wait_ns;
      }
      if (!waiting.empty() && rng.Below(3) == 0) {
        const auto& [hurried, deadline] = *std::next(waiting.begin(), static_cast<int64_t>(rng.Below(waiting.size())));
        const int64_t earlier = now_ns + static_cast<int64_t>(rng.Below(static_cast<uint64_t>(wait_ns) + 1));
        traces.DueBy(*traces.Find(IdOf(hurried)), earlier);
        waiting[hurried] = std::min(deadline, earlier);
      }
      while (HeldTrace* const due = traces.NextDue(now_ns)) {
        uint64_t found = 0;
        std::memcpy(&found, due->id.bytes.data(), sizeof(found));
        ASSERT_LE(waiting.at(found), now_ns);
        waiting.erase(found);
        if (rng.Below(2) == 0) {
          traces.Settle(*due, TraceVerdict::kNotSampled, now_ns);
          traces.Remove(*traces.OldestSettled());
        } else {
          traces.Remove(*due);
        }
      }
      for (const auto& [left, deadline] : waiting) ASSERT_GT(deadline + tick_ns, now_ns) << left;
      ASSERT_EQ(traces.size(), waiting.size());
      if (waiting.empty()) continue;
      ASSERT_EQ(traces.OldestWaiting()->id, IdOf(waiting.begin()->first));
    }
  }
}

}  // namespace
}  // namespace spanloom::pipeline
