// SPDX-License-Identifier: Apache-2.0
//
// A slice's descriptor as it stands in indices and chunks. Format: docs/formats/segment.md, `slice`.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/columnar/segment/byte_reader.h"
#include "store/columnar/segment/packed.h"

namespace spanloom::store::columnar {

// `place`: what the slice's numbers mean, [0, 15]; 0 for numbers that are only numbers.
void WriteSliceRef(const PackedSlice& slice, uint8_t place, std::string& out);
// `reader` fails if it says what can't be.
[[nodiscard]] PackedSlice ReadSliceRef(uint8_t& place, ByteReader& reader);

// A slice of plain numbers with its payload behind it.
void WriteSlice(std::span<const uint64_t> values, std::string& out);
// values[0, count). `reader` fails if they are not there.
void ReadSlice(size_t count, ByteReader& reader, std::vector<uint64_t>& values);

}  // namespace spanloom::store::columnar
