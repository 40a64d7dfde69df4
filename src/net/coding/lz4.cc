// SPDX-License-Identifier: Apache-2.0

#include "net/coding/lz4.h"

#include <lz4frame.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "net/coding/output.h"

namespace spanloom::net::coding {
namespace {

using ContextPtr = std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)>;

ContextPtr NewContext() {
  LZ4F_dctx* context = nullptr;
  CHECK(LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) == 0);
  return {context, &LZ4F_freeDecompressionContext};
}

// Decompresses one frame from the front of `content`, growing `output` as far as it may.
Status DecompressFrame(LZ4F_dctx* context, std::string_view& content, Output& output, size_t bytes_max) {
  while (true) {
    size_t bytes_written = output.free_bytes();
    size_t bytes_read = content.size();
    const size_t missing =
        LZ4F_decompress(context, output.free(), &bytes_written, content.data(), &bytes_read, nullptr);
    if (LZ4F_isError(missing) != 0) return NotOfThatCoding("lz4");
    output.Advance(bytes_written);
    content.remove_prefix(bytes_read);
    if (missing == 0) return absl::OkStatus();
    const bool is_full = output.free_bytes() == 0;
    if (is_full && output.Grow()) continue;
    if (bytes_read > 0 || bytes_written > 0) continue;
    return is_full ? TooLarge(bytes_max) : NotOfThatCoding("lz4");
  }
}

}  // namespace

Bytes CompressLz4(std::string_view content) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  std::string compressed(LZ4F_compressFrameBound(content.size(), &preferences), '\0');
  const size_t bytes =
      LZ4F_compressFrame(compressed.data(), compressed.size(), content.data(), content.size(), &preferences);
  CHECK(LZ4F_isError(bytes) == 0);
  compressed.resize(bytes);
  compressed.shrink_to_fit();
  return Bytes(std::move(compressed));
}

StatusOr<Bytes> DecompressLz4(std::string_view content, size_t bytes_max) {
  const ContextPtr context = NewContext();
  Output output(std::max(content.size() * kFirstGuessFactor, kSmallestOutputBytes), bytes_max);
  do {
    RETURN_IF_ERROR(DecompressFrame(context.get(), content, output, bytes_max));
  } while (!content.empty());
  return std::move(output).Take();
}

}  // namespace spanloom::net::coding
