// SPDX-License-Identifier: Apache-2.0

#include "base/mutex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace spanloom {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// Scenario: four threads add to one number, ten thousand times each.
// Guarantees: no addition is lost.
TEST(Mutex, LetsOneInAtATime) {
  Mutex mutex;
  int sum = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) {
        const MutexLock lock(mutex);
        ++sum;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 40'000);
}

// Scenario: two threads hand a number to and fro, each waiting for its turn.
// Guarantees: an unlock wakes whoever waits for what it changed.
TEST(Mutex, WakesThoseWhoseConditionCameTrue) {
  Mutex mutex;
  int turn = 0;
  std::thread other([&] {
    for (int expected = 1; expected < 200; expected += 2) {
      const MutexLock lock(mutex);
      mutex.Await([&] { return turn == expected; });
      ++turn;
    }
  });
  for (int expected = 0; expected < 200; expected += 2) {
    const MutexLock lock(mutex);
    mutex.Await([&] { return turn == expected; });
    ++turn;
  }
  other.join();
  EXPECT_EQ(turn, 200);
}

// Scenario: a thread changes something another waits for, and without unlocking waits for the other's answer.
// Guarantees: the other is woken all the same.
TEST(Mutex, WakesOthersWhenTheHolderBeginsToWait) {
  Mutex mutex;
  int step = 0;
  std::thread other([&] {
    const MutexLock lock(mutex);
    mutex.Await([&] { return step == 1; });
    step = 2;
  });
  {
    const MutexLock lock(mutex);
    step = 1;
    EXPECT_TRUE(mutex.AwaitFor([&] { return step == 2; }, 20s));
  }
  other.join();
}

// Scenario: one thread waits while another locks and unlocks a thousand times before it makes the condition true.
// Guarantees: the waiter sleeps meanwhile; it looks at its condition a few times only (a sleep may end for no reason).
TEST(Mutex, LetsThoseSleepWhoseConditionDoesNotHold) {
  Mutex mutex;
  bool is_waiting = false;
  bool may_go_on = false;
  int own_looks = 0;
  std::thread waiter([&] {
    const auto self = std::this_thread::get_id();
    const MutexLock lock(mutex);
    is_waiting = true;
    mutex.Await([&] {
      if (std::this_thread::get_id() == self) ++own_looks;
      return may_go_on;
    });
  });
  {
    const MutexLock lock(mutex);
    mutex.Await([&] { return is_waiting; });
  }
  for (int i = 0; i < 1'000; ++i) const MutexLock lock(mutex);
  {
    const MutexLock lock(mutex);
    may_go_on = true;
  }
  waiter.join();
  EXPECT_LT(own_looks, 20);
}

TEST(Mutex, GivesUpWhenPatienceEnds) {
  Mutex mutex;
  const MutexLock lock(mutex);
  EXPECT_FALSE(mutex.AwaitFor([] { return false; }, 1ms));
  EXPECT_TRUE(mutex.AwaitFor([] { return true; }, 0ms));
}

// Scenario: the waiter destroys the notification as soon as it was told, again and again.
// Guarantees: the notifier touches nothing of it afterwards (the sanitizers watch).
TEST(Notification, MayBeDestroyedByWhoeverWaited) {
  for (int i = 0; i < 500; ++i) {
    auto happened = std::make_unique<Notification>();
    std::thread notifier([notification = happened.get()] { notification->Notify(); });
    happened->Wait();
    happened.reset();
    notifier.join();
  }
}

TEST(Notification, TellsWhetherItHappened) {
  Notification happened;
  EXPECT_FALSE(happened.HasBeenNotified());
  EXPECT_FALSE(happened.WaitFor(1ms));
  happened.Notify();
  EXPECT_TRUE(happened.HasBeenNotified());
  EXPECT_TRUE(happened.WaitFor(0ms));
}

}  // namespace
}  // namespace spanloom
