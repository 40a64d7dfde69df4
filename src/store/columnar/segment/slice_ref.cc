// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/slice_ref.h"

#include <bit>

#include "store/columnar/segment/byte_writer.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint8_t kPlaceMask = 15;
constexpr uint8_t kThousands = 16;
constexpr uint8_t kMillions = 32;
constexpr uint8_t kPowerOfTwo = 48;

uint8_t ScaleKind(uint64_t scale) {
  if (scale == 1) return 0;
  if (std::has_single_bit(scale)) return kPowerOfTwo;
  return scale == 1'000 ? kThousands : kMillions;
}

}  // namespace

void WriteSliceRef(const PackedSlice& slice, uint8_t place, std::string& out) {
  ByteWriter writer(out);
  const uint8_t kind = ScaleKind(slice.scale);
  writer.U8(place | kind);
  writer.U8(slice.width);
  writer.Varint(slice.base);
  if (kind == kPowerOfTwo) writer.U8(static_cast<uint8_t>(std::countr_zero(slice.scale)));
}

PackedSlice ReadSliceRef(uint8_t& place, ByteReader& reader) {
  const uint8_t kind = reader.U8();
  place = kind & kPlaceMask;
  PackedSlice slice;
  slice.width = reader.U8();
  if (slice.width > 64) {
    slice.width = 0;
    reader.Fail();
  }
  slice.base = reader.Varint();
  switch (kind & ~kPlaceMask) {
    case 0:
      break;
    case kThousands:
      slice.scale = 1'000;
      break;
    case kMillions:
      slice.scale = 1'000'000;
      break;
    case kPowerOfTwo: {
      const uint8_t shift = reader.U8();
      if (shift > 63) reader.Fail();
      slice.scale = uint64_t{1} << (shift & 63);
      break;
    }
    default:
      reader.Fail();
  }
  return slice;
}

void WriteSlice(std::span<const uint64_t> values, std::string& out) {
  std::string payload;
  const PackedSlice slice = Pack(values, payload);
  WriteSliceRef(slice, 0, out);
  out.append(payload);
}

void ReadSlice(size_t count, ByteReader& reader, std::vector<uint64_t>& values) {
  uint8_t place = 0;
  const PackedSlice slice = ReadSliceRef(place, reader);
  if (place != 0) reader.Fail();
  const std::string_view stored = reader.Bytes(PackedBytes(count, slice.width));
  if (!reader.ok()) return;
  std::string payload(stored);
  payload.append(kPackedSlackBytes, '\0');
  values.resize(count);
  Unpack(slice, payload.data(), 0, count, values.data());
}

}  // namespace spanloom::store::columnar
