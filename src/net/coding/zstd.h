// SPDX-License-Identifier: Apache-2.0
//
// Zstandard (RFC 8878), one frame or several. The whole content is at hand, so the output is the window: however large
// a window a frame asks for, nothing but the output is allocated.

#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace spanloom::net::coding {

inline constexpr int kZstdLevelMax = 11;  // the Collector's best; higher ones take 8 MiB of window and more

// At most so many bytes does `content` inflate to, by the sizes of its blocks; a little too many if it does not say.
// 0 if it is not Zstandard.
size_t ZstdBytesMax(std::string_view content);

// As Compress and Decompress of net/compression.h. `level`: below 1 is 1, above kZstdLevelMax is that.
Bytes CompressZstd(std::string_view content, int level);
StatusOr<Bytes> DecompressZstd(std::string_view content, size_t bytes_max);

}  // namespace spanloom::net::coding
