// SPDX-License-Identifier: Apache-2.0
//
// The catalogue with many segments on the machine's disk: opening it, changing it.

#include <benchmark/benchmark.h>

#include <string>

#include "base/check.h"
#include "base/text.h"
#include "store/columnar/catalogue/catalogue.h"
#include "store/disk/posix_disk.h"
#include "store/disk/temporary_directory.h"

namespace spanloom::store::columnar::catalogue {
namespace {

constexpr size_t kFilterBytes = 64 << 10;  // about 30,000 traces

NewSegment NextSegment(Catalogue& catalogue, std::string_view filter) {
  const uint64_t id = catalogue.NextSegmentId();
  return {.row = {.id = id, .file = StrCat("segments/", id, ".seg"), .format_version = 1, .spans = id},
          .trace_filter = filter};
}

// A catalogue of `segments` segments in a new directory.
class Filled {
 public:
  explicit Filled(uint64_t segments) {
    auto catalogue = Catalogue::Open(disk_, directory_.path(), Clock::System(), IfMissing::kCreate);
    CHECK(catalogue.ok());
    Change change;
    for (uint64_t i = 0; i < segments; ++i) change.added.push_back(NextSegment(*catalogue, filter_));
    CHECK(catalogue->Commit(change).ok());
  }

  Catalogue Open() {
    auto catalogue = Catalogue::Open(disk_, directory_.path(), Clock::System(), IfMissing::kRefuse);
    CHECK(catalogue.ok());
    return *std::move(catalogue);
  }
  [[nodiscard]] const std::string& filter() const { return filter_; }

 private:
  disk::PosixDisk disk_;
  disk::TemporaryDirectory directory_ = disk::TemporaryDirectory::Make().value();
  const std::string filter_ = std::string(kFilterBytes, 'f');
};

void BM_OpenCatalogue(benchmark::State& state) {
  Filled filled(static_cast<uint64_t>(state.range(0)));
  for (auto _ : state) {
    const Catalogue catalogue = filled.Open();
    CHECK(catalogue.segments().size() == static_cast<size_t>(state.range(0)));
  }
}
BENCHMARK(BM_OpenCatalogue)->Arg(10)->Arg(1000)->Unit(benchmark::kMillisecond);

void BM_ReplaceSegment(benchmark::State& state) {
  Filled filled(static_cast<uint64_t>(state.range(0)));
  Catalogue catalogue = filled.Open();
  for (auto _ : state) {
    const uint64_t oldest = catalogue.segments().front().id;
    const Status status =
        catalogue.Commit({.added = {NextSegment(catalogue, filled.filter())}, .removed = {oldest}, .log_position = {}});
    CHECK(status.ok());
  }
}
BENCHMARK(BM_ReplaceSegment)->Arg(10)->Arg(1000)->Unit(benchmark::kMillisecond);

void BM_ReadTraceFilter(benchmark::State& state) {
  Filled filled(1000);
  Catalogue catalogue = filled.Open();
  for (auto _ : state) CHECK(catalogue.TraceFilter(500)->size() == kFilterBytes);
}
BENCHMARK(BM_ReadTraceFilter)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace spanloom::store::columnar::catalogue

BENCHMARK_MAIN();
