// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/catalogue/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/columnar/catalogue/sqlite_connection.h"
#include "store/disk/posix_disk.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store::columnar::catalogue {
namespace {

using disk::SimulatedDisk;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kPath = "/catalogue.sqlite";

class CatalogueTest : public testing::Test {
 protected:
  StatusOr<Catalogue> TryOpen(IfMissing if_missing = IfMissing::kRefuse) {
    return Catalogue::Open(disk_, "/", clock_, if_missing);
  }

  Catalogue Open(IfMissing if_missing = IfMissing::kRefuse) {
    auto catalogue = TryOpen(if_missing);
    EXPECT_TRUE(catalogue.ok()) << catalogue.status();
    return *std::move(catalogue);
  }

  static SegmentRow Row(uint64_t id) {
    return {.id = id,
            .file = "segments/" + std::to_string(id) + ".seg",
            .format_version = 1,
            .level = static_cast<uint32_t>(id % 3),
            .arrival = id + 3,
            .bytes = id * 1000,
            .spans = id * 10,
            .traces = id * 2,
            .first_start_unix_ns = id * 100,
            .last_start_unix_ns = id * 100 + 99,
            .created_unix_ns = id * 200};
  }

  // Some fill pages of their own.
  static std::string Filter(uint64_t id) { return std::string(id % 4 == 2 ? 9000 : 40, static_cast<char>(id)); }

  // Adds a segment, moves the log's position to ten times its id.
  static SegmentRow Add(Catalogue& catalogue) {
    const SegmentRow row = Row(catalogue.NextSegmentId());
    const std::string filter = Filter(row.id);
    const Status status = catalogue.Commit({.added = {{row, filter}}, .removed = {}, .log_position = row.id * 10});
    EXPECT_TRUE(status.ok()) << status;
    return row;
  }

  void Sql(std::string_view statements) {
    const auto connection = SqliteConnection::Open(disk_, std::string(kPath), std::string(kPath));
    ASSERT_TRUE(connection.ok()) << connection.status();
    const Status status = (*connection)->Execute(statements);
    ASSERT_TRUE(status.ok()) << status;
  }

