// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/segment_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/clock.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/parts/segment_directory.h"
#include "store/conformance/request_builder.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store::columnar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SegmentListTest : public testing::Test {
 protected:
  // A segment with traces of those numbers.
  std::shared_ptr<const Segment> Make(const std::vector<uint64_t>& traces) {
    const uint64_t id = next_id_++;
    auto segment = directory_.WriteFile({.id = id, .arrival = id}, [&](SegmentBuilder& builder) -> Status {
      const auto origin = std::make_shared<const SpanOrigin>();
      for (const uint64_t number : traces) {
        const std::string span = Encode({.trace_id = MakeTraceId(number), .span_id = MakeSpanId(number)});
        builder.Add(Trace{.id = MakeTraceId(number), .spans = {{.wire = Bytes(span), .origin = origin}}}, 1);
      }
      return absl::OkStatus();
    });
    CHECK(segment.ok());
    return *segment;
  }

  // The ids of the segments that are found to have the trace.
  std::vector<uint64_t> SegmentsWith(const SegmentList& list, uint64_t trace) {
    std::vector<uint64_t> ids;
    const Status status = list.Find(MakeTraceId(trace), [&](size_t index, const TracePlace& place) {
      EXPECT_EQ(place.id(), MakeTraceId(trace));
      ids.push_back(list[index]->row().id);
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return ids;
  }

  static std::unique_ptr<disk::SimulatedDisk> NewDisk() {
    auto disk = std::make_unique<disk::SimulatedDisk>();
    CHECK(disk->CreateDirectory("/data").ok());
    CHECK(disk->CreateDirectory("/data/segments").ok());
    return disk;
  }

  SimClock clock_;
  const std::unique_ptr<disk::SimulatedDisk> disk_ = NewDisk();
  catalogue::Catalogue catalogue_ = *catalogue::Catalogue::Open(*disk_, "/data", clock_, catalogue::IfMissing::kCreate);
  SegmentDirectory directory_{*disk_, "/data", catalogue_, clock_};
  uint64_t next_id_ = 1;
};

// Scenario: 300 segments come one by one, each with a trace of its own and one that all have.
// Guarantees: both are found, in order, at every size; groups stay few, and segments outside of them.
TEST_F(SegmentListTest, FindsTracesInGroups) {
  PartsTable table;
  for (uint64_t i = 1; i <= 300; ++i) {
    table.AddSegment(Make({1'000, i}));
    table.GroupSegments();
    const SegmentList list = table.Now().segments;
    ASSERT_EQ(list.size(), i);
    ASSERT_THAT(SegmentsWith(list, i), ElementsAre(i));
    ASSERT_THAT(SegmentsWith(list, 301), IsEmpty());
    ASSERT_LE(list.groups(), 21);  // at most 7 of each size: 8, 64, 512
  }
  const std::vector<uint64_t> all = SegmentsWith(table.Now().segments, 1'000);
  EXPECT_EQ(all.size(), 300);
  EXPECT_TRUE(std::ranges::is_sorted(all));
  for (uint64_t i = 1; i <= 300; ++i) ASSERT_THAT(SegmentsWith(table.Now().segments, i), ElementsAre(i));
}

// Scenario: of grouped segments some are merged, one loses a trace, the others go.
// Guarantees: what is left is found, where it is now; groups of which nothing is left go.
TEST_F(SegmentListTest, FindsWhatIsLeft) {
  SegmentList list;
  for (uint64_t i = 1; i <= 8; ++i) list = list.With(Make({i, 100 + i}));
  list = list.WithGroup(list.MakeGroup());
  ASSERT_EQ(list.groups(), 1);
  const SegmentList before = list;

  list = list.WithInstead(1, 4, Make({2, 3, 4, 102, 103, 104}));  // number 9, in no group
  EXPECT_THAT(SegmentsWith(list, 3), ElementsAre(9));
  EXPECT_EQ(list.IndexOf(9), 1);
  EXPECT_EQ(list.IndexOf(3), std::nullopt);

  list = list.WithInstead(0, 1, list[0]->Without({0}, 1, 0));
  EXPECT_THAT(SegmentsWith(list, 1), IsEmpty());
  EXPECT_THAT(SegmentsWith(list, 101), ElementsAre(1));

  list = list.WithInstead(2, 6, nullptr);
  EXPECT_THAT(SegmentsWith(list, 8), IsEmpty());
  EXPECT_EQ(list.size(), 2);
  list = list.WithInstead(0, 1, nullptr);
  EXPECT_EQ(list.groups(), 0);
  EXPECT_THAT(SegmentsWith(before, 8), ElementsAre(8));  // a copy stays as it was
}

}  // namespace
}  // namespace spanloom::store::columnar
