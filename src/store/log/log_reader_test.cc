// SPDX-License-Identifier: Apache-2.0

#include "store/log/log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/disk/testing/simulated_disk.h"
#include "store/log/log_writer.h"

namespace spanloom::store::log {
namespace {

using disk::SimulatedDisk;
using testing::ElementsAre;
using testing::SizeIs;

using Frames = std::map<uint64_t, std::string>;  // payload by sequence

class LogReaderTest : public testing::Test {
 protected:
  LogReaderTest() {
    EXPECT_TRUE(disk_.CreateDirectory("/log").ok());
    LogWriter writer(disk_, "/log", {}, {.file_bytes_max = 90});
    // Two frames a file: 1 and 2, 3 and 4, 5 and 6.
    for (const char* payload : {"first", "second", "third", "fourth", "fifth", "sixth"}) {
      Append(writer, payload);
    }
    files_ = *disk_.List("/log");
    EXPECT_EQ(files_.size(), 3);
  }

  void Append(LogWriter& writer, std::string_view payload) {
    const auto range = writer.Append(FrameKind::kSpans, std::vector{Bytes::CopyOf(payload)});
    EXPECT_TRUE(range.ok() && writer.Sync().ok());
    written_[range->first] = payload;
  }

  // What is read, checked against what was written.
  RecoveryReport Recover(SimulatedDisk& disk, uint64_t after = 0) {
    found_.clear();
    const auto report = RecoverLog(disk, "/log", "/damaged", after, [&](const LogFrame& frame) {
      EXPECT_TRUE(found_.empty() || found_.rbegin()->first < frame.sequence);
      found_[frame.sequence] = frame.payload.view();
      return absl::OkStatus();
    });
    EXPECT_TRUE(report.ok()) << report.status();
    for (const auto& [sequence, payload] : found_) EXPECT_EQ(payload, written_[sequence]);
    EXPECT_EQ(report->frames, found_.size());
    return *report;
  }

  [[nodiscard]] std::vector<uint64_t> FoundSequences() const {
    std::vector<uint64_t> sequences;
    for (const auto& [sequence, payload] : found_) sequences.push_back(sequence);
    return sequences;
  }

  [[nodiscard]] std::string Path(size_t file) const { return disk::Join("/log", files_[file]); }

  void Flip(size_t file, size_t offset) {
    std::string content = disk_.Content(Path(file));
    content[offset] = static_cast<char>(content[offset] ^ 0x10);
    disk_.SetContent(Path(file), content);
  }

