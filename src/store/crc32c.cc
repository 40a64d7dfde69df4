// SPDX-License-Identifier: Apache-2.0

#include "store/crc32c.h"

#include <isa-l/crc.h>

#include <cstddef>

namespace spanloom::store {

uint32_t Crc32c(std::string_view content, uint32_t before) {
  constexpr size_t kCallBytesMax = 1U << 30;  // the library counts in int
  uint32_t remainder = ~before;               // the library inverts neither what goes in nor what comes out
  while (!content.empty()) {
    const std::string_view part = content.substr(0, kCallBytesMax);
    // Declared without const; it only reads.
    auto* const bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(part.data()));
    remainder = crc32_iscsi(bytes, static_cast<int>(part.size()), remainder);
    content.remove_prefix(part.size());
  }
  return ~remainder;
}

}  // namespace spanloom::store
