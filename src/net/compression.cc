// SPDX-License-Identifier: Apache-2.0

#include "net/compression.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "net/coding/deflate.h"
#include "net/coding/lz4.h"
#include "net/coding/snappy.h"
#include "net/coding/zstd.h"

namespace spanloom::net {
namespace {

using coding::DeflateWrapper;

constexpr std::pair<std::string_view, Compression> kNames[] = {
    {"gzip", Compression::kGzip}, {"deflate", Compression::kDeflate}, {"zlib", Compression::kZlib},
    {"zstd", Compression::kZstd}, {"snappy", Compression::kSnappy},   {"x-snappy-framed", Compression::kSnappyFramed},
    {"lz4", Compression::kLz4}};

constexpr int kHuffmanOnly = -2;  // zlib's levels
constexpr int kBestDeflate = 9;

Status UnknownName(std::string_view name) {
  std::string known;
  for (const auto& [known_name, compression] : kNames) StrAppend(known, known_name, ", ");
  return absl::UnimplementedError(StrCat("unknown compression \"", name, "\"; known are ", known, "identity"));
}

// What `content` says to inflate to, or has at most; 0 if it does not say, or says what can't be.
size_t ClaimedBytes(Compression compression, std::string_view content) {
  switch (compression) {
    case Compression::kGzip: {
      const size_t claimed = coding::ClaimedGzipBytes(content);
      return claimed <= content.size() * coding::kDeflateInflationMax ? claimed : 0;
    }
    case Compression::kZstd:
      return coding::ZstdBytesMax(content);
    case Compression::kSnappy:
      if (!coding::IsFramedSnappy(content)) return coding::ClaimedSnappyBytes(content);
      [[fallthrough]];
    case Compression::kSnappyFramed:
      return coding::ClaimedFramedSnappyBytes(content);
    case Compression::kNone:
    case Compression::kDeflate:
    case Compression::kZlib:
    case Compression::kLz4:
      break;
  }
  return 0;
}

StatusOr<Bytes> CopyUpTo(std::string_view content, size_t bytes_max) {
  if (content.size() <= bytes_max) return Bytes::CopyOf(content);
  return absl::ResourceExhaustedError(StrCat("the content has ", content.size(), " bytes; the limit is ", bytes_max));
}

}  // namespace

std::string_view ContentEncoding(Compression compression) {
  for (const auto& [name, named] : kNames) {
    if (named == compression) return name;
  }
  return "identity";
}

StatusOr<Compression> ParseCompression(std::string_view name) {
  if (name.empty() || name == "identity" || name == "none") return Compression::kNone;
  for (const auto& [known_name, compression] : kNames) {
    if (known_name == name) return compression;
  }
  return UnknownName(name);
}

Status CheckLevel(Compression compression, int level) {
  const bool is_deflate =
      compression == Compression::kGzip || compression == Compression::kDeflate || compression == Compression::kZlib;
  const bool is_known = level == kDefaultLevel || compression == Compression::kZstd ||
                        (is_deflate && level >= kHuffmanOnly && level <= kBestDeflate);
  if (is_known) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("level ", level, " is none of ", ContentEncoding(compression),
                                           is_deflate ? "'s: write 1 to 9" : "'s: it has no levels"));
}

Bytes Compress(Compression compression, std::string_view content, int level) {
  switch (compression) {
    case Compression::kGzip:
      return coding::Deflate(DeflateWrapper::kGzip, content, level);
    case Compression::kDeflate:
    case Compression::kZlib:
      return coding::Deflate(DeflateWrapper::kZlib, content, level);
    case Compression::kZstd:
      return coding::CompressZstd(content, level);
    case Compression::kSnappy:
      return coding::CompressSnappy(content);
    case Compression::kSnappyFramed:
      return coding::CompressFramedSnappy(content);
    case Compression::kLz4:
      return coding::CompressLz4(content);
    case Compression::kNone:
      break;
  }
  return Bytes::CopyOf(content);
}

std::optional<StatusOr<Bytes>> DecompressOnLoop(Compression compression, std::string_view content, size_t bytes_max) {
  if (compression == Compression::kNone) return Decompress(compression, content, bytes_max);
  if (content.size() > kDeflatedOnLoopBytesMax) return std::nullopt;
  if (ClaimedBytes(compression, content) > kInflatedOnLoopBytesMax) return std::nullopt;
  const size_t on_loop_max = std::min(bytes_max, kInflatedOnLoopBytesMax);
  StatusOr<Bytes> result = Decompress(compression, content, on_loop_max);
  if (absl::IsResourceExhausted(result.status()) && on_loop_max < bytes_max) return std::nullopt;
  return result;
}

StatusOr<Bytes> Decompress(Compression compression, std::string_view content, size_t bytes_max) {
  switch (compression) {
    case Compression::kGzip:
      return coding::Inflate(DeflateWrapper::kGzip, content, bytes_max);
    case Compression::kDeflate:
    case Compression::kZlib:
      return coding::Inflate(DeflateWrapper::kZlib, content, bytes_max);
    case Compression::kZstd:
      return coding::DecompressZstd(content, bytes_max);
    case Compression::kSnappy:
      if (!coding::IsFramedSnappy(content)) return coding::DecompressSnappy(content, bytes_max);
      [[fallthrough]];
    case Compression::kSnappyFramed:
      return coding::DecompressFramedSnappy(content, bytes_max);
    case Compression::kLz4:
      return coding::DecompressLz4(content, bytes_max);
    case Compression::kNone:
      break;
  }
  return CopyUpTo(content, bytes_max);
}

}  // namespace spanloom::net
