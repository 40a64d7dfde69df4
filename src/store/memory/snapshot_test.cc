// SPDX-License-Identifier: Apache-2.0

#include "store/memory/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "otlp/testing/recorded_requests.h"
#include "store/conformance/request_builder.h"
#include "store/conformance/store_conformance.h"

namespace spanloom::store::memory {
namespace {

namespace fs = std::filesystem;

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() { fs::remove(path_); }
  ~SnapshotTest() override {
    fs::remove(path_);
    fs::remove(path_ + ".damaged");
  }

  static void Append(const otlp::Batch& batch, MemoryStore& store) { EXPECT_TRUE(store.AddNow(batch).ok()); }
  static SpanSpec SpanOf(uint64_t trace, uint64_t span) {
    return {.trace_id = MakeTraceId(trace), .span_id = MakeSpanId(span), .start_unix_ns = span};
  }
  [[nodiscard]] std::string Read() const { return otlp::ReadFile(path_); }
  void Write(std::string_view content) const { std::ofstream(path_, std::ios::binary) << content; }

  const std::string path_ =
      (fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name()).string();
  MetricRegistry metrics_;
  MemoryStore written_{{}, metrics_};
  MetricRegistry metrics_of_read_;
  MemoryStore read_{{}, metrics_of_read_};
};

// Scenario: everything that was recorded is stored, written, and read into an empty store.
// Guarantees: all answers are the same, byte for byte, and so are the counts.
TEST_F(SnapshotTest, GivesBackTheStore) {
  for (otlp::RecordedRequest& request : otlp::ReadRecordedRequests(".pb"))
    Append(BatchOf(std::move(request.body)), written_);
  const auto wrote = WriteSnapshot(written_, path_);
  ASSERT_TRUE(wrote.ok()) << wrote.status();
  const auto read = ReadSnapshot(path_, read_);
  ASSERT_TRUE(read.ok()) << read.status();

  EXPECT_EQ(wrote->spans, written_.Stats().spans);
  EXPECT_EQ(read->spans, wrote->spans);
  EXPECT_EQ(read->frames, wrote->frames);
  EXPECT_EQ(read->frames_damaged, 0);
  const FetchPlan all = {.traces_max = 1'000'000};
  EXPECT_EQ(Describe(*FetchTraces(read_, all)), Describe(*FetchTraces(written_, all)));
  EXPECT_EQ(read_.Stats().bytes, written_.Stats().bytes);
}

// Scenario: the store that reads is smaller than the one that wrote.
// Guarantees: the traces that were added to last are those that stay.
TEST_F(SnapshotTest, KeepsTheOrderOfEviction) {
  for (const uint64_t trace : {1, 2, 3, 1})
    Append(RequestBuilder().Add(SpanOf(trace, 10 * trace + 1)).Build(), written_);
  Append(RequestBuilder().Add(SpanOf(1, 5)).Build(), written_);
  ASSERT_TRUE(WriteSnapshot(written_, path_).ok());
  MetricRegistry metrics;
  MemoryStore small({.traces_max = 2}, metrics);
  ASSERT_TRUE(ReadSnapshot(path_, small).ok());
  EXPECT_TRUE(small.GetTrace(MakeTraceId(1), {}, {}).ok());
  EXPECT_FALSE(small.GetTrace(MakeTraceId(2), {}, {}).ok());
  EXPECT_TRUE(small.GetTrace(MakeTraceId(3), {}, {}).ok());
}

// Scenario: a trace of 40 MB.
// Guarantees: it is spread over frames and comes back whole.
TEST_F(SnapshotTest, SpreadsALargeTraceOverFrames) {
  for (uint64_t i = 1; i <= 40; ++i) {
    SpanSpec span = SpanOf(1, i);
    span.attributes = {{"payload", std::string(1'000'000, static_cast<char>('a' + i % 26))}};
    Append(RequestBuilder().Add(span).Build(), written_);
  }
  const auto wrote = WriteSnapshot(written_, path_);
  ASSERT_TRUE(wrote.ok());
  EXPECT_GT(wrote->frames, 1);
  ASSERT_TRUE(ReadSnapshot(path_, read_).ok());
  EXPECT_EQ(read_.GetTrace(MakeTraceId(1), {}, {})->spans.size(), 40);
  EXPECT_EQ(read_.Stats().bytes, written_.Stats().bytes);
}

// Scenario: one bit of the middle one of three frames is wrong.
// Guarantees: that frame is left out and counted; the other two are read; the file is still there after the next stop.
TEST_F(SnapshotTest, LeavesOutADamagedFrame) {
  for (uint64_t i = 1; i <= 3; ++i) Append(RequestBuilder().FromService("s").Add(SpanOf(i, i)).Build(), written_);
  ASSERT_TRUE(WriteSnapshot(written_, path_).ok());
  std::string content = Read();
  content[content.size() / 2] ^= 0x10;
  Write(content);
  const auto read = ReadSnapshot(path_, read_);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->frames, 2);
  EXPECT_EQ(read->frames_damaged, 1);
  EXPECT_TRUE(read_.GetTrace(MakeTraceId(1), {}, {}).ok());
  EXPECT_FALSE(read_.GetTrace(MakeTraceId(2), {}, {}).ok());
  EXPECT_TRUE(read_.GetTrace(MakeTraceId(3), {}, {}).ok());
  ASSERT_TRUE(WriteSnapshot(read_, path_).ok());
  EXPECT_EQ(otlp::ReadFile(path_ + ".damaged"), content);
}

