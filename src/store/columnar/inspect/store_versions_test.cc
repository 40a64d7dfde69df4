// SPDX-License-Identifier: Apache-2.0
//
// Stores of every version there was, kept under tests/data/store: each has segments, and frames of the log that are in
// none, made from the recorded requests that its contents.txt names, in that order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/testing/test_data.h"
#include "base/text.h"
#include "store/columnar/columnar_store.h"
#include "store/columnar/inspect/store_check.h"
#include "store/columnar/inspect/store_reading.h"
#include "store/conformance/request_builder.h"
#include "store/conformance/stored_traces.h"
#include "store/disk/posix_disk.h"
#include "store/disk/temporary_directory.h"

namespace spanloom::store::columnar {
namespace {

namespace fs = std::filesystem;

std::string ContentOf(const fs::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

// Where a span stands, and the span, byte for byte.
std::string KeyOf(const StoredSpan& span) {
  return StrCat(span.origin->resource_schema_url, "/", span.origin->resource.view(), "/", span.origin->scope.view(),
                "/", span.wire.view());
}

class StoreVersionsTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const fs::path kept = TestData() / "store" / GetParam();
    fs::copy(kept, path_, fs::copy_options::recursive);
    std::istringstream names(ContentOf(kept / "contents.txt"));
    for (std::string name; std::getline(names, name);) {
      const std::string body = ContentOf(TestData() / "recorded" / name);
      for (const StoredSpan& span : StoredSpansOf(BatchOf(body))) wanted_.push_back(KeyOf(span));
    }
    ASSERT_GT(wanted_.size(), 100U);
  }

  // Keys of all spans that a cursor brings.
  static std::vector<std::string> KeysOf(StatusOr<std::unique_ptr<SpanCursor>> cursor) {
    std::vector<std::string> keys;
    EXPECT_TRUE(cursor.ok()) << cursor.status();
    while (cursor.ok()) {
      const auto batch = (*cursor)->Next();
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || !*batch) break;
      for (const StoredSpan& span : (*batch)->messages) keys.push_back(KeyOf(span));
    }
    return keys;
  }

  static FetchPlan Everything() {
    return {.rows = FetchPlan::Rows::kWholeTrace,
            .wants_messages = true,
            .order = FetchPlan::Order::kAsStored,
            .traces_max = std::numeric_limits<size_t>::max()};
  }

  const disk::TemporaryDirectory directory_ = disk::TemporaryDirectory::Make().value();
  const std::string path_ = directory_.path() + "/data";
  disk::PosixDisk disk_;
  std::vector<std::string> wanted_;
};

// Scenario: it is looked at. Guarantees: it is whole; every span comes as it was sent.
TEST_P(StoreVersionsTest, IsRead) {
  {
    auto files = StoreFiles::Open(disk_, path_, Clock::System());
    ASSERT_TRUE(files.ok()) << files.status();
    const auto report = CheckStore(*files, [](uint64_t) { return absl::OkStatus(); });
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->findings.empty());
    EXPECT_GT(report->segments, 1U);
    EXPECT_GT(report->log_spans, 0U);
  }
  auto files = StoreFiles::Open(disk_, path_, Clock::System());
  ASSERT_TRUE(files.ok()) << files.status();
  const auto reading = StoreReading::Open(*files, Clock::System());
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_THAT(KeysOf((*reading)->queries().Fetch(Everything())), testing::UnorderedElementsAreArray(wanted_));
}

// Scenario: it is used: opened, its log put into a segment, its segments merged, opened again.
// Guarantees: the same spans.
TEST_P(StoreVersionsTest, IsGoneOnWith) {
  for (int opening = 0; opening < 2; ++opening) {
    MetricRegistry metrics;
    auto opened = ColumnarStore::Open({.directory = path_, .compaction = {.sources_min = 2, .growth = 1}}, disk_,
                                      metrics, Clock::System());
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_TRUE(opened->log.IsComplete() && opened->damaged_segments.empty());
    EXPECT_THAT(KeysOf(opened->store->Fetch(Everything())), testing::UnorderedElementsAreArray(wanted_));
    ASSERT_TRUE(opened->store->Flush().ok());
    ASSERT_TRUE(opened->store->Compact().ok());
    EXPECT_EQ(opened->store->WorkLeft().segments, 1U);
  }
}

INSTANTIATE_TEST_SUITE_P(Kept, StoreVersionsTest, testing::Values("v1"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace spanloom::store::columnar
