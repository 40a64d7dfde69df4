// SPDX-License-Identifier: Apache-2.0
//
// What a span costs, counted in allocations.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "sdk/tracer.h"

namespace {

std::atomic<size_t> allocations = 0;

}  // namespace

void* operator new(size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace spanloom::sdk {
namespace {

class Nowhere final : public SpanSink {
 public:
  void Take(std::unique_ptr<SpanRecord>) override {}
};

size_t AllocationsOfASpan(const Tracer& tracer) {
  const size_t before = allocations;
  Span span = tracer.Start("receiver/otlp/TraceDataReceived", otlp::SpanKind::kInternal);
  span.SetString("receiver", "otlp").SetString("transport", "grpc").SetInt("accepted_spans", 512);
  span.SetString("what_is_long", "0123456789012345678901234567890123456789");
  span.End();
  return allocations - before;
}

// Scenario: a span with a few attributes, one of them long, from a tracer that is off, one that does not sample it, and
// one that does.
// Guarantees: no allocation in the first two; three in the last: record, name, long text.
TEST(TracerCost, OnlySampledSpansAllocate) {
  Nowhere nowhere;
  const Tracer unsampled(Sampler::AlwaysOff(), Clock::System(), Rng(1), nowhere);
  const Tracer sampled(Sampler::AlwaysOn(), Clock::System(), Rng(1), nowhere);
  EXPECT_EQ(AllocationsOfASpan(Tracer::None()), 0u);
  EXPECT_EQ(AllocationsOfASpan(unsampled), 0u);
  EXPECT_EQ(AllocationsOfASpan(sampled), 3u);
}

}  // namespace
}  // namespace spanloom::sdk
