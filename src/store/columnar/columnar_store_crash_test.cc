// SPDX-License-Identifier: Apache-2.0
//
// The store's promise on a disk that crashes, fails and lies: what was acknowledged is found, each span once; nothing
// is found that was not sent; and the store goes on. Does not prove it of a real disk, nor of a real kill.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/columnar/columnar_store.h"
#include "store/columnar/testing/senders.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store::columnar {
namespace {

using disk::Fault;
using disk::SimulatedDisk;

// A request for each trace, as long as its spans say.
std::vector<RequestRow> DeriveRequests(const Trace& trace, uint64_t) {
  RequestRow row = {.key = {.trace_id = trace.id, .span_id = trace.spans.front().span().span_id()},
                    .arrival_unix_ns = trace.spans.front().span().start_unix_ns(),
                    .input_tokens = trace.spans.size(),
                    .is_provisional = false};
  row.service = trace.spans.front().resource().service_name();
  for (const StoredSpan& span : trace.spans) row.end_unix_ns = std::max(row.end_unix_ns, span.span().end_unix_ns());
  return {row};
}

// The requests of a store that are not those of its spans.
std::string FindWrongRequest(const ColumnarStore& store) {
  const auto page = store.Requests({.rows_max = 1'000'000});
  const auto traces = FetchTraces(store, {.traces_max = 1'000'000});
  if (!page.ok() || !traces.ok()) return StrCat(page.status().message(), " ", traces.status().message());
  std::map<otlp::TraceId, RequestRow> rows;
  for (const Trace& trace : *traces) rows[trace.id] = DeriveRequests(trace, 0).front();
  for (const RequestRow& row : page->rows) {
    const auto found = rows.find(row.key.trace_id);
    if (found == rows.end() || found->second != row) return StrCat("a request of ", row.key.trace_id.Hex());
    rows.erase(found);
  }
  return rows.empty() ? "" : StrCat("no request of ", rows.begin()->first.Hex());
}

// A store in "/data" with all that must outlive it: one process. Ends as the disk lets it.
class Process {
 public:
  explicit Process(SimulatedDisk& disk) : disk_(disk) {
    auto opened = ColumnarStore::Open({.directory = "/data",
                                       .compacts_by_itself = false,
                                       .compaction_bytes_per_second = uint64_t{1} << 40,
                                       .request_bytes_per_second = uint64_t{1} << 40,
                                       .compaction = {.sources_min = 2, .growth = 1}},
                                      disk, metrics_, clock_, {.version = 0, .derive = DeriveRequests});
    status_ = opened.status();
    if (opened.ok()) opened_ = *std::move(opened);
  }

  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] ColumnarStore& store() { return *opened_.store; }
  [[nodiscard]] const ColumnarStore::Opened& opened() const { return opened_; }
  [[nodiscard]] SimClock& clock() { return clock_; }
  [[nodiscard]] const MetricRegistry& metrics() const { return metrics_; }

  // Lets some senders send; flushes, merges and writes request rows now and then.
  void Run(Senders& senders, Rng& rng, int steps) {
    for (int step = 0; step < steps; ++step) {
      const uint64_t choice = rng.Below(8);
      if (choice < 3) {
        static_cast<void>(store().Flush().ok());  // what fails is tried again
        if (choice == 0) static_cast<void>(store().Compact().ok());
        if (choice == 1) Fill();
      } else {
        senders.Send(store(), 1 + rng.Below(3));
      }
    }
  }

