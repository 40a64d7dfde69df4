// SPDX-License-Identifier: Apache-2.0
//
// What the bytes of a segment are spent on.

#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/status.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// Bytes by what they are for. A value.
struct SegmentAccount {
  std::map<std::string, uint64_t> parts;    // their sum is file_bytes
  std::map<std::string, uint64_t> columns;  // of attributes, by key: what lies in pages; part of some of the above
  uint64_t file_bytes = 0;
  uint64_t spans = 0;
};

// Reads the index of a segment, no page. Errors: those of SegmentIndex::Read.
[[nodiscard]] StatusOr<SegmentAccount> AccountOf(const disk::File& file);

}  // namespace spanloom::store::columnar
