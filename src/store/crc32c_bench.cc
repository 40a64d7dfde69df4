// SPDX-License-Identifier: Apache-2.0
//
// The checksum's speed, by length: a frame header, a span, a page, a request, a segment's block.

#include <benchmark/benchmark.h>

#include <string>

#include "base/check.h"
#include "store/crc32c.h"

namespace spanloom::store {
namespace {

void BM_Crc32c(benchmark::State& state) {
  CHECK(Crc32c("123456789") == 0xE3069283U);
  const std::string content(static_cast<size_t>(state.range(0)), 'a');
  for (auto _ : state) benchmark::DoNotOptimize(Crc32c(content));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Crc32c)->Arg(21)->Arg(600)->Arg(4096)->Arg(340'000)->Arg(16 << 20);

}  // namespace
}  // namespace spanloom::store

BENCHMARK_MAIN();
