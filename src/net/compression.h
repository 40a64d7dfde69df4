// SPDX-License-Identifier: Apache-2.0
//
// Content codings, by the names that the web and the Collector have for them: gzip, zlib (which the web calls
// "deflate"), Zstandard, Snappy, LZ4. How each is done: net/coding/.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace spanloom::net {

enum class Compression { kNone, kGzip, kDeflate, kZlib, kZstd, kSnappy, kSnappyFramed, kLz4 };

// Those that gRPC's clients use; kSnappyFramed is "snappy" there (net/grpc/call_rules.h).
inline constexpr Compression kGrpcCompressions[] = {Compression::kGzip, Compression::kDeflate, Compression::kZstd,
                                                    Compression::kSnappyFramed};

// The name in Content-Encoding: "gzip", "deflate", "zlib" (the same coding under the Collector's name), "zstd",
// "snappy" (a bare block), "x-snappy-framed", "lz4"; "identity" for kNone.
std::string_view ContentEncoding(Compression compression);

// "", "identity" and "none" are kNone; else as ContentEncoding. kUnimplemented for anything else, with the names that
// are known.
StatusOr<Compression> ParseCompression(std::string_view name);

inline constexpr int kDefaultLevel = 0;  // as level 1

// Whether the coding has that level, as the Collector says: gzip, deflate and zlib from 1 to 9, and -2, -1 and 0, which
// are as 1 here; zstd any, of which those from 1 to 11 make a difference; the others none but 0. kInvalidArgument.
Status CheckLevel(Compression compression, int level);

// Compresses `content`; kNone copies it. Never fails on input: the sizes are bounded by the caller.
Bytes Compress(Compression compression, std::string_view content, int level = kDefaultLevel);

// Undoes a coding; kSnappy takes frames too, which older Collectors send by that name. Errors: kInvalidArgument if
// `content` is not of that coding or is cut short; kResourceExhausted if the result would exceed `bytes_max` (nothing
// larger is ever allocated for it, whatever the content claims).
StatusOr<Bytes> Decompress(Compression compression, std::string_view content, size_t bytes_max);

// What is inflated on a loop has at most this many bytes before and after. libdeflate takes 3.5 to 5 ns a compressed
// byte (spans, zeros, noise) and 0.1 ns a byte of output: together at most 0.8 ms, and as long again if the size was
// not known ahead. The other codings take less: of 128 KiB of words Zstandard 0.36 ms, Snappy 0.29, LZ4 0.18, gzip
// 0.47.
inline constexpr size_t kDeflatedOnLoopBytesMax = 128 << 10;
inline constexpr size_t kInflatedOnLoopBytesMax = 1 << 20;

// The same on a loop: nullopt if that would take it too long, which a content that lies about its size, or has none,
// shows only after kInflatedOnLoopBytesMax were inflated; Decompress is then for a worker to call.
std::optional<StatusOr<Bytes>> DecompressOnLoop(Compression compression, std::string_view content, size_t bytes_max);

}  // namespace spanloom::net
