// SPDX-License-Identifier: Apache-2.0

#include "store/disk/testing/simulated_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace spanloom::store::disk {
namespace {

using testing::Contains;
using testing::Each;
using testing::Not;

constexpr uint64_t kSeeds = 400;

Status Append(File& file, std::string_view content) {
  return file.Append(std::vector<std::string_view>{content});
}

std::unique_ptr<File> Create(SimulatedDisk& disk, const std::string& path) {
  auto file = disk.Open(path, OpenMode::kCreate);
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

// What `path` holds after each of many power cuts; "(none)" if it is not there.
std::multiset<std::string> AfterPowerCuts(const SimulatedDisk& disk, const std::string& path) {
  std::multiset<std::string> found;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto left = disk.AfterPowerLoss(seed);
    found.insert(*left->Exists(path) ? left->Content(path) : "(none)");
  }
  return found;
}

// Scenario: a file is written and synced, and so is its directory; then power goes.
// Guarantees: it is always there, whole.
TEST(SimulatedDisk, KeepsWhatWasSynced) {
  SimulatedDisk disk;
  const auto file = Create(disk, "/a");
  ASSERT_TRUE(Append(*file, "safe").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(disk.SyncDirectory("/").ok());
  EXPECT_THAT(AfterPowerCuts(disk, "/a"), Each("safe"));
}

// Scenario: a file is synced, its directory is not; or the other way round.
// Guarantees: the name may be lost; the name may be there without the content.
TEST(SimulatedDisk, MayLoseWhatWasNotSynced) {
  SimulatedDisk disk;
  const auto named = Create(disk, "/named");
  ASSERT_TRUE(disk.SyncDirectory("/").ok());
  ASSERT_TRUE(Append(*named, "content").ok());
  EXPECT_THAT(AfterPowerCuts(disk, "/named"), Contains(""));
  EXPECT_THAT(AfterPowerCuts(disk, "/named"), Contains("content"));
  EXPECT_THAT(AfterPowerCuts(disk, "/named"), Not(Contains("(none)")));

  const auto filled = Create(disk, "/filled");
  ASSERT_TRUE(Append(*filled, "content").ok());
  ASSERT_TRUE(filled->Sync().ok());
  EXPECT_THAT(AfterPowerCuts(disk, "/filled"), Contains("(none)"));
  EXPECT_THAT(AfterPowerCuts(disk, "/filled"), Contains("content"));
}

// Scenario: two writes of three sectors each, none of them synced.
// Guarantees: sectors are torn and out of order, files are cut, and what was never written may be there as noise.
TEST(SimulatedDisk, TearsAndReordersWhatWasNotSynced) {
  SimulatedDisk disk;
  const auto file = Create(disk, "/a");
  ASSERT_TRUE(disk.SyncDirectory("/").ok());
  ASSERT_TRUE(Append(*file, std::string(1536, 'a')).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->WriteAt(0, std::string(1536, 'b')).ok());
  ASSERT_TRUE(Append(*file, std::string(1536, 'c')).ok());
  size_t reordered = 0, torn = 0, noisy = 0, cut = 0;
  for (const std::string& content : AfterPowerCuts(disk, "/a")) {
    reordered += content.size() == 3072 && content[0] == 'a' && content[3071] == 'c' ? 1 : 0;
    torn += content[0] != content[1024] ? 1 : 0;
    noisy += content.find_first_not_of(std::string_view("abc\0", 4)) != std::string::npos ? 1 : 0;
    cut += content.size() == 1536 ? 1 : 0;
    ASSERT_TRUE(content[0] == 'a' || content[0] == 'b');
  }
  EXPECT_GT(reordered, 0);
  EXPECT_GT(torn, 0);
  EXPECT_GT(noisy, 0);
  EXPECT_GT(cut, 0);
}

// Scenario: power goes twice with the same seed; a process is killed.
// Guarantees: the seed decides everything; a kill loses nothing, and what it left can still be lost with the power.
TEST(SimulatedDisk, FollowsItsSeed) {
  SimulatedDisk disk;
  const auto file = Create(disk, "/a");
  ASSERT_TRUE(disk.SyncDirectory("/").ok());
  ASSERT_TRUE(Append(*file, std::string(9000, 'x')).ok());
  EXPECT_EQ(AfterPowerCuts(disk, "/a"), AfterPowerCuts(disk, "/a"));
  const auto killed = disk.AfterKill();
  EXPECT_EQ(killed->Content("/a"), std::string(9000, 'x'));
  EXPECT_EQ(AfterPowerCuts(*killed, "/a"), AfterPowerCuts(disk, "/a"));
}

// Scenario: a file is renamed over another one, over two directories, and linked; nothing is synced.
// Guarantees: the target is one or the other, whole; never neither.
TEST(SimulatedDisk, RenamesInOneStep) {
  SimulatedDisk disk;
  ASSERT_TRUE(disk.CreateDirectory("/d").ok());
  ASSERT_TRUE(disk.SyncDirectory("/").ok());
  for (const std::string path : {"/new", "/d/old"}) {
    const auto file = Create(disk, path);
    ASSERT_TRUE(Append(*file, path).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(disk.SyncDirectory(DirectoryOf(path)).ok());
  }
  ASSERT_TRUE(disk.Rename("/new", "/d/old").ok());
  const auto found = AfterPowerCuts(disk, "/d/old");
  EXPECT_GT(found.count("/new"), 0);
  EXPECT_GT(found.count("/d/old"), 0);
  EXPECT_EQ(found.count("/new") + found.count("/d/old"), found.size());
  ASSERT_TRUE(disk.SyncDirectory("/d").ok());
  ASSERT_TRUE(disk.SyncDirectory("/").ok());
  EXPECT_THAT(AfterPowerCuts(disk, "/d/old"), Each("/new"));
}

// Scenario: a sync fails; the next one succeeds.
// Guarantees: what the first one was to write may be lost for good, as with fsync(2).
TEST(SimulatedDisk, ForgetsWhatAFailedSyncWasToWrite) {
  std::set<std::string> found;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SimulatedDisk disk({.seed = seed});
    const auto file = Create(disk, "/a");
    ASSERT_TRUE(disk.SyncDirectory("/").ok());
    ASSERT_TRUE(Append(*file, "ab").ok());
    disk.FailChanges(disk.changes(), Fault::kIoError);
    EXPECT_EQ(file->Sync().code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_EQ(disk.Content("/a"), "ab");
    found.insert(disk.AfterPowerLoss(1)->Content("/a"));
  }
  EXPECT_THAT(found, Contains(""));
  EXPECT_THAT(found, Contains("ab"));
}

// Scenario: the disk lies about syncing.
// Guarantees: what was "synced" can be lost.
TEST(SimulatedDisk, LosesSyncedDataWhenItLies) {
  SimulatedDisk disk({.sync_is_honest = false});
  const auto file = Create(disk, "/a");
  ASSERT_TRUE(Append(*file, "x").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(disk.SyncDirectory("/").ok());
  EXPECT_THAT(AfterPowerCuts(disk, "/a"), Contains("(none)"));
}

// Scenario: each kind of fault; a write beyond the capacity; then room again.
// Guarantees: the code that the fault stands for; whole writes happen or not, torn ones in part.
TEST(SimulatedDisk, FailsAsItIsTold) {
  SimulatedDisk disk({.capacity_bytes = 10});
  const auto file = Create(disk, "/a");
  disk.FailChanges(disk.changes(), Fault::kNoSpace, 2);
  EXPECT_EQ(Append(*file, "1234").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(file->WriteAt(0, "1234").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(disk.Content("/a"), "");
  std::set<std::string> left;
  for (int i = 0; i < 100; ++i) {
    disk.FailChanges(disk.changes(), Fault::kTornIoError);
    EXPECT_EQ(Append(*file, "12").code(), absl::StatusCode::kUnavailable);
    left.insert(disk.Content("/a"));
    EXPECT_TRUE(file->Truncate(0).ok());
  }
  EXPECT_EQ(left, (std::set<std::string>{"", "1", "12"}));
  disk.FailReads(disk.reads());
  EXPECT_EQ(file->Size().status().code(), absl::StatusCode::kUnavailable);

  EXPECT_EQ(Append(*file, "0123456789ab").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(disk.Content("/a"), "0123456789");
  EXPECT_TRUE(file->WriteAt(0, "x").ok());
  disk.SetCapacity(20);
  EXPECT_TRUE(Append(*file, "ab").ok());
  EXPECT_EQ(*disk.FreeBytes("/"), 8);
}

// Scenario: the process ends in the middle of an append, then goes on calling.
// Guarantees: some of the append happened, nothing of what came later.
TEST(SimulatedDisk, CrashesAtAChange) {
  SimulatedDisk disk;
  const auto file = Create(disk, "/a");
  disk.CrashAtChange(disk.changes());
  EXPECT_EQ(Append(*file, "abcdef").code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(disk.has_crashed());
  const std::string left = disk.Content("/a");
  EXPECT_EQ(left, std::string("abcdef").substr(0, left.size()));
  EXPECT_EQ(Append(*file, "g").code(), absl::StatusCode::kAborted);
  EXPECT_EQ(disk.Remove("/a").code(), absl::StatusCode::kAborted);
  EXPECT_EQ(disk.AfterKill()->Content("/a"), left);
}

}  // namespace
}  // namespace spanloom::store::disk
