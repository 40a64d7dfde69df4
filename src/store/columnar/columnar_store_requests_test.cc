// SPDX-License-Identifier: Apache-2.0
//
// Request rows that are kept beside segments: answers are those of deriving everything, whatever happens to files,
// spans and time. What crashes leave is columnar_store_crash_test.cc's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/columnar/columnar_store.h"
#include "store/conformance/request_builder.h"
#include "store/conformance/store_conformance.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store::columnar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kSecondNs = 1'000'000'000;

// As DeriveFakeRequests; the pod says which version it was. Counts the spans that it was given.
RequestDeriver MakeDeriver(uint32_t version, const std::shared_ptr<std::atomic<uint64_t>>& spans) {
  return {.version = version, .derive = [version, spans](const Trace& trace, uint64_t now_unix_ns) {
            *spans += trace.spans.size();
            std::vector<RequestRow> rows = DeriveFakeRequests(trace, now_unix_ns);
            for (RequestRow& row : rows) row.decode_pod = StrCat("v", version, " of ", trace.spans.size());
            return rows;
          }};
}

std::string Describe(const RequestRow& row) {
  return StrCat(row.key.trace_id.Hex(), " ", row.key.span_id.Hex(), " ", row.arrival_unix_ns, " ", row.end_unix_ns, " ",
                row.service, " ", row.model, " ", row.decode_pod, " ", row.ttft_ns.value_or(-1), " ",
                row.output_tokens.value_or(77'777), row.is_provisional ? " provisional" : "", " v",
                row.anatomy_version);
}

class ColumnarStoreRequests : public testing::Test {
 protected:
  ColumnarStoreRequests() {
    CHECK(disk_.CreateDirectory("/data").ok());
    Open();
  }

  void Open() {
    store_ = nullptr;
    auto opened = ColumnarStore::Open({.directory = "/data",
                                       .compacts_by_itself = false,
                                       .compaction_bytes_per_second = uint64_t{1} << 40,
                                       .request_bytes_per_second = uint64_t{1} << 40,
                                       .compaction = {.sources_min = 3, .growth = 1}},
                                      disk_, metrics_, clock_, MakeDeriver(version_, derived_));
    ASSERT_TRUE(opened.ok()) << opened.status();
    ASSERT_THAT(opened->damaged_segments, IsEmpty());
    store_ = std::move(opened->store);
  }

  void Append(const std::vector<SpanSpec>& spans) {
    RequestBuilder builder;
    builder.FromService("s");
    for (const SpanSpec& span : spans) builder.Add(span);
    Status status = absl::UnknownError("not answered");
    Notification answered;
    store_->Append(builder.Build(), [&](Status answer) {
      status = std::move(answer);
      answered.Notify();
    });
    answered.Wait();
    ASSERT_TRUE(status.ok()) << status;
  }
  void Flush() { ASSERT_TRUE(store_->Flush().ok()); }
  void Compact() { ASSERT_TRUE(store_->Compact().ok()); }
  void Fill() { ASSERT_TRUE(store_->FillRequests().ok()); }
  void AppendAndFlush(const std::vector<SpanSpec>& spans) {
    Append(spans);
    Flush();
  }
  [[nodiscard]] uint64_t now() const { return static_cast<uint64_t>(clock_.UnixNs()); }

  // Spans that were derived for what `ask` does.
  template <typename Ask>
  uint64_t DerivedBy(Ask ask) {
    const uint64_t before = *derived_;
    ask();
    return *derived_ - before;
  }
  [[nodiscard]] std::vector<std::string> Rows(const RowFilter<RequestColumn>& filter = {}) const {
    const auto page = store_->Requests({.filter = filter, .order_by = RequestColumn::kArrival, .rows_max = 100'000});
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<std::string> rows;
    if (!page.ok()) return rows;
    for (const RequestRow& row : page->rows) rows.push_back(Describe(row));
    std::ranges::sort(rows);
    return rows;
  }
  // The same from all spans that are stored.
  [[nodiscard]] std::vector<std::string> RowsDerived(const RowFilter<RequestColumn>& filter = {}) const {
    const auto traces = FetchTraces(*store_, {.traces_max = 1'000'000});
    EXPECT_TRUE(traces.ok()) << traces.status();
    const RequestDeriver deriver = MakeDeriver(version_, std::make_shared<std::atomic<uint64_t>>(0));
    std::vector<std::string> rows;
    if (!traces.ok()) return rows;
    for (const Trace& trace : *traces) {
      for (RequestRow& row : deriver.derive(trace, now())) {
        row.anatomy_version = version_;
        const bool is_meant = filter.traces.empty() || std::ranges::count(filter.traces, trace.id) > 0;
        if (is_meant && filter.starts.Contains(row.arrival_unix_ns)) rows.push_back(Describe(row));
      }
    }
    std::ranges::sort(rows);
    return rows;
  }
  [[nodiscard]] uint64_t CountOf(const RowFilter<RequestColumn>& filter) const {
    const auto groups = store_->GroupRequests({.filter = filter});
    EXPECT_TRUE(groups.ok()) << groups.status();
    return !groups.ok() || groups->empty() ? 0 : groups->front().steps.front().spans;
  }
  void ExpectAnswers(const RowFilter<RequestColumn>& filter = {}) {
    const std::vector<std::string> rows = RowsDerived(filter);
    ASSERT_EQ(Rows(filter), rows);
    ASSERT_EQ(CountOf(filter), rows.size());
  }
  [[nodiscard]] std::vector<std::string> RequestFiles() {
    std::vector<std::string> names;
    for (const std::string& name : disk_.List("/data/segments").value_or(std::vector<std::string>())) {
      if (!name.ends_with(".seg")) names.push_back(name);
    }
    return names;
  }
  [[nodiscard]] uint64_t damaged() const { return metrics_.Sum("spanloom_store_damaged_parts"); }
  [[nodiscard]] uint64_t files_written() const { return metrics_.Sum("spanloom_store_request_files"); }

  uint32_t version_ = 1;
  uint64_t age_max_ns_ = 0;
  const std::shared_ptr<std::atomic<uint64_t>> derived_ = std::make_shared<std::atomic<uint64_t>>(0);  // spans
  SimClock clock_;
  MetricRegistry metrics_;
  disk::SimulatedDisk disk_;
  std::unique_ptr<ColumnarStore> store_;
};

SpanSpec RequestOf(uint64_t trace, uint64_t span, uint64_t arrival) {
  return {.trace_id = MakeTraceId(trace),
          .span_id = MakeSpanId(span),
          .name = "request",
          .start_unix_ns = arrival,
          .end_unix_ns = arrival + 500,
          .attributes = {{"model", StrCat("m", trace % 3)}, {"ttft", static_cast<int64_t>(span * 10)}}};
}

SpanSpec SpanOf(uint64_t trace, uint64_t span, uint64_t start, std::string name = "work") {
  return {.trace_id = MakeTraceId(trace),
          .span_id = MakeSpanId(span),
          .name = std::move(name),
          .start_unix_ns = start,
          .end_unix_ns = start + 10};
}

// Scenario: requests in a segment whose time has come, one with several in a trace; the rows are written.
// Guarantees: they are written once, answers come without a span being derived, keys and all, also after a restart.
TEST_F(ColumnarStoreRequests, AreReadFromRows) {
  AppendAndFlush({RequestOf(1, 1, now()), SpanOf(1, 2, now() + 5), RequestOf(1, 3, now() + 1), RequestOf(2, 4, now())});
  const std::vector<std::string> rows = Rows();
  EXPECT_THAT(rows, testing::SizeIs(3));
  Fill();
  EXPECT_THAT(RequestFiles(), IsEmpty());
  clock_.Advance(16 * kSecondNs);
  Fill();
  EXPECT_THAT(RequestFiles(), ElementsAre("0000000000000001.req"));
  for (int times = 0; times < 2; ++times) {
    EXPECT_EQ(DerivedBy([&] { ExpectAnswers(); }), 0);
    EXPECT_EQ(DerivedBy([&] { Fill(); }), 0);
    Open();
  }
  EXPECT_EQ(files_written(), 1);
  EXPECT_EQ(metrics_.Sum("spanloom_store_request_rows"), 3);
  EXPECT_EQ(damaged(), 0);
}

// Scenario: time goes on by itself, with a thread that ticks; then nothing happens.
// Guarantees: rows are written without being asked for.
TEST_F(ColumnarStoreRequests, AreWrittenByThemselves) {
  store_ = nullptr;
  auto opened = ColumnarStore::Open({.directory = "/data"}, disk_, metrics_, clock_, MakeDeriver(version_, derived_));
  ASSERT_TRUE(opened.ok()) << opened.status();
  store_ = std::move(opened->store);
  AppendAndFlush({RequestOf(1, 1, now())});
  clock_.Advance(16 * kSecondNs);
  while (files_written() == 0) {
    Append({SpanOf(9, *derived_ + 100, now())});  // the log thread looks after each
    clock_.Advance(1'000'000);
  }
  EXPECT_THAT(RequestFiles(), testing::Contains("0000000000000001.req"));
}

// Scenario: a request that is provisional for a long time, beside one that is not.
// Guarantees: the other is read from rows; the first is derived, and written when the segment is twice as old.
TEST_F(ColumnarStoreRequests, AreWrittenAgainWhereTheyWereProvisional) {
  AppendAndFlush({RequestOf(1, 1, now()), RequestOf(2, 2, now() + 10 * kSecondNs)});
  clock_.Advance(16 * kSecondNs);
  Fill();
  EXPECT_EQ(DerivedBy([&] { ExpectAnswers(); }), 2);  // by the list, and by the count
  clock_.Advance(10 * kSecondNs);
  Fill();
  EXPECT_EQ(files_written(), 1);
  EXPECT_EQ(DerivedBy([&] { ExpectAnswers(); }), 2);
  clock_.Advance(10 * kSecondNs);
  Fill();
  EXPECT_EQ(DerivedBy([&] { ExpectAnswers(); }), 0);
  EXPECT_EQ(files_written(), 2);
}

// Scenario: a late span for a trace whose rows are written; then both segments and a third one are merged.
// Guarantees: the request is derived from all spans meanwhile, once; the files go with the segments.
TEST_F(ColumnarStoreRequests, AreReplacedByLateSpans) {
  AppendAndFlush({RequestOf(1, 1, now()), RequestOf(2, 2, now())});
  clock_.Advance(16 * kSecondNs);
  Fill();
  AppendAndFlush({SpanOf(1, 3, now())});
  ExpectAnswers();
  EXPECT_THAT(Rows(), ElementsAre(testing::HasSubstr("v1 of 2"), testing::HasSubstr("v1 of 1")));
  clock_.Advance(16 * kSecondNs);
  Fill();
  ExpectAnswers();
  AppendAndFlush({RequestOf(3, 4, now())});
  Compact();
  EXPECT_THAT(RequestFiles(), IsEmpty());
  ExpectAnswers();
  clock_.Advance(16 * kSecondNs);
  Fill();
  EXPECT_EQ(DerivedBy([&] { ExpectAnswers(); }), 0);
  EXPECT_THAT(RequestFiles(), testing::SizeIs(1));
}

// Scenario: a file is damaged in a chunk, in its index, or is another segment's.
// Guarantees: answers are right; it is counted once, and written again.
TEST_F(ColumnarStoreRequests, AreDerivedAgainWhereTheyAreDamaged) {
  const std::string path = "/data/segments/0000000000000001.req";
  AppendAndFlush({RequestOf(1, 1, now()), RequestOf(2, 2, now())});
  AppendAndFlush({RequestOf(3, 3, now())});
  clock_.Advance(16 * kSecondNs);
  Fill();
  const std::string whole = disk_.Content(path);
  uint64_t count = 0;
  for (const size_t at : {size_t{20}, whole.size() - 40, whole.size()}) {
    std::string changed = whole;
    if (at < whole.size()) {
      changed[at] = static_cast<char>(changed[at] ^ 1);
    } else {
      changed = disk_.Content("/data/segments/0000000000000002.req");
    }
    disk_.SetContent(path, changed);
    Open();
    ExpectAnswers();
    ExpectAnswers();
    EXPECT_EQ(damaged(), ++count);
    Fill();
    EXPECT_EQ(disk_.Content(path).size(), whole.size());
    EXPECT_EQ(DerivedBy([&] { ExpectAnswers(); }), 0);
  }
}

// Scenario: the next start has another version of the anatomy.
// Guarantees: old rows are not read; new ones are written.
TEST_F(ColumnarStoreRequests, AreDerivedAgainByANewAnatomy) {
  AppendAndFlush({RequestOf(1, 1, now())});
  clock_.Advance(16 * kSecondNs);
  Fill();
  version_ = 2;
  Open();
  ExpectAnswers();
  Fill();
  EXPECT_EQ(DerivedBy([&] { ExpectAnswers(); }), 0);
  EXPECT_EQ(damaged(), 0);
}

// Scenario: the disk fails, and is full, while rows are written. Guarantees: it is counted, nothing is left of it, and
// it is tried again.
TEST_F(ColumnarStoreRequests, AreWrittenLaterWhereTheyCouldNotBe) {
  AppendAndFlush({RequestOf(1, 1, now())});
  clock_.Advance(16 * kSecondNs);
  disk_.FailChanges(disk_.changes() + 2, disk::Fault::kTornIoError);
  Fill();
  EXPECT_EQ(metrics_.Sum("spanloom_store_failed_request_files", {{"cause", "disk"}}), 1);
  EXPECT_THAT(RequestFiles(), IsEmpty());
  ExpectAnswers();
  clock_.Advance(61 * kSecondNs);
  disk_.SetCapacity(1'000'000);
  Fill();
  EXPECT_EQ(metrics_.Sum("spanloom_store_failed_request_files", {{"cause", "no_room"}}), 1);
  disk_.SetCapacity(uint64_t{1} << 40);
  clock_.Advance(61 * kSecondNs);
  Fill();
  EXPECT_THAT(RequestFiles(), testing::SizeIs(1));
}

// Scenario: retention takes a trace of a segment, and another time all, while its rows are derived.
// Guarantees: what went does not come back; no file is left of a segment that is gone.
TEST_F(ColumnarStoreRequests, AreNotThereWhenRetentionWasQuicker) {
  AppendAndFlush({RequestOf(1, 1, now()), RequestOf(2, 2, now() + 10 * kSecondNs)});
  clock_.Advance(30 * kSecondNs);
  bool has_retention = false;
  RequestDeriver deriver = MakeDeriver(version_, derived_);
  deriver.derive = [&, derive = deriver.derive](const Trace& trace, uint64_t now_unix_ns) {
    if (!std::exchange(has_retention, true)) {
      EXPECT_TRUE(store_->SetRetention({.age_max_ns = age_max_ns_}).ok());
    }
    return derive(trace, now_unix_ns);
  };
  store_ = nullptr;
  auto opened =
      ColumnarStore::Open({.directory = "/data", .compacts_by_itself = false}, disk_, metrics_, clock_, deriver);
  ASSERT_TRUE(opened.ok()) << opened.status();
  store_ = std::move(opened->store);
  age_max_ns_ = 25 * kSecondNs;
  Fill();
  EXPECT_THAT(RequestFiles(), testing::SizeIs(1));
  EXPECT_THAT(Rows(), ElementsAre(testing::StartsWith(MakeTraceId(2).Hex())));
  AppendAndFlush({RequestOf(3, 3, now())});
  clock_.Advance(60 * kSecondNs);
  has_retention = false;
  Fill();
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_THAT(RequestFiles(), IsEmpty());
}

// Scenario: random requests, late spans and deliveries that are repeated; flushes, merges, retention, purges, restarts,
// other versions, damage; time goes on. Guarantees: lists and counts are what deriving everything gives, for any time
// and for single traces.
class RandomRequests : public ColumnarStoreRequests, public testing::WithParamInterface<uint64_t> {
 protected:
  void AppendSome() {
    std::vector<SpanSpec> spans;
    for (uint64_t i = 1 + rng_.Below(8); i > 0; --i) {
      const uint64_t trace = rng_.Below(4) == 0 && traces_ > 0 ? 1 + rng_.Below(traces_) : ++traces_;
      const uint64_t start = now() + 10 * kSecondNs - rng_.Below(30 * kSecondNs);  // clocks differ
      for (uint64_t span = 1 + rng_.Below(3); span > 0; --span) {
        ++spans_;
        if (rng_.Below(2) == 0) {
          spans.push_back(RequestOf(trace, spans_, start + rng_.Below(kSecondNs)));
        } else {
          spans.push_back(SpanOf(trace, spans_, start + rng_.Below(kSecondNs), rng_.Below(6) == 0 ? "end" : "work"));
        }
      }
    }
    Append(spans);
  }

  void DamageSome() {
    for (const std::string& name : RequestFiles()) {
      std::string content = disk_.Content("/data/segments/" + name);
      if (rng_.Below(2) == 0 || content.empty()) continue;
      const size_t at = rng_.Below(content.size());
      content[at] = static_cast<char>(content[at] ^ (1 << rng_.Below(8)));
      disk_.SetContent("/data/segments/" + name, content);
    }
  }

  void Step() {
    switch (rng_.Below(14)) {
      case 0:
      case 1:
        return Flush();
      case 2:
        return Compact();
      case 3:
      case 4:
        return Fill();
      case 5:
      case 6:
        return clock_.Advance(static_cast<int64_t>(rng_.Below(12 * kSecondNs)));
      case 7:
        ASSERT_TRUE(store_->SetRetention({.age_max_ns = 90 * kSecondNs}).ok());
        ASSERT_TRUE(store_->SetRetention({}).ok());  // or it is applied while answers are compared
        return;
      case 8:
        if (traces_ > 0) {
          const Condition of_trace = {.field = Field::Of(Intrinsic::kTraceId),
                                      .operand = Value::Bytes(MakeTraceId(1 + rng_.Below(traces_)).view())};
          ASSERT_TRUE(store_->Purge({.where = Predicate(of_trace)}).ok());
        }
        return;
      case 9:
        version_ += static_cast<uint32_t>(rng_.Below(2));
        if (rng_.Below(2) == 0) DamageSome();
        return Open();
      default:
        return AppendSome();
    }
  }

  Rng rng_{GetParam()};
  uint64_t traces_ = 0;
  uint64_t spans_ = 0;
};

TEST_P(RandomRequests, AreWhatDerivingEverythingGives) {
  clock_.Advance(100 * kSecondNs);
  for (int step = 0; step < 120; ++step) {
    ASSERT_NO_FATAL_FAILURE(Step());
    SCOPED_TRACE(StrCat("seed ", GetParam(), ", step ", step));
    ASSERT_NO_FATAL_FAILURE(ExpectAnswers());
    const uint64_t from = now() - rng_.Below(60 * kSecondNs);
    ASSERT_NO_FATAL_FAILURE(ExpectAnswers({.starts = {from, from + rng_.Below(20 * kSecondNs)}}));
    ASSERT_NO_FATAL_FAILURE(ExpectAnswers({.traces = {MakeTraceId(1 + rng_.Below(traces_ + 1))}}));
  }
}

INSTANTIATE_TEST_SUITE_P(Property, RandomRequests, testing::Range<uint64_t>(1, 21));

// Scenario: questions are asked while spans of old and new traces come, are flushed, merged and filled.
// Guarantees: each question gets every request that was there before, once.
TEST_F(ColumnarStoreRequests, AreEachThereOnceWhileFilesChange) {
  constexpr uint64_t kTraces = 200;
  std::atomic<uint64_t> appended = 0;
  std::atomic<bool> is_done = false;
  std::thread asking([&] {
    while (!is_done) {
      const uint64_t before = appended;
      std::map<std::string, int> times;
      const auto page = store_->Requests({.rows_max = 100'000});
      ASSERT_TRUE(page.ok()) << page.status();
      for (const RequestRow& row : page->rows) ++times[row.key.trace_id.Hex()];
      EXPECT_GE(times.size(), before);
      for (const auto& [trace, count] : times) EXPECT_EQ(count, 1) << trace;
    }
  });
  for (uint64_t trace = 1; trace <= kTraces; ++trace) {
    Append({RequestOf(trace, trace, now())});
    appended = trace;
    if (trace > 3) Append({SpanOf(trace - 3, kTraces + trace, now())});
    if (trace % 5 == 0) Flush();
    if (trace % 20 == 0) Compact();
    if (trace % 3 == 0) Fill();
    clock_.Advance(5 * kSecondNs);
  }
  is_done = true;
  asking.join();
  ExpectAnswers();
}

}  // namespace
}  // namespace spanloom::store::columnar
