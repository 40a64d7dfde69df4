// SPDX-License-Identifier: Apache-2.0
//
// Spans that are removed on request, from segments and heads, through restarts and crashes.

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/columnar/columnar_store.h"
#include "store/conformance/request_builder.h"
#include "store/disk/testing/simulated_disk.h"
#include "store/memory/memory_store.h"

namespace spanloom::store::columnar {
namespace {

using disk::SimulatedDisk;

constexpr uint64_t kStart = 1'700'000'000'000'000'000;
constexpr uint64_t kTraces = 12;

// Spans of a few traces, which are sent again now and then, and at most a few of each trace at a time.
class Load {
 public:
  explicit Load(Rng& rng) : rng_(rng) {}

  otlp::Batch Next() {
    RequestBuilder builder;
    for (uint64_t i = 1 + rng_.Below(6); i > 0; --i) {
      if (spans_.empty() || rng_.Below(4) > 0) spans_.push_back(NewSpan());
      const auto& [service, span] = spans_[rng_.Below(4) == 0 ? rng_.Below(spans_.size()) : spans_.size() - 1];
      builder.FromService(service).Add(span);
    }
    return builder.Build();
  }

 private:
  std::pair<std::string, SpanSpec> NewSpan() {
    const uint64_t trace = rng_.Below(kTraces);
    const uint64_t number = ++spans_made_;
    SpanSpec span = {.trace_id = MakeTraceId(trace),
                     .span_id = MakeSpanId(number),
                     .parent_span_id = rng_.Below(3) == 0 ? otlp::SpanId() : MakeSpanId(rng_.Below(number)),
                     .name = StrCat("name ", rng_.Below(4)),
                     .start_unix_ns = kStart + rng_.Below(100),
                     .attributes = {{"number", static_cast<int64_t>(number)}}};
    span.end_unix_ns = span.start_unix_ns + rng_.Below(10);
    return {StrCat("service ", rng_.Below(3)), span};
  }

