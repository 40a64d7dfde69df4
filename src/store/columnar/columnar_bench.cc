// SPDX-License-Identifier: Apache-2.0
//
// The embedded store on the load that stores are measured with (cli/tracegen/shape_load.h), on the machine's disk: CPU
// of each step of a span's way, bytes a span and what they are spent on, recovery. Process CPU is that of all threads.
// Questions: columnar_queries_bench.cc.

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "store/columnar/segment/segment_account.h"
#include "store/columnar/segment/segment_builder.h"
#include "store/columnar/segment/segment_reader.h"
#include "store/columnar/testing/bench_store.h"
#include "store/disk/temporary_directory.h"
#include "store/head/incoming.h"

namespace spanloom::store::columnar {
namespace {

constexpr size_t kSegmentRequests = 391;   // 200,192 spans
constexpr size_t kIngestRequests = 1'172;  // 600,064 spans
constexpr size_t kTraceReads = 20'000;

// Of the whole process, in seconds.
double CpuSeconds() {
  timespec now{};
  CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::vector<Bytes> MakeRequests(size_t count) {
  Load load(count);
  std::vector<Bytes> requests;
  for (size_t i = 0; i < count; ++i) requests.push_back(load.Next());
  return requests;
}

uint64_t FirstStart(const Trace& trace) {
  return trace.spans.front().span().start_unix_ns();
}

// As a flush finds them: by their first start.
std::vector<Trace> MakeTraces(size_t requests) {
  std::vector<Trace> traces;
  for (const Bytes& request : MakeRequests(requests)) {
    const head::IncomingBatch batch = head::SplitByTrace(BatchOf(request));
    for (const head::IncomingTrace& incoming : batch.traces) {
      Trace& trace = traces.emplace_back(Trace{.id = incoming.id, .spans = {}});
      for (const head::IncomingSpan& span : incoming.spans) {
        trace.spans.push_back({.wire = span.wire, .origin = batch.origins[span.origin]});
      }
      std::ranges::stable_sort(trace.spans, {}, [](const StoredSpan& span) { return span.span().start_unix_ns(); });
    }
  }
  std::ranges::sort(traces, {}, [](const Trace& trace) { return std::pair(FirstStart(trace), trace.id); });
  // Origins that are equal are one, as in a head.
  std::vector<std::shared_ptr<const SpanOrigin>> origins;
  for (Trace& trace : traces) {
    for (StoredSpan& span : trace.spans) {
      const auto found =
          std::ranges::find_if(origins, [&](const auto& other) { return AreEqual(*other, *span.origin); });
      if (found != origins.end()) {
        span.origin = *found;
      } else {
        origins.push_back(span.origin);
      }
    }
  }
  return traces;
}

const std::vector<Trace>& SegmentTraces() {
  static const auto& traces = *new std::vector<Trace>(MakeTraces(kSegmentRequests));
  return traces;
}

uint64_t SpansOf(const std::vector<Trace>& traces) {
  uint64_t spans = 0;
  for (const Trace& trace : traces) spans += trace.spans.size();
  return spans;
}

void SetSpans(benchmark::State& state, uint64_t spans) {
  state.counters["span"] = benchmark::Counter(
      static_cast<double>(spans), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// The load itself, which no store pays for: a request of 512 spans.
void BM_MakeLoad(benchmark::State& state) {
  Load load(kIngestRequests);
  for (auto _ : state) benchmark::DoNotOptimize(load.Next());
  SetSpans(state, 512);
}
BENCHMARK(BM_MakeLoad)->Unit(benchmark::kMicrosecond);

// What is taken apart of 200,000 spans, without making pages of it.
void BM_Shred(benchmark::State& state) {
  const std::vector<Trace>& traces = SegmentTraces();
  for (auto _ : state) {
    ShapeTable shapes;
    Shredder shredder(shapes);
    PageRows rows;
    for (const Trace& trace : traces) {
      const uint64_t trace_start = FirstStart(trace);
      for (const StoredSpan& span : trace.spans) {
        shredder.Shred({.wire = span.wire.view(),
                        .trace_id = trace.id.view(),
                        .trace_start = trace_start,
                        .start = trace_start,
                        .origin = 0,
                        .parent = 1},
                       rows);
        if (rows[0].rows() < kPageRows) continue;
        for (RowValues& table : rows) table.Clear();
      }
    }
    benchmark::DoNotOptimize(rows);
  }
  SetSpans(state, SpansOf(traces));
}
BENCHMARK(BM_Shred)->Unit(benchmark::kMillisecond);

SegmentTotals Build(const std::vector<Trace>& traces, disk::Disk& disk, const std::string& path) {
  auto file = disk.Open(path, disk::OpenMode::kCreateExclusive);
  CHECK(file.ok());
  SegmentBuilder builder(**file);
  for (const Trace& trace : traces) builder.Add(trace, trace.spans.size());
  StatusOr<SegmentTotals> totals = builder.Finish();
  CHECK(totals.ok() && totals->spans == SpansOf(traces));
  return *totals;
}

void PrintAccount(const SegmentAccount& account) {
  static std::once_flag printed;
  std::call_once(printed, [&] {
    const auto print = [&](const std::map<std::string, uint64_t>& bytes) {
      for (const auto& [name, of_name] : bytes) {
        std::printf("  %-42s %7.3f B a span\n", name.c_str(),
                    static_cast<double>(of_name) / static_cast<double>(account.spans));
      }
    };
    std::printf("a segment of %llu spans, by part\n", static_cast<unsigned long long>(account.spans));
    print(account.parts);
    std::printf("of these, in pages, by attribute\n");
    print(account.columns);
  });
}

void BM_BuildSegment(benchmark::State& state) {
  const std::vector<Trace>& traces = SegmentTraces();
  const disk::TemporaryDirectory directory = disk::TemporaryDirectory::Make().value();
  disk::PosixDisk disk;
  const std::string path = directory.path() + "/segment";
  for (auto _ : state) {
    state.PauseTiming();
    std::filesystem::remove(path);
    state.ResumeTiming();
    Build(traces, disk, path);
  }
  SetSpans(state, SpansOf(traces));
  const auto file = disk.Open(path, disk::OpenMode::kRead);
  CHECK(file.ok());
  const auto account = AccountOf(**file);
  CHECK(account.ok());
  state.counters["bytes_a_span"] = static_cast<double>(account->file_bytes) / static_cast<double>(account->spans);
  PrintAccount(*account);
}
BENCHMARK(BM_BuildSegment)->Unit(benchmark::kMillisecond);

void BM_ReadTraceOfSegment(benchmark::State& state) {
  const std::vector<Trace>& traces = SegmentTraces();
  const disk::TemporaryDirectory directory = disk::TemporaryDirectory::Make().value();
  disk::PosixDisk disk;
  const std::string path = directory.path() + "/segment";
  Build(traces, disk, path);
  auto file = disk.Open(path, disk::OpenMode::kRead);
  CHECK(file.ok());
  const auto reader = SegmentReader::Open(*std::move(file));
  CHECK(reader.ok());
  Rng rng(kSeed);
  MeasureEach(state, [&] {
    const Trace& expected = traces[rng.Below(traces.size())];
    const auto place = (*reader)->Find(expected.id);
    CHECK(place.ok() && place->has_value());
    const auto spans = (*reader)->ReadSpans(**place, 1U << 30);
    CHECK(spans.ok() && spans->size() == expected.spans.size());
  });
}
BENCHMARK(BM_ReadTraceOfSegment)->Iterations(kTraceReads)->Unit(benchmark::kMicrosecond);

uint64_t BytesBelow(const std::string& directory) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

// 600,000 spans, acknowledged after fsync, until all of them are in segments. The memory is given back before, so that
// the store pays for its own.
void BM_Ingest(benchmark::State& state) {
  const std::vector<Bytes> requests = MakeRequests(kIngestRequests);
  const double spans = static_cast<double>(requests.size()) * 512;
  malloc_trim(0);
  for (auto _ : state) {
    const disk::TemporaryDirectory directory = disk::TemporaryDirectory::Make().value();
    const double begin_s = CpuSeconds();
    double acknowledged_s = 0;
    {
      OpenStore store({.directory = directory.path()});
      Sender sender(*store);
      for (const Bytes& request : requests) sender.Send(request);
      sender.Drain();
      acknowledged_s = CpuSeconds();
      CHECK(store->Stop().ok());
      CHECK(static_cast<double>(store->Stats().spans) == spans);
      SetQuantiles(state, sender.times_ns());
      state.counters["refused"] = static_cast<double>(sender.refused());
    }
    state.counters["cpu_us_a_span"] = (CpuSeconds() - begin_s) / spans * 1e6;
    state.counters["cpu_us_a_span_at_last_ack"] = (acknowledged_s - begin_s) / spans * 1e6;
    state.counters["disk_bytes_a_span"] = static_cast<double>(BytesBelow(directory.path())) / spans;
  }
}
BENCHMARK(BM_Ingest)->Iterations(1)->Repetitions(3)->UseRealTime()->Unit(benchmark::kMillisecond);

// Eight segments of 25,000 spans become one, from the page cache; no trace lies in two.
void BM_Compact(benchmark::State& state) {
  const std::vector<Bytes> requests = MakeRequests(kSegmentRequests);
  const double spans = static_cast<double>(requests.size()) * 512;
  for (auto _ : state) {
    const disk::TemporaryDirectory directory = disk::TemporaryDirectory::Make().value();
    OpenStore store({.directory = directory.path(),
                     .idle_flush = std::chrono::hours(1),
                     .compacts_by_itself = false,
                     .compaction_bytes_per_second = uint64_t{1} << 40});
    Sender sender(*store);
    for (size_t i = 0; i < requests.size(); ++i) {
      sender.Send(requests[i]);
      if ((i + 1) % (kSegmentRequests / 8) != 0) continue;
      sender.Drain();
      CHECK(store->Flush().ok());
    }
    const uint64_t bytes = BytesBelow(directory.path() + "/segments");
    const double begin_s = CpuSeconds();
    CHECK(store->Compact().ok());
    state.counters["cpu_us_a_span"] = (CpuSeconds() - begin_s) / spans * 1e6;
    state.counters["bytes_a_span_before"] = static_cast<double>(bytes) / spans;
    state.counters["bytes_a_span"] = static_cast<double>(BytesBelow(directory.path() + "/segments")) / spans;
    CHECK(static_cast<double>(store->Stats().spans) == spans);
  }
}
BENCHMARK(BM_Compact)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

// The log of a head that was full when the process was killed: 200,000 spans.
void BM_Recover(benchmark::State& state) {
  const disk::TemporaryDirectory original = disk::TemporaryDirectory::Make().value();
  const ColumnarStoreOptions never_flushes = {.directory = original.path(),
                                              .head_bytes = 1U << 30,
                                              .head_bytes_max = 2U << 30,
                                              .idle_flush = std::chrono::hours(1),
                                              .age_flush = std::chrono::hours(1)};
  const std::vector<Bytes> requests = MakeRequests(kSegmentRequests);
  OpenStore store(never_flushes);
  Sender sender(*store);
  for (const Bytes& request : requests) sender.Send(request);
  sender.Drain();
  for (auto _ : state) {
    state.PauseTiming();
    const disk::TemporaryDirectory copy = disk::TemporaryDirectory::Make().value();
    std::filesystem::copy(original.path(), copy.path(), std::filesystem::copy_options::recursive);
    ColumnarStoreOptions options = never_flushes;
    options.directory = copy.path();
    state.ResumeTiming();
    auto recovered = std::make_unique<OpenStore>(options);
    state.PauseTiming();
    CHECK((*recovered)->Stats().spans == requests.size() * 512);
    recovered = nullptr;
    state.ResumeTiming();
  }
}
BENCHMARK(BM_Recover)->Iterations(3)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spanloom::store::columnar

BENCHMARK_MAIN();
