// SPDX-License-Identifier: Apache-2.0

#include "store/log/log_format.h"

#include <bit>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "store/crc32c.h"

namespace spanloom::store::log {
namespace {

static_assert(std::endian::native == std::endian::little, "integers are copied as they are in memory");

constexpr std::string_view kMagic = "SPANLLOG";
constexpr std::string_view kSuffix = ".log";
constexpr size_t kDigits = 16;

// Offsets of the fields that a checksum must step over: docs/formats/log.md.
constexpr size_t kFileChecksumAt = 12;
constexpr size_t kFrameChecksumAt = 4;

template <typename T>
void Put(T value, size_t offset, char* out) {
  std::memcpy(out + offset, &value, sizeof(value));
}

template <typename T>
T Get(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

// Of `bytes` without the checksum at `checksum_at`.
uint32_t ChecksumAround(std::string_view bytes, size_t checksum_at) {
  return Crc32c(bytes.substr(checksum_at + sizeof(uint32_t)), Crc32c(bytes.substr(0, checksum_at)));
}

}  // namespace

std::string LogFileName(uint64_t first_sequence) {
  std::string name(kDigits, '0');
  for (size_t i = kDigits; i-- > 0; first_sequence >>= 4) name[i] = "0123456789abcdef"[first_sequence & 15];
  name += kSuffix;
  return name;
}

std::optional<uint64_t> FirstSequenceOf(std::string_view file_name) {
  if (file_name.size() != kDigits + kSuffix.size() || !file_name.ends_with(kSuffix)) return std::nullopt;
  uint64_t sequence = 0;
  std::from_chars(file_name.data(), file_name.data() + kDigits, sequence, 16);
  // Any other spelling of the number (capitals, a sign) is not a name of ours.
  if (sequence == 0 || LogFileName(sequence) != file_name) return std::nullopt;
  return sequence;
}

std::string EncodeFileHeader(const FileHeader& header) {
  std::string bytes(kFileHeaderBytes, '\0');
  bytes.replace(0, kMagic.size(), kMagic);
  Put(header.version, 8, bytes.data());
  Put(header.first_sequence, 16, bytes.data());
  Put(header.synced_sequence, 24, bytes.data());
  Put(ChecksumAround(bytes, kFileChecksumAt), kFileChecksumAt, bytes.data());
  return bytes;
}

std::optional<FileHeader> DecodeFileHeader(std::string_view bytes) {
  if (bytes.size() < kFileHeaderBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  bytes = bytes.substr(0, kFileHeaderBytes);
  if (Get<uint32_t>(bytes, kFileChecksumAt) != ChecksumAround(bytes, kFileChecksumAt)) return std::nullopt;
  return FileHeader{.version = Get<uint16_t>(bytes, 8),
                    .first_sequence = Get<uint64_t>(bytes, 16),
                    .synced_sequence = Get<uint64_t>(bytes, 24)};
}

void EncodeFrameHeader(FrameHeader header, std::string_view payload, char* out) {
  CHECK(payload.size() <= kPayloadBytesMax);
  Put(static_cast<uint32_t>(payload.size()), 0, out);
  Put(header.sequence, 8, out);
  Put(header.synced_sequence, 16, out);
  Put(header.kind, 24, out);
  const uint32_t checksum = Crc32c(payload, ChecksumAround({out, kFrameHeaderBytes}, kFrameChecksumAt));
  Put(checksum, kFrameChecksumAt, out);
}

FrameHeader DecodeFrameHeader(std::string_view bytes) {
  CHECK(bytes.size() == kFrameHeaderBytes);
  return {.payload_bytes = Get<uint32_t>(bytes, 0),
          .checksum = Get<uint32_t>(bytes, kFrameChecksumAt),
          .sequence = Get<uint64_t>(bytes, 8),
          .synced_sequence = Get<uint64_t>(bytes, 16),
          .kind = Get<FrameKind>(bytes, 24)};
}

bool FrameMatches(std::string_view header_bytes, std::string_view payload) {
  return Get<uint32_t>(header_bytes, kFrameChecksumAt) ==
         Crc32c(payload, ChecksumAround(header_bytes, kFrameChecksumAt));
}

}  // namespace spanloom::store::log
