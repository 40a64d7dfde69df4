// SPDX-License-Identifier: Apache-2.0
//
// Snappy, as a bare block (what HTTP calls "snappy") and in frames of at most 64 KiB with checksums ("x-snappy-framed";
// and what gRPC's clients call "snappy"). Formats: format_description.txt and framing_format.txt of google/snappy.

#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace spanloom::net::coding {

// What `content` says to inflate to; 0 if it says nothing that could be true.
size_t ClaimedSnappyBytes(std::string_view content);
size_t ClaimedFramedSnappyBytes(std::string_view content);

// True if `content` is in frames: no block begins as they do.
[[nodiscard]] bool IsFramedSnappy(std::string_view content);

// As Compress and Decompress of net/compression.h. Frames end anywhere between two: what is cut off there is not
// missed, and nothing at all is no frame.
Bytes CompressSnappy(std::string_view content);
StatusOr<Bytes> DecompressSnappy(std::string_view content, size_t bytes_max);
Bytes CompressFramedSnappy(std::string_view content);
StatusOr<Bytes> DecompressFramedSnappy(std::string_view content, size_t bytes_max);

}  // namespace spanloom::net::coding
