// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a file of the log, alone and before another file: read without a crash, in ascending order, the same
// frames each time. As they are, and with checksums that match, so that what is behind them is reached too.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "store/disk/testing/simulated_disk.h"
#include "store/log/log_format.h"
#include "store/log/log_reader.h"

namespace spanloom::store::log {
namespace {

using Frames = std::vector<std::pair<uint64_t, std::string>>;

void Write(disk::SimulatedDisk& disk, uint64_t first_sequence, std::string_view content) {
  const auto file = disk.Open(disk::Join("/log", LogFileName(first_sequence)), disk::OpenMode::kCreate);
  CHECK(file.ok() && (*file)->Append({&content, 1}).ok());
}

Frames Read(disk::SimulatedDisk& disk) {
  Frames frames;
  const auto report = RecoverLog(disk, "/log", "/damaged", 0, [&](const LogFrame& frame) {
    CHECK(frames.empty() || frames.back().first < frame.sequence);
    frames.emplace_back(frame.sequence, frame.payload.view());
    return absl::OkStatus();
  });
  CHECK(report.ok() || report.status().code() == absl::StatusCode::kFailedPrecondition);
  if (!report.ok()) return {};
  CHECK(report->frames == frames.size());
  CHECK(frames.empty() || report->end.last_sequence >= frames.back().first);
  return frames;
}

void ReadAsLog(std::string_view content) {
  disk::SimulatedDisk disk;
  CHECK(disk.CreateDirectory("/log").ok());
  Write(disk, 1, content);
  CHECK(Read(disk) == Read(disk));
  Write(disk, 100, EncodeFileHeader({.first_sequence = 100, .synced_sequence = 50}));
  CHECK(Read(disk) == Read(disk));
}

std::string WithMatchingChecksums(std::string content) {
  if (content.size() < kFileHeaderBytes) return content;
  content.replace(0, kFileHeaderBytes, EncodeFileHeader({.first_sequence = 1, .synced_sequence = 0}));
  for (size_t offset = kFileHeaderBytes; content.size() - offset >= kFrameHeaderBytes;) {
    const FrameHeader header = DecodeFrameHeader(std::string_view(content).substr(offset, kFrameHeaderBytes));
    const std::string_view rest = std::string_view(content).substr(offset + kFrameHeaderBytes);
    if (header.payload_bytes > rest.size()) break;
    EncodeFrameHeader(header, rest.substr(0, header.payload_bytes), content.data() + offset);
    offset += kFrameHeaderBytes + header.payload_bytes;
  }
  return content;
}

}  // namespace
}  // namespace spanloom::store::log

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(bytes), size);
  spanloom::store::log::ReadAsLog(content);
  spanloom::store::log::ReadAsLog(spanloom::store::log::WithMatchingChecksums(std::string(content)));
  return 0;
}
