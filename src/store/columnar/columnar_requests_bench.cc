// SPDX-License-Identifier: Apache-2.0
//
// What request rows cost beside segments, and how fast lists and heatmaps read them, on the load that stores are
// measured with: a request for each trace, with all phases. SPANLOOM_BENCH_SPANS says how
// many spans it holds, 1 million by default; all of them lie in segments.

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/rng.h"
#include "base/text.h"
#include "semconv/names.h"
#include "store/columnar/testing/bench_store.h"
#include "store/disk/temporary_directory.h"

namespace spanloom::store::columnar {
namespace {

namespace gen_ai = semconv::gen_ai;
namespace llm_d = semconv::llm_d;

constexpr uint64_t kMinuteNs = 60'000'000'000;

// The machine's clock, some time later.
class LaterClock final : public Clock {
 public:
  [[nodiscard]] int64_t UnixNs() const override { return Clock::System().UnixNs() + later_ns_; }
  [[nodiscard]] int64_t SteadyNs() const override { return Clock::System().SteadyNs(); }
  void Advance(int64_t duration_ns) { later_ns_ += duration_ns; }

 private:
  std::atomic<int64_t> later_ns_ = 0;
};

uint64_t NumberIn(const otlp::SpanView& span, std::string_view key, uint64_t otherwise) {
  const auto value = otlp::FindAttribute(span.attributes(), key);
  return value ? static_cast<uint64_t>(value->int_value()) : otherwise;
}

// All phases, to the nanosecond: each some part of a seventh of the duration.
void SetPhases(RequestRow& row) {
  Rng rng(row.arrival_unix_ns);
  const uint64_t most_ns = row.duration_ns() / (kRequestPhases - 1) + 1;
  int64_t known = 0;
  for (size_t phase = 0; phase + 1 < kRequestPhases; ++phase) {
    const auto ns = static_cast<int64_t>(rng.Below(most_ns));
    row.phases_ns[phase] = ns;
    known += ns;
  }
  const int64_t decode = *row.phases_ns[static_cast<size_t>(RequestPhase::kDecode)];
  row.phases_ns[static_cast<size_t>(RequestPhase::kUnexplained)] = static_cast<int64_t>(row.duration_ns()) - known;
  row.ttft_ns = known - decode;
  row.tpot_ns = decode / static_cast<int64_t>(*row.output_tokens - 1);
}

std::vector<RequestRow> Derive(const Trace& trace, uint64_t) {
  const otlp::SpanView root = trace.spans.front().span();
  RequestRow row = {.key = {.trace_id = trace.id, .span_id = root.span_id()},
                    .arrival_unix_ns = root.start_unix_ns(),
                    .end_unix_ns = root.end_unix_ns(),
                    .outcome = RequestOutcome::kOk,
                    .is_provisional = false};
  row.service = trace.spans.front().resource().service_name();
  if (const auto model = otlp::FindAttribute(root.attributes(), gen_ai::kRequestModel)) {
    row.model = model->string_value();
  }
  // The load has one pod of a kind; a fleet has some.
  const unsigned pod = trace.id.bytes[5];
  row.prefill_pod = StrCat("ms-prefill-7c9d8b6f5d-", pod % 8);
  row.decode_pod = StrCat("ms-decode-6f5d7c9d8b-", pod % 24);
  row.input_tokens = NumberIn(root, llm_d::kInputTokens, 0);
  row.cached_tokens = *row.input_tokens * trace.id.bytes[6] / 256;
  row.output_tokens = 2 + (trace.id.bytes[7] | (trace.id.bytes[8] & 3U) << 8);
  SetPhases(row);
  return {std::move(row)};
}

size_t Requests() {
  const char* const spans = std::getenv("SPANLOOM_BENCH_SPANS");
  return (spans == nullptr ? 1'000'000 : std::strtoull(spans, nullptr, 10)) / 512 + 1;
}

// Made once.
struct RowStore {
  disk::TemporaryDirectory directory = disk::TemporaryDirectory::Make().value();
  disk::PosixDisk disk;
  LaterClock clock;
  std::unique_ptr<OpenStore> store;

  RowStore() {
    store = std::make_unique<OpenStore>(ColumnarStoreOptions{.directory = directory.path(),
                                                             .compacts_by_itself = false,
                                                             .compaction_bytes_per_second = uint64_t{1} << 40,
                                                             .request_bytes_per_second = uint64_t{1} << 40},
                                        clock, RequestDeriver{.version = 1, .derive = Derive});
    const size_t requests = Requests();
    Load load(requests);
    Sender sender(**store);
    for (size_t i = 0; i < requests; ++i) sender.Send(load.Next());
    sender.Drain();
    CHECK((*store)->Flush().ok());
    clock.Advance(60'000'000'000);
  }

  [[nodiscard]] uint64_t traces() { return (*store)->Stats().traces; }

  [[nodiscard]] uint64_t RowBytes() {
    const std::string segments = directory.path() + "/segments";
    uint64_t bytes = 0;
    const auto names = disk.List(segments);
    CHECK(names.ok());
    for (const std::string& name : *names) {
      if (!name.ends_with(".req")) continue;
      bytes += *(*disk.Open(disk::Join(segments, name), disk::OpenMode::kRead))->Size();
    }
    return bytes;
  }
};

RowStore& Rows() {
  static RowStore rows;
  return rows;
}

// Runs first: what stands beside segments then.
void BM_WriteRequestRows(benchmark::State& state) {
  RowStore& rows = Rows();
  const auto traces = static_cast<double>(rows.traces());
  for (auto _ : state) CHECK((*rows.store)->FillRequests().ok());
  state.SetItemsProcessed(static_cast<int64_t>(traces));
  state.counters["bytes_a_row"] = static_cast<double>(rows.RowBytes()) / traces;
}
BENCHMARK(BM_WriteRequestRows)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

void SetRate(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<int64_t>(Rows().traces()) * static_cast<int64_t>(state.iterations()));
}

void BM_HeatmapByMinute(benchmark::State& state) {
  RowStore& rows = Rows();
  const auto begin = static_cast<uint64_t>(kStartUnixNs) - 10 * kMinuteNs;
  const RowGroupQuery<RequestColumn> query = {
      .filter = {.starts = {.begin_unix_ns = begin, .end_unix_ns = begin + 80 * kMinuteNs}},
      .step_ns = kMinuteNs,
      .of = RequestColumn::kTtft,
      .wants_distribution = true};
  MeasureEach(state, [&] {
    const auto answer = (*rows.store)->GroupRequests(query);
    CHECK(answer.ok() && answer->size() == 1 && answer->front().steps.size() == 80);
  });
  SetRate(state);
}
BENCHMARK(BM_HeatmapByMinute)->Iterations(10)->Unit(benchmark::kMillisecond);

void BM_List(benchmark::State& state, RequestColumn order_by) {
  RowStore& rows = Rows();
  MeasureEach(state, [&] {
    const auto page = (*rows.store)->Requests({.order_by = order_by, .rows_max = 100});
    CHECK(page.ok() && page->rows.size() == 100);
  });
  SetRate(state);
}
void BM_SlowestRequests(benchmark::State& state) {
  BM_List(state, RequestColumn::kDuration);
}
BENCHMARK(BM_SlowestRequests)->Iterations(10)->Unit(benchmark::kMillisecond);
void BM_NewestRequests(benchmark::State& state) {
  BM_List(state, RequestColumn::kArrival);
}
BENCHMARK(BM_NewestRequests)->Iterations(10)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spanloom::store::columnar

BENCHMARK_MAIN();