  // Writes the request rows of all segments.
  void Fill() {
    clock_.Advance(100'000'000'000);
    EXPECT_TRUE(store().FillRequests().ok());
  }

  // Expects that nothing is wrong, unless the process has ended meanwhile.
  void ExpectFaultless(const Senders& senders) {
    const std::string fault = senders.FindFault(store());
    EXPECT_TRUE(fault.empty() || disk_.has_crashed()) << fault;
    const std::string wrong = FindWrongRequest(store());
    EXPECT_TRUE(wrong.empty() || disk_.has_crashed()) << wrong;
  }

  // Expects that the store could be opened, and that nothing was taken for damage.
  void ExpectOpened() {
    ASSERT_TRUE(status_.ok()) << status_;
    EXPECT_TRUE(opened_.damaged_segments.empty());
    for (const log::LogDamage& damage : opened_.log.damaged) ADD_FAILURE() << damage.file << ": " << damage.why;
    for (const log::LostFrames& lost : opened_.log.lost) {
      ADD_FAILURE() << "frames " << lost.first_sequence << " to " << lost.last_sequence << " are lost";
    }
  }

 private:
  SimulatedDisk& disk_;
  SimClock clock_;
  MetricRegistry metrics_;
  Status status_;
  ColumnarStore::Opened opened_;
};

std::unique_ptr<SimulatedDisk> NewDisk(disk::SimulatedDiskOptions options) {
  auto disk = std::make_unique<SimulatedDisk>(options);
  EXPECT_TRUE(disk->CreateDirectory("/data").ok() && disk->SyncDirectory("/").ok());
  return disk;
}

// Opens what a crash has left, holds it against what is known, and lets it go on.
void Reopen(SimulatedDisk& disk, Senders& senders) {
  Process process(disk);
  ASSERT_NO_FATAL_FAILURE(process.ExpectOpened());
  process.ExpectFaultless(senders);
  EXPECT_EQ(senders.Send(process.store(), 1), 1);
  EXPECT_TRUE(process.store().Flush().ok());
  process.ExpectFaultless(senders);
}

// Changes from one that is tried to the next. ThreadSanitizer makes these tests thirty times slower, and finds races in
// what all of them do.
#if defined(__SANITIZE_THREAD__)
constexpr uint64_t kStride = 7;
#else
constexpr uint64_t kStride = 1;
#endif

// SPANLOOM_CRASH_SEEDS says how many seeds are tried instead of `everyday`.
uint64_t SeedsOr(uint64_t everyday) {
  const char* const seeds = std::getenv("SPANLOOM_CRASH_SEEDS");
  return seeds == nullptr ? everyday : std::strtoull(seeds, nullptr, 10);
}

constexpr int kSteps = 10;

// About how many changes a process with this seed makes on an untroubled disk.
uint64_t ChangesOf(uint64_t seed) {
  const auto disk = NewDisk({.seed = seed});
  const uint64_t before = disk->changes();
  Senders senders(seed);
  Rng rng(seed);
  Process(*disk).Run(senders, rng, kSteps);
  return disk->changes() - before;
}

// A process that ends at the given change of the disk, and a few more that may end anywhere; then one that does not.
void RunGenerations(uint64_t seed, uint64_t at, uint64_t changes, Rng& rng) {
  constexpr int kGenerations = 3;
  auto disk = NewDisk({.seed = seed});
  Senders senders(seed);
  Rng first_rng(seed);  // the same for each `at`
  for (int generation = 0; generation < kGenerations; ++generation) {
    disk->CrashAtChange(disk->changes() + (generation == 0 ? at : rng.Below(changes)));
    {
      Process process(*disk);
      if (process.status().ok()) {
        process.ExpectOpened();
        if (generation > 0) process.ExpectFaultless(senders);
        process.Run(senders, generation == 0 ? first_rng : rng, generation == 0 ? kSteps : kSteps / 2);
      } else {
        EXPECT_TRUE(disk->has_crashed()) << process.status();
      }
      const bool ends_without_a_word = rng.Below(2) == 0;
      if (ends_without_a_word) disk->CrashAtChange(disk->changes());
    }
    disk = rng.Below(2) == 0 ? disk->AfterKill() : disk->AfterPowerLoss(rng.Next());
    if (testing::Test::HasFailure()) return;
  }
  for (int reopened = 0; reopened < 2; ++reopened) Reopen(*disk, senders);
}

// Scenario: a process ends at each change of the disk in turn, by a kill or a power cut, from the making of the store
// on; the next ones go on and end anywhere. Guarantees: each finds all spans that were acknowledged, once, and none
// that was never sent; a crash is never taken for damage.
TEST(ColumnarStoreCrashProperty, KeepsWhatIsAcknowledgedThroughCrashesAtEveryChange) {
  for (uint64_t seed = 1; seed <= SeedsOr(2); ++seed) {
    const uint64_t changes = ChangesOf(seed);
    for (uint64_t at = seed % kStride; at <= changes; at += kStride) {
      SCOPED_TRACE(StrCat("seed ", seed, ", change ", at));
      Rng rng(seed * 1'000'000 + at);
      RunGenerations(seed, at, changes, rng);
      if (HasFailure()) return;
    }
  }
}

// Scenario: one to a dozen changes fail, from each one in turn, with each fault, while the process goes on; when it has
// flushed, it ends by a kill, and another time by a power cut. Guarantees: spans are refused, or hold, each once; when
// the disk is well again a flush or two later, so is the store, without being opened again.
TEST(ColumnarStoreCrashProperty, KeepsWhatIsAcknowledgedThroughFailuresAtEveryChange) {
  for (uint64_t seed = 1; seed <= SeedsOr(3); ++seed) {
    const uint64_t changes = ChangesOf(seed);
    for (uint64_t at = seed % kStride; at < changes; at += kStride) {
      SCOPED_TRACE(StrCat("seed ", seed, ", change ", at));
      const auto disk = NewDisk({.seed = seed});
      constexpr Fault kFaults[] = {Fault::kIoError, Fault::kNoSpace, Fault::kTornIoError, Fault::kTornNoSpace};
      constexpr uint64_t kTimes[] = {1, 2, 3, 12};
      disk->FailChanges(disk->changes() + at, kFaults[(seed + at) % 4], kTimes[(seed + at / 4) % 4]);
      Senders senders(seed);
      Rng rng(seed);
      {
        Process process(*disk);
        if (!process.status().ok()) continue;  // the first changes
        process.Run(senders, rng, kSteps);
        process.ExpectFaultless(senders);
        disk->FailChanges(0, Fault::kIoError, 0);
        const Status flushed = process.store().Flush();
        EXPECT_TRUE(flushed.ok()) << flushed;
        EXPECT_EQ(senders.Send(process.store(), 1), 1);
        process.ExpectFaultless(senders);
        disk->CrashAtChange(disk->changes());
      }
      Senders senders_after_power_loss = senders;
      Reopen(*disk->AfterPowerLoss(seed * 1000 + at), senders_after_power_loss);
      Reopen(*disk->AfterKill(), senders);
      if (HasFailure()) return;
    }
  }
}

// A disk with four segments, in which traces lie in several, of a process that was killed.
std::unique_ptr<SimulatedDisk> DiskWithSegments(Senders& senders) {
  const auto disk = NewDisk({});
  Process process(*disk);
  process.ExpectOpened();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(senders.Send(process.store(), 2), 2);
    EXPECT_TRUE(process.store().Flush().ok());
  }
  disk->CrashAtChange(disk->changes());
  return disk->AfterKill();
}

