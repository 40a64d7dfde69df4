// SPDX-License-Identifier: Apache-2.0

#include "store/log/log_reader.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "base/text.h"
#include "store/log/log_file_reader.h"

namespace spanloom::store::log {
namespace {

struct LogFile {
  const LogFiles::Entry* entry = nullptr;
  uint64_t first_sequence = 0;  // by its name
  uint64_t below = 0;           // the first sequence of the next file
  std::optional<FileHeader> header;
};

constexpr std::string_view kBadHeader = "the header does not match its checksum or the file's name";

Status NewerVersion(const std::string& path, uint16_t version) {
  return absl::FailedPreconditionError(StrCat(path, " has version ", version, "; this program reads versions up to ",
                                              kLogVersion, ": start the newer one, which can empty the log"));
}

// One reading of a log.
class Recovery {
 public:
  Recovery(const std::vector<LogFiles::Entry>& entries, uint64_t after_sequence,
           absl::FunctionRef<Status(const LogFrame&)> consume)
      : after_sequence_(after_sequence), consume_(consume), last_sequence_(after_sequence) {
    report_.end = {.last_sequence = after_sequence, .synced_sequence = after_sequence};
    AddFiles(entries);
  }

  StatusOr<RecoveryReport> Run() {
    RETURN_IF_ERROR(ReadHeaders());
    for (size_t i = 0; i < files_.size(); ++i) {
      // Nothing in it is wanted: a crash came before it was removed.
      if (files_[i].below - 1 <= after_sequence_) continue;
      RETURN_IF_ERROR(ReadFile(i));
    }
    report_.end.synced_sequence = last_sequence_;
    report_.end.last_sequence = std::max(report_.end.last_sequence, last_sequence_);
    return std::move(report_);
  }

 private:
  void AddFiles(const std::vector<LogFiles::Entry>& entries) {
    for (const LogFiles::Entry& entry : entries) {
      if (!files_.empty()) files_.back().below = entry.first_sequence;
      files_.push_back({.entry = &entry,
                        .first_sequence = entry.first_sequence,
                        .below = std::numeric_limits<uint64_t>::max(),
                        .header = {}});
      report_.end.last_sequence = std::max(report_.end.last_sequence, entry.first_sequence);
    }
  }

  Status ReadHeaders() {
    for (LogFile& file : files_) {
      ASSIGN_OR_RETURN(const LogFileReader reader, LogFileReader::Open(*file.entry->file));
      file.header = reader.header();
      if (!file.header.has_value()) continue;
      if (file.header->version > kLogVersion) return NewerVersion(file.entry->path, file.header->version);
      if (file.header->version == 0 || file.header->first_sequence != file.first_sequence) file.header.reset();
    }
    return absl::OkStatus();
  }

  Status ReadFile(size_t index) {
    const LogFile& file = files_[index];
    ASSIGN_OR_RETURN(LogFileReader reader, LogFileReader::Open(*file.entry->file));
    ++report_.files;
    if (file.header.has_value()) NoteSynced(file.header->synced_sequence);
    const uint64_t last_before = last_sequence_;
    RETURN_IF_ERROR(ReadFrames(file, reader));
    if (!file.header.has_value()) NoteBadHeader(file, reader, last_before, SyncedLater(index));
    return NoteTail(file, reader, SyncedLater(index));
  }

  Status ReadFrames(const LogFile& file, LogFileReader& reader) {
    for (uint64_t at_least = file.first_sequence;;) {
      ASSIGN_OR_RETURN(const std::optional<LogFrame> frame, reader.Next(at_least, file.below));
      if (!frame.has_value()) return absl::OkStatus();
      at_least = frame->sequence + 1;
      if (frame->sequence <= after_sequence_) {
        ++report_.frames_in_segments;
        continue;
      }
      NoteSynced(reader.synced_sequence());
      RETURN_IF_ERROR(consume_(*frame));
      last_sequence_ = frame->sequence;
      ++report_.frames;
      report_.payload_bytes += frame->payload.size();
    }
  }

  // Something says that all up to `sequence` was safe when it was written. What was not read by now is lost.
  void NoteSynced(uint64_t sequence) {
    if (sequence <= last_sequence_) return;
    if (report_.lost.empty() || report_.lost.back().last_sequence != last_sequence_) {
      report_.lost.push_back({.first_sequence = last_sequence_ + 1});
    }
    report_.lost.back().last_sequence = sequence;
    last_sequence_ = sequence;
  }

  // What the next file that can be asked says about the frames of file `index`: one that has no header was begun and
  // not used, as a rule.
  [[nodiscard]] uint64_t SyncedLater(size_t index) const {
    for (size_t i = index + 1; i < files_.size(); ++i) {
      if (files_[i].header.has_value()) return std::min(files_[i].header->synced_sequence, files_[index].below - 1);
    }
    return 0;
  }

  // A header is synced with the first frames of its file.
  void NoteBadHeader(const LogFile& file, const LogFileReader& reader, uint64_t last_before, uint64_t synced_later) {
    if (reader.offset_bytes() <= kFileHeaderBytes && reader.unread_bytes() > 0) return;  // NoteTail's
    const uint64_t synced = std::max(reader.synced_sequence(), synced_later);
    if (synced <= last_before || synced < file.first_sequence) {
      report_.tail_bytes += std::min<uint64_t>(kFileHeaderBytes, reader.offset_bytes());
    } else {
      NoteDamage(file, std::string(kBadHeader), 0, kFileHeaderBytes);
    }
  }

