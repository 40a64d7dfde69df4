// SPDX-License-Identifier: Apache-2.0

#include "net/compression.h"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::net {
namespace {

// A DEFLATE block of 258 bytes takes at least two bits: nothing inflates to more than this many times its size.
constexpr size_t kInflationMax = 1032;
constexpr size_t kFirstGuessFactor = 8;      // spans deflate to a tenth to a fifth; guess
constexpr size_t kGzipTrailerBytes = 8;      // CRC-32 and ISIZE (RFC 1952, 2.3.1)
constexpr size_t kSmallestOutputBytes = 64;  // so that doubling starts somewhere

// A buffer that is not zeroed and whose capacity never exceeds a limit.
class Output {
 public:
  Output(size_t capacity, size_t bytes_max) : bytes_max_(bytes_max), capacity_(std::min(capacity, bytes_max)) {
    buffer_.reset(new char[capacity_]);
  }

  [[nodiscard]] char* free() { return buffer_.get() + size_; }
  [[nodiscard]] size_t free_bytes() const { return capacity_ - size_; }
  void Advance(size_t bytes) { size_ += bytes; }

  // Doubles the capacity; false at the limit.
  [[nodiscard]] bool Grow() {
    if (capacity_ == bytes_max_) return false;
    Resize(std::min(std::max(capacity_ * 2, kSmallestOutputBytes), bytes_max_));
    return true;
  }

  [[nodiscard]] Bytes Take() && {
    if (size_ < capacity_ / 2) Resize(size_);
    std::shared_ptr<const char[]> owner = std::move(buffer_);
    const std::string_view view(owner.get(), size_);
    return {std::move(owner), view};
  }

 private:
  void Resize(size_t capacity) {
    std::unique_ptr<char[]> larger(new char[capacity]);
    std::memcpy(larger.get(), buffer_.get(), size_);
    buffer_ = std::move(larger);
    capacity_ = capacity;
  }

  size_t bytes_max_;
  size_t capacity_;
  size_t size_ = 0;
  std::unique_ptr<char[]> buffer_;  // [capacity_], the first size_ are filled
};

libdeflate_decompressor* ThreadDecompressor() {
  thread_local const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  CHECK(decompressor != nullptr);
  return decompressor.get();
}

// What the last gzip member says about its size; a hint, since anyone can write anything there.
size_t ClaimedGzipBytes(std::string_view content) {
  if (content.size() < kGzipTrailerBytes) return 0;
  const auto* last = reinterpret_cast<const unsigned char*>(content.data() + content.size() - 4);
  return last[0] | last[1] << 8 | last[2] << 16 | static_cast<size_t>(last[3]) << 24;
}

size_t FirstCapacity(Compression compression, std::string_view content) {
  const size_t guess =
      compression == Compression::kGzip ? ClaimedGzipBytes(content) : content.size() * kFirstGuessFactor;
  return std::clamp(guess, std::min(kSmallestOutputBytes, content.size()), content.size() * kInflationMax);
}

libdeflate_result InflateOnce(Compression compression, std::string_view content, Output& output, size_t& bytes_read) {
  const auto inflate =
      compression == Compression::kGzip ? &libdeflate_gzip_decompress_ex : &libdeflate_zlib_decompress_ex;
  size_t bytes_written = 0;
  const libdeflate_result result = inflate(ThreadDecompressor(), content.data(), content.size(), output.free(),
                                           output.free_bytes(), &bytes_read, &bytes_written);
  if (result == LIBDEFLATE_SUCCESS) output.Advance(bytes_written);
  return result;
}

std::string_view NameOf(Compression compression) {
  return compression == Compression::kGzip ? "gzip" : "deflate";
}

Status NotOfThatCoding(Compression compression) {
  return absl::InvalidArgumentError(
      StrCat("unexpected EOF or corrupt data: the content is not complete ", NameOf(compression), " data"));
}

// Inflates one member from the front of `content`, growing `output` as far as it may.
Status InflateMember(Compression compression, std::string_view& content, Output& output, size_t bytes_max) {
  while (true) {
    size_t bytes_read = 0;
    switch (InflateOnce(compression, content, output, bytes_read)) {
      case LIBDEFLATE_SUCCESS:
        content.remove_prefix(bytes_read);
        return absl::OkStatus();
      case LIBDEFLATE_INSUFFICIENT_SPACE:
        if (!output.Grow()) {
          return absl::ResourceExhaustedError(
              StrCat("the content is larger than ", bytes_max, " bytes after decompression"));
        }
        break;
      default:
        return NotOfThatCoding(compression);
    }
  }
}

StatusOr<Bytes> Inflate(Compression compression, std::string_view content, size_t bytes_max) {
  Output output(FirstCapacity(compression, content), bytes_max);
  do {
    RETURN_IF_ERROR(InflateMember(compression, content, output, bytes_max));
  } while (compression == Compression::kGzip && !content.empty());  // RFC 1952, 2.2: members simply follow one another
  if (!content.empty()) return NotOfThatCoding(compression);
  return std::move(output).Take();
}

// Incompressible data become stored blocks of at most 65535 bytes with 5 bytes before each (RFC 1951, 3.2.4), plus the
// wrapper.
size_t DeflatedBytesMax(size_t bytes) {
  return bytes + 5 * (bytes / 32768 + 1) + 512;
}

Bytes Deflate(Compression compression, std::string_view content) {
  thread_local std::vector<uint8_t> level_buffer(ISAL_DEF_LVL1_DEFAULT);
  std::string deflated(DeflatedBytesMax(content.size()), '\0');
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  stream.level = 1;
  stream.level_buf = level_buffer.data();
  stream.level_buf_size = static_cast<uint32_t>(level_buffer.size());
  stream.gzip_flag = compression == Compression::kGzip ? IGZIP_GZIP : IGZIP_ZLIB;
  stream.end_of_stream = 1;
  stream.flush = NO_FLUSH;
  stream.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(content.data()));  // read only, though not declared so
  stream.avail_in = static_cast<uint32_t>(content.size());
  stream.next_out = reinterpret_cast<uint8_t*>(deflated.data());
  stream.avail_out = static_cast<uint32_t>(deflated.size());
  CHECK(isal_deflate_stateless(&stream) == COMP_OK);
  deflated.resize(stream.total_out);
  deflated.shrink_to_fit();
  return Bytes(std::move(deflated));
}

}  // namespace

