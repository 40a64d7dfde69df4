// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/catalogue/catalogue_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "base/text.h"
#include "store/columnar/catalogue/sqlite_connection.h"

namespace spanloom::store::columnar::catalogue {
namespace {

using testing::StartsWith;

constexpr uint64_t kTransactions = 150;
constexpr uint64_t kSegmentsMax = 20;

// After transaction n there are the last kSegmentsMax segments of n, each with a filter, and the position is n.
Status RunTransactions(disk::Disk& disk, const std::string& directory, const Clock& clock) {
  ASSIGN_OR_RETURN(Catalogue catalogue, Catalogue::Open(disk, directory, clock, IfMissing::kRefuse));
  for (uint64_t n = catalogue.log_position() + 1; n <= kTransactions; ++n) {
    const uint64_t id = catalogue.NextSegmentId();
    const std::string filter(id * 37 % 9000, static_cast<char>(id));
    Change change = {.added = {{{.id = id, .file = StrCat(id, ".seg"), .arrival = id, .spans = n}, filter}},
                     .removed = {},
                     .log_position = n};
    if (n > kSegmentsMax) change.removed.push_back(n - kSegmentsMax);
    RETURN_IF_ERROR(catalogue.Commit(change));
  }
  return absl::OkStatus();
}

// Scenario: the owner changes the catalogue all the time; it is copied again and again meanwhile.
// Guarantees: each copy is the state between two transactions, whole.
TEST(CatalogueCopyTest, TakesAStateBetweenTransactions) {
  disk::PosixDisk disk;
  const SimClock clock;
  const auto directory = disk::TemporaryDirectory::Make();
  ASSERT_TRUE(directory.ok()) << directory.status();
  ASSERT_TRUE(Catalogue::Open(disk, directory->path(), clock, IfMissing::kCreate).ok());
  std::atomic<bool> is_done = false;
  Status written;
  std::thread owner([&] {
    written = RunTransactions(disk, directory->path(), clock);
    is_done = true;
  });
  uint64_t last = 0;
  do {
    const auto copy = CatalogueCopy::Take(disk, directory->path(), CatalogueCopy::Owner::kRunning, clock);
    EXPECT_TRUE(copy.ok()) << copy.status();
    if (!copy.ok()) break;
    const uint64_t position = copy->catalogue().log_position();
    EXPECT_GE(position, last);
    last = position;
    EXPECT_EQ(copy->catalogue().segments().size(), std::min(position, kSegmentsMax));
    const Status checked = copy->catalogue().Check();
    EXPECT_TRUE(checked.ok()) << checked;
  } while (!is_done);
  owner.join();
  EXPECT_TRUE(written.ok()) << written;
}

// Scenario: a directory without a catalogue, and one that is not there.
// Guarantees: that is what the error says; nothing is created.
TEST(CatalogueCopyTest, SaysThatThereIsNone) {
  disk::PosixDisk disk;
  const SimClock clock;
  const auto directory = disk::TemporaryDirectory::Make();
  ASSERT_TRUE(directory.ok()) << directory.status();
  for (const std::string& path : {directory->path(), directory->path() + "/none"}) {
    const auto copy = CatalogueCopy::Take(disk, path, CatalogueCopy::Owner::kNone, clock);
    EXPECT_TRUE(absl::IsNotFound(copy.status())) << copy.status();
    EXPECT_EQ(copy.status().message(), StrCat("there is no store in ", path));
  }
  EXPECT_TRUE(disk.List(directory->path())->empty());
}

// Scenario: the catalogue was written by a newer version; it is damaged.
// Guarantees: the error names the store's file, which a user can look at, not the copy, which is gone by then.
TEST(CatalogueCopyTest, NamesTheFileThatItCopied) {
  disk::PosixDisk disk;
  const SimClock clock;
  const auto directory = disk::TemporaryDirectory::Make();
  ASSERT_TRUE(directory.ok()) << directory.status();
  const std::string path = disk::Join(directory->path(), kCatalogueFileName);
  ASSERT_TRUE(Catalogue::Open(disk, directory->path(), clock, IfMissing::kCreate).ok());
  {
    const auto connection = SqliteConnection::Open(disk, path, path);
    ASSERT_TRUE(connection.ok()) << connection.status();
    ASSERT_TRUE((*connection)->Execute("PRAGMA user_version = 99").ok());
  }
  const auto message = [&] {
    const auto copy = CatalogueCopy::Take(disk, directory->path(), CatalogueCopy::Owner::kNone, clock);
    return std::string(copy.status().message());
  };
  EXPECT_THAT(message(), StartsWith(StrCat("the catalogue ", path, " has version 99")));
  ASSERT_TRUE(disk.Remove(path).ok());
  ASSERT_TRUE((*disk.Open(path, disk::OpenMode::kCreate))->WriteAt(0, std::string(5000, 'x')).ok());
  EXPECT_THAT(message(), StartsWith(StrCat("the catalogue ", path, " is damaged")));
}

}  // namespace
}  // namespace spanloom::store::columnar::catalogue
