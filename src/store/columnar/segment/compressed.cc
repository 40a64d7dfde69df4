// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/compressed.h"

#include <zstd.h>

#include "base/text.h"

namespace spanloom::store::columnar {
namespace {

constexpr int kLevel = 3;  // zstd's default
// A block of 4 bytes can stand for 128 KiB (RFC 8878, 3.1.1.2), none for more.
constexpr uint64_t kRatioMax = 1U << 15;

}  // namespace

std::string Compress(std::string_view content) {
  std::string stored(ZSTD_compressBound(content.size()), '\0');
  const size_t bytes = ZSTD_compress(stored.data(), stored.size(), content.data(), content.size(), kLevel);
  if (ZSTD_isError(bytes) != 0 || bytes >= content.size()) return std::string(content);
  stored.resize(bytes);
  return stored;
}

StatusOr<std::string> Decompress(std::string_view stored, uint64_t raw_bytes) {
  if (stored.size() == raw_bytes) return std::string(stored);
  if (stored.size() > raw_bytes || raw_bytes / kRatioMax > stored.size() ||
      ZSTD_getFrameContentSize(stored.data(), stored.size()) != raw_bytes) {
    return absl::DataLossError("a compressed block does not have the size that was noted");
  }
  std::string content(raw_bytes, '\0');
  const size_t bytes = ZSTD_decompress(content.data(), content.size(), stored.data(), stored.size());
  if (ZSTD_isError(bytes) != 0) return absl::DataLossError(StrCat("a compressed block: ", ZSTD_getErrorName(bytes)));
  if (bytes != raw_bytes) return absl::DataLossError("a compressed block ends early");
  return content;
}

}  // namespace spanloom::store::columnar
