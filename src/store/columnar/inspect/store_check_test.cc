// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/inspect/store_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "store/columnar/inspect/backup.h"
#include "store/columnar/testing/live_store.h"
#include "store/columnar/testing/senders.h"

namespace spanloom::store::columnar {
namespace {

using testing::IsEmpty;

StatusOr<CheckReport> Check(LiveStore& live, uint64_t& spans) {
  ASSIGN_OR_RETURN(StoreFiles files, StoreFiles::Open(live.disk(), live.path(), live.clock()));
  return CheckStore(files, [&](uint64_t more) {
    spans += more;
    return absl::OkStatus();
  });
}

// Scenario: a store with spans in segments and in the log is checked beside its owner, who goes on.
// Guarantees: nothing is found; what is counted is what the store has.
TEST(StoreCheckTest, FindsNothingInAWholeStore) {
  LiveStore live;
  Senders senders(1);
  ASSERT_GT(senders.Send(live.store(), 10), 0U);
  ASSERT_TRUE(live.store().Flush().ok());
  ASSERT_GT(senders.Send(live.store(), 1), 0U);
  uint64_t spans = 0;
  const auto report = Check(live, spans);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->findings, IsEmpty());
  EXPECT_EQ(report->spans, spans);
  EXPECT_GE(report->spans + report->log_spans, senders.acknowledged());
  EXPECT_GT(report->log.frames, 0U);
}

// A store of a moment ago in `path`, with a request beside each of its segments; its process has ended.
void MakeStoreWithRequests(const std::string& path, disk::Disk& disk) {
  const auto derive = [](const Trace& trace, uint64_t) {
    return std::vector<RequestRow>{
        {.key = {.trace_id = trace.id, .span_id = trace.spans.back().span().span_id()}, .is_provisional = false}};
  };
  SimClock clock;
  MetricRegistry metrics;
  ASSERT_TRUE(disk.CreateDirectory(path).ok());
  const auto opened = ColumnarStore::Open({.directory = path, .compacts_by_itself = false}, disk, metrics, clock,
                                          {.version = 1, .derive = derive});
  ASSERT_TRUE(opened.ok()) << opened.status();
  Senders senders(3);
  ASSERT_GT(senders.Send(*opened->store, 3), 0U);
  ASSERT_TRUE(opened->store->Flush().ok());
  clock.Advance(60'000'000'000);
  ASSERT_TRUE(opened->store->FillRequests().ok());
}

// Scenario: a store with request rows is checked; then a byte of them is changed.
// Guarantees: they are read and counted; damage is named, and is no finding, since nothing is lost. A backup does
// without them.
TEST(StoreCheckTest, ReadsRequestRows) {
  LiveStore live;
  const std::string path = live.PathBeside("requests");
  ASSERT_NO_FATAL_FAILURE(MakeStoreWithRequests(path, live.disk()));
  const auto check = [&]() -> StatusOr<CheckReport> {
    ASSIGN_OR_RETURN(StoreFiles files, StoreFiles::Open(live.disk(), path, live.clock()));
    return CheckStore(files, [](uint64_t) { return absl::OkStatus(); });
  };
  const auto whole = check();
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->request_rows, whole->traces);
  EXPECT_GT(whole->request_rows, 0U);
  EXPECT_THAT(whole->damaged_requests, IsEmpty());

  const std::string rows = path + "/segments/0000000000000001.req";
  {
    const auto file = live.disk().Open(rows, disk::OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok() && (*file)->WriteAt(20, "\xff").ok());
  }
  const auto damaged = check();
  ASSERT_TRUE(damaged.ok()) << damaged.status();
  EXPECT_THAT(damaged->findings, IsEmpty());
  ASSERT_EQ(damaged->damaged_requests.size(), 1);
  EXPECT_EQ(damaged->damaged_requests[0].file, rows);

  const auto files = StoreFiles::Open(live.disk(), path, live.clock());
  ASSERT_TRUE(files.ok() && BackUp(*files, live.disk(), live.PathBeside("copy"), [] { return absl::OkStatus(); }).ok());
  const auto copied = live.disk().List(live.PathBeside("copy") + "/segments");
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_THAT(*copied, testing::ElementsAre("0000000000000001.seg"));
}

class StoreCheckDamageTest : public testing::Test {
 protected:
  // Some segments, and frames in the log that no segment has; the process has been killed, and left the files there.
  StoreCheckDamageTest() {
    Senders senders(2);
    for (int part = 0; part < 3; ++part) {
      EXPECT_TRUE(live_.store().Flush().ok());
      EXPECT_GT(senders.Send(live_.store(), 2), 0U);
    }
    auto files = StoreFiles::Open(live_.disk(), live_.path(), live_.clock());
    EXPECT_TRUE(files.ok()) << files.status();
    EXPECT_TRUE(BackUp(*files, live_.disk(), path_, [] { return absl::OkStatus(); }).ok());
    live_.Stop();
  }

