// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/cpu_sampler.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr uintptr_t kFrameBytesMax = 100'000;  // what is further up is no caller's frame; guess

// Where a thread was interrupted.
struct Registers {
  uintptr_t pc = 0;
  uintptr_t sp = 0;
  uintptr_t fp = 0;
};

#if defined(__x86_64__)
constexpr bool kKnowsProcessor = true;
Registers RegistersOf(const ucontext_t& context) {
  const auto* registers = context.uc_mcontext.gregs;
  return {static_cast<uintptr_t>(registers[REG_RIP]), static_cast<uintptr_t>(registers[REG_RSP]),
          static_cast<uintptr_t>(registers[REG_RBP])};
}
#elif defined(__aarch64__)
constexpr bool kKnowsProcessor = true;
Registers RegistersOf(const ucontext_t& context) {
  const auto& machine = context.uc_mcontext;
  return {machine.pc, machine.sp, machine.regs[29]};
}
#else
constexpr bool kKnowsProcessor = false;
Registers RegistersOf(const ucontext_t&) {
  return {};
}
#endif

// Whether 16 bytes at `address`, which is aligned to 8, can be read. A register may hold anything where there is no
// frame pointer; the system looks at the address before it finds that the request makes no sense.
bool IsReadable(uintptr_t address) {
  constexpr size_t kSetBytes = 8;
  for (const uintptr_t word : {address, address + sizeof(uintptr_t)}) {
    if (syscall(SYS_rt_sigprocmask, ~0, word, nullptr, kSetBytes) == 0 || errno == EFAULT) return false;
  }
  return true;
}

// Both processors keep the caller's frame pointer and the return address side by side.
struct Frame {
  uintptr_t caller_fp;
  uintptr_t return_address;
};

size_t Walk(const Registers& registers, std::array<uint64_t, kCpuFramesMax>& stack) {
  stack[0] = registers.pc;
  size_t depth = 1;
  uintptr_t fp = registers.fp;
  uintptr_t below = registers.sp;  // a caller's frame is above what it calls
  while (depth < stack.size()) {
    const bool is_above = fp > below && fp - below <= kFrameBytesMax;
    if (!is_above || fp % sizeof(uintptr_t) != 0 || !IsReadable(fp)) break;
    Frame frame;
    std::memcpy(&frame, reinterpret_cast<const void*>(fp), sizeof(frame));
    if (frame.return_address == 0) break;
    stack[depth++] = frame.return_address;
    below = std::exchange(fp, frame.caller_fp);
  }
  return depth;
}

Status SetTimer(std::chrono::microseconds period) {
  itimerval timer{};
  timer.it_interval.tv_usec = static_cast<suseconds_t>(period.count());
  timer.it_value = timer.it_interval;
  if (setitimer(ITIMER_PROF, &timer, nullptr) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(StrCat("setitimer: ", std::strerror(errno)));
}

}  // namespace

struct CpuSampleBuffer {
  struct Sample {
    size_t depth;
    std::array<uint64_t, kCpuFramesMax> stack;
  };
  std::atomic<size_t> taken = 0;  // may be more than there is room for
  // Not written to until then: memory that no sample needs is none.
  std::unique_ptr<Sample[]> samples = std::make_unique_for_overwrite<Sample[]>(kCpuSamplesMax);
};

namespace {

std::atomic<bool> is_taken = false;              // by a sampler
std::atomic<CpuSampleBuffer*> active = nullptr;  // while handlers may use it
std::atomic<size_t> handlers = 0;                // that are under way
static_assert(std::atomic<CpuSampleBuffer*>::is_always_lock_free && std::atomic<size_t>::is_always_lock_free);

// On whatever thread, between any two instructions.
void OnSignal(int, siginfo_t*, void* context) {
  const int saved_errno = errno;
  handlers.fetch_add(1);
  if (CpuSampleBuffer* const buffer = active.load()) {
    const size_t index = buffer->taken.fetch_add(1);
    if (index < kCpuSamplesMax) {
      CpuSampleBuffer::Sample& sample = buffer->samples[index];
      sample.depth = Walk(RegistersOf(*static_cast<const ucontext_t*>(context)), sample.stack);
    }
  }
  handlers.fetch_sub(1);
  errno = saved_errno;
}

// kFailedPrecondition if the signal has a handler of somebody else's.
Status TakeSignal() {
  struct sigaction before {};
  sigaction(SIGPROF, nullptr, &before);
  const bool has_context = (before.sa_flags & SA_SIGINFO) != 0;
  if (has_context ? before.sa_sigaction != &OnSignal : before.sa_handler != SIG_DFL) {
    return absl::FailedPreconditionError("the signal SIGPROF has a handler already");
  }
  struct sigaction action {};
  action.sa_sigaction = &OnSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  if (sigaction(SIGPROF, &action, nullptr) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(StrCat("sigaction: ", std::strerror(errno)));
}

}  // namespace

StatusOr<std::unique_ptr<CpuSampler>> CpuSampler::Start() {
  if (!kKnowsProcessor) return absl::FailedPreconditionError("profiles can't be made on processors of this kind");
  if (is_taken.exchange(true)) return absl::UnavailableError("another profile is being made; ask when it is done");
  std::unique_ptr<CpuSampler> sampler(new CpuSampler(std::make_unique<CpuSampleBuffer>()));
  RETURN_IF_ERROR(TakeSignal());
  active = sampler->buffer_.get();
  RETURN_IF_ERROR(SetTimer(kCpuSamplePeriod));
  return sampler;
}

CpuSampler::CpuSampler(std::unique_ptr<CpuSampleBuffer> buffer) : buffer_(std::move(buffer)) {}

CpuSampler::~CpuSampler() {
  if (buffer_ == nullptr) return;
  End();
  is_taken = false;
}

// Afterwards no handler touches the buffer.
void CpuSampler::End() {
  static_cast<void>(SetTimer(std::chrono::microseconds(0)));
  active = nullptr;
  while (handlers.load() > 0) std::this_thread::yield();
}

CpuSamples CpuSampler::Stop() {
  End();
  const std::unique_ptr<CpuSampleBuffer> buffer = std::move(buffer_);
  is_taken = false;
  CpuSamples samples{.period = kCpuSamplePeriod, .stacks = {}, .lost = 0};
  const size_t taken = buffer->taken;
  const size_t kept = std::min(taken, kCpuSamplesMax);
  samples.lost = taken - kept;
  for (size_t i = 0; i < kept; ++i) {
    const CpuSampleBuffer::Sample& sample = buffer->samples[i];
    samples.stacks.emplace_back(sample.stack.begin(), sample.stack.begin() + static_cast<std::ptrdiff_t>(sample.depth));
  }
  return samples;
}

}  // namespace spanloom::pipeline
