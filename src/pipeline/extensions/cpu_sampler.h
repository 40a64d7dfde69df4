// SPDX-License-Identifier: Apache-2.0
//
// Where this process spends its CPU time: its threads are interrupted by a timer that runs while they do, and each time
// the stack of the one that ran is kept. Stacks are followed by frame pointers, which everything here is compiled with;
// in a library without them a stack ends early.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"

namespace spanloom::pipeline {

struct CpuSamples {
  std::chrono::nanoseconds period{0};         // CPU time between two of them
  std::vector<std::vector<uint64_t>> stacks;  // [samples][frames], addresses; innermost first, then where calls return
  uint64_t lost = 0;                          // beyond those that are kept
};

inline constexpr std::chrono::milliseconds kCpuSamplePeriod{10};  // 100 a second of CPU time; Go's
inline constexpr size_t kCpuSamplesMax = 60'000;                  // 10 min of one core, 31 MiB; guess
inline constexpr size_t kCpuFramesMax = 64;                       // of a stack; Go's

struct CpuSampleBuffer;

// Samples from Start to Stop or the destructor; one at a time in a process. Sequence-bound: whoever holds it. Takes
// SIGPROF: its handler stays, since a signal may come late. A call of the system that a signal interrupts goes on.
class CpuSampler {
 public:
  // kUnavailable if another one samples; kFailedPrecondition if SIGPROF is somebody else's, or processors of this kind
  // are not known.
  static StatusOr<std::unique_ptr<CpuSampler>> Start();
  ~CpuSampler();
  CpuSampler(const CpuSampler&) = delete;
  CpuSampler& operator=(const CpuSampler&) = delete;

  // To be called once. Copies what was sampled: some milliseconds.
  CpuSamples Stop();

 private:
  explicit CpuSampler(std::unique_ptr<CpuSampleBuffer> buffer);
  void End();

  std::unique_ptr<CpuSampleBuffer> buffer_;  // null once it has ended
};

}  // namespace spanloom::pipeline