  Rng& rng_;
  uint64_t spans_made_ = 0;
  std::vector<std::pair<std::string, SpanSpec>> spans_;
};

Predicate Is(Intrinsic intrinsic, const std::string& text) {
  return Predicate(Condition{.field = Field::Of(intrinsic), .operand = Value::String(text)});
}

// By name, by the root's name (which asks for the whole trace), by service, by time, by trace; or of two of these.
PurgePlan RandomPlan(Rng& rng) {
  PurgePlan plan;
  switch (rng.Below(5)) {
    case 0:
      plan.where = Is(Intrinsic::kName, StrCat("name ", rng.Below(4)));
      break;
    case 1:
      plan.where = Is(Intrinsic::kTraceRootName, StrCat("name ", rng.Below(4)));
      break;
    case 2:
      plan.where = Predicate::All({Is(Intrinsic::kService, StrCat("service ", rng.Below(3))),
                                   Is(Intrinsic::kName, StrCat("name ", rng.Below(4)))});
      break;
    default:
      break;
  }
  if (rng.Below(3) == 0) {
    plan.starts.begin_unix_ns = kStart + rng.Below(100);
    plan.starts.end_unix_ns = plan.starts.begin_unix_ns + 1 + rng.Below(30);
  }
  if (rng.Below(3) == 0 || (plan.where.kind() == Predicate::Kind::kEverything && plan.starts == TimeRange())) {
    for (uint64_t i = 1 + rng.Below(3); i > 0; --i) plan.traces.push_back(MakeTraceId(rng.Below(kTraces + 2)));
  }
  return plan;
}

void Append(SpanStore& store, const otlp::Batch& batch) {
  Status status = absl::UnknownError("not answered");
  Notification answered;
  store.Append(batch, [&](Status answer) {
    status = std::move(answer);
    answered.Notify();
  });
  answered.Wait();
  ASSERT_TRUE(status.ok()) << status;
}

std::string RandomText(uint64_t seed, size_t bytes) {
  Rng rng(seed);
  std::string text;
  while (text.size() < bytes) text += static_cast<char>('!' + rng.Below(90));
  return text;
}

// Every span with its service, trace by trace, and what the summary table says; but for versions and order of arrival.
std::string EverythingOf(const SpanStore& store) {
  const auto traces = FetchTraces(store, {.traces_max = std::numeric_limits<size_t>::max()});
  EXPECT_TRUE(traces.ok()) << traces.status();
  const auto rows = store.Traces({.rows_max = 1'000});
  EXPECT_TRUE(rows.ok()) << rows.status();
  std::vector<std::string> lines;
  for (const Trace& trace : *traces) {
    for (const StoredSpan& span : trace.spans) {
      lines.push_back(StrCat(trace.id.Hex(), " ", span.resource().service_name(), " ", span.wire.view()));
    }
  }
  for (const TraceRow& row : rows->rows) {
    lines.push_back(StrCat(row.id.Hex(), " row ", row.root_service.value_or("-"), " ", row.root_name.value_or("-"), " ",
                           row.start_unix_ns, " ", row.end_unix_ns, " ", row.spans, " ", row.orphans));
  }
  std::ranges::sort(lines);
  const StoreStats stats = store.Stats();
  std::string all = StrCat(stats.traces, " traces, ", stats.spans, " spans\n");
  for (const std::string& line : lines) StrAppend(all, line, "\n");
  return all;
}

// A store on a simulated disk, which is opened again and again.
class Reopening {
 public:
  explicit Reopening(uint64_t seed) : disk_(std::make_unique<SimulatedDisk>(disk::SimulatedDiskOptions{.seed = seed})) {
    EXPECT_TRUE(disk_->CreateDirectory("/data").ok() && disk_->SyncDirectory("/").ok());
    Open();
  }

  [[nodiscard]] ColumnarStore& store() { return *store_; }
  [[nodiscard]] SimulatedDisk& disk() { return *disk_; }
  [[nodiscard]] SimClock& clock() { return clock_; }

  // Ends the process without a word, and begins another one.
  void Kill() {
    disk_->CrashAtChange(disk_->changes());
    store_ = nullptr;
    disk_ = disk_->AfterKill();
    Open();
  }

 private:
  void Open() {
    auto opened = ColumnarStore::Open(
        {.directory = "/data", .compacts_by_itself = false, .compaction = {.sources_min = 2, .growth = 1}}, *disk_,
        metrics_, clock_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_TRUE(opened->log.IsComplete() && opened->damaged_segments.empty());
    store_ = std::move(opened->store);
  }

  SimClock clock_;
  MetricRegistry metrics_;
  std::unique_ptr<SimulatedDisk> disk_;
  std::unique_ptr<ColumnarStore> store_;
};

// Scenario: spans come, some late, some again; are put into segments, merged, purged by every kind of plan; the process
// is killed now and then.
// Guarantees: what is purged, and what is left, is the same as in a memory store; what comes again is new.
TEST(ColumnarStorePurgeProperty, PurgesAsAMemoryStoreDoes) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(StrCat("seed ", seed));
    Rng rng(seed);
    Load load(rng);
    Reopening columnar(seed);
    const SimClock clock;
    MetricRegistry metrics;
    memory::MemoryStore reference({}, metrics, clock);
    for (int step = 0; step < 60; ++step) {
      const uint64_t what = rng.Below(10);
      if (what < 5) {
        const otlp::Batch batch = load.Next();
        Append(columnar.store(), batch);
        Append(reference, batch);
      } else if (what == 5) {
        ASSERT_TRUE(columnar.store().Flush().ok());
      } else if (what == 6) {
        ASSERT_TRUE(columnar.store().Compact().ok());
      } else if (what == 7) {
        columnar.Kill();
      } else {
        const PurgePlan plan = RandomPlan(rng);
        const auto removed = columnar.store().Purge(plan);
        const auto wanted = reference.Purge(plan);
        ASSERT_TRUE(removed.ok() && wanted.ok()) << removed.status() << wanted.status();
        EXPECT_EQ(removed->spans, wanted->spans);
        EXPECT_EQ(removed->traces, wanted->traces);
      }
      ASSERT_EQ(EverythingOf(columnar.store()), EverythingOf(reference)) << "step " << step << ", " << what;
    }
  }
}

// Scenario: a trace has a span in a segment and a late one in memory when retention removes it, and another one has
// not; the first comes again.
// Guarantees: it is new.
TEST(ColumnarStoreRetention, KnowsNothingOfWhatItRemoved) {
  Reopening columnar(1);
  const SpanSpec first = {.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1), .start_unix_ns = 1, .end_unix_ns = 2};
  SpanSpec late = first;
  late.span_id = MakeSpanId(2);
  const SpanSpec other = {.trace_id = MakeTraceId(2), .span_id = MakeSpanId(3), .start_unix_ns = 9, .end_unix_ns = 9};
  Append(columnar.store(), RequestBuilder().FromService("s").Add(first).Add(other).Build());
  ASSERT_TRUE(columnar.store().Flush().ok());
  Append(columnar.store(), RequestBuilder().FromService("s").Add(late).Build());
  ASSERT_EQ(columnar.store().SetRetention({.bytes_max = columnar.store().Stats().bytes - 1})->spans, 2U);
  ASSERT_TRUE(columnar.store().SetRetention({}).ok());
  Append(columnar.store(), RequestBuilder().FromService("s").Add(first).Build());
  EXPECT_EQ(columnar.store().Stats().spans, 2U);
}

// Scenario: a bound of bytes, and spans that come later until they are more; time passes.
// Guarantees: the bound holds again, without being set again; the newest traces are there.
TEST(ColumnarStoreRetention, HoldsWhileSpansCome) {
  Reopening columnar(1);
  const uint64_t bytes_max = 20'000;
  ASSERT_TRUE(columnar.store().SetRetention({.bytes_max = bytes_max}).ok());
  for (uint64_t number = 1; number <= 60; ++number) {
    const SpanSpec span = {.trace_id = MakeTraceId(number),
                           .span_id = MakeSpanId(number),
                           .start_unix_ns = number,
                           .end_unix_ns = number,
                           .attributes = {{"text", RandomText(number, 1'000)}}};
    Append(columnar.store(), RequestBuilder().FromService("s").Add(span).Build());
    if (number % 5 == 0) {
      ASSERT_TRUE(columnar.store().Flush().ok());
    }
  }
  EXPECT_GT(columnar.store().Stats().bytes, bytes_max);
  columnar.clock().Advance(60'000'000'000);
  // Each group of appends is followed by a look at what is due, which comes before the flush.
  for (uint64_t number = 61; number <= 62; ++number) {
    const SpanSpec span = {.trace_id = MakeTraceId(number), .span_id = MakeSpanId(number), .start_unix_ns = number};
    Append(columnar.store(), RequestBuilder().FromService("s").Add(span).Build());
  }
  ASSERT_TRUE(columnar.store().SetRetention({}).ok());  // after that look
  ASSERT_TRUE(columnar.store().Flush().ok());
  const StoreStats stats = columnar.store().Stats();
  EXPECT_LE(stats.bytes, bytes_max + 1'000);  // what came last, as a segment
  EXPECT_GT(stats.spans, 5U);
  EXPECT_TRUE(columnar.store().GetTrace(MakeTraceId(60), {}, {}).ok());
  EXPECT_TRUE(absl::IsNotFound(columnar.store().GetTrace(MakeTraceId(1), {}, {}).status()));
}

// Scenario: as above, but what goes is what is too old, at many times.
// Guarantees: the same as in a memory store, which looks at each trace.
TEST(ColumnarStoreRetentionProperty, RemovesTheSameAsAMemoryStore) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(StrCat("seed ", seed));
    Rng rng(seed);
    Load load(rng);
    Reopening columnar(seed);
    SimClock clock;
    MetricRegistry metrics;
    memory::MemoryStore reference({}, metrics, clock);
    for (int step = 0; step < 60; ++step) {
      const uint64_t what = rng.Below(8);
      if (what < 5) {
        const otlp::Batch batch = load.Next();
        Append(columnar.store(), batch);
        Append(reference, batch);
      } else if (what == 5) {
        ASSERT_TRUE(columnar.store().Flush().ok());
      } else if (what == 6) {
        ASSERT_TRUE(columnar.store().Compact().ok());
      } else {
        // Starts are far from now: what is so old is older than the age.
        const auto now = static_cast<uint64_t>(clock.UnixNs());
        const RetentionPolicy policy = {.age_max_ns = now - kStart - rng.Below(110)};
        const auto removed = columnar.store().SetRetention(policy);
        const auto wanted = reference.SetRetention(policy);
        ASSERT_TRUE(removed.ok() && wanted.ok()) << removed.status() << wanted.status();
        EXPECT_EQ(removed->spans, wanted->spans);
        EXPECT_EQ(removed->traces, wanted->traces);
        ASSERT_TRUE(columnar.store().SetRetention({}).ok() && reference.SetRetention({}).ok());
      }
      ASSERT_EQ(EverythingOf(columnar.store()), EverythingOf(reference)) << "step " << step << ", " << what;
    }
  }
}

// Scenario: a process ends at each change of the disk that a purge of several segments makes, by a kill or a power cut.
// Guarantees: all that was to go is gone, or none of it; the catalogue and the files agree.
TEST(ColumnarStorePurgeCrash, LeavesTheOldOrTheNew) {
  const PurgePlan plan = {.where = Is(Intrinsic::kName, "name 1")};
  const auto prepare = [&](Reopening& columnar) {
    Rng rng(3);
    Load load(rng);
    for (int segment = 0; segment < 3; ++segment) {
      for (int i = 0; i < 4; ++i) Append(columnar.store(), load.Next());
      ASSERT_TRUE(columnar.store().Flush().ok());
    }
  };
  std::string before;
  std::string after;
  uint64_t first = 0;
  uint64_t last = 0;
  {
    Reopening columnar(1);
    prepare(columnar);
    before = EverythingOf(columnar.store());
    first = columnar.disk().changes();
    ASSERT_GT(columnar.store().Purge(plan)->spans, 0U);
    last = columnar.disk().changes();
    after = EverythingOf(columnar.store());
  }
  size_t old_states = 0;
  for (uint64_t at = first; at <= last; ++at) {
    SCOPED_TRACE(StrCat("change ", at - first, " of ", last - first));
    Reopening columnar(1);
    prepare(columnar);
    columnar.disk().CrashAtChange(at);
    columnar.store().Purge(plan).status().IgnoreError();
    columnar.Kill();
    const std::string found = EverythingOf(columnar.store());
    ASSERT_TRUE(found == before || found == after);
    old_states += found == before ? 1 : 0;
    ASSERT_TRUE(columnar.store().Purge(plan).ok());
    ASSERT_EQ(EverythingOf(columnar.store()), after);
  }
  EXPECT_GT(old_states, 1U);
}

}  // namespace
}  // namespace spanloom::store::columnar
