// SPDX-License-Identifier: Apache-2.0
//
// The log's promise on a disk that crashes, fails and lies: what Sync has made safe is read back, each frame once, in
// order; nothing is read that was not appended. Does not prove it of a real disk, nor of a real kill.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "store/disk/testing/simulated_disk.h"
#include "store/log/log_reader.h"
#include "store/log/log_writer.h"

namespace spanloom::store::log {
namespace {

using disk::Fault;
using disk::SimulatedDisk;

// What a store knows of its log, over several processes.
struct Knowledge {
  std::map<uint64_t, std::string> safe;                // by sequence
  std::map<uint64_t, std::set<std::string>> appended;  // whatever came of it
  uint64_t position = 0;                               // all frames up to here are in segments
};

// A process that appends, syncs and trims at random, and knows what it was told.
class Process {
 public:
  Process(SimulatedDisk& disk, LogEnd end, Knowledge& knowledge, uint64_t seed)
      : rng_(seed), knowledge_(knowledge), writer_(disk, "/log", end, {.file_bytes_max = 1 + rng_.Below(6000)}) {}

  void Run(int steps) {
    for (int step = 0; step < steps; ++step) {
      const uint64_t choice = rng_.Below(10);
      if (choice < 6) {
        Append();
      } else if (choice < 9) {
        Sync();
      } else {
        Trim();
      }
    }
  }

 private:
  void Append() {
    std::vector<Bytes> payloads;
    for (uint64_t count = 1 + rng_.Below(4); count > 0; --count) {
      std::string payload = StrCat(rng_.Next(), " ");
      payload.resize(rng_.Below(8) == 0 ? rng_.Below(6000) : rng_.Below(300), static_cast<char>('a' + count));
      payloads.emplace_back(std::move(payload));
    }
    const uint64_t first = writer_.last_sequence() + 1;
    const auto range = writer_.Append(FrameKind::kSpans, payloads);
    // A file that could not be begun may have used one sequence.
    for (uint64_t i = 0; i < payloads.size(); ++i) {
      knowledge_.appended[first + i].emplace(payloads[i].view());
      if (range.ok()) unsynced_[range->first + i] = payloads[i].view();
    }
    if (!range.ok() && range.status().code() == absl::StatusCode::kDataLoss) unsynced_.clear();
  }

  void Sync() {
    if (writer_.Sync().ok()) knowledge_.safe.insert(unsynced_.begin(), unsynced_.end());
    unsynced_.clear();
  }

  void Trim() {
    if (knowledge_.safe.empty()) return;
    const uint64_t last = knowledge_.safe.rbegin()->first;
    knowledge_.position += rng_.Below(last - std::min(last, knowledge_.position) + 1);
    // A failure leaves files that are not needed.
    static_cast<void>(writer_.TrimTo(knowledge_.position).ok());
  }