  SimClock clock_;
  SimulatedDisk disk_;
};

// Scenario: a new catalogue; segments are added and one removed, in one change and in several; it is opened again.
// Guarantees: rows, filters, position and the store's id are what they were; ids are not given twice.
TEST_F(CatalogueTest, KeepsWhatIsCommitted) {
  StoreId id;
  {
    Catalogue catalogue = Open(IfMissing::kCreate);
    id = catalogue.store_id();
    EXPECT_THAT(catalogue.segments(), IsEmpty());
    EXPECT_EQ(catalogue.log_position(), 0);
    for (int i = 0; i < 3; ++i) Add(catalogue);
    const SegmentRow merged = Row(catalogue.NextSegmentId());
    ASSERT_TRUE(catalogue.Commit({.added = {{merged, ""}}, .removed = {1, 3}, .log_position = {}}).ok());
    ASSERT_TRUE(catalogue.Commit({.added = {}, .removed = {4}, .log_position = 31}).ok());
    EXPECT_THAT(catalogue.segments(), ElementsAre(Row(2)));
  }
  Catalogue catalogue = Open();
  EXPECT_EQ(catalogue.store_id(), id);
  EXPECT_THAT(catalogue.segments(), ElementsAre(Row(2)));
  EXPECT_EQ(catalogue.log_position(), 31);
  EXPECT_EQ(*catalogue.TraceFilter(2), Filter(2));
  EXPECT_EQ(catalogue.TraceFilter(1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(catalogue.NextSegmentId(), 5);
  EXPECT_TRUE(catalogue.Check().ok());
}

// Scenario: two segments are being made at once; the later one is committed first.
// Guarantees: both are kept.
TEST_F(CatalogueTest, TakesIdsInAnyOrder) {
  Catalogue catalogue = Open(IfMissing::kCreate);
  const uint64_t first = catalogue.NextSegmentId();
  const uint64_t second = catalogue.NextSegmentId();
  ASSERT_TRUE(catalogue.Commit({.added = {{Row(second), ""}}, .removed = {}, .log_position = {}}).ok());
  ASSERT_TRUE(catalogue.Commit({.added = {{Row(first), ""}}, .removed = {}, .log_position = {}}).ok());
  EXPECT_THAT(catalogue.segments(), ElementsAre(Row(first), Row(second)));
  EXPECT_THAT(Open().segments(), ElementsAre(Row(first), Row(second)));
}

// Scenario: the worked example of docs/formats/catalogue.md, read with plain SQL.
// Guarantees: the rows on that page.
TEST_F(CatalogueTest, WritesTheWorkedExample) {
  {
    Catalogue catalogue = Open(IfMissing::kCreate);
    const SegmentRow row = {.id = catalogue.NextSegmentId(),
                            .file = "a",
                            .format_version = 1,
                            .level = 0,
                            .arrival = 1,
                            .bytes = 100,
                            .spans = 10,
                            .traces = 2,
                            .first_start_unix_ns = 5,
                            .last_start_unix_ns = 6,
                            .created_unix_ns = 7};
    ASSERT_TRUE(catalogue.Commit({.added = {{row, "\xff"}}, .removed = {}, .log_position = 9}).ok());
  }
  const auto connection = *SqliteConnection::Open(disk_, std::string(kPath), std::string(kPath));
  const auto text = [&](std::string_view sql) {
    auto statement = connection->Prepare(sql);
    EXPECT_TRUE(statement.ok() && *statement->Step());
    return std::string(statement->Content(0));
  };
  EXPECT_EQ(text("SELECT id || '|' || file || '|' || format_version || '|' || level || '|' || arrival "
                 "|| '|' || bytes || '|' || spans || '|' || traces || '|' || first_start || '|' || last_start || '|' "
                 "|| created_unix_ns "
                 "|| '|' || checksum AS concat FROM segment"),
            "1|a|1|0|1|100|10|2|-9223372036854775803|-9223372036854775802|7|3271491658");
  EXPECT_EQ(text("SELECT segment_id || '|' || hex(filter) || '|' || checksum FROM trace_filter"), "1|FF|3695901359");
  EXPECT_EQ(text("SELECT id || '|' || created_unix_ns || '|' || log_position || '|' || last_segment_id || '|' || "
                 "segment_count || '|' || segment_sum FROM store"),
            "1|1767225600000000000|9|1|1|3271491658");
  EXPECT_EQ(text("SELECT first_start + 9223372036854775807 + 1 FROM segment"), "5");
}

// Scenario: starts at the ends of the 64-bit range.
// Guarantees: they come back as they were, and SQL orders them as numbers without a sign.
TEST_F(CatalogueTest, KeepsAnyStart) {
  {
    Catalogue catalogue = Open(IfMissing::kCreate);
    for (const uint64_t start : {~uint64_t{0}, uint64_t{0}, uint64_t{1} << 63}) {
      SegmentRow row = Row(catalogue.NextSegmentId());
      row.first_start_unix_ns = start;
      ASSERT_TRUE(catalogue.Commit({.added = {{row, ""}}, .removed = {}, .log_position = {}}).ok());
    }
  }
  const Catalogue catalogue = Open();
  EXPECT_EQ(catalogue.segments()[0].first_start_unix_ns, ~uint64_t{0});
  EXPECT_EQ(catalogue.segments()[1].first_start_unix_ns, 0);
  EXPECT_EQ(catalogue.segments()[2].first_start_unix_ns, uint64_t{1} << 63);
  const auto connection = *SqliteConnection::Open(disk_, std::string(kPath), std::string(kPath));
  EXPECT_EQ(*connection->QueryInteger("SELECT id FROM segment ORDER BY first_start LIMIT 1"), 2);
  EXPECT_EQ(*connection->QueryInteger("SELECT id FROM segment ORDER BY first_start DESC LIMIT 1"), 1);
}

// Scenario: changes that contradict what is there.
// Guarantees: refused with their codes, nothing of them is kept, and the catalogue can be used.
TEST_F(CatalogueTest, RefusesWhatCannotBe) {
  Catalogue catalogue = Open(IfMissing::kCreate);
  const SegmentRow first = Add(catalogue);
  const auto code = [&](const Change& change) { return catalogue.Commit(change).code(); };
  SegmentRow same_file = Row(catalogue.NextSegmentId());
  same_file.file = first.file;
  SegmentRow large = Row(same_file.id);
  large.spans = uint64_t{1} << 63;
  const std::string huge(kTraceFilterBytesMax + 1, 'x');
  EXPECT_EQ(code({.added = {{first, ""}}, .removed = {}, .log_position = {}}), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(code({.added = {{Row(77), ""}}, .removed = {}, .log_position = {}}), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(code({.added = {{same_file, ""}}, .removed = {}, .log_position = {}}), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(code({.added = {{large, ""}}, .removed = {}, .log_position = {}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.added = {{Row(2), huge}}, .removed = {}, .log_position = {}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.added = {}, .removed = {1, 9}, .log_position = {}}), absl::StatusCode::kNotFound);
  EXPECT_EQ(code({.added = {}, .removed = {}, .log_position = 9}), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(catalogue.segments(), ElementsAre(first));
  // The file of a segment that the same change removes may be taken.
  EXPECT_TRUE(catalogue.Commit({.added = {{same_file, ""}}, .removed = {1}, .log_position = 10}).ok());
  EXPECT_THAT(Open().segments(), ElementsAre(same_file));
}

// Scenario: no catalogue, an empty file, a file of something else, a newer version.
// Guarantees: created only where that is allowed; refused else, with a next step, and left as it was.
TEST_F(CatalogueTest, OpensOnlyACatalogue) {
  EXPECT_EQ(TryOpen().status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(*disk_.Exists(std::string(kPath)));
  ASSERT_TRUE(disk_.Open(std::string(kPath), disk::OpenMode::kCreate).ok());
  EXPECT_EQ(TryOpen().status().code(), absl::StatusCode::kNotFound);
  { Catalogue catalogue = Open(IfMissing::kCreate); }
  Open();

  Sql("PRAGMA user_version = 2");
  const auto newer = TryOpen(IfMissing::kCreate);
  EXPECT_EQ(newer.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(newer.status().message()), HasSubstr("version 2"));
  Sql("PRAGMA user_version = 1; PRAGMA application_id = 7");
  EXPECT_EQ(TryOpen(IfMissing::kCreate).status().code(), absl::StatusCode::kDataLoss);
  disk_.SetContent(std::string(kPath), std::string(5000, 'x'));
  const auto other = TryOpen(IfMissing::kCreate);
  EXPECT_EQ(other.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(other.status().message()), HasSubstr("backup"));
  EXPECT_EQ(disk_.Content(std::string(kPath)), std::string(5000, 'x'));
}

// Scenario: rows are changed, removed and added behind the catalogue's back.
// Guarantees: each is noticed when it is read.
TEST_F(CatalogueTest, NoticesChangedRows) {
  {
    Catalogue catalogue = Open(IfMissing::kCreate);
    for (int i = 0; i < 3; ++i) Add(catalogue);
  }
  const std::string whole = disk_.Content(std::string(kPath));
  for (const char* sql :
       {"UPDATE segment SET spans = 11 WHERE id = 1", "DELETE FROM segment WHERE id = 2",
        "UPDATE store SET log_position = 31", "DELETE FROM store", "UPDATE segment SET id = 7 WHERE id = 3",
        "UPDATE segment SET file = NULLIF('a','b') WHERE id = 1", "DROP TABLE segment",
        "UPDATE store SET store_id = x'00'"}) {
    disk_.SetContent(std::string(kPath), whole);
    Sql(sql);
    EXPECT_EQ(TryOpen().status().code(), absl::StatusCode::kDataLoss) << sql;
  }
  for (const char* sql : {"UPDATE trace_filter SET filter = x'00' WHERE segment_id = 2", "DELETE FROM trace_filter",
                          "UPDATE trace_filter SET segment_id = segment_id + 1 WHERE segment_id = 3"}) {
    disk_.SetContent(std::string(kPath), whole);
    Sql(sql);
    Catalogue catalogue = Open();
    EXPECT_EQ(catalogue.Check().code(), absl::StatusCode::kDataLoss) << sql;
  }
}

// Scenario: a bit of each byte of the file is flipped in turn; the catalogue is read, changed, and read again.
// Guarantees: right, or an error; never a crash, never a wrong row.
TEST_F(CatalogueTest, IsNeverWrongAfterAFlippedBit) {
  std::vector<SegmentRow> rows;
  {
    Catalogue catalogue = Open(IfMissing::kCreate);
    for (int i = 0; i < 6; ++i) rows.push_back(Add(catalogue));
    ASSERT_TRUE(catalogue.Commit({.added = {}, .removed = {5, 6}, .log_position = {}}).ok());
    rows.resize(4);
  }
  const std::string whole = disk_.Content(std::string(kPath));
  size_t noticed = 0;
  for (size_t offset = 0; offset < whole.size(); ++offset) {
    // One byte of 61 is enough of zeros and other filling.
    if (offset > 0 && whole[offset] == whole[offset - 1] && offset % 61 != 0) continue;
    std::string flipped = whole;
    flipped[offset] = static_cast<char>(flipped[offset] ^ (1 << (offset % 8)));
    disk_.SetContent(std::string(kPath), flipped);
    auto catalogue = TryOpen();
    noticed += catalogue.ok() ? 0 : 1;
    if (!catalogue.ok()) continue;
    ASSERT_EQ(catalogue->segments(), rows) << offset;
    ASSERT_EQ(catalogue->log_position(), 60) << offset;
    for (const SegmentRow& row : rows) {
      const auto filter = catalogue->TraceFilter(row.id);
      ASSERT_TRUE(!filter.ok() || *filter == Filter(row.id)) << offset;
    }
    const SegmentRow added = Row(catalogue->NextSegmentId());
    if (!catalogue->Commit({.added = {{added, "filter"}}, .removed = {1}, .log_position = 200}).ok()) continue;
    std::vector<SegmentRow> changed(rows.begin() + 1, rows.end());
    changed.push_back(added);
    const auto again = TryOpen();
    ASSERT_TRUE(!again.ok() || again->segments() == changed) << offset;
  }
  EXPECT_GT(noticed, 300);
}

// Scenario: a copy is made while the catalogue is in use, which then goes on.
// Guarantees: the copy is the state of that moment; a taken name is refused.
TEST_F(CatalogueTest, CopiesItself) {
  Catalogue catalogue = Open(IfMissing::kCreate);
  Add(catalogue);
  ASSERT_TRUE(disk_.CreateDirectory("/backup").ok());
  ASSERT_TRUE(catalogue.CopyTo("/backup/catalogue.sqlite").ok());
  EXPECT_EQ(catalogue.CopyTo("/backup/catalogue.sqlite").code(), absl::StatusCode::kAlreadyExists);
  Add(catalogue);
  auto copy = Catalogue::Open(disk_, "/backup", clock_, IfMissing::kRefuse);
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_THAT(copy->segments(), ElementsAre(Row(1)));
  EXPECT_EQ(copy->store_id(), catalogue.store_id());
  EXPECT_TRUE(copy->Check().ok());
}

// Scenario: the machine's disk instead of the simulated one.
// Guarantees: the same.
TEST_F(CatalogueTest, WorksOnTheMachinesDisk) {
  const std::string directory = (std::filesystem::path(testing::TempDir()) / "catalogue_posix").string();
  std::filesystem::remove_all(directory);
  disk::PosixDisk posix;
  ASSERT_TRUE(posix.CreateDirectory(directory).ok());
  {
    auto catalogue = Catalogue::Open(posix, directory, clock_, IfMissing::kCreate);
    ASSERT_TRUE(catalogue.ok()) << catalogue.status();
    Add(*catalogue);
  }
  auto catalogue = Catalogue::Open(posix, directory, clock_, IfMissing::kRefuse);
  ASSERT_TRUE(catalogue.ok()) << catalogue.status();
  EXPECT_THAT(catalogue->segments(), ElementsAre(Row(1)));
  EXPECT_EQ(*catalogue->TraceFilter(1), Filter(1));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace spanloom::store::columnar::catalogue
