// SPDX-License-Identifier: Apache-2.0
//
// The checksum of our files: CRC-32C (Castagnoli), as in iSCSI (RFC 3720, B.4), LevelDB and gRPC. Finds every burst
// error of up to 32 bits. Computed by ISA-L, which picks the processor's instructions for it.

#pragma once

#include <cstdint>
#include <string_view>

namespace spanloom::store {

// The checksum of `content`, or of what `before` is the checksum of followed by `content`. Speed (crc32c_bench.cc, a
// server core of 2023): 17 ns for 21 bytes, 48 ns for 600, 45 GB/s in the cache, 9 GB/s from memory.
[[nodiscard]] uint32_t Crc32c(std::string_view content, uint32_t before = 0);

}  // namespace spanloom::store
