// SPDX-License-Identifier: Apache-2.0
//
// The checksum of a row of the catalogue: docs/formats/catalogue.md, "Checksums".

#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "store/crc32c.h"

namespace spanloom::store::columnar::catalogue {

// Takes the columns of a row in the order of the schema. Thread-compatible.
class RowChecksum {
 public:
  RowChecksum& Add(int64_t integer) {
    char bytes[sizeof(integer)];
    std::memcpy(bytes, &integer, sizeof(integer));  // little-endian, as every machine that this is built for
    checksum_ = Crc32c({bytes, sizeof(bytes)}, checksum_);
    return *this;
  }

  RowChecksum& Add(std::string_view content) {
    Add(static_cast<int64_t>(content.size()));
    checksum_ = Crc32c(content, checksum_);
    return *this;
  }

  [[nodiscard]] uint32_t value() const { return checksum_; }

 private:
  uint32_t checksum_ = 0;
};

}  // namespace spanloom::store::columnar::catalogue
