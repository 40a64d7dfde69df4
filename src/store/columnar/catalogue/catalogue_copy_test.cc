// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/catalogue/catalogue_copy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "base/text.h"

namespace spanloom::store::columnar::catalogue {
namespace {

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

}  // namespace
}  // namespace spanloom::store::columnar::catalogue
