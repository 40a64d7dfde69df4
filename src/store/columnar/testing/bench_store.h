// SPDX-License-Identifier: Apache-2.0
//
// For benchmarks: the load that stores are measured with (cli/tracegen/shape_load.h), a store on the machine's disk,
// and a client that sends the one to the other.

#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "cli/tracegen/trace_batcher.h"
#include "cli/tracegen/trace_shape.h"
#include "otlp/request.h"
#include "store/columnar/columnar_store.h"
#include "store/disk/posix_disk.h"

namespace spanloom::store::columnar {

namespace tracegen = cli::tracegen;

inline constexpr uint64_t kSeed = 1;
inline constexpr int64_t kStartUnixNs = 1'770'000'000'000'000'000;
inline constexpr int64_t kSpreadNs = 3'600'000'000'000;  // of the traces' ends, as long as the load is
inline constexpr uint64_t kTracesPerRequest = 86;        // with 512 spans
inline constexpr size_t kInFlight = 4;                   // requests; as the peers were measured
inline constexpr std::chrono::milliseconds kComeAgain{5};

// The load, request by request.
class Load {
 public:
  explicit Load(size_t requests)
      : shape_(tracegen::MakeTraceShape(tracegen::ShapeKind::kLoad, kSeed)),
        batcher_(shape_->emitters(), {.spans_max = 512, .age_max_ns = std::nullopt, .whole_traces = true}),
        step_ns_(kSpreadNs / static_cast<int64_t>(requests * kTracesPerRequest)) {}

  Bytes Next() {
    Bytes request;
    const auto emit = [&](tracegen::ExportRequest made) {
      CHECK(made.spans == 512 && request.empty());
      request = Bytes(std::move(made.wire));
    };
    for (uint64_t i = 0; i < kTracesPerRequest; ++i, ++trace_number_) {
      const int64_t end_unix_ns = kStartUnixNs + static_cast<int64_t>(trace_number_) * step_ns_;
      shape_->Generate(trace_number_, end_unix_ns, trace_);
      batcher_.Add(trace_, end_unix_ns, emit);
    }
    CHECK(!request.empty());
    return request;
  }

 private:
  const std::unique_ptr<tracegen::TraceShape> shape_;
  tracegen::TraceBatcher batcher_;
  const int64_t step_ns_;
  tracegen::GeneratedTrace trace_;
  uint64_t trace_number_ = 0;
};

inline otlp::Batch BatchOf(const Bytes& request) {
  StatusOr<otlp::Slice> slice = otlp::ReadTraces(request);
  CHECK(slice.ok());
  return otlp::Batch(*std::move(slice));
}

inline void SetQuantiles(benchmark::State& state, std::vector<int64_t>& times_ns) {
  std::ranges::sort(times_ns);
  state.counters["p50_us"] = static_cast<double>(times_ns[times_ns.size() / 2]) / 1e3;
  state.counters["p99_us"] = static_cast<double>(times_ns[times_ns.size() * 99 / 100]) / 1e3;
}

// Runs `ask` often, and sets the quantiles of its time.
template <typename Ask>
void MeasureEach(benchmark::State& state, Ask ask) {
  const Clock& clock = Clock::System();
  std::vector<int64_t> times_ns;
  for (auto _ : state) {
    const int64_t begin_ns = clock.SteadyNs();
    ask();
    times_ns.push_back(clock.SteadyNs() - begin_ns);
  }
  SetQuantiles(state, times_ns);
}

// A store with the machine's disk below it.
class OpenStore {
 public:
  explicit OpenStore(ColumnarStoreOptions options, const Clock& clock = Clock::System(), RequestDeriver deriver = {}) {
    auto opened = ColumnarStore::Open(options, disk_, metrics_, clock, std::move(deriver));
    CHECK(opened.ok());
    store_ = std::move(opened->store);
  }
  ColumnarStore& operator*() { return *store_; }
  ColumnarStore* operator->() { return store_.get(); }

 private:
  disk::PosixDisk disk_;
  MetricRegistry metrics_;
  std::unique_ptr<ColumnarStore> store_;
};

// Sends as a client with kInFlight requests under way, which comes again when the store has no room. Requests are
// read into memory of their own and checked here, as a receiver does: a store may keep what it is given.
class Sender {
 public:
  explicit Sender(SpanStore& store) : store_(store) {}

  void Send(const Bytes& request) {
    Acquire();
    const int64_t begin_ns = Clock::System().SteadyNs();
    otlp::Batch batch = BatchOf(Bytes::CopyOf(request.view()));
    auto reservation = store_.Reserve(batch);
    while (absl::IsUnavailable(reservation.status())) {
      ++refused_;
      std::this_thread::sleep_for(kComeAgain);
      reservation = store_.Reserve(batch);
    }
    CHECK(reservation.ok());
    (*reservation)->Commit(std::move(batch), [this, begin_ns](const Status& status) {
      CHECK(status.ok());
      const MutexLock lock(mutex_);
      times_ns_.push_back(Clock::System().SteadyNs() - begin_ns);
      --in_flight_;
    });
  }
  void Drain() {
    const MutexLock lock(mutex_);
    mutex_.Await([this] { return in_flight_ == 0; });
  }
  std::vector<int64_t>& times_ns() { return times_ns_; }
  [[nodiscard]] uint64_t refused() const { return refused_; }

 private:
  void Acquire() {
    const MutexLock lock(mutex_);
    mutex_.Await([this] { return in_flight_ < kInFlight; });
    ++in_flight_;
  }

  SpanStore& store_;
  Mutex mutex_;
  size_t in_flight_ = 0;
  uint64_t refused_ = 0;
  std::vector<int64_t> times_ns_;  // from sent to acknowledged
};

}  // namespace spanloom::store::columnar
