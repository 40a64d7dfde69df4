// SPDX-License-Identifier: Apache-2.0
//
// The catalogue's promise on a disk that crashes and fails: the old state or the new one, and what Commit said is
// done is done. Proves it of SQLite as we use it, on the simulated disk.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "store/columnar/catalogue/catalogue.h"
#include "store/columnar/catalogue/catalogue_copy.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store::columnar::catalogue {
namespace {

using disk::Fault;
using disk::SimulatedDisk;

struct Contents {
  uint64_t log_position = 0;
  std::map<uint64_t, std::pair<SegmentRow, std::string>> segments;  // row and filter by id

  bool operator==(const Contents&) const = default;
};

// What a store knows of its catalogue.
struct Knowledge {
  bool is_created = false;
  Contents committed;                 // what a Commit that succeeded has left
  std::optional<Contents> attempted;  // by a Commit that failed, if nothing was read since
};

// Nullopt if the disk does not let it be read.
std::optional<Contents> Read(Catalogue& catalogue) {
  Contents contents = {.log_position = catalogue.log_position(), .segments = {}};
  for (const SegmentRow& row : catalogue.segments()) {
    const auto filter = catalogue.TraceFilter(row.id);
    EXPECT_NE(filter.status().code(), absl::StatusCode::kDataLoss) << filter.status();
    if (!filter.ok()) return std::nullopt;
    contents.segments[row.id] = {row, *filter};
  }
  return contents;
}

// A process that commits changes at random, and reads the catalogue again where one fails.
class Process {
 public:
  Process(SimulatedDisk& disk, Knowledge& knowledge, uint64_t seed) : disk_(disk), knowledge_(knowledge), rng_(seed) {}

  // False if the catalogue can't be opened or read again.
  bool Run(int changes) {
    auto catalogue =
        Catalogue::Open(disk_, "/", clock_, knowledge_.is_created ? IfMissing::kRefuse : IfMissing::kCreate);
    if (!catalogue.ok() || !ReadAgain(*catalogue)) return false;
    for (int i = 0; i < changes; ++i) {
      if (!Change(*catalogue)) return false;
    }
    return true;
  }

