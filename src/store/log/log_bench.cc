// SPDX-License-Identifier: Apache-2.0
//
// The write-ahead log on the machine's disk: CPU of an append, time of an append that is safe, speed of reading it
// back. A payload is a request: one span (600 bytes), or 512 spans (340 KB).

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "store/disk/posix_disk.h"
#include "store/disk/temporary_directory.h"
#include "store/log/log_reader.h"
#include "store/log/log_writer.h"

namespace spanloom::store::log {
namespace {

std::vector<Bytes> Payloads(int64_t count, int64_t bytes) {
  return std::vector<Bytes>(static_cast<size_t>(count), Bytes(std::string(static_cast<size_t>(bytes), 'x')));
}

void SetBytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0) * state.range(1));
}

// [payloads of a group], [bytes of each]
void BM_Append(benchmark::State& state) {
  const disk::TemporaryDirectory directory = disk::TemporaryDirectory::Make().value();
  disk::PosixDisk disk;
  LogWriter writer(disk, directory.path(), {});
  const std::vector<Bytes> payloads = Payloads(state.range(0), state.range(1));
  uint64_t trimmed_bytes = 0;
  for (auto _ : state) {
    CHECK(writer.Append(FrameKind::kSpans, payloads).ok());
    if (writer.bytes_written() - trimmed_bytes < (256U << 20)) continue;
    trimmed_bytes = writer.bytes_written();
    CHECK(writer.TrimTo(writer.last_sequence()).ok());
  }
  SetBytes(state);
}
BENCHMARK(BM_Append)
    ->Args({1, 600})
    ->Args({64, 600})
    ->Args({1, 340'000})
    ->Args({8, 340'000})
    ->Unit(benchmark::kMicrosecond);

void BM_AppendAndSync(benchmark::State& state) {
  const disk::TemporaryDirectory directory = disk::TemporaryDirectory::Make().value();
  disk::PosixDisk disk;
  LogWriter writer(disk, directory.path(), {});
  const std::vector<Bytes> payloads = Payloads(state.range(0), state.range(1));
  for (auto _ : state) CHECK(writer.Append(FrameKind::kSpans, payloads).ok() && writer.Sync().ok());
  SetBytes(state);
}
BENCHMARK(BM_AppendAndSync)->Args({1, 600})->Args({8, 340'000})->UseRealTime()->Unit(benchmark::kMicrosecond);

// 256 MiB in all.
void BM_Recover(benchmark::State& state) {
  const disk::TemporaryDirectory directory = disk::TemporaryDirectory::Make().value();
  disk::PosixDisk disk;
  const std::vector<Bytes> payloads = Payloads(64, state.range(0));
  LogWriter writer(disk, directory.path(), {});
  while (writer.bytes_written() < (256U << 20)) CHECK(writer.Append(FrameKind::kSpans, payloads).ok());
  for (auto _ : state) {
    const auto report = RecoverLog(disk, directory.path(), directory.path() + "/damaged", 0,
                                   [](const LogFrame&) { return absl::OkStatus(); });
    CHECK(report.ok() && report->IsComplete() && report->frames == writer.last_sequence());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(writer.bytes_written()));
}
BENCHMARK(BM_Recover)->Arg(600)->Arg(340'000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spanloom::store::log

BENCHMARK_MAIN();