size_t SegmentFiles(SimulatedDisk& disk) {
  const auto files = disk.List("/data/segments");
  EXPECT_TRUE(files.ok()) << files.status();
  return files.ok() ? files->size() : 0;
}

// Scenario: a process ends at each change of two merges, of two segments and of what is then there, by a kill or a
// power cut. Guarantees: the next start has the old segments or the new one of each, no other files, all spans; and it
// merges what was not.
TEST(ColumnarStoreCrashProperty, AMergeHappensOrNotWhereverItEnds) {
  Senders senders(1);
  const auto original = DiskWithSegments(senders);
  std::map<size_t, int> times;
  for (uint64_t at = 0; times[1] < 10; ++at) {
    SCOPED_TRACE(StrCat("change ", at));
    ASSERT_LT(at, 200);
    const auto disk = original->AfterKill();
    {
      Process process(*disk);
      ASSERT_NO_FATAL_FAILURE(process.ExpectOpened());
      disk->CrashAtChange(disk->changes() + at);
      const Status merged = process.store().Compact();
      EXPECT_TRUE(merged.ok() || disk->has_crashed()) << merged;
      process.ExpectFaultless(senders);
      disk->CrashAtChange(disk->changes());
    }
    for (const auto& left : {disk->AfterKill(), disk->AfterPowerLoss(at)}) {
      Process process(*left);
      ASSERT_NO_FATAL_FAILURE(process.ExpectOpened());
      ++times[SegmentFiles(*left)];
      process.ExpectFaultless(senders);
      EXPECT_TRUE(process.store().Compact().ok());
      EXPECT_EQ(SegmentFiles(*left), 1);
      process.ExpectFaultless(senders);
    }
  }
  EXPECT_GT(times[4], 10);
  EXPECT_THAT(times, testing::ElementsAre(testing::Key(1), testing::Key(3), testing::Key(4)));
}

// Scenario: one to a dozen changes of a merge fail, from each one in turn, with each fault; then the disk is well.
// Guarantees: the merge is done, or nothing has changed, or that is known a merge later; nothing is lost on the way,
// now and after the process has ended. Spans that come in meanwhile hold.
TEST(ColumnarStoreCrashProperty, AMergeThatFailsIsDoneLater) {
  Senders original_senders(1);
  const auto original = DiskWithSegments(original_senders);
  for (uint64_t at = 0; at < 60; ++at) {
    constexpr Fault kFaults[] = {Fault::kIoError, Fault::kNoSpace, Fault::kTornIoError, Fault::kTornNoSpace};
    constexpr uint64_t kTimes[] = {1, 3, 12};
    SCOPED_TRACE(StrCat("change ", at));
    Senders senders = original_senders;
    const auto disk = original->AfterKill();
    {
      Process process(*disk);
      ASSERT_NO_FATAL_FAILURE(process.ExpectOpened());
      disk->FailChanges(disk->changes() + at, kFaults[at % 4], kTimes[at % 3]);
      static_cast<void>(process.store().Compact().ok());
      senders.Send(process.store(), 1);
      static_cast<void>(process.store().Flush().ok());
      process.ExpectFaultless(senders);
      disk->FailChanges(0, Fault::kIoError, 0);
      EXPECT_TRUE(process.store().Flush().ok());
      EXPECT_TRUE(process.store().Compact().ok());
      EXPECT_EQ(process.metrics().SumGauges("spanloom_store_segments"), 1);
      process.ExpectFaultless(senders);
      disk->CrashAtChange(disk->changes());
    }
    Reopen(*disk->AfterPowerLoss(at), senders);
    if (HasFailure()) return;
  }
}