 private:
  bool Change(Catalogue& catalogue) {
    Contents next = knowledge_.committed;
    std::vector<uint64_t> removed;
    for (const auto& [id, segment] : knowledge_.committed.segments) {
      if (rng_.Below(3) == 0) removed.push_back(id);
    }
    for (const uint64_t id : removed) next.segments.erase(id);
    std::vector<uint64_t> added;
    for (uint64_t count = rng_.Below(3); count > 0; --count) {
      const uint64_t id = catalogue.NextSegmentId();
      added.push_back(id);
      const SegmentRow row = {.id = id, .file = StrCat(id, ".seg"), .spans = rng_.Below(1000)};
      next.segments[id] = {row, std::string(rng_.Below(20'000), static_cast<char>(id))};
    }
    next.log_position += rng_.Below(100);
    return Commit(catalogue, std::move(next), added, std::move(removed));
  }

  bool Commit(Catalogue& catalogue, Contents next, const std::vector<uint64_t>& added, std::vector<uint64_t> removed) {
    catalogue::Change change = {.added = {}, .removed = std::move(removed), .log_position = next.log_position};
    for (const uint64_t id : added) change.added.push_back({next.segments[id].first, next.segments[id].second});
    if (catalogue.Commit(change).ok()) {
      knowledge_.committed = std::move(next);
      return true;
    }
    EXPECT_EQ(catalogue.Commit({}).code(), absl::StatusCode::kFailedPrecondition);
    knowledge_.attempted = std::move(next);
    return Reload(catalogue);
  }

  bool Reload(Catalogue& catalogue) {
    Status status = catalogue.Reload();
    for (int attempt = 0; attempt < 5 && !status.ok(); ++attempt) status = catalogue.Reload();
    return status.ok() && ReadAgain(catalogue);
  }

  bool ReadAgain(Catalogue& catalogue) {
    const std::optional<Contents> found = Read(catalogue);
    if (!found.has_value()) return false;
    EXPECT_TRUE(found == knowledge_.committed || found == knowledge_.attempted);
    knowledge_ = {.is_created = true, .committed = *found, .attempted = {}};
    return true;
  }

  SimClock clock_;
  SimulatedDisk& disk_;
  Knowledge& knowledge_;
  Rng rng_;
};

// Opens the catalogue after a crash and holds it against what is known; that is what is known from then on.
void Reopen(SimulatedDisk& disk, Knowledge& knowledge) {
  const SimClock clock;
  auto catalogue = Catalogue::Open(disk, "/", clock, knowledge.is_created ? IfMissing::kRefuse : IfMissing::kCreate);
  ASSERT_TRUE(catalogue.ok()) << catalogue.status();
  const std::optional<Contents> found = Read(*catalogue);
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found == knowledge.committed || found == knowledge.attempted);
  const Status checked = catalogue->Check();
  EXPECT_TRUE(checked.ok()) << checked;
  knowledge = {.is_created = true, .committed = *found, .attempted = {}};
}

uint64_t ChangesOf(uint64_t seed, int commits) {
  SimulatedDisk disk({.seed = seed});
  Knowledge knowledge;
  EXPECT_TRUE(Process(disk, knowledge, seed).Run(commits));
  return disk.changes();
}

// Scenario: a process ends at each change of the disk in turn, by a kill or a power cut, from the making of the
// catalogue on; the next one goes on and ends somewhere, in rolling back perhaps; or it only reads. Guarantees: each
// finds the last state that was committed, or the one that was being committed.
TEST(CatalogueCrashProperty, HoldsTheOldOrTheNewStateThroughCrashesAtEveryChange) {
  constexpr int kCommits = 5;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const uint64_t changes = ChangesOf(seed, kCommits);
    for (uint64_t at = 0; at <= changes; ++at) {
      for (uint64_t way = 0; way < 4; ++way) {
        SCOPED_TRACE(StrCat("seed ", seed, ", change ", at, ", way ", way));
        Rng rng(seed * 1'000'000 + at * 10 + way);
        auto disk = std::make_unique<SimulatedDisk>(disk::SimulatedDiskOptions{.seed = seed});
        Knowledge knowledge;
        for (int process = 0; process < 3; ++process) {
          disk->CrashAtChange(process == 0 ? at : rng.Below(20));
          Process(*disk, knowledge, process == 0 ? seed : rng.Next()).Run(process == 0 ? kCommits : (way + at) % 3);
          const bool is_kill = way == 0 || (way == 1 && process < 2);
          disk = is_kill ? disk->AfterKill() : disk->AfterPowerLoss(rng.Next());
        }
        Reopen(*disk, knowledge);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

// Scenario: a process is killed at each change of the disk in turn; somebody copies what it left.
// Guarantees: the copy is the last state that was committed, or the one that was being committed; the files are as
// they were.
TEST(CatalogueCrashProperty, CopiesTheOldOrTheNewStateAfterAKillAtEveryChange) {
  constexpr int kCommits = 3;
  const SimClock clock;
  const uint64_t changes = ChangesOf(1, kCommits);
  for (uint64_t at = 0; at <= changes; ++at) {
    SCOPED_TRACE(StrCat("change ", at));
    SimulatedDisk disk({.seed = 1});
    disk.CrashAtChange(at);
    Knowledge knowledge;
    Process(disk, knowledge, 1).Run(kCommits);
    if (!knowledge.is_created) continue;
    const auto left = disk.AfterKill();
    const uint64_t changes_before = left->changes();
    auto copy = CatalogueCopy::Take(*left, "/", CatalogueCopy::Owner::kNone, clock);
    ASSERT_TRUE(copy.ok()) << copy.status();
    const std::optional<Contents> found = Read(copy->catalogue());
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(found == knowledge.committed || found == knowledge.attempted);
    EXPECT_TRUE(copy->catalogue().Check().ok());
    EXPECT_EQ(left->changes(), changes_before);
  }
}

// Scenario: one to three changes fail, from each one in turn, with each fault, while the process goes on; then a crash.
// Guarantees: an error from Commit means old or new, and Reload tells which for good; what succeeded is there.
TEST(CatalogueCrashProperty, HoldsWhatWasToldThroughFailuresAtEveryChange) {
  constexpr int kCommits = 5;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const uint64_t changes = ChangesOf(seed, kCommits);
    for (uint64_t at = 0; at < changes; ++at) {
      for (const Fault fault : {Fault::kIoError, Fault::kTornIoError, Fault::kTornNoSpace}) {
        SCOPED_TRACE(StrCat("seed ", seed, ", change ", at, ", fault ", static_cast<int>(fault)));
        SimulatedDisk disk({.seed = seed});
        disk.FailChanges(at, fault, 1 + (seed + at) % 3);
        Knowledge knowledge;
        Process(disk, knowledge, seed).Run(kCommits);
        Knowledge after_power_loss = knowledge;
        Reopen(*disk.AfterPowerLoss(seed * 1000 + at), after_power_loss);
        Reopen(*disk.AfterKill(), knowledge);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

// Scenario: each read fails in turn.
// Guarantees: an error that is not taken for damage; afterwards all is there.
TEST(CatalogueCrashProperty, TakesAFailedReadForNoDamage) {
  SimulatedDisk disk;
  Knowledge knowledge;
  ASSERT_TRUE(Process(disk, knowledge, 1).Run(5));
  const SimClock clock;
  const uint64_t before = disk.reads();
  { ASSERT_TRUE(Catalogue::Open(disk, "/", clock, IfMissing::kRefuse).ok()); }
  const uint64_t reads = disk.reads() - before;
  for (uint64_t read = 0; read < reads; ++read) {
    disk.FailReads(disk.reads() + read);
    const auto catalogue = Catalogue::Open(disk, "/", clock, IfMissing::kRefuse);
    EXPECT_TRUE(catalogue.ok() || catalogue.status().code() == absl::StatusCode::kUnavailable) << catalogue.status();
  }
  disk.FailReads(0, 0);
  Reopen(disk, knowledge);
}

}  // namespace
}  // namespace spanloom::store::columnar::catalogue
