// SPDX-License-Identifier: Apache-2.0
//
// Bytes that are stored compressed where that makes them smaller: zstd, level 3.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::store::columnar {

// `content` compressed, or itself if that is not larger.
[[nodiscard]] std::string Compress(std::string_view content);

// The reverse: what Compress made of `raw_bytes` bytes. kDataLoss if it was not made so. Allocates `raw_bytes`.
[[nodiscard]] StatusOr<std::string> Decompress(std::string_view stored, uint64_t raw_bytes);

}  // namespace spanloom::store::columnar