  SimulatedDisk disk_;
  std::vector<std::string> files_;
  Frames written_;
  Frames found_;
};

// Scenario: there is no directory, or an empty one, or one with other files.
// Guarantees: an empty log, without an error.
TEST_F(LogReaderTest, TakesNothingForAnEmptyLog) {
  SimulatedDisk disk;
  EXPECT_EQ(Recover(disk).end.last_sequence, 0);
  ASSERT_TRUE(disk.CreateDirectory("/log").ok());
  ASSERT_TRUE(disk.Open("/log/notes.txt", disk::OpenMode::kCreate).ok());
  const RecoveryReport report = Recover(disk, 7);
  EXPECT_EQ(report.files, 0);
  EXPECT_EQ(report.end.last_sequence, 7);
  EXPECT_EQ(report.end.synced_sequence, 7);
}

// Scenario: the frames up to 3 are in segments; the file of the first two was not removed yet.
// Guarantees: they are not given to the caller; a file that has nothing else is not read.
TEST_F(LogReaderTest, LeavesOutWhatIsInSegments) {
  const RecoveryReport report = Recover(disk_, 3);
  EXPECT_THAT(FoundSequences(), ElementsAre(4, 5, 6));
  EXPECT_EQ(report.files, 2);
  EXPECT_EQ(report.frames_in_segments, 1);
  EXPECT_TRUE(report.IsComplete());
}

// Scenario: the last file is cut after each of its bytes.
// Guarantees: whole frames are read, the rest is counted as a tail, and a writer can go on behind it.
TEST_F(LogReaderTest, ReadsUpToACutAnywhere) {
  const std::string whole = disk_.Content(Path(2));
  for (size_t size = 0; size < whole.size(); ++size) {
    disk_.SetContent(Path(2), std::string_view(whole).substr(0, size));
    const auto disk = disk_.AfterKill();
    const RecoveryReport report = Recover(*disk);
    EXPECT_TRUE(report.IsComplete());
    const size_t frames = size < 32 + 30 ? 0 : 1;
    ASSERT_EQ(found_.size(), 4 + frames) << size;
    ASSERT_EQ(report.tail_bytes, size < 32 ? size : size - 32 - 30 * frames);

    LogWriter writer(*disk, "/log", report.end);
    Append(writer, "behind the tail");
    EXPECT_TRUE(Recover(*disk).IsComplete()) << size;
    EXPECT_EQ(found_.rbegin()->second, "behind the tail");
    written_[6] = "sixth";
  }
}

// Scenario: a bit of each byte of each file is flipped in turn; then the store goes on and is started again.
// Guarantees: it is noticed, no frame is wrong, those of other files are all there, and what was safe and lost is told
// and its file kept, unless it is the last frame of all; so it is at the second start.
TEST_F(LogReaderTest, NoticesEveryFlippedBit) {
  for (size_t file = 0; file < files_.size(); ++file) {
    const std::string whole = disk_.Content(Path(file));
    for (size_t offset = 0; offset < whole.size(); ++offset) {
      Flip(file, offset);
      const auto disk = disk_.AfterKill();
      const RecoveryReport report = Recover(*disk);
      EXPECT_TRUE(!report.IsComplete() || report.tail_bytes > 0) << files_[file] << " " << offset;
      EXPECT_GE(found_.size(), 4);
      const bool lost_only_the_last = found_.size() == 5 && !found_.contains(6);
      EXPECT_TRUE(found_.size() == 6 || lost_only_the_last || report.lost.size() == 1) << files_[file] << " " << offset;
      for (const LogDamage& damage : report.damaged) {
        EXPECT_EQ(damage.file, Path(file));
        EXPECT_EQ(disk->Content(damage.kept_as), disk_.Content(Path(file)));
      }
      const Frames found = found_;
      EXPECT_EQ(Recover(*disk).lost.size(), report.lost.size());
      EXPECT_EQ(found_, found);
      disk_.SetContent(Path(file), whole);
    }
  }
}

// Scenario: a frame in the middle of the first file is damaged.
// Guarantees: the report says which sequences, where, and under which name the file is kept, after the log is trimmed
// too.
TEST_F(LogReaderTest, KeepsADamagedFile) {
  Flip(0, 32 + 30 + 26);
  const RecoveryReport report = Recover(disk_);
  EXPECT_THAT(FoundSequences(), ElementsAre(1, 3, 4, 5, 6));
  ASSERT_THAT(report.damaged, SizeIs(1));
  EXPECT_EQ(report.damaged[0].offset_bytes, 32 + 30);
  EXPECT_EQ(report.damaged[0].unread_bytes, 25 + 6);
  EXPECT_EQ(report.damaged[0].kept_as, "/damaged/" + files_[0]);
  ASSERT_THAT(report.lost, SizeIs(1));
  EXPECT_EQ(report.lost[0].first_sequence, 2);
  EXPECT_EQ(report.lost[0].last_sequence, 2);
  LogWriter writer(disk_, "/log", report.end);
  ASSERT_TRUE(writer.TrimTo(6).ok());
  EXPECT_TRUE(*disk_.Exists("/damaged/" + files_[0]));
  EXPECT_TRUE(Recover(disk_, 6).IsComplete());
}

// Scenario: a damaged file can't be given its second name.
// Guarantees: the rest is read all the same, and the report says so.
TEST_F(LogReaderTest, ReadsOnWhenADamagedFileCannotBeKept) {
  Flip(0, 40);
  disk_.FailChanges(disk_.changes(), disk::Fault::kNoSpace);
  const RecoveryReport report = Recover(disk_);
  EXPECT_THAT(FoundSequences(), ElementsAre(3, 4, 5, 6));
  ASSERT_THAT(report.damaged, SizeIs(1));
  EXPECT_EQ(report.damaged[0].kept_as, "");
}

// Scenario: the second file is missing; or cut behind its first frame.
// Guarantees: the sequences that are lost are told.
TEST_F(LogReaderTest, TellsWhatIsMissing) {
  disk_.SetContent(Path(1), disk_.Content(Path(1)).substr(0, 32 + 30));
  RecoveryReport report = Recover(disk_);
  EXPECT_THAT(FoundSequences(), ElementsAre(1, 2, 3, 5, 6));
  ASSERT_THAT(report.lost, SizeIs(1));
  EXPECT_EQ(report.lost[0].first_sequence, 4);
  ASSERT_TRUE(disk_.Remove(Path(1)).ok());
  report = Recover(disk_);
  EXPECT_THAT(FoundSequences(), ElementsAre(1, 2, 5, 6));
  ASSERT_THAT(report.lost, SizeIs(1));
  EXPECT_EQ(report.lost[0].first_sequence, 3);
  EXPECT_EQ(report.lost[0].last_sequence, 4);
}

// Scenario: a frame that an earlier start did not find is there again (a power cut did it), while a later file has used
// its sequence for another frame.
// Guarantees: the later file is right, and nothing counts as damage.
TEST_F(LogReaderTest, TakesTheLaterOfTwoFramesOfOneSequence) {
  const std::string whole = disk_.Content(Path(2));
  disk_.SetContent(Path(2), std::string_view(whole).substr(0, 32 + 30));
  LogWriter writer(disk_, "/log", Recover(disk_).end);
  Append(writer, "another sixth");
  disk_.SetContent(Path(2), whole);
  const RecoveryReport report = Recover(disk_);
  EXPECT_THAT(FoundSequences(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_TRUE(report.IsComplete());
}

// Scenario: the last file was written by a newer version.
// Guarantees: refused before any frame is given away, and nothing is changed.
TEST_F(LogReaderTest, RefusesANewerVersion) {
  std::string content = disk_.Content(Path(2));
  content.replace(0, kFileHeaderBytes, EncodeFileHeader({.version = 2, .first_sequence = 5, .synced_sequence = 4}));
  disk_.SetContent(Path(2), content);
  const uint64_t changes = disk_.changes();
  const auto report = RecoverLog(disk_, "/log", "/damaged", 0, [](const LogFrame&) {
    ADD_FAILURE();
    return absl::OkStatus();
  });
  EXPECT_EQ(report.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(disk_.changes(), changes);
}

// Scenario: the caller can't take a frame; each read of the disk fails in turn.
// Guarantees: the error comes back, and a second attempt succeeds.
TEST_F(LogReaderTest, PassesErrorsOn) {
  const auto refused = RecoverLog(disk_, "/log", "/damaged", 0, [](const LogFrame& frame) {
    return frame.sequence == 3 ? absl::ResourceExhaustedError("full") : absl::OkStatus();
  });
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  const uint64_t reads_before = disk_.reads();
  Recover(disk_);
  const uint64_t reads = disk_.reads() - reads_before;
  for (uint64_t read = 0; read < reads; ++read) {
    disk_.FailReads(disk_.reads() + read);
    EXPECT_EQ(
        RecoverLog(disk_, "/log", "/damaged", 0, [](const LogFrame&) { return absl::OkStatus(); }).status().code(),
        absl::StatusCode::kUnavailable);
    EXPECT_TRUE(Recover(disk_).IsComplete());
  }
}

// Scenario: frames around and beyond the reader's buffer.
// Guarantees: they are read whole.
TEST_F(LogReaderTest, ReadsFramesOfAnySize) {
  SimulatedDisk disk;
  ASSERT_TRUE(disk.CreateDirectory("/log").ok());
  LogWriter writer(disk, "/log", {});
  written_.clear();
  for (const size_t size : {0, 1, 262'000, 262'119, 262'144, 700'000, 1, 3'000'000, 5}) {
    Append(writer, std::string(size, static_cast<char>('a' + size % 26)));
  }
  EXPECT_TRUE(Recover(disk).IsComplete());
  EXPECT_EQ(found_, written_);
}

}  // namespace
}  // namespace spanloom::store::log
