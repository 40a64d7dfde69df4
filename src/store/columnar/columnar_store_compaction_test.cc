// SPDX-License-Identifier: Apache-2.0
//
// Segments that are merged while the store is used: answers stay as they were, and nothing waits. What crashes leave is
// columnar_store_crash_test.cc's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/columnar/columnar_store.h"
#include "store/columnar/testing/senders.h"
#include "store/conformance/request_builder.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store::columnar {
namespace {

using disk::SimulatedDisk;

constexpr CompactionPolicy kMergeAll = {.sources_min = 2, .growth = 1};

// A disk on which something happens when a file that ends with ".tmp" is made: in the middle of a flush or a merge.
class EventfulDisk final : public disk::Disk {
 public:
  SimulatedDisk& simulated() { return disk_; }
  // Once, when the next one is made.
  void OnNextUnfinished(std::function<void()> event) { event_ = std::move(event); }

  StatusOr<std::unique_ptr<disk::File>> Open(const std::string& path, disk::OpenMode mode) override {
    if (path.ends_with(".tmp")) {
      if (const auto event = std::exchange(event_, nullptr)) event();
    }
    return disk_.Open(path, mode);
  }
  StatusOr<bool> Exists(const std::string& path) override { return disk_.Exists(path); }
  Status Rename(const std::string& from, const std::string& to) override { return disk_.Rename(from, to); }
  Status Remove(const std::string& path) override { return disk_.Remove(path); }
  Status Link(const std::string& existing, const std::string& added) override { return disk_.Link(existing, added); }
  Status CreateDirectory(const std::string& path) override { return disk_.CreateDirectory(path); }
  StatusOr<std::vector<std::string>> List(const std::string& directory) override { return disk_.List(directory); }
  Status SyncDirectory(const std::string& directory) override { return disk_.SyncDirectory(directory); }
  StatusOr<uint64_t> FreeBytes(const std::string& directory) override { return disk_.FreeBytes(directory); }

 private:
  SimulatedDisk disk_;
  std::function<void()> event_;
};

// What retention took traces from is not merged before: it may go on.
constexpr int64_t kShrinkingPauseNs = 61'000'000'000;

class ColumnarStoreCompaction : public testing::Test {
 protected:
  ColumnarStoreCompaction() {
    CHECK(disk_.CreateDirectory("/data").ok());
    Open(kMergeAll);
  }

