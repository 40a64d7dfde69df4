// SPDX-License-Identifier: Apache-2.0

#include "store/log/log_file_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/text.h"

namespace spanloom::store::log {

StatusOr<LogFileReader> LogFileReader::Open(const disk::File& file) {
  ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  LogFileReader reader(file, size);
  ASSIGN_OR_RETURN(const std::string_view header, reader.View(0, kFileHeaderBytes));
  reader.header_ = DecodeFileHeader(header);
  if (reader.header_.has_value()) reader.offset_ = kFileHeaderBytes;
  return reader;
}

LogFileReader::LogFileReader(const disk::File& file, uint64_t size) : file_(&file), size_(size) {}

StatusOr<std::string_view> LogFileReader::View(uint64_t offset, size_t bytes) {
  const uint64_t wanted = std::min<uint64_t>({bytes, kBufferBytes, size_ - std::min(size_, offset)});
  if (offset < buffer_offset_ || offset + wanted > buffer_offset_ + buffer_.size()) {
    buffer_.resize(std::min<uint64_t>(kBufferBytes, size_ - std::min(size_, offset)));
    buffer_offset_ = offset;
    ASSIGN_OR_RETURN(const size_t read, file_->ReadAt(offset, buffer_));
    buffer_.resize(read);
  }
  return std::string_view(buffer_).substr(offset - buffer_offset_, wanted);
}

StatusOr<std::string> LogFileReader::Payload(uint64_t offset, uint32_t bytes) {
  ASSIGN_OR_RETURN(const std::string_view begin, View(offset, bytes));
  std::string payload(begin);
  if (payload.size() == bytes) return payload;
  payload.resize(bytes);
  ASSIGN_OR_RETURN(const size_t read, file_->ReadAt(offset + begin.size(), std::span(payload).subspan(begin.size())));
  payload.resize(begin.size() + read);
  return payload;
}

bool LogFileReader::Refuse(std::string_view why) {
  why_ = why;
  return false;
}

bool LogFileReader::IsPlausible(const FrameHeader& header, uint64_t offset, uint64_t at_least, uint64_t below) {
  const uint64_t rest = size_ - offset - kFrameHeaderBytes;
  if (header.payload_bytes > kPayloadBytesMax) return Refuse("a frame's length is beyond the limit");
  if (header.payload_bytes > rest) return Refuse("a frame is longer than the rest of the file");
  if (!IsKnown(header.kind)) return Refuse("a frame's kind is unknown");
  if (header.sequence < at_least) return Refuse("a frame's sequence does not ascend");
  if (header.sequence >= below) return Refuse("a frame's sequence belongs to the next file");
  if (header.synced_sequence >= header.sequence) return Refuse("a frame's synced sequence is not below its own");
  return true;
}

StatusOr<std::optional<LogFrame>> LogFileReader::FrameAt(uint64_t offset, uint64_t at_least, uint64_t below) {
  why_.clear();
  ASSIGN_OR_RETURN(const std::string_view view, View(offset, kFrameHeaderBytes));
  if (view.size() < kFrameHeaderBytes) {
    if (!view.empty()) why_ = "a frame is cut short";
    return std::nullopt;
  }
  const std::string bytes(view);  // View of the payload may move the buffer
  const FrameHeader header = DecodeFrameHeader(bytes);
  if (!IsPlausible(header, offset, at_least, below)) return std::nullopt;
  ASSIGN_OR_RETURN(std::string payload, Payload(offset + kFrameHeaderBytes, header.payload_bytes));
  if (payload.size() != header.payload_bytes || !FrameMatches(bytes, payload)) {
    why_ = "a frame does not match its checksum";
    return std::nullopt;
  }
  frame_synced_sequence_ = header.synced_sequence;
  return LogFrame{.sequence = header.sequence, .kind = header.kind, .payload = Bytes(std::move(payload))};
}

StatusOr<std::optional<LogFrame>> LogFileReader::Next(uint64_t at_least, uint64_t below) {
  const uint64_t offset = std::max<uint64_t>(offset_, kFileHeaderBytes);
  ASSIGN_OR_RETURN(std::optional<LogFrame> frame, FrameAt(offset, at_least, below));
  if (frame.has_value()) {
    offset_ = offset + kFrameHeaderBytes + frame->payload.size();
    synced_sequence_ = std::max(synced_sequence_, frame_synced_sequence_);
  }
  return frame;
}

StatusOr<uint64_t> LogFileReader::SyncedBehind(uint64_t at_least, uint64_t below) {
  // Nearly every offset is refused by its first bytes. A file may pretend to have long frames everywhere: each byte is
  // looked at eight times at most, on average (guess).
  uint64_t budget_bytes = 8 * unread_bytes();
  uint64_t synced = 0;
  for (uint64_t offset = offset_ + 1; offset + kFrameHeaderBytes <= size_; ++offset) {
    ASSIGN_OR_RETURN(const std::string_view bytes, View(offset, kFrameHeaderBytes));
    const FrameHeader header = DecodeFrameHeader(bytes);
    if (!IsPlausible(header, offset, at_least, below)) continue;
    if (header.payload_bytes > budget_bytes) return std::numeric_limits<uint64_t>::max();
    budget_bytes -= header.payload_bytes;
    ASSIGN_OR_RETURN(const auto frame, FrameAt(offset, at_least, below));
    if (!frame.has_value()) continue;
    synced = std::max(synced, frame_synced_sequence_);
    last_behind_ = std::max(last_behind_, frame->sequence);
    offset += kFrameHeaderBytes + frame->payload.size() - 1;
  }
  return synced;
}

}  // namespace spanloom::store::log