// Scenario: a process ends at each change of writing the request rows of four segments, by a kill or a power cut, which
// may tear what was not forced to the disk. Guarantees: answers are right; the next process writes what is missing, and
// leaves nothing else.
TEST(ColumnarStoreCrashProperty, RequestRowsAreThereOrDerivedWhereverItEnds) {
  Senders senders(1);
  const auto original = DiskWithSegments(senders);
  bool is_done = false;
  for (uint64_t at = 0; !is_done; ++at) {
    SCOPED_TRACE(StrCat("change ", at));
    ASSERT_LT(at, 200);
    const auto disk = original->AfterKill();
    {
      Process process(*disk);
      ASSERT_NO_FATAL_FAILURE(process.ExpectOpened());
      disk->CrashAtChange(disk->changes() + at);
      process.Fill();
      is_done = !disk->has_crashed();
      process.ExpectFaultless(senders);
      disk->CrashAtChange(disk->changes());
    }
    for (const auto& left : {disk->AfterKill(), disk->AfterPowerLoss(at)}) {
      Process process(*left);
      ASSERT_NO_FATAL_FAILURE(process.ExpectOpened());
      process.ExpectFaultless(senders);
      process.Fill();
      process.ExpectFaultless(senders);
      EXPECT_EQ(SegmentFiles(*left), 8);
    }
    if (HasFailure()) return;
  }
}

uint64_t FreeBytes(SimulatedDisk& disk) {
  const auto free = disk.FreeBytes("/data");
  EXPECT_TRUE(free.ok());
  return free.value_or(0);
}

// Scenario: there is no room for a segment, but for half of it, several times; then there is, and time passes.
// Guarantees: attempts that fail take no room; the store writes the segment by itself.
TEST(ColumnarStoreCrash, WritesSegmentsAgainWhenTheDiskIsWell) {
  constexpr uint64_t kCapacity = 1U << 30;
  const auto disk = NewDisk({.capacity_bytes = kCapacity});
  Senders senders(1);
  Process process(*disk);
  ASSERT_NO_FATAL_FAILURE(process.ExpectOpened());
  EXPECT_EQ(senders.Send(process.store(), 2), 2);
  disk->SetCapacity(kCapacity - FreeBytes(*disk) + 500);
  for (int attempt = 0; attempt < 3; ++attempt) {
    EXPECT_EQ(process.store().Flush().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(FreeBytes(*disk), 500);
  }
  disk->SetCapacity(kCapacity);
  process.clock().Advance(6'000'000'000);
  // The log thread looks after each group of batches: when the second is answered, it has after the first.
  EXPECT_EQ(senders.Send(process.store(), 1), 1);
  EXPECT_EQ(senders.Send(process.store(), 1), 1);
  EXPECT_TRUE(process.store().Compact().ok());  // asks the background thread, after what waits there
  EXPECT_EQ(process.metrics().SumGauges("spanloom_store_segments"), 1);
  process.ExpectFaultless(senders);
}

// Scenario: the disk says that it has synced, and has not; then power goes.
// Guarantees: nothing can keep what was acknowledged, but nothing is invented, and what is missing is told: the store
// is refused, or opened without it.
TEST(ColumnarStoreCrashProperty, InventsNothingOnADiskThatLies) {
  int opened = 0;
  int refused = 0;
  for (uint64_t seed = 1; seed <= SeedsOr(60); ++seed) {
    SCOPED_TRACE(StrCat("seed ", seed));
    const auto disk = NewDisk({.seed = seed, .sync_is_honest = false});
    Senders senders(seed);
    Rng rng(seed);
    {
      Process process(*disk);
      ASSERT_TRUE(process.status().ok()) << process.status();
      process.Run(senders, rng, kSteps);
    }
    const auto left = disk->AfterPowerLoss(seed);
    ASSERT_TRUE(left->CreateDirectory("/data").ok());
    Process process(*left);
    ++(process.status().ok() ? opened : refused);
    const std::string fault = process.status().ok() ? senders.FindInvention(process.store()) : "";
    EXPECT_EQ(fault, "");
  }
  EXPECT_GT(opened, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace spanloom::store::columnar
