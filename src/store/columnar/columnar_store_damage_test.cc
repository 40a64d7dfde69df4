// SPDX-License-Identifier: Apache-2.0
//
// Every byte of a small store changed in turn: the store is refused, in words that help, or opened without what can't
// be read, and says so; it never crashes and never answers with a span that was not sent.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "base/text.h"
#include "store/columnar/columnar_store.h"
#include "store/columnar/testing/senders.h"
#include "store/conformance/request_builder.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store::columnar {
namespace {

using disk::SimulatedDisk;

constexpr std::string_view kFirstSegment = "0000000000000001.seg";

// Each byte where time is no matter, which SPANLOOM_CRASH_SEEDS says; else each so many.
size_t StrideOr(size_t everyday) {
  return std::getenv("SPANLOOM_CRASH_SEEDS") != nullptr ? 1 : everyday;
}

// A store that was opened, with all that must outlive it.
struct Opening {
  explicit Opening(SimulatedDisk& disk) : opened(ColumnarStore::Open({.directory = "/data"}, disk, metrics, clock)) {}

  [[nodiscard]] const Status& status() const { return opened.status(); }
  [[nodiscard]] ColumnarStore& store() { return *opened->store; }
  // True if anything was said about what can't be read: at start, or by an answer.
  [[nodiscard]] bool HasTold() {
    return !opened->log.IsComplete() || opened->log.tail_bytes > 0 ||
           metrics.GetCounter("spanloom_store_damaged_parts", "").value() > 0;
  }

  SimClock clock;
  MetricRegistry metrics;
  StatusOr<ColumnarStore::Opened> opened;
};

class ColumnarStoreDamage : public testing::Test {
 protected:
  // Two segments, and a log with frames that no segment has; the process has been killed.
  ColumnarStoreDamage() {
    SimulatedDisk disk;
    EXPECT_TRUE(disk.CreateDirectory("/data").ok() && disk.SyncDirectory("/").ok());
    {
      Opening opening(disk);
      EXPECT_TRUE(opening.status().ok()) << opening.status();
      for (int part = 0; part < 3; ++part) {
        EXPECT_TRUE(opening.store().Flush().ok());  // of the parts before
        EXPECT_EQ(senders_.Send(opening.store(), 1), 1);
        EXPECT_EQ(senders_.Send(opening.store(), 1), 1);  // after what the log thread had to do for the first
      }
      disk.CrashAtChange(disk.changes());
    }
    disk_ = disk.AfterKill();
  }

  // The file with each `stride`-th byte changed, one after the other, on a disk of its own.
  void ForEachDamage(const std::string& path, size_t stride, const std::function<void(SimulatedDisk&)>& visit) {
    const std::string content = disk_->Content(path);
    ASSERT_FALSE(content.empty());
    for (size_t i = 0; i < content.size(); i += stride) {
      SCOPED_TRACE(StrCat(path, ", byte ", i, " of ", content.size()));
      std::string damaged = content;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i / stride % 8)));
      const auto disk = disk_->AfterKill();
      disk->SetContent(path, damaged);
      visit(*disk);
      if (HasFailure()) return;
    }
  }

  void ExpectRightOrTold(Opening& opening) {
    EXPECT_EQ(senders_.FindInvention(opening.store()), "");
    const std::string fault = senders_.FindFault(opening.store());
    EXPECT_TRUE(fault.empty() || opening.HasTold()) << fault;
  }

  void ExpectRefusedByName(const Status& status, const std::string& path) {
    EXPECT_TRUE(absl::IsDataLoss(status) || absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(path));
    EXPECT_THAT(std::string(status.message()),
                testing::AnyOf(testing::HasSubstr("restore"), testing::HasSubstr("start the newer"),
                               testing::HasSubstr("run the newer")));
  }

  void ExpectGoesOn(ColumnarStore& store) {
    Senders others(99, 5);
    EXPECT_EQ(others.Send(store, 1), 1);
    EXPECT_TRUE(store.Flush().ok());
  }

  [[nodiscard]] std::vector<std::string> FilesIn(const std::string& directory) {
    const auto files = disk_->List(directory);
    EXPECT_TRUE(files.ok()) << files.status();
    std::vector<std::string> paths;
    for (const std::string& file : files.value_or(std::vector<std::string>()))
      paths.push_back(StrCat(directory, "/", file));
    return paths;
  }

  Senders senders_{5, 12};
  std::unique_ptr<SimulatedDisk> disk_;
};

