// SPDX-License-Identifier: Apache-2.0

#include "store/log/log_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "store/disk/testing/simulated_disk.h"
#include "store/log/log_reader.h"

namespace spanloom::store::log {
namespace {

using disk::Fault;
using disk::SimulatedDisk;
using testing::ElementsAre;

class LogWriterTest : public testing::Test {
 protected:
  LogWriterTest() { EXPECT_TRUE(disk_.CreateDirectory("/log").ok()); }

  static StatusOr<SequenceRange> Append(LogWriter& writer, const std::vector<std::string>& payloads) {
    std::vector<Bytes> bytes;
    for (const std::string& payload : payloads) bytes.push_back(Bytes::CopyOf(payload));
    return writer.Append(FrameKind::kSpans, bytes);
  }

  // The payloads above `after`.
  static std::vector<std::string> Read(SimulatedDisk& disk, uint64_t after = 0) {
    std::vector<std::string> payloads;
    const auto report = RecoverLog(disk, "/log", "/damaged", after, [&](const LogFrame& frame) {
      payloads.emplace_back(frame.payload.view());
      return absl::OkStatus();
    });
    EXPECT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->IsComplete());
    return payloads;
  }

  [[nodiscard]] std::vector<std::string> Files() { return *disk_.List("/log"); }

  SimulatedDisk disk_;
};

constexpr std::string_view kSpan =
    "\x0a\x23\x12\x21\x12\x1f\x0a\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x12\x08\xa1\xa2"
    "\xa3\xa4\xa5\xa6\xa7\xa8\x2a\x01\x61";

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += "0123456789abcdef"[static_cast<uint8_t>(byte) >> 4];
    text += "0123456789abcdef"[static_cast<uint8_t>(byte) & 15];
  }
  return text;
}

// Scenario: the worked example of docs/formats/log.md.
// Guarantees: the bytes on that page.
TEST_F(LogWriterTest, WritesTheWorkedExample) {
  LogWriter writer(disk_, "/log", {});
  ASSERT_TRUE(Append(writer, {std::string(kSpan)}).ok());
  ASSERT_THAT(Files(), ElementsAre("0000000000000001.log"));
  EXPECT_EQ(Hex(disk_.Content("/log/0000000000000001.log")),
            "5350414e4c4c4f47"
            "0100"
            "0000"
            "79694dac"
            "0100000000000000"
            "0000000000000000"
            "25000000"
            "e88bc8fb"
            "0100000000000000"
            "0000000000000000"
            "01" +
                Hex(kSpan));
}

// Scenario: groups of frames; a new writer goes on where a reader says the log ends.
// Guarantees: sequences ascend by one over groups and writers; payloads are read as they were written, the empty one
// too.
TEST_F(LogWriterTest, NumbersFrames) {
  LogWriter first(disk_, "/log", {});
  EXPECT_EQ(Append(first, {"a", "", "c"})->last, 3);
  EXPECT_EQ(Append(first, {"d"})->first, 4);
  EXPECT_TRUE(first.Sync().ok());
  EXPECT_EQ(first.synced_sequence(), 4);
  const auto report = RecoverLog(disk_, "/log", "/damaged", 0, [](const LogFrame&) { return absl::OkStatus(); });
  LogWriter second(disk_, "/log", report->end);
  EXPECT_EQ(Append(second, {"e"})->first, 5);
  EXPECT_THAT(Files(), ElementsAre("0000000000000001.log", "0000000000000005.log"));
  EXPECT_THAT(Read(disk_), ElementsAre("a", "", "c", "d", "e"));
  EXPECT_THAT(Read(disk_, 3), ElementsAre("d", "e"));
}

// Scenario: files reach their size; the log is trimmed to a sequence within a file, to the end of one, to the last.
// Guarantees: files go when all their frames may; what is above is still read; numbering goes on.
TEST_F(LogWriterTest, RotatesAndTrims) {
  LogWriter writer(disk_, "/log", {}, {.file_bytes_max = 64});
  for (const char* payload : {"the first frame", "the second frame", "third frame, alone in its file", "fourth"}) {
    ASSERT_TRUE(Append(writer, {payload}).ok());
  }
  ASSERT_THAT(Files(), ElementsAre("0000000000000001.log", "0000000000000002.log", "0000000000000003.log",
                                   "0000000000000004.log"));
  EXPECT_EQ(writer.synced_sequence(), 3);
  EXPECT_TRUE(writer.TrimTo(0).ok());
  EXPECT_EQ(Files().size(), 4);
  EXPECT_TRUE(writer.TrimTo(2).ok());
  EXPECT_THAT(Files(), ElementsAre("0000000000000003.log", "0000000000000004.log"));
  EXPECT_THAT(Read(disk_, 2), ElementsAre("third frame, alone in its file", "fourth"));
  EXPECT_TRUE(writer.TrimTo(writer.last_sequence()).ok());
  EXPECT_THAT(Files(), ElementsAre());
  EXPECT_TRUE(writer.Sync().ok());
  EXPECT_EQ(Append(writer, {"fifth"})->first, 5);
  EXPECT_THAT(Read(disk_, 4), ElementsAre("fifth"));
}