  Rng rng_;
  Knowledge& knowledge_;
  LogWriter writer_;
  std::map<uint64_t, std::string> unsynced_;
};

// Reads the log and holds it against what is known. What was read is safe from then on.
RecoveryReport Recover(SimulatedDisk& disk, Knowledge& knowledge) {
  std::map<uint64_t, std::string> found;
  const auto report = RecoverLog(disk, "/log", "/damaged", knowledge.position, [&](const LogFrame& frame) {
    EXPECT_TRUE(found.empty() || found.rbegin()->first < frame.sequence);
    EXPECT_GT(frame.sequence, knowledge.position);
    EXPECT_TRUE(knowledge.appended[frame.sequence].contains(std::string(frame.payload.view())))
        << "invented: " << frame.sequence;
    found[frame.sequence] = frame.payload.view();
    return absl::OkStatus();
  });
  EXPECT_TRUE(report.ok()) << report.status();
  for (const auto& [sequence, payload] : knowledge.safe) {
    if (sequence <= knowledge.position) continue;
    EXPECT_EQ(found[sequence], payload) << "lost: " << sequence;
  }
  knowledge.safe = std::move(found);
  return *report;
}

void ExpectComplete(const RecoveryReport& report) {
  EXPECT_TRUE(report.IsComplete());
  for (const LogDamage& damage : report.damaged) ADD_FAILURE() << damage.file << ": " << damage.why;
  for (const LostFrames& lost : report.lost) ADD_FAILURE() << lost.first_sequence << " to " << lost.last_sequence;
}

std::unique_ptr<SimulatedDisk> NewDisk(disk::SimulatedDiskOptions options) {
  auto disk = std::make_unique<SimulatedDisk>(options);
  EXPECT_TRUE(disk->CreateDirectory("/log").ok() && disk->SyncDirectory("/").ok());
  return disk;
}

// How many changes a process with this seed makes on an untroubled disk.
uint64_t ChangesOf(uint64_t seed, int steps) {
  const auto disk = NewDisk({.seed = seed});
  const uint64_t before = disk->changes();
  Knowledge knowledge;
  Process(*disk, {}, knowledge, seed).Run(steps);
  return disk->changes() - before;
}

// Scenario: a process ends at each change of the disk in turn, by a kill or a power cut; the next one reads the log,
// goes on and ends somewhere; and so does a third. Guarantees: each finds all that was safe; a crash is never taken for
// damage.
TEST(LogCrashProperty, KeepsWhatIsSafeThroughCrashesAtEveryChange) {
  constexpr int kSteps = 40;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const uint64_t changes = ChangesOf(seed, kSteps);
    for (uint64_t at = 0; at <= changes; ++at) {
      for (uint64_t way = 0; way < 4; ++way) {
        SCOPED_TRACE(StrCat("seed ", seed, ", change ", at, ", way ", way));
        Rng rng(seed * 1'000'000 + at * 10 + way);
        auto disk = NewDisk({.seed = seed});
        Knowledge knowledge;
        LogEnd end;
        for (int process = 0; process < 3; ++process) {
          disk->CrashAtChange(disk->changes() + (process == 0 ? at : rng.Below(changes)));
          Process(*disk, end, knowledge, rng.Next()).Run(process == 0 ? kSteps : 15);
          disk = rng.Below(4) == 0 ? disk->AfterKill() : disk->AfterPowerLoss(rng.Next());
          const RecoveryReport report = Recover(*disk, knowledge);
          ExpectComplete(report);
          end = report.end;
          if (testing::Test::HasFailure()) return;
        }
      }
    }
  }
}

// Scenario: one to three changes fail, from each one in turn, with each fault, while the process goes on; then a crash.
// Guarantees: what Sync said is safe is there, and nothing is taken for damage.
TEST(LogCrashProperty, KeepsWhatIsSafeThroughFailuresAtEveryChange) {
  constexpr int kSteps = 40;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const uint64_t changes = ChangesOf(seed, kSteps);
    for (uint64_t at = 0; at < changes; ++at) {
      for (const Fault fault : {Fault::kIoError, Fault::kNoSpace, Fault::kTornIoError, Fault::kTornNoSpace}) {
        SCOPED_TRACE(StrCat("seed ", seed, ", change ", at, ", fault ", static_cast<int>(fault)));
        const auto disk = NewDisk({.seed = seed});
        disk->FailChanges(disk->changes() + at, fault, 1 + (seed + at) % 3);
        Knowledge knowledge;
        Process(*disk, {}, knowledge, seed).Run(kSteps);
        Knowledge after_power_loss = knowledge;
        ExpectComplete(Recover(*disk->AfterPowerLoss(seed * 1000 + at), after_power_loss));
        ExpectComplete(Recover(*disk->AfterKill(), knowledge));
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

// Scenario: the disk says that it has synced, and has not; then power goes.
// Guarantees: nothing can keep what was safe, but nothing is invented and the order holds; where later frames are left,
// the loss is told.
TEST(LogCrashProperty, InventsNothingOnADiskThatLies) {
  int told = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    const auto disk = NewDisk({.seed = seed, .sync_is_honest = false});
    Knowledge knowledge;
    Process(*disk, {}, knowledge, seed).Run(40);
    knowledge.safe.clear();
    const RecoveryReport report = Recover(*disk->AfterPowerLoss(seed), knowledge);
    told += report.IsComplete() ? 0 : 1;
  }
  EXPECT_GT(told, 0);
}

}  // namespace
}  // namespace spanloom::store::log
