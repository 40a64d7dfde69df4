// SPDX-License-Identifier: Apache-2.0
//
// The write-ahead log's bytes: names of its files, header of a file, header of a frame. Specified in
// docs/formats/log.md; LogWriter and RecoverLog are built on it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spanloom::store::log {

inline constexpr uint16_t kLogVersion = 1;
inline constexpr size_t kFileHeaderBytes = 32;
inline constexpr size_t kFrameHeaderBytes = 25;
// No payload is longer. Above what a receiver takes in one request (64 MiB by default), so that only damage exceeds it.
inline constexpr uint32_t kPayloadBytesMax = 256U << 20;

// How far a log goes: what a reader has found and a writer goes on from.
struct LogEnd {
  uint64_t last_sequence = 0;    // the highest one used, or kept from use; 0 for a new log
  uint64_t synced_sequence = 0;  // of the last frame that is safe; 0 if there was none
};

enum class FrameKind : uint8_t {
  kSpans = 1,      // an ExportTraceServiceRequest, in protobuf
  kQueued = 2,     // a request that waits for its destination (docs/formats/queue.md)
  kDelivered = 3,  // sequences of requests that wait no longer
};

// False for a kind of a newer version, or of bytes that are no frame.
[[nodiscard]] constexpr bool IsKnown(FrameKind kind) {
  return kind >= FrameKind::kSpans && kind <= FrameKind::kDelivered;
}

// The name of the file whose first frame may have `first_sequence`: 16 hexadecimal digits and ".log".
[[nodiscard]] std::string LogFileName(uint64_t first_sequence);
// The reverse; nullopt if it is not such a name.
[[nodiscard]] std::optional<uint64_t> FirstSequenceOf(std::string_view file_name);

struct FileHeader {
  uint16_t version = kLogVersion;
  uint64_t first_sequence = 0;   // no frame in it has a lower one, no frame of an earlier file that counts a higher
  uint64_t synced_sequence = 0;  // every acknowledged frame up to here was on the device before this file began
};

[[nodiscard]] std::string EncodeFileHeader(const FileHeader& header);
// Nullopt if `bytes`, the first kFileHeaderBytes of a file, is shorter, has another magic or does not match its
// checksum. The version is not looked at.
[[nodiscard]] std::optional<FileHeader> DecodeFileHeader(std::string_view bytes);

struct FrameHeader {
  uint32_t payload_bytes = 0;
  uint32_t checksum = 0;  // of all fields but itself, and the payload
  uint64_t sequence = 0;
  uint64_t synced_sequence = 0;  // every frame up to here was on the device when this one was written
  FrameKind kind = FrameKind::kSpans;
};

// Writes kFrameHeaderBytes to `out`; fills in the checksum.
void EncodeFrameHeader(FrameHeader header, std::string_view payload, char* out);
// `bytes` has kFrameHeaderBytes. Any bytes decode; FrameMatches tells whether they are meant.
[[nodiscard]] FrameHeader DecodeFrameHeader(std::string_view bytes);
// True if the checksum in `header_bytes` is that of header and payload.
[[nodiscard]] bool FrameMatches(std::string_view header_bytes, std::string_view payload);

}  // namespace spanloom::store::log
