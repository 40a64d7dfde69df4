// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/packed.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/rng.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

// Packs behind something else, and reads every value back in two ways.
void ExpectSame(const std::vector<uint64_t>& values) {
  std::string out = "before";
  const PackedSlice slice = Pack(values, out);
  ASSERT_EQ(out.size(), 6 + PackedBytes(values.size(), slice.width));
  out.append(kPackedSlackBytes, '\xff');
  const char* const payload = out.data() + 6;
  std::vector<uint64_t> read(values.size());
  Unpack(slice, payload, 0, values.size(), read.data());
  EXPECT_EQ(read, values);
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(UnpackOne(slice, payload, i), values[i]);
    ASSERT_GE(values[i], slice.base);
    ASSERT_LE(values[i], slice.max());
  }
  if (values.size() > 3) {
    uint64_t two[2];
    Unpack(slice, payload, 2, 2, two);
    EXPECT_EQ(two[0], values[2]);
    EXPECT_EQ(two[1], values[3]);
  }
}

TEST(Packed, EveryWidthReadsBackWhatWasWritten) {
  Rng rng(1);
  for (int width = 0; width <= 64; ++width) {
    for (const size_t count : {1, 2, 7, 8, 9, 63, 64, 65, 1000}) {
      std::vector<uint64_t> values(count);
      for (uint64_t& value : values) value = 1000 + (width == 0 ? 0 : rng.Next() >> (64 - width));
      if (width == 64) values[0] = kMax;
      ExpectSame(values);
    }
  }
}

TEST(Packed, EqualValuesTakeNoBytes) {
  std::string out;
  const PackedSlice slice = Pack(std::vector<uint64_t>(4096, 17), out);
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(slice.is_constant());
  EXPECT_EQ(slice.base, 17);
  EXPECT_EQ(slice.max(), 17);
}

TEST(Packed, TicksOfAMillisecondAreCountedInMilliseconds) {
  std::vector<uint64_t> values;
  for (uint64_t i = 0; i < 100; ++i) values.push_back(5 + i * 1'000'000);
  std::string out;
  const PackedSlice slice = Pack(values, out);
  EXPECT_EQ(slice.scale, 1'000'000);
  EXPECT_EQ(slice.width, 7);
  ExpectSame(values);
  values[3] += 2'000;
  EXPECT_EQ(Pack(values, out).scale, 1'000);
  ExpectSame(values);
  values[4] += 1;
  EXPECT_EQ(Pack(values, out).scale, 1);
  ExpectSame(values);
}

TEST(Packed, DoublesThatAreWholeNumbersGiveUpTheirZeroBits) {
  std::vector<uint64_t> values;
  for (uint64_t i = 0; i < 1'000; ++i) values.push_back(std::bit_cast<uint64_t>(1.0 + static_cast<double>(i)));
  std::string out;
  const PackedSlice slice = Pack(values, out);
  EXPECT_EQ(slice.scale, uint64_t{1} << 43);  // 1,000 takes 9 bits behind the point of 1.x
  EXPECT_LE(slice.width, 13);
  ExpectSame(values);
  values.push_back(std::bit_cast<uint64_t>(0.1));
  EXPECT_EQ(Pack(values, out).scale, 2);
  ExpectSame(values);
}

TEST(Packed, TheBoundDoesNotWrap) {
  ExpectSame({kMax, kMax - 5});
  ExpectSame({0, kMax});
  ExpectSame({kMax - 3'000, kMax - 1'000, kMax});
  ExpectSame({0, uint64_t{1} << 63});
  ExpectSame({});
}

}  // namespace
}  // namespace spanloom::store::columnar
