// SPDX-License-Identifier: Apache-2.0

#include "net/coding/deflate.h"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "net/coding/output.h"

namespace spanloom::net::coding {
namespace {

constexpr size_t kGzipTrailerBytes = 8;  // CRC-32 and ISIZE (RFC 1952, 2.3.1)
constexpr int kLevelMin = 2;             // of libdeflate's; below is ISA-L's
constexpr int kLevelMax = 9;             // as zlib has them; libdeflate's go on to 12

using DecompressorPtr = std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)>;
using CompressorPtr = std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)>;

libdeflate_decompressor* ThreadDecompressor() {
  thread_local const DecompressorPtr decompressor(libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  CHECK(decompressor != nullptr);
  return decompressor.get();
}

// The one that the thread used last, if that was of the same level: a compressor takes up to a megabyte.
libdeflate_compressor* ThreadCompressor(int level) {
  thread_local CompressorPtr compressor(nullptr, &libdeflate_free_compressor);
  thread_local int level_of_compressor = 0;
  if (level_of_compressor != level) {
    compressor.reset(libdeflate_alloc_compressor(level));
    level_of_compressor = level;
  }
  CHECK(compressor != nullptr);
  return compressor.get();
}

size_t FirstCapacity(DeflateWrapper wrapper, std::string_view content) {
  const size_t guess =
      wrapper == DeflateWrapper::kGzip ? ClaimedGzipBytes(content) : content.size() * kFirstGuessFactor;
  return std::clamp(guess, std::min(kSmallestOutputBytes, content.size()), content.size() * kDeflateInflationMax);
}

libdeflate_result InflateOnce(DeflateWrapper wrapper, std::string_view content, Output& output, size_t& bytes_read) {
  const auto inflate =
      wrapper == DeflateWrapper::kGzip ? &libdeflate_gzip_decompress_ex : &libdeflate_zlib_decompress_ex;
  size_t bytes_written = 0;
  const libdeflate_result result = inflate(ThreadDecompressor(), content.data(), content.size(), output.free(),
                                           output.free_bytes(), &bytes_read, &bytes_written);
  if (result == LIBDEFLATE_SUCCESS) output.Advance(bytes_written);
  return result;
}

std::string_view NameOf(DeflateWrapper wrapper) {
  return wrapper == DeflateWrapper::kGzip ? "gzip" : "deflate";
}

// Inflates one member from the front of `content`, growing `output` as far as it may.
Status InflateMember(DeflateWrapper wrapper, std::string_view& content, Output& output, size_t bytes_max) {
  while (true) {
    size_t bytes_read = 0;
    switch (InflateOnce(wrapper, content, output, bytes_read)) {
      case LIBDEFLATE_SUCCESS:
        content.remove_prefix(bytes_read);
        return absl::OkStatus();
      case LIBDEFLATE_INSUFFICIENT_SPACE:
        if (!output.Grow()) return TooLarge(bytes_max);
        break;
      default:
        return NotOfThatCoding(NameOf(wrapper));
    }
  }
}

// Incompressible data become stored blocks of at most 65535 bytes with 5 bytes before each (RFC 1951, 3.2.4), plus the
// wrapper.
size_t DeflatedBytesMax(size_t bytes) {
  return bytes + 5 * (bytes / 32768 + 1) + 512;
}

// Room for what is deflated, whose pages are touched only as far as it goes, which is mostly a tenth.
class DeflateRoom {
 public:
  explicit DeflateRoom(size_t bytes) : bytes_(bytes), memory_(std::make_unique_for_overwrite<char[]>(bytes)) {}
  [[nodiscard]] char* data() { return memory_.get(); }
  [[nodiscard]] size_t size() const { return bytes_; }
  [[nodiscard]] Bytes Take(size_t used) const { return Bytes::CopyOf({memory_.get(), used}); }

 private:
  const size_t bytes_;
  const std::unique_ptr<char[]> memory_;
};

Bytes DeflateFast(DeflateWrapper wrapper, std::string_view content) {
  CHECK(content.size() < (1U << 31));  // ISA-L counts in 32 bits
  thread_local std::vector<uint8_t> level_buffer(ISAL_DEF_LVL1_DEFAULT);
  DeflateRoom deflated(DeflatedBytesMax(content.size()));
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  stream.level = 1;
  stream.level_buf = level_buffer.data();
  stream.level_buf_size = static_cast<uint32_t>(level_buffer.size());
  stream.gzip_flag = wrapper == DeflateWrapper::kGzip ? IGZIP_GZIP : IGZIP_ZLIB;
  stream.end_of_stream = 1;
  stream.flush = NO_FLUSH;
  stream.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(content.data()));  // read only, though not declared so
  stream.avail_in = static_cast<uint32_t>(content.size());
  stream.next_out = reinterpret_cast<uint8_t*>(deflated.data());
  stream.avail_out = static_cast<uint32_t>(deflated.size());
  CHECK(isal_deflate_stateless(&stream) == COMP_OK);
  return deflated.Take(stream.total_out);
}

Bytes DeflateWell(DeflateWrapper wrapper, std::string_view content, int level) {
  libdeflate_compressor* compressor = ThreadCompressor(level);
  const bool is_gzip = wrapper == DeflateWrapper::kGzip;
  const auto bound = is_gzip ? &libdeflate_gzip_compress_bound : &libdeflate_zlib_compress_bound;
  const auto deflate = is_gzip ? &libdeflate_gzip_compress : &libdeflate_zlib_compress;
  DeflateRoom deflated(bound(compressor, content.size()));
  const size_t used = deflate(compressor, content.data(), content.size(), deflated.data(), deflated.size());
  CHECK(used > 0);
  return deflated.Take(used);
}

}  // namespace

size_t ClaimedGzipBytes(std::string_view content) {
  if (content.size() < kGzipTrailerBytes) return 0;
  const auto* last = reinterpret_cast<const unsigned char*>(content.data() + content.size() - 4);
  return last[0] | last[1] << 8 | last[2] << 16 | static_cast<size_t>(last[3]) << 24;
}

Bytes Deflate(DeflateWrapper wrapper, std::string_view content, int level) {
  return level < kLevelMin ? DeflateFast(wrapper, content) : DeflateWell(wrapper, content, std::min(level, kLevelMax));
}

StatusOr<Bytes> Inflate(DeflateWrapper wrapper, std::string_view content, size_t bytes_max) {
  Output output(FirstCapacity(wrapper, content), bytes_max);
  do {
    RETURN_IF_ERROR(InflateMember(wrapper, content, output, bytes_max));
  } while (wrapper == DeflateWrapper::kGzip && !content.empty());  // RFC 1952, 2.2: members simply follow one another
  if (!content.empty()) return NotOfThatCoding(NameOf(wrapper));
  return std::move(output).Take();
}

}  // namespace spanloom::net::coding
