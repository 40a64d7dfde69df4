// SPDX-License-Identifier: Apache-2.0

#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_decompressBound, which Debian's archive has
#include "net/coding/zstd.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "net/coding/output.h"

namespace spanloom::net::coding {
namespace {

constexpr std::string_view kMagic = "\x28\xb5\x2f\xfd";  // RFC 8878, 3.1.1; older formats have others

ZSTD_DCtx* ThreadDecompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  CHECK(context != nullptr);
  return context.get();
}

// A context takes what its level needs, a few megabytes, and keeps it.
ZSTD_CCtx* ThreadCompressor(int level) {
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  CHECK(context != nullptr);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  return context.get();
}

}  // namespace

size_t ZstdBytesMax(std::string_view content) {
  if (!content.starts_with(kMagic)) return 0;
  const unsigned long long bound = ZSTD_decompressBound(content.data(), content.size());
  return bound == ZSTD_CONTENTSIZE_ERROR ? 0 : bound;
}

Bytes CompressZstd(std::string_view content, int level) {
  std::string compressed(ZSTD_compressBound(content.size()), '\0');
  const size_t bytes = ZSTD_compress2(ThreadCompressor(std::clamp(level, 1, kZstdLevelMax)), compressed.data(),
                                      compressed.size(), content.data(), content.size());
  CHECK(ZSTD_isError(bytes) == 0);
  compressed.resize(bytes);
  compressed.shrink_to_fit();
  return Bytes(std::move(compressed));
}

StatusOr<Bytes> DecompressZstd(std::string_view content, size_t bytes_max) {
  if (!content.starts_with(kMagic)) return NotOfThatCoding("zstd");
  Output output(ZstdBytesMax(content), bytes_max);
  const size_t bytes =
      ZSTD_decompressDCtx(ThreadDecompressor(), output.free(), output.free_bytes(), content.data(), content.size());
  if (ZSTD_isError(bytes) == 0) {
    output.Advance(bytes);
    return std::move(output).Take();
  }
  // What is too large for its own blocks is not what it says to be.
  const bool is_limited = output.free_bytes() == bytes_max;
  if (ZSTD_getErrorCode(bytes) == ZSTD_error_dstSize_tooSmall && is_limited) return TooLarge(bytes_max);
  return NotOfThatCoding("zstd");
}

}  // namespace spanloom::net::coding