  // What is behind the frames that were read.
  Status NoteTail(const LogFile& file, LogFileReader& reader, uint64_t synced_later) {
    if (reader.unread_bytes() == 0) return absl::OkStatus();
    const std::string why = reader.offset_bytes() == 0 ? std::string(kBadHeader) : reader.why();
    ASSIGN_OR_RETURN(const uint64_t synced_behind, reader.SyncedBehind(last_sequence_ + 1, file.below));
    const uint64_t synced = std::min(std::max(synced_behind, synced_later), file.below - 1);
    if (synced <= last_sequence_) {
      report_.tail_bytes += reader.unread_bytes();
      report_.tail_frames +=
          std::max<uint64_t>(1, reader.last_behind() - std::min(reader.last_behind(), last_sequence_));
      return absl::OkStatus();
    }
    NoteDamage(file, why, reader.offset_bytes(), reader.unread_bytes());
    // The unlimited value is no sequence: how many are lost, what is read next will say.
    if (synced_behind < file.below) NoteSynced(synced_behind);
    return absl::OkStatus();
  }

  void NoteDamage(const LogFile& file, std::string why, uint64_t offset_bytes, uint64_t unread_bytes) {
    report_.damaged.push_back({.file = file.entry->path,
                               .kept_as = {},
                               .why = std::move(why),
                               .offset_bytes = offset_bytes,
                               .unread_bytes = unread_bytes});
  }

  const uint64_t after_sequence_;
  const absl::FunctionRef<Status(const LogFrame&)> consume_;

  std::vector<LogFile> files_;
  uint64_t last_sequence_;  // the last frame that was consumed, or is known to be lost
  RecoveryReport report_;
};

// Gives a file a second name. One that is taken is from an earlier start: names in the log are not used twice.
Status Keep(disk::Disk& disk, const std::string& path, const std::string& kept_as) {
  const std::string directory = disk::DirectoryOf(kept_as);
  RETURN_IF_ERROR(disk.CreateDirectory(directory));
  if (const Status linked = disk.Link(path, kept_as); !absl::IsAlreadyExists(linked)) RETURN_IF_ERROR(linked);
  RETURN_IF_ERROR(disk.SyncDirectory(directory));
  return disk.SyncDirectory(disk::DirectoryOf(directory));
}

void KeepDamaged(disk::Disk& disk, const std::string& damaged_directory, LogDamage& damage) {
  const std::string kept_as = disk::Join(damaged_directory, std::filesystem::path(damage.file).filename().string());
  if (const Status kept = Keep(disk, damage.file, kept_as); kept.ok()) {
    damage.kept_as = kept_as;
  } else {
    StrAppend(damage.why, " (and it will go with the log: ", kept.message(), ")");
  }
}

// After a kill, what was read may not be safe yet.
Status SyncLast(disk::Disk& disk, const std::string& directory, const std::vector<LogFiles::Entry>& entries) {
  if (entries.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto file, disk.Open(entries.back().path, disk::OpenMode::kReadWrite));
  RETURN_IF_ERROR(file->Sync());
  return disk.SyncDirectory(directory);
}

}  // namespace

LogFiles::LogFiles(std::vector<Entry> entries) : entries_(std::move(entries)) {}

LogFiles::LogFiles(LogFiles&&) noexcept = default;

LogFiles::~LogFiles() = default;

StatusOr<LogFiles> LogFiles::Open(disk::Disk& disk, const std::string& directory) {
  const auto names = disk.List(directory);
  if (absl::IsNotFound(names.status())) return LogFiles({});
  RETURN_IF_ERROR(names.status());
  std::vector<Entry> entries;
  for (const std::string& name : *names) {
    const std::optional<uint64_t> first_sequence = FirstSequenceOf(name);
    if (!first_sequence.has_value()) continue;
    const std::string path = disk::Join(directory, name);
    ASSIGN_OR_RETURN(auto file, disk.Open(path, disk::OpenMode::kRead));
    entries.push_back({.path = path, .first_sequence = *first_sequence, .file = std::move(file)});
  }
  return LogFiles(std::move(entries));
}

StatusOr<RecoveryReport> LogFiles::Read(uint64_t after_sequence,
                                        absl::FunctionRef<Status(const LogFrame&)> consume) const {
  return Recovery(entries_, after_sequence, consume).Run();
}

StatusOr<RecoveryReport> RecoverLog(disk::Disk& disk, const std::string& directory,
                                    const std::string& damaged_directory, uint64_t after_sequence,
                                    absl::FunctionRef<Status(const LogFrame&)> consume) {
  ASSIGN_OR_RETURN(const LogFiles files, LogFiles::Open(disk, directory));
  ASSIGN_OR_RETURN(RecoveryReport report, files.Read(after_sequence, consume));
  for (LogDamage& damage : report.damaged) KeepDamaged(disk, damaged_directory, damage);
  RETURN_IF_ERROR(SyncLast(disk, directory, files.entries()));
  return report;
}

}  // namespace spanloom::store::log