// Scenario: a byte of a segment is changed.
// Guarantees: the store opens with what can be read; a segment that can't be opened is set aside, under its name, and
// the next start knows nothing of it.
TEST_F(ColumnarStoreDamage, OfASegmentCostsTheSegment) {
  const size_t stride = StrideOr(3);
  int set_aside = 0;
  const std::vector<std::string> files = FilesIn("/data/segments");
  ASSERT_EQ(files.size(), 2);
  for (const std::string& path : files) {
    const std::string aside = StrCat("/data/damaged/", path.substr(path.rfind('/') + 1));
    ForEachDamage(path, stride, [&](SimulatedDisk& disk) {
      const std::string content = disk.Content(path);
      Opening opening(disk);
      ASSERT_TRUE(opening.status().ok()) << opening.status();
      ExpectRightOrTold(opening);
      if (opening.opened->damaged_segments.empty()) return;
      EXPECT_TRUE(opening.HasTold());
      EXPECT_THAT(opening.opened->damaged_segments, testing::ElementsAre(aside));
      EXPECT_FALSE(disk.Exists(path).value_or(true));
      EXPECT_EQ(disk.Content(aside), content);
      if (set_aside++ % 16 != 0) return;
      ExpectGoesOn(opening.store());
      opening.opened->store = nullptr;
      EXPECT_TRUE(Opening(disk).opened->damaged_segments.empty());
    });
  }
  EXPECT_GT(set_aside, 30);
}

// Scenario: a page of a segment is changed while the store is open.
// Guarantees: a question for a trace in it is answered with an error that names the file.
TEST_F(ColumnarStoreDamage, OfAPageIsNamed) {
  const std::string path = StrCat("/data/segments/", kFirstSegment);
  Opening opening(*disk_);
  ASSERT_TRUE(opening.status().ok()) << opening.status();
  std::string content = disk_->Content(path);
  content[20] = static_cast<char>(~content[20]);  // behind the header
  disk_->SetContent(path, content);
  const std::string fault = senders_.FindFault(opening.store());
  EXPECT_THAT(fault, testing::HasSubstr(std::string(kFirstSegment)));
  EXPECT_EQ(senders_.FindInvention(opening.store()), "");
  EXPECT_TRUE(opening.HasTold());
}

// Scenario: a page of a segment is changed; then a late span comes for the trace that lies in it.
// Guarantees: the trace is left out, as it would be without the late span, and the answer says so; never a part of it.
TEST(ColumnarStoreDamageOfATrace, IsNotHiddenByALateSpan) {
  SimulatedDisk disk;
  ASSERT_TRUE(disk.CreateDirectory("/data").ok());
  Opening opening(disk);
  ASSERT_TRUE(opening.status().ok()) << opening.status();
  const auto append = [&](uint64_t first_span, uint64_t spans) {
    RequestBuilder builder;
    builder.FromService("s");
    for (uint64_t number = first_span; number < first_span + spans; ++number) {
      builder.Add({.trace_id = MakeTraceId(7), .span_id = MakeSpanId(number * number), .start_unix_ns = number});
    }
    Notification answered;
    opening.store().Append(builder.Build(), [&](const Status& status) {
      EXPECT_TRUE(status.ok()) << status;
      answered.Notify();
    });
    answered.Wait();
  };
  append(1, 8);
  ASSERT_TRUE(opening.store().Flush().ok());
  const std::string path = StrCat("/data/segments/", kFirstSegment);
  std::string content = disk.Content(path);
  content[20] = static_cast<char>(~content[20]);  // behind the header
  disk.SetContent(path, content);
  append(100, 1);
  const auto cursor = opening.store().Fetch({});
  ASSERT_TRUE(cursor.ok()) << cursor.status();
  const auto batch = (*cursor)->Next();
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_FALSE(batch->has_value());
  EXPECT_GT((*cursor)->stats().damaged_parts, 0U);
}

