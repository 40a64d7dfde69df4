// SPDX-License-Identifier: Apache-2.0

#include "net/detail/deadline.h"

#include <gtest/gtest.h>

#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

using std::chrono::milliseconds;

TEST(Deadline, PassesAtThePointThatWasSetLast) {
  LoopPool loops(1);
  Loop& loop = loops.At(0);
  const Promise<Deadline::TimePoint> passed;
  const auto start = std::chrono::steady_clock::now();
  auto deadline = RunOn(loop, [&] {
    auto made = std::make_unique<Deadline>(loop, [passed] { passed.Set(std::chrono::steady_clock::now()); });
    made->SetAfter(std::chrono::hours(1));
    made->SetAfter(milliseconds(2));
    made->SetAfter(milliseconds(20));
    return made;
  });
  EXPECT_GE(passed.Get() - start, milliseconds(20));
  RunOn(loop, [&] {
    deadline.reset();
    return true;
  });
}

TEST(Deadline, DoesNotPassWhenCleared) {
  LoopPool loops(1);
  Loop& loop = loops.At(0);
  const auto passed = std::make_shared<int>(0);
  const Promise<bool> later;
  auto deadlines = RunOn(loop, [&] {
    std::vector<std::unique_ptr<Deadline>> made;
    made.push_back(std::make_unique<Deadline>(loop, [passed] { ++*passed; }));
    made.push_back(std::make_unique<Deadline>(loop, [later] { later.Set(true); }));
    made[0]->SetAfter(milliseconds(1));
    made[0]->Clear();
    EXPECT_FALSE(made[0]->is_set());
    made[1]->SetAfter(milliseconds(5));
    return made;
  });
  EXPECT_TRUE(later.Get());
  EXPECT_EQ(RunOn(loop, [&] { return deadlines.clear(), *passed; }), 0);
}

}  // namespace
}  // namespace spanloom::net