// Scenario: the file ends at many different bytes, in headers, frame heads and payloads.
// Guarantees: no cut crashes; what stands whole before the cut is read; a file without a header is refused.
TEST_F(SnapshotTest, ReadsWhatIsThereOfACutFile) {
  for (uint64_t i = 1; i <= 3; ++i) Append(RequestBuilder().FromService("s").Add(SpanOf(i, i)).Build(), written_);
  ASSERT_TRUE(WriteSnapshot(written_, path_).ok());
  const std::string content = Read();
  for (size_t size = 0; size < content.size(); size += 7) {
    Write(std::string_view(content).substr(0, size));
    MetricRegistry metrics;
    MemoryStore store({}, metrics);
    const auto read = ReadSnapshot(path_, store);
    ASSERT_EQ(read.ok(), size >= 12) << size;
    if (!read.ok()) continue;
    ASSERT_EQ(read->frames, (size - 12) / ((content.size() - 12) / 3)) << size;
  }
}

// Scenario: a file of another kind, a newer version, and no file at all.
// Guarantees: three codes, and the file stays as it was.
TEST_F(SnapshotTest, RefusesWhatItCannotRead) {
  EXPECT_EQ(ReadSnapshot(path_, read_).status().code(), absl::StatusCode::kNotFound);
  Write("something else altogether");
  EXPECT_EQ(ReadSnapshot(path_, read_).status().code(), absl::StatusCode::kDataLoss);
  Write(std::string("SPANLOOM\x02\x00\x00\x00", 12));
  const Status newer = ReadSnapshot(path_, read_).status();
  EXPECT_EQ(newer.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(newer.message()), testing::HasSubstr("version 2"));
  EXPECT_EQ(fs::file_size(path_), 12);
}

// Scenario: the span of the worked example in docs/formats/snapshot.md.
// Guarantees: the bytes that the document shows.
TEST_F(SnapshotTest, WritesTheBytesOfTheDocument) {
  std::string span("\x0a\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10", 18);
  span +=
      "\x12\x08\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\x2a\x01"
      "a";
  Append(BatchOf("\x0a\x23\x12\x21\x12\x1f" + span), written_);
  ASSERT_TRUE(WriteSnapshot(written_, path_).ok());
  const std::string head(
      "SPANLOOM"
      "\x01\x00\x00\x00\x25\x00\x00\x00\x01\x08\x21\x4d",
      20);
  EXPECT_EQ(Read(), head + "\x0a\x23\x12\x21\x12\x1f" + span);
}

}  // namespace
}  // namespace spanloom::store::memory