  // Opens the store, or another time. Such a store merges when it is told.
  void Open(const CompactionPolicy& policy, bool by_itself = false) {
    store_ = nullptr;
    auto opened = ColumnarStore::Open({.directory = "/data",
                                       .compacts_by_itself = by_itself,
                                       .compaction_bytes_per_second = uint64_t{1} << 40,
                                       .compaction = policy},
                                      disk_, metrics_, clock_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    ASSERT_TRUE(opened->damaged_segments.empty());
    store_ = std::move(opened->store);
  }

  void SendAndFlush(size_t flushes) {
    for (size_t i = 0; i < flushes; ++i) {
      ASSERT_EQ(senders_.Send(*store_, 1), 1);
      ASSERT_TRUE(store_->Flush().ok());
    }
  }
  void Append(const SpanSpec& span) {
    Status status = absl::UnknownError("not answered");
    Notification answered;
    store_->Append(RequestBuilder().FromService("service").Add(span).Build(), [&](Status answer) {
      status = std::move(answer);
      answered.Notify();
    });
    answered.Wait();
    ASSERT_TRUE(status.ok()) << status;
  }
  void Compact() {
    const Status status = store_->Compact();
    ASSERT_TRUE(status.ok()) << status;
  }
  void ExpectFaultless() { EXPECT_EQ(senders_.FindFault(*store_), ""); }

  [[nodiscard]] double segments() const { return metrics_.SumGauges("spanloom_store_segments"); }
  [[nodiscard]] size_t files() { return disk_.List("/data/segments").value_or(std::vector<std::string>()).size(); }
  [[nodiscard]] uint64_t failures(const std::string& cause) const {
    return metrics_.Sum("spanloom_store_failed_merges", {{"cause", cause}});
  }
  // Names of the spans of a trace, in its order.
  [[nodiscard]] std::vector<std::string> NamesIn(const otlp::TraceId& id) const {
    std::vector<std::string> names;
    const StatusOr<Trace> trace = store_->GetTrace(id, {}, {});
    EXPECT_TRUE(trace.ok()) << trace.status();
    if (!trace.ok()) return names;
    for (const StoredSpan& span : trace->spans) names.emplace_back(span.span().name());
    return names;
  }

  SimClock clock_;
  MetricRegistry metrics_;
  EventfulDisk disk_;
  Senders senders_{3, 40};
  std::unique_ptr<ColumnarStore> store_;
};

// All that the store answers with, in its order: each trace with its spans, and its row.
std::string EverythingOf(const SpanStore& store) {
  std::string all;
  const auto traces =
      FetchTraces(store, {.order = FetchPlan::Order::kNewestFirst, .traces_max = std::numeric_limits<size_t>::max()});
  EXPECT_TRUE(traces.ok()) << traces.status();
  for (const Trace& trace : *traces) {
    StrAppend(all, trace.id.Hex(), "\n");
    for (const StoredSpan& span : trace.spans) StrAppend(all, span.resource().service_name(), span.wire.view(), "\n");
  }
  const auto rows = store.Traces({.rows_max = 1'000});
  EXPECT_TRUE(rows.ok()) << rows.status();
  for (const TraceRow& row : rows->rows) {
    StrAppend(all, row.id.Hex(), " ", row.root_service.value_or("-"), " ", row.root_name.value_or("-"), " ",
              row.start_unix_ns, " ", row.end_unix_ns, " ", row.spans, " ", row.errors, " ", row.orphans, " ",
              row.version, "\n");
  }
  const StoreStats stats = store.Stats();
  StrAppend(all, stats.traces, " traces, ", stats.spans, " spans, from ", stats.oldest_unix_ns, " to ",
            stats.newest_unix_ns);
  return all;
}

// Scenario: senders send as by chance, flushes and merges come in between, the store is opened anew.
// Guarantees: no merge changes any answer.
TEST_F(ColumnarStoreCompaction, ChangesNoAnswerProperty) {
  Rng rng(5);
  uint64_t merges = 0;
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(round);
    SendAndFlush(1 + rng.Below(5));
    EXPECT_EQ(senders_.Send(*store_, 1), 1);  // stays in the head
    const std::string before = EverythingOf(*store_);
    const double segments_before = segments();
    Compact();
    EXPECT_EQ(EverythingOf(*store_), before);
    merges += segments() < segments_before ? 1 : 0;
    if (rng.Below(3) != 0) continue;
    ASSERT_TRUE(store_->Stop().ok());
    const std::string stopped = EverythingOf(*store_);
    Open(kMergeAll);
    EXPECT_EQ(EverythingOf(*store_), stopped);
  }
  EXPECT_GT(merges, 6);
  ExpectFaultless();
}

// Scenario: the spans of a trace start at one time and come in one after the other; segments of them are merged, and
// some of these again, so that younger segments have lower ids.
// Guarantees: they stand as they came, now and after the store is opened anew.
TEST_F(ColumnarStoreCompaction, KeepsTheOrderOfArrival) {
  const otlp::TraceId id = MakeTraceId(7);
  std::vector<std::string> expected;
  for (int i = 0; i < 9; ++i) {
    expected.push_back(StrCat("span ", i));
    Append({.trace_id = id, .span_id = MakeSpanId(100 - i), .name = expected.back(), .start_unix_ns = 1'000});
    ASSERT_TRUE(store_->Flush().ok());
    if (i == 3 || i == 5) Compact();
    EXPECT_EQ(NamesIn(id), expected);
  }
  EXPECT_EQ(segments(), 4);
  Open(kMergeAll);
  EXPECT_EQ(NamesIn(id), expected);
  Compact();
  EXPECT_EQ(segments(), 1);
  EXPECT_EQ(files(), 1);
  EXPECT_EQ(NamesIn(id), expected);
  EXPECT_EQ(store_->Stats().traces, 1);
  Open(kMergeAll);
  EXPECT_EQ(NamesIn(id), expected);
}

// Scenario: many flushes of a trace or two, in a store as users run it.
// Guarantees: it merges by itself, and few segments are left; what was merged is counted.
TEST_F(ColumnarStoreCompaction, LeavesFewSegmentsByItself) {
  Open({}, true);
  SendAndFlush(200);
  Compact();  // behind what the store does by itself
  EXPECT_LE(segments(), 16);
  EXPECT_EQ(files(), segments());
  EXPECT_GE(metrics_.Sum("spanloom_store_merges"), 20);
  EXPECT_GT(metrics_.Sum("spanloom_store_merge_bytes", {{"direction", "read"}}), 0);
  EXPECT_GT(metrics_.Sum("spanloom_store_merge_bytes", {{"direction", "written"}}), 0);
  EXPECT_GE(metrics_.Sum("spanloom_store_flushes"), 150);  // the others had only what was there already
  EXPECT_EQ(metrics_.Sum("spanloom_store_failed_merges"), 0);
  ExpectFaultless();
}

// Scenario: a trace of many pages lies in several segments, small ones around it.
// Guarantees: it is merged as it is.
TEST_F(ColumnarStoreCompaction, MergesLargeTraces) {
  SendAndFlush(4);
  const otlp::TraceId id = MakeTraceId(9);
  for (uint64_t flush = 0; flush < 3; ++flush) {
    RequestBuilder request;
    request.FromService("large");
    for (uint64_t i = 0; i < 3'000; ++i) {
      request.Add({.trace_id = id,
                   .span_id = MakeSpanId(1 + 3 * i + flush),
                   .parent_span_id = i + flush == 0 ? otlp::SpanId() : MakeSpanId(1 + i / 2),
                   .name = StrCat("span ", i % 7),
                   .start_unix_ns = 1'700'000'000'000'000'000 + i * 10});
    }
    Notification answered;
    store_->Append(request.Build(), [&](const Status& status) {
      EXPECT_TRUE(status.ok()) << status;
      answered.Notify();
    });
    answered.Wait();
    ASSERT_TRUE(store_->Flush().ok());
  }
  const std::string before = EverythingOf(*store_);
  Compact();
  EXPECT_EQ(segments(), 1);
  EXPECT_TRUE(EverythingOf(*store_) == before);
}

// Scenario: a search has brought one page when segments are merged.
// Guarantees: it goes on with what it began with; files of sources are gone.
TEST_F(ColumnarStoreCompaction, AQuestionGoesOnWithWhatItBeganWith) {
  SendAndFlush(6);
  const auto read = [&](SpanCursor& cursor) {
    std::string ids;
    auto batch = cursor.Next();
    EXPECT_TRUE(batch.ok()) << batch.status();
    for (; batch.ok() && batch->has_value(); batch = cursor.Next()) {
      for (const auto& trace : (*batch)->traces) StrAppend(ids, trace.position.id.Hex(), "\n");
    }
    return ids;
  };
  const FetchPlan plan = {.order = FetchPlan::Order::kAsStored, .traces_max = std::numeric_limits<size_t>::max()};
  const auto before = store_->Fetch(plan);
  ASSERT_TRUE(before.ok());
  const auto during = store_->Fetch(plan);
  ASSERT_TRUE(during.ok());
  const std::string expected = read(**before);
  Compact();
  EXPECT_EQ(files(), 1);
  EXPECT_EQ(read(**during), expected);
  ExpectFaultless();
}

// Scenario: retention removes traces while a merge is at them: some of a source, all of another.
// Guarantees: they do not come back, and everything else is there.
TEST_F(ColumnarStoreCompaction, RetentionMeanwhileHolds) {
  SendAndFlush(8);
  const StoreStats before = store_->Stats();
  for (const uint64_t part : {2, 3, 4}) {
    clock_.Advance(kShrinkingPauseNs);
    SendAndFlush(1);
    StoreStats removed;
    disk_.OnNextUnfinished([&] {
      ASSERT_TRUE(store_->SetRetention({.bytes_max = before.bytes / part}).ok());
      removed = store_->Stats();
    });
    Compact();
    EXPECT_EQ(segments(), 1);
    EXPECT_GT(removed.traces, 0);
    EXPECT_LT(removed.traces, before.traces);
    EXPECT_EQ(store_->Stats().traces, removed.traces);
    EXPECT_EQ(store_->Stats().spans, removed.spans);
    const auto traces = FetchTraces(*store_, {.order = FetchPlan::Order::kAsStored, .traces_max = 1'000});
    ASSERT_TRUE(traces.ok()) << traces.status();
    EXPECT_EQ(traces->size(), removed.traces);
  }
  EXPECT_EQ(senders_.FindInvention(*store_), "");
}

// Scenario: retention removes all that is merged, while it is.
// Guarantees: nothing is left, on disk neither.
TEST_F(ColumnarStoreCompaction, RetentionMeanwhileMayTakeAll) {
  SendAndFlush(4);
  disk_.OnNextUnfinished([&] { ASSERT_TRUE(store_->SetRetention({.age_max_ns = 1}).ok()); });
  Compact();
  EXPECT_EQ(store_->Stats().spans, 0);
  EXPECT_EQ(segments(), 0);
  EXPECT_EQ(files(), 0);
  Open(kMergeAll);
  EXPECT_EQ(store_->Stats().spans, 0);
}

// Scenario: most of a segment is removed by retention.
// Guarantees: it is written again, without; then the space is free, and what was removed stays removed when the store
// is opened anew.
TEST_F(ColumnarStoreCompaction, WritesASegmentAgainThatIsMostlyGone) {
  SendAndFlush(6);
  Compact();
  ASSERT_EQ(segments(), 1);
  ASSERT_TRUE(store_->SetRetention({.bytes_max = store_->Stats().bytes / 4}).ok());
  const StoreStats removed = store_->Stats();
  CompactionPolicy policy = kMergeAll;
  policy.gone_spans_min = 1;
  ASSERT_TRUE(store_->Stop().ok());
  Open(policy);
  ASSERT_TRUE(store_->SetRetention({.bytes_max = removed.bytes}).ok());
  Compact();
  const double bytes = metrics_.SumGauges("spanloom_store_segment_bytes");
  clock_.Advance(kShrinkingPauseNs);
  Compact();
  EXPECT_LT(metrics_.SumGauges("spanloom_store_segment_bytes"), bytes / 2);
  Open(policy);
  EXPECT_LE(store_->Stats().spans, removed.spans);
  EXPECT_GT(store_->Stats().spans, 0);
}

// Scenario: while a merge is at it, spans come in and are flushed.
// Guarantees: neither waits for the merge; the flushed ones stand behind it.
TEST_F(ColumnarStoreCompaction, AFlushDoesNotWaitForAMerge) {
  const otlp::TraceId id = MakeTraceId(8);
  const auto add = [&](int number) {
    Append({.trace_id = id, .span_id = MakeSpanId(number), .name = StrCat(number), .start_unix_ns = 5});
    ASSERT_TRUE(store_->Flush().ok());
  };
  for (const int number : {1, 2, 3}) add(number);
  disk_.OnNextUnfinished([&] { add(4); });
  Compact();
  EXPECT_EQ(NamesIn(id), (std::vector<std::string>{"1", "2", "3", "4"}));
  EXPECT_EQ(store_->Stats().traces, 1);
  EXPECT_EQ(store_->Stats().spans, 4);
}

// Scenario: the store is stopped while a merge is at it.
// Guarantees: the merge ends at once and leaves nothing; the next start has all.
TEST_F(ColumnarStoreCompaction, AStopEndsAMerge) {
  SendAndFlush(5);
  disk_.OnNextUnfinished([&] { ASSERT_TRUE(store_->Stop().ok()); });
  EXPECT_EQ(store_->Compact().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(segments(), 5);
  EXPECT_EQ(files(), 5);
  EXPECT_EQ(store_->Compact().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(metrics_.Sum("spanloom_store_failed_merges"), 0);
  Open(kMergeAll);
  Compact();
  EXPECT_EQ(segments(), 1);
  ExpectFaultless();
}

// Scenario: a page of one of six segments is damaged while the store is open.
// Guarantees: it stays as it is, and is told and counted once; the segments on either side of it are merged.
TEST_F(ColumnarStoreCompaction, ADamagedSourceStays) {
  SendAndFlush(6);
  const std::string path = "/data/segments/0000000000000003.seg";
  std::string content = disk_.simulated().Content(path);
  content[20] = static_cast<char>(~content[20]);  // behind the header
  disk_.simulated().SetContent(path, content);
  const std::string before = senders_.FindFault(*store_);
  for (int attempt = 0; attempt < 3; ++attempt) Compact();
  EXPECT_EQ(failures("damaged"), 1);
  EXPECT_EQ(segments(), 3);
  EXPECT_EQ(files(), 3);
  EXPECT_TRUE(*disk_.Exists(path));
  EXPECT_EQ(senders_.FindInvention(*store_), "");
  EXPECT_NE(before, "");
}

// Scenario: the disk has no room for a merge beside what a flush may need; then it has.
// Guarantees: nothing is written, the cause is counted; later it is merged.
TEST_F(ColumnarStoreCompaction, LeavesRoomForFlushes) {
  SendAndFlush(3);
  disk_.simulated().SetCapacity(uint64_t{128} << 20);  // as large as a head
  const uint64_t free = disk_.FreeBytes("/data").value_or(0);
  EXPECT_EQ(store_->Compact().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(failures("no_room"), 1);
  EXPECT_EQ(disk_.FreeBytes("/data").value_or(0), free);
  disk_.simulated().SetCapacity(uint64_t{1} << 30);
  Compact();
  EXPECT_EQ(segments(), 1);
  ExpectFaultless();
}

// Scenario: a file that the catalogue names is not there, and comes back after the store has merged and ended.
// Guarantees: nothing is merged across its place, so that spans stand as they came.
TEST_F(ColumnarStoreCompaction, LeavesAPlaceForAMissingSegment) {
  const otlp::TraceId id = MakeTraceId(8);
  for (const int number : {1, 2, 3, 4, 5}) {
    Append({.trace_id = id, .span_id = MakeSpanId(number), .name = StrCat(number), .start_unix_ns = 5});
    ASSERT_TRUE(store_->Flush().ok());
  }
  store_ = nullptr;
  const std::string path = "/data/segments/0000000000000003.seg";
  ASSERT_TRUE(disk_.Link(path, "/data/away").ok() && disk_.Remove(path).ok());
  auto opened = ColumnarStore::Open({.directory = "/data", .compacts_by_itself = false, .compaction = kMergeAll}, disk_,
                                    metrics_, clock_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  ASSERT_TRUE(opened->store->Compact().ok());
  EXPECT_EQ(segments(), 2);
  opened->store = nullptr;
  ASSERT_TRUE(disk_.Link("/data/away", path).ok());
  Open(kMergeAll);
  EXPECT_EQ(NamesIn(id), (std::vector<std::string>{"1", "2", "3", "4", "5"}));
}

}  // namespace
}  // namespace spanloom::store::columnar