// Scenario: the process ends at each change of a start that sets a segment aside, by a kill or a power cut.
// Guarantees: the file is never lost: it has its name or the new one; the next start sets it aside.
TEST_F(ColumnarStoreDamage, ASegmentIsSetAsideThroughCrashes) {
  const std::string path = StrCat("/data/segments/", kFirstSegment);
  const std::string aside = StrCat("/data/damaged/", kFirstSegment);
  const std::string content = "no segment";
  disk_->SetContent(path, content);
  for (uint64_t at = 0; at < 60; ++at) {
    SCOPED_TRACE(StrCat("change ", at));
    const auto disk = disk_->AfterKill();
    disk->CrashAtChange(at);
    { const Opening opening(*disk); }
    const auto left = at % 2 == 0 ? disk->AfterKill() : disk->AfterPowerLoss(at);
    Opening opening(*left);
    ASSERT_TRUE(opening.status().ok()) << opening.status();
    ASSERT_TRUE(left->Exists(aside).value_or(false));
    EXPECT_EQ(left->Content(aside), content);
    EXPECT_FALSE(left->Exists(path).value_or(true));
    EXPECT_EQ(senders_.FindInvention(opening.store()), "");
  }
}

// Scenario: a file that the catalogue names is not there.
// Guarantees: that is said at each start; the rest is served.
TEST_F(ColumnarStoreDamage, AMissingSegmentIsNamed) {
  ASSERT_TRUE(disk_->Remove(StrCat("/data/segments/", kFirstSegment)).ok());
  for (int start = 0; start < 2; ++start) {
    Opening opening(*disk_);
    ASSERT_TRUE(opening.status().ok()) << opening.status();
    EXPECT_EQ(opening.opened->damaged_segments.size(), 1);
    EXPECT_EQ(opening.opened->segments, 1 + start);
    EXPECT_EQ(senders_.FindInvention(opening.store()), "");
    EXPECT_EQ(senders_.Send(opening.store(), 1), 1);
    EXPECT_TRUE(opening.store().Flush().ok());
    opening.opened->store = nullptr;
  }
}

// Scenario: a byte of the log is changed.
// Guarantees: the store opens with what can be read, or tells that a newer version wrote the file.
TEST_F(ColumnarStoreDamage, OfTheLogIsTold) {
  for (const std::string& path : FilesIn("/data/log")) {
    const size_t stride = StrideOr(7);
    ForEachDamage(path, stride, [&](SimulatedDisk& disk) {
      Opening opening(disk);
      if (!opening.status().ok()) return ExpectRefusedByName(opening.status(), path);
      EXPECT_TRUE(opening.opened->damaged_segments.empty());
      ExpectRightOrTold(opening);
      ExpectGoesOn(opening.store());
    });
  }
}

// Scenario: a byte of the catalogue is changed.
// Guarantees: it is harmless, or the store is refused, and nothing is removed.
TEST_F(ColumnarStoreDamage, OfTheCatalogueIsRefused) {
  int refused = 0;
  const size_t stride = StrideOr(29);
  ForEachDamage("/data/catalogue.sqlite", stride, [&](SimulatedDisk& disk) {
    Opening opening(disk);
    if (opening.status().ok()) {
      EXPECT_EQ(senders_.FindFault(opening.store()), "");
      const Status flushed = opening.store().Flush();
      if (!flushed.ok()) ExpectRefusedByName(flushed, "/data/catalogue.sqlite");
      return;
    }
    ++refused;
    ExpectRefusedByName(opening.status(), "/data/catalogue.sqlite");
    for (const std::string& path : FilesIn("/data/segments")) EXPECT_EQ(disk.Content(path), disk_->Content(path));
  });
  EXPECT_GT(refused, 10);
}

// Scenario: a segment says that a newer version wrote it.
// Guarantees: the store is refused, and the file is where it was.
TEST_F(ColumnarStoreDamage, ASegmentOfANewerVersionIsNoDamage) {
  const std::string path = StrCat("/data/segments/", kFirstSegment);
  std::string newer = disk_->Content(path);
  newer[8] = 2;                  // in the header
  newer[newer.size() - 12] = 2;  // in the footer
  disk_->SetContent(path, newer);
  const Opening opening(*disk_);
  EXPECT_TRUE(absl::IsFailedPrecondition(opening.status())) << opening.status();
  ExpectRefusedByName(opening.status(), std::string(kFirstSegment));
  EXPECT_EQ(disk_->Content(path), newer);
}

}  // namespace
}  // namespace spanloom::store::columnar