  // The files of a room, paths.
  std::vector<std::string> FilesOf(std::string_view room) {
    std::vector<std::string> paths;
    const std::string directory = disk::Join(path_, room);
    const auto names = live_.disk().List(directory);
    EXPECT_TRUE(names.ok()) << names.status();
    for (const std::string& name : *names) paths.push_back(disk::Join(directory, name));
    return paths;
  }

  void FlipBit(const std::string& path, uint64_t byte, int bit) {
    const auto file = live_.disk().Open(path, disk::OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok()) << file.status();
    char content = 0;
    ASSERT_TRUE((*file)->ReadAt(byte, {&content, 1}).ok());
    content = static_cast<char>(content ^ (1 << bit));
    ASSERT_TRUE((*file)->WriteAt(byte, {&content, 1}).ok());
  }

  StatusOr<CheckReport> Check() {
    ASSIGN_OR_RETURN(StoreFiles files, StoreFiles::Open(live_.disk(), path_, live_.clock()));
    return CheckStore(files, [](uint64_t) { return absl::OkStatus(); });
  }

  LiveStore live_;
  const std::string path_ = live_.PathBeside("copy");
};

// Scenario: a bit of a segment is changed, in each few bytes in turn. Guarantees: it is found, in that file, and all
// the others are still read.
TEST_F(StoreCheckDamageTest, FindsAChangedBitOfASegment) {
  const std::string path = FilesOf("segments").front();
  const uint64_t size = *(*live_.disk().Open(path, disk::OpenMode::kRead))->Size();
  const auto whole = Check();
  ASSERT_TRUE(whole.ok()) << whole.status();
  ASSERT_THAT(whole->findings, IsEmpty());
  for (uint64_t byte = 0; byte < size; byte += 1 + size / 200) {
    SCOPED_TRACE(StrCat("byte ", byte, " of ", size));
    const int bit = static_cast<int>(byte % 8);
    FlipBit(path, byte, bit);
    const auto report = Check();
    FlipBit(path, byte, bit);
    ASSERT_TRUE(report.ok()) << report.status();
    ASSERT_EQ(report->findings.size(), 1U);
    EXPECT_EQ(report->findings.front().file, path);
    EXPECT_EQ(report->segments, whole->segments - 1);
    EXPECT_EQ(report->log_spans, whole->log_spans);
  }
}

// Scenario: a bit in the middle of the log, and of the catalogue; a segment that is not there.
// Guarantees: each is found and named.
TEST_F(StoreCheckDamageTest, NamesWhatIsWrongElsewhere) {
  for (const std::string& log : FilesOf("log")) {
    const uint64_t size = *(*live_.disk().Open(log, disk::OpenMode::kRead))->Size();
    if (size < 200) continue;
    FlipBit(log, size / 4, 3);
    const auto report = Check();
    ASSERT_TRUE(report.ok()) << report.status();
    ASSERT_FALSE(report->findings.empty() && report->log.tail_bytes == 0);
    FlipBit(log, size / 4, 3);
  }
  const std::string segment = FilesOf("segments").back();
  ASSERT_TRUE(live_.disk().Rename(segment, segment + ".away").ok());
  const auto report = Check();
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->findings.size(), 1U);
  EXPECT_EQ(report->findings.front().file, segment);

  FlipBit(path_ + "/catalogue.sqlite", 5000, 3);
  const auto refused = Check();
  EXPECT_TRUE(absl::IsDataLoss(refused.status()) || !refused->findings.empty()) << refused.status();
}

}  // namespace
}  // namespace spanloom::store::columnar
