// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/inspect/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/metrics.h"
#include "base/text.h"
#include "store/columnar/testing/live_store.h"
#include "store/columnar/testing/senders.h"

namespace spanloom::store::columnar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

StatusOr<BackupReport> BackUpTo(LiveStore& live, const std::string& target) {
  ASSIGN_OR_RETURN(const StoreFiles files, StoreFiles::Open(live.disk(), live.path(), live.clock()));
  return BackUp(files, live.disk(), target, [] { return absl::OkStatus(); });
}

std::string FindFaultIn(LiveStore& live, const std::string& directory, const Senders& senders) {
  MetricRegistry metrics;
  const auto opened = ColumnarStore::Open({.directory = directory}, live.disk(), metrics, live.clock());
  if (!opened.ok()) return std::string(opened.status().message());
  if (!opened->log.IsComplete() || !opened->damaged_segments.empty()) return "it is damaged";
  return senders.FindFault(*opened->store);
}

// Scenario: backups of a store that writes segments, merges them and trims its log all the time. Each is opened as a
// store, which is used, and goes.
// Guarantees: a backup has all that was acknowledged before, each span once; what happens to it does not touch the
// original, whose segments it shares.
TEST(BackupTest, IsAStoreOfItsOwn) {
  LiveStore live;
  Senders senders(1);
  for (int round = 0; round < 15; ++round) {
    ASSERT_GT(senders.Send(live.store(), 4), 0U);
    live.Churn();
    const std::string target = live.PathBeside(StrCat("backup", round));
    const auto report = BackUpTo(live, target);
    live.Rest();
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_GT(report->copied_bytes, 0U);
    ASSERT_EQ(FindFaultIn(live, target, senders), "") << "round " << round;
    ASSERT_EQ(senders.FindFault(live.store()), "") << "round " << round;
  }
}

// Scenario: the target is there already; a segment of the store is missing.
// Guarantees: the first is refused and left as it is; in the second all else is backed up, and the segment named.
TEST(BackupTest, SaysWhatItCannotDo) {
  LiveStore live;
  Senders senders(2);
  ASSERT_GT(senders.Send(live.store(), 10), 0U);
  live.Stop();
  const auto refused = BackUpTo(live, live.path());
  EXPECT_TRUE(absl::IsAlreadyExists(refused.status())) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(live.path()));

  const std::string segments = live.path() + "/segments";
  const auto names = live.disk().List(segments);
  ASSERT_TRUE(names.ok() && !names->empty());
  const std::string missing = segments + "/" + names->front();
  ASSERT_TRUE(live.disk().Remove(missing).ok());
  const auto report = BackUpTo(live, live.PathBeside("backup"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->missing, ElementsAre(missing));
  EXPECT_EQ(report->segments, names->size() - 1);
}

}  // namespace
}  // namespace spanloom::store::columnar
