// SPDX-License-Identifier: Apache-2.0
//
// LZ4 frames (lz4_Frame_format.md of lz4/lz4), one or several. While a content is decompressed, a context of at most
// 8 MiB stands beside its output: two blocks of the largest size that the format has.

#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace spanloom::net::coding {

// As Compress and Decompress of net/compression.h.
Bytes CompressLz4(std::string_view content);
StatusOr<Bytes> DecompressLz4(std::string_view content, size_t bytes_max);

}  // namespace spanloom::net::coding
