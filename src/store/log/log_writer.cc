// SPDX-License-Identifier: Apache-2.0

#include "store/log/log_writer.h"

#include <optional>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::store::log {

using disk::OpenMode;

LogWriter::LogWriter(disk::Disk& disk, std::string directory, LogEnd end, LogOptions options)
    : disk_(disk),
      directory_(std::move(directory)),
      options_(options),
      last_sequence_(end.last_sequence),
      appended_sequence_(end.synced_sequence),
      synced_sequence_(end.synced_sequence) {}

StatusOr<SequenceRange> LogWriter::Append(FrameKind kind, std::span<const Bytes> payloads) {
  CHECK(!payloads.empty());
  for (const Bytes& payload : payloads) {
    if (payload.size() > kPayloadBytesMax) {
      return absl::InvalidArgumentError(StrCat("a payload of ", payload.size(),
                                               " bytes is longer than a frame of the log may be (", kPayloadBytesMax,
                                               "); send it in parts"));
    }
  }
  RETURN_IF_ERROR(Prepare());
  const SequenceRange range = {.first = last_sequence_ + 1, .last = last_sequence_ + payloads.size()};
  RETURN_IF_ERROR(WriteFrames(kind, payloads));
  return range;
}

Status LogWriter::Prepare() {
  if (file_ != nullptr && tail_ == Tail::kWhole && file_bytes_ < options_.file_bytes_max) return absl::OkStatus();
  // A file is left behind safe or given up, so that Sync has to look at one file only.
  if (file_ != nullptr && tail_ != Tail::kUnknown) RETURN_IF_ERROR(FinishFile());
  return BeginFile();
}

Status LogWriter::FinishFile() {
  const bool holds_unsynced = appended_sequence_ > synced_sequence_;
  const Status status = Sync();
  if (status.ok() || !holds_unsynced) return status;
  return absl::DataLossError(StrCat(StdView(status.message()), "; frames ", synced_sequence_ + 1, " to ",
                                    appended_sequence_, " are given up"));
}

Status LogWriter::BeginFile() {
  file_ = nullptr;
  const FileHeader header = {.first_sequence = last_sequence_ + 1, .synced_sequence = synced_sequence_};
  const std::string name = LogFileName(header.first_sequence);
  ASSIGN_OR_RETURN(auto file, disk_.Open(PathOf(name), OpenMode::kCreateExclusive));
  const std::string bytes = EncodeFileHeader(header);
  const std::string_view part = bytes;
  if (Status status = file->Append({&part, 1}); !status.ok()) {
    // The name is used, unless it can be taken back; an empty file is harmless.
    if (!disk_.Remove(PathOf(name)).ok()) ++last_sequence_;
    return status;
  }
  file_ = std::move(file);
  file_name_ = name;
  file_bytes_ = bytes.size();
  bytes_written_ += bytes.size();
  name_is_synced_ = false;
  tail_ = Tail::kWhole;
  return absl::OkStatus();
}

Status LogWriter::WriteFrames(FrameKind kind, std::span<const Bytes> payloads) {
  headers_.resize(payloads.size() * kFrameHeaderBytes);
  parts_.clear();
  uint64_t bytes = headers_.size();
  for (size_t i = 0; i < payloads.size(); ++i) {
    char* const header = headers_.data() + i * kFrameHeaderBytes;
    EncodeFrameHeader({.sequence = ++last_sequence_, .synced_sequence = synced_sequence_, .kind = kind},
                      payloads[i].view(), header);
    parts_.emplace_back(header, kFrameHeaderBytes);
    parts_.push_back(payloads[i].view());
    bytes += payloads[i].size();
  }
  if (Status status = file_->Append(parts_); !status.ok()) {
    CutBack();
    return status;
  }
  file_bytes_ += bytes;
  bytes_written_ += bytes;
  appended_sequence_ = last_sequence_;
  return absl::OkStatus();
}

void LogWriter::CutBack() {
  if (!file_->Truncate(file_bytes_).ok()) tail_ = Tail::kTorn;
}

Status LogWriter::Sync() {
  if (tail_ == Tail::kUnknown) {
    return absl::UnavailableError(StrCat("an earlier attempt to force ", PathOf(file_name_),
                                         " to the disk failed; the next append begins a new file"));
  }
  if (file_ == nullptr) return absl::OkStatus();
  Status status = file_->Sync();
  if (status.ok() && !name_is_synced_) status = disk_.SyncDirectory(directory_);
  if (!status.ok()) {
    tail_ = Tail::kUnknown;
    return status;
  }
  name_is_synced_ = true;
  synced_sequence_ = appended_sequence_;
  return absl::OkStatus();
}

Status LogWriter::TrimTo(uint64_t sequence) {
  const bool trims_all = appended_sequence_ <= sequence;
  if (trims_all) {
    file_ = nullptr;
    tail_ = Tail::kWhole;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names, disk_.List(directory_));
  Status result;
  std::optional<std::string> before;  // a log file whose frames all come before those of the next one
  const auto remove = [&] {
    if (before.has_value()) result.Update(disk_.Remove(PathOf(*before)));
  };
  for (const std::string& name : names) {
    const std::optional<uint64_t> first = FirstSequenceOf(name);
    if (!first.has_value()) continue;
    if (*first - 1 > sequence) break;
    remove();
    before = name;
  }
  if (trims_all) remove();
  return result;
}

}  // namespace spanloom::store::log
