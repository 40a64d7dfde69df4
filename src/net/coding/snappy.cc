// SPDX-License-Identifier: Apache-2.0

#include "net/coding/snappy.h"

#include <isa-l/crc.h>
#include <snappy.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "net/coding/output.h"

namespace spanloom::net::coding {
namespace {

// A copy of three bytes makes at most 64: nothing inflates to more than this many times its size.
constexpr size_t kInflationMax = 22;

constexpr std::string_view kStreamStart("\xff\x06\x00\x00sNaPpY", 10);
constexpr size_t kChunkHeaderBytes = 4;
constexpr size_t kChecksumBytes = 4;
constexpr size_t kChunkBytesMax = 65536;  // before compression

enum ChunkType : uint8_t { kCompressed = 0x00, kStored = 0x01, kFirstSkippable = 0x80, kStart = 0xff };

struct Chunk {
  uint8_t type;
  std::string_view body;

  // Of a kCompressed or kStored one.
  [[nodiscard]] uint32_t checksum() const;
  [[nodiscard]] std::string_view data() const { return body.substr(kChecksumBytes); }
};

uint32_t LittleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << 8 * i;
  return value;
}

void AppendLittleEndian(uint32_t value, size_t bytes, std::string& out) {
  for (size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> 8 * i));
}

uint32_t Chunk::checksum() const {
  return LittleEndian(body.substr(0, kChecksumBytes));
}

// CRC-32C, masked (framing_format.txt, 3).
uint32_t Checksum(std::string_view data) {
  auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(data.data()));  // read only, though not declared so
  const uint32_t crc = ~crc32_iscsi(bytes, static_cast<int>(data.size()), ~0U);
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

// Takes a chunk from the front; nullopt if there is none that is whole and of a kind that is known or may be skipped.
std::optional<Chunk> TakeChunk(std::string_view& content) {
  if (content.size() < kChunkHeaderBytes) return std::nullopt;
  const auto type = static_cast<uint8_t>(content.front());
  const size_t bytes = LittleEndian(content.substr(1, 3));
  const bool holds_data = type == kCompressed || type == kStored;
  if (bytes > content.size() - kChunkHeaderBytes || (holds_data && bytes < kChecksumBytes)) return std::nullopt;
  if (!holds_data && type < kFirstSkippable) return std::nullopt;
  if (type == kStart && !content.starts_with(kStreamStart)) return std::nullopt;
  const Chunk chunk{.type = type, .body = content.substr(kChunkHeaderBytes, bytes)};
  content.remove_prefix(kChunkHeaderBytes + bytes);
  return chunk;
}

// What a block says to inflate to; nullopt if it can't.
std::optional<size_t> BlockBytes(std::string_view block) {
  size_t bytes = 0;
  if (!::snappy::GetUncompressedLength(block.data(), block.size(), &bytes)) return std::nullopt;
  if (bytes > block.size() * kInflationMax) return std::nullopt;
  return bytes;
}

// What a chunk inflates to; nullopt if it can't, or if that is more than a chunk may have.
std::optional<size_t> DataBytes(const Chunk& chunk) {
  std::optional<size_t> bytes = 0;
  if (chunk.type == kCompressed) bytes = BlockBytes(chunk.data());
  if (chunk.type == kStored) bytes = chunk.data().size();
  return bytes && *bytes <= kChunkBytesMax ? bytes : std::nullopt;
}

// Appends what is in `chunk`; false if that is not what it says. `output` has room for it.
bool AppendData(const Chunk& chunk, size_t bytes, Output& output) {
  if (chunk.type == kCompressed) {
    if (!::snappy::RawUncompress(chunk.data().data(), chunk.data().size(), output.free())) return false;
  } else if (chunk.type == kStored) {
    std::copy_n(chunk.data().data(), bytes, output.free());
  } else {
    return true;
  }
  const bool is_intact = Checksum({output.free(), bytes}) == chunk.checksum();
  output.Advance(bytes);
  return is_intact;
}

void AppendChunk(std::string_view data, std::string& out) {
  std::string block;
  ::snappy::Compress(data.data(), data.size(), &block);
  const bool is_worth_it = block.size() < data.size() - data.size() / 8;  // as golang/snappy
  const std::string_view body = is_worth_it ? std::string_view(block) : data;
  out.push_back(static_cast<char>(is_worth_it ? kCompressed : kStored));
  AppendLittleEndian(static_cast<uint32_t>(kChecksumBytes + body.size()), 3, out);
  AppendLittleEndian(Checksum(data), kChecksumBytes, out);
  out.append(body);
}

}  // namespace

size_t ClaimedSnappyBytes(std::string_view content) {
  return BlockBytes(content).value_or(0);
}

size_t ClaimedFramedSnappyBytes(std::string_view content) {
  size_t claimed = 0;
  while (!content.empty()) {
    const std::optional<Chunk> chunk = TakeChunk(content);
    const std::optional<size_t> bytes = chunk ? DataBytes(*chunk) : std::nullopt;
    if (!bytes) return 0;
    claimed += *bytes;
  }
  return claimed;
}

bool IsFramedSnappy(std::string_view content) {
  return content.starts_with(kStreamStart);
}

Bytes CompressSnappy(std::string_view content) {
  std::string compressed;
  ::snappy::Compress(content.data(), content.size(), &compressed);
  return Bytes(std::move(compressed));
}

StatusOr<Bytes> DecompressSnappy(std::string_view content, size_t bytes_max) {
  const std::optional<size_t> bytes = BlockBytes(content);
  if (!bytes) return NotOfThatCoding("snappy");
  if (*bytes > bytes_max) return TooLarge(bytes_max);
  Output output(*bytes, bytes_max);
  if (!::snappy::RawUncompress(content.data(), content.size(), output.free())) return NotOfThatCoding("snappy");
  output.Advance(*bytes);
  return std::move(output).Take();
}

Bytes CompressFramedSnappy(std::string_view content) {
  std::string compressed(kStreamStart);
  while (!content.empty()) {
    const std::string_view data = content.substr(0, kChunkBytesMax);
    AppendChunk(data, compressed);
    content.remove_prefix(data.size());
  }
  return Bytes(std::move(compressed));
}

StatusOr<Bytes> DecompressFramedSnappy(std::string_view content, size_t bytes_max) {
  if (!content.empty() && !IsFramedSnappy(content)) return NotOfThatCoding("framed snappy");
  const size_t claimed = ClaimedFramedSnappyBytes(content);
  if (claimed > bytes_max) return TooLarge(bytes_max);
  Output output(claimed, bytes_max);
  while (!content.empty()) {
    const std::optional<Chunk> chunk = TakeChunk(content);
    const std::optional<size_t> bytes = chunk ? DataBytes(*chunk) : std::nullopt;
    const bool is_good = bytes && *bytes <= output.free_bytes() && AppendData(*chunk, *bytes, output);
    if (!is_good) return NotOfThatCoding("framed snappy");
  }
  return std::move(output).Take();
}

}  // namespace spanloom::net::coding