// Scenario: the disk is full within an append; then there is room.
// Guarantees: kResourceExhausted and nothing of it in the log; later appends are there, under sequences of their own.
TEST_F(LogWriterTest, RefusesWhileTheDiskIsFull) {
  LogWriter writer(disk_, "/log", {});
  ASSERT_TRUE(Append(writer, {"before"}).ok());
  disk_.SetCapacity(100);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Append(writer, {"small", std::string(200, 'x')}).status().code(), absl::StatusCode::kResourceExhausted);
  }
  EXPECT_TRUE(writer.Sync().ok());
  EXPECT_THAT(Read(*disk_.AfterKill()), ElementsAre("before"));
  disk_.SetCapacity(1000);
  EXPECT_EQ(Append(writer, {"after"})->first, 8);
  EXPECT_TRUE(writer.Sync().ok());
  EXPECT_THAT(Read(disk_), ElementsAre("before", "after"));
}

// Scenario: an append fails in the middle, and the file can't be cut back.
// Guarantees: the next append begins a new file, before which the old one is synced; nothing is damaged.
TEST_F(LogWriterTest, LeavesAFileThatCannotBeCutBack) {
  LogWriter writer(disk_, "/log", {});
  ASSERT_TRUE(Append(writer, {"before"}).ok());
  disk_.FailChanges(disk_.changes(), Fault::kTornIoError, 2);
  EXPECT_EQ(Append(writer, {std::string(5000, 'x')}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Append(writer, {"after"})->first, 3);
  EXPECT_EQ(writer.synced_sequence(), 1);
  EXPECT_THAT(Files(), ElementsAre("0000000000000001.log", "0000000000000003.log"));
  EXPECT_THAT(Read(disk_), ElementsAre("before", "after"));
}

// Scenario: a sync fails; it is tried again; then frames are appended and synced.
// Guarantees: no second try is said to have helped; the file is left for a new one, whose frames are safe; the ones
// before that sync are still safe, and what was given up is no damage.
TEST_F(LogWriterTest, TrustsNoFileAfterAFailedSync) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SimulatedDisk disk({.seed = seed});
    ASSERT_TRUE(disk.CreateDirectory("/log").ok() && disk.SyncDirectory("/").ok());
    LogWriter writer(disk, "/log", {});
    ASSERT_TRUE(Append(writer, {"safe"}).ok() && writer.Sync().ok());
    ASSERT_TRUE(Append(writer, {"given up"}).ok());
    disk.FailChanges(disk.changes(), Fault::kIoError);
    EXPECT_FALSE(writer.Sync().ok());
    EXPECT_FALSE(writer.Sync().ok());
    EXPECT_EQ(writer.synced_sequence(), 1);
    ASSERT_EQ(Append(writer, {"after"})->first, 3);
    ASSERT_TRUE(writer.Sync().ok());
    const std::vector<std::string> found = Read(*disk.AfterPowerLoss(seed));
    EXPECT_EQ(found.front(), "safe");
    EXPECT_EQ(found.back(), "after");
  }
}

// Scenario: a file is full, with frames that are not synced, and syncing it for the next one fails.
// Guarantees: the append says that more than itself is given up (kDataLoss); the one after it succeeds.
TEST_F(LogWriterTest, SaysWhatAnAppendGivesUp) {
  LogWriter writer(disk_, "/log", {}, {.file_bytes_max = 64});
  ASSERT_TRUE(Append(writer, {"a frame that fills its file"}).ok());
  disk_.FailChanges(disk_.changes(), Fault::kIoError);
  EXPECT_EQ(Append(writer, {"refused"}).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(writer.Sync().ok());
  EXPECT_TRUE(Append(writer, {"after"}).ok());
  EXPECT_TRUE(writer.Sync().ok());
}

// Scenario: each step of beginning a file fails in turn.
// Guarantees: the append is refused, the next one succeeds.
TEST_F(LogWriterTest, TriesAgainToBeginAFile) {
  for (uint64_t step = 0; step < 3; ++step) {
    for (const uint64_t times : {1, 2}) {
      SimulatedDisk disk;
      ASSERT_TRUE(disk.CreateDirectory("/log").ok());
      LogWriter writer(disk, "/log", {});
      disk.FailChanges(disk.changes() + step, Fault::kTornNoSpace, times);
      EXPECT_EQ(Append(writer, {"refused"}).status().code(), absl::StatusCode::kResourceExhausted);
      EXPECT_TRUE(Append(writer, {"accepted"}).ok() || Append(writer, {"accepted"}).ok());
      EXPECT_TRUE(writer.Sync().ok());
      EXPECT_THAT(Read(disk), ElementsAre("accepted"));
    }
  }
}

// Scenario: a payload beyond the limit, which no memory has to hold.
// Guarantees: refused, and nothing is written.
TEST_F(LogWriterTest, RefusesWhatNoFrameMayHold) {
  LogWriter writer(disk_, "/log", {});
  const Bytes huge(nullptr, std::string_view(kSpan.data(), size_t{kPayloadBytesMax} + 1));
  EXPECT_EQ(writer.Append(FrameKind::kSpans, std::vector{huge}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Files(), ElementsAre());
}

// Scenario: names of log files and others.
// Guarantees: only what LogFileName writes is a log file.
TEST(LogFileName, IsReadAsItIsWritten) {
  EXPECT_EQ(LogFileName(0x3e9), "00000000000003e9.log");
  EXPECT_EQ(FirstSequenceOf("00000000000003e9.log"), 0x3e9);
  EXPECT_EQ(FirstSequenceOf(LogFileName(~uint64_t{0})), ~uint64_t{0});
  for (const char* other : {"00000000000003E9.log", "0000000000000000.log", "00000000000003e9.lo", "3e9.log", "",
                            "-0000000000003e9.log", "00000000000003e9.log.1", "000000000000zz00.log"}) {
    EXPECT_EQ(FirstSequenceOf(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace spanloom::store::log
