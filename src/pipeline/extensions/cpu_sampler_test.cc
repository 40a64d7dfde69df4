// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/cpu_sampler.h"

#include <absl/algorithm/container.h>
#include <gtest/gtest.h>
#include <time.h>

#include <atomic>
#include <thread>

namespace spanloom::pipeline {
namespace {

constexpr uint64_t kFunctionBytes = 1'024;  // more than either function below has

int64_t CpuNs() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::atomic<uint64_t> result = 0;

// Uses CPU time until the process has used `cpu_ns`.
__attribute__((noinline)) void Burn(int64_t cpu_ns) {
  while (CpuNs() < cpu_ns) {
    uint64_t x = result;
    for (int i = 0; i < 100'000; ++i) x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    result = x;
  }
}
__attribute__((noinline)) void CallBurn(int64_t cpu_ns) {
  Burn(cpu_ns);
  result.fetch_add(1);  // so that it is a call, and no jump
}

bool Holds(const std::vector<uint64_t>& stack, size_t from, void (*function)(int64_t)) {
  const auto begin = reinterpret_cast<uint64_t>(function);
  return std::any_of(stack.begin() + static_cast<std::ptrdiff_t>(std::min(from, stack.size())), stack.end(),
                     [&](uint64_t address) { return address >= begin && address < begin + kFunctionBytes; });
}

// Scenario: one thread computes for 300 ms of CPU time, in a function that another calls, while a second thread waits.
// Guarantees: about as many samples as that takes, most of them there, with the caller behind.
TEST(CpuSampler, SeesWhereTimeGoes) {
  auto sampler = CpuSampler::Start();
  ASSERT_TRUE(sampler.ok()) << sampler.status();
  EXPECT_EQ(CpuSampler::Start().status().code(), absl::StatusCode::kUnavailable);
  std::thread worker([] { CallBurn(CpuNs() + 300'000'000); });
  worker.join();
  const CpuSamples samples = (*sampler)->Stop();
  EXPECT_GE(samples.stacks.size(), 15u);
  EXPECT_LE(samples.stacks.size(), 100u);
  EXPECT_EQ(samples.lost, 0u);
  const auto burning = absl::c_count_if(samples.stacks, [](const auto& stack) { return Holds(stack, 0, Burn); });
  const auto called = absl::c_count_if(samples.stacks, [](const auto& stack) { return Holds(stack, 1, CallBurn); });
  EXPECT_GT(burning * 2, static_cast<std::ptrdiff_t>(samples.stacks.size()));
  EXPECT_GT(called * 2, static_cast<std::ptrdiff_t>(samples.stacks.size()));
}

// Scenario: samplers one after the other, some ended by their destructor, while several threads compute.
// Guarantees: there is always one more; what comes late hurts nobody.
TEST(CpuSampler, BeginsAgain) {
  std::atomic<bool> is_over = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!is_over) CallBurn(CpuNs() + 1'000'000);
    });
  }
  for (int i = 0; i < 50; ++i) {
    auto sampler = CpuSampler::Start();
    ASSERT_TRUE(sampler.ok()) << sampler.status();
    Burn(CpuNs() + 5'000'000);
    if (i % 2 == 0) (*sampler)->Stop();
  }
  is_over = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace spanloom::pipeline