StatusOr<Compression> ParseCompression(std::string_view name) {
  if (name.empty() || name == "identity" || name == "none") return Compression::kNone;
  if (name == "gzip") return Compression::kGzip;
  if (name == "deflate") return Compression::kDeflate;
  return absl::UnimplementedError(StrCat("unknown compression \"", name, "\"; known are gzip, deflate, identity"));
}

Bytes Compress(Compression compression, std::string_view content) {
  CHECK(content.size() < (1U << 31));  // ISA-L counts in 32 bits
  return compression == Compression::kNone ? Bytes::CopyOf(content) : Deflate(compression, content);
}

std::optional<StatusOr<Bytes>> DecompressOnLoop(Compression compression, std::string_view content, size_t bytes_max) {
  if (compression == Compression::kNone) return Decompress(compression, content, bytes_max);
  if (content.size() > kDeflatedOnLoopBytesMax) return std::nullopt;
  const size_t claimed_bytes = compression == Compression::kGzip ? ClaimedGzipBytes(content) : 0;
  const bool is_credible = claimed_bytes <= content.size() * kInflationMax;
  if (is_credible && claimed_bytes > kInflatedOnLoopBytesMax) return std::nullopt;
  const size_t on_loop_max = std::min(bytes_max, kInflatedOnLoopBytesMax);
  StatusOr<Bytes> result = Decompress(compression, content, on_loop_max);
  if (absl::IsResourceExhausted(result.status()) && on_loop_max < bytes_max) return std::nullopt;
  return result;
}

StatusOr<Bytes> Decompress(Compression compression, std::string_view content, size_t bytes_max) {
  if (compression != Compression::kNone) return Inflate(compression, content, bytes_max);
  if (content.size() > bytes_max) {
    return absl::ResourceExhaustedError(StrCat("the content has ", content.size(), " bytes; the limit is ", bytes_max));
  }
  return Bytes::CopyOf(content);
}

}  // namespace spanloom::net
