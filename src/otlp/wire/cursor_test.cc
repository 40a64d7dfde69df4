// SPDX-License-Identifier: Apache-2.0

#include "otlp/wire/cursor.h"

#include <gtest/gtest.h>

#include <string>

#include "otlp/wire/writer.h"

namespace spanloom::otlp::wire {
namespace {

using namespace std::string_literals;

// Steps to the end; the offset of the malformed field, or npos if there is none.
size_t FaultOffset(std::string_view message) {
  Cursor cursor(message);
  while (cursor.Next()) {
  }
  return cursor.ok() ? std::string::npos : cursor.offset();
}

TEST(Cursor, ReadsEveryWireType) {
  const std::string message =
      "\x08\x96\x01"s + "\x11\1\2\3\4\5\6\7\x80"s + "\x1a\3abc"s + "\x25\xff\xff\xff\xff"s + "\xa2\x06\0"s;
  Cursor cursor(message);
  ASSERT_TRUE(cursor.Next());
  EXPECT_EQ(cursor.field(), 1u);
  EXPECT_EQ(cursor.type(), Type::kVarint);
  EXPECT_EQ(cursor.scalar(), 150u);
  EXPECT_EQ(cursor.raw(), "\x08\x96\x01");
  ASSERT_TRUE(cursor.Next());
  EXPECT_EQ(cursor.type(), Type::kFixed64);
  EXPECT_EQ(cursor.scalar(), 0x8007060504030201u);
  ASSERT_TRUE(cursor.Next());
  EXPECT_EQ(cursor.type(), Type::kBytes);
  EXPECT_EQ(cursor.bytes(), "abc");
  EXPECT_EQ(cursor.raw(), "\x1a\3abc");
  ASSERT_TRUE(cursor.Next());
  EXPECT_EQ(cursor.type(), Type::kFixed32);
  EXPECT_EQ(cursor.scalar(), 0xffffffffu);
  ASSERT_TRUE(cursor.Next());
  EXPECT_EQ(cursor.field(), 100u);
  EXPECT_EQ(cursor.bytes(), "");
  EXPECT_FALSE(cursor.Next());
  EXPECT_TRUE(cursor.ok());
}

TEST(Cursor, EndsAtOnceOnAnEmptyMessage) {
  Cursor cursor;
  EXPECT_FALSE(cursor.Next());
  EXPECT_TRUE(cursor.ok());
  EXPECT_EQ(cursor.offset(), 0u);
}

TEST(Cursor, NamesTheOffsetOfTheMalformedField) {
  const std::string good = "\x08\x01"s;
  EXPECT_EQ(FaultOffset(good + "\x12\x05" + "abc"), 2u) << "bytes cut short";
  EXPECT_EQ(FaultOffset(good + "\x11\x01\x02"), 2u) << "fixed64 cut short";
  EXPECT_EQ(FaultOffset(good + "\x15\x01"), 2u) << "fixed32 cut short";
  EXPECT_EQ(FaultOffset(good + "\x08"), 2u) << "varint missing";
  EXPECT_EQ(FaultOffset(good + "\x08\xff\xff"), 2u) << "varint cut short";
  EXPECT_EQ(FaultOffset(good + "\x80"), 2u) << "tag cut short";
  EXPECT_EQ(FaultOffset(good + "\x02\x00"s), 2u) << "field number 0";
  EXPECT_EQ(FaultOffset(good + "\x0e\x01"), 2u) << "wire type 6";
  EXPECT_EQ(FaultOffset(good + "\x0f\x01"), 2u) << "wire type 7";
  EXPECT_EQ(FaultOffset(good + "\xff\xff\xff\xff\xff\x01"), 2u) << "tag of more than 32 bits";
  EXPECT_EQ(FaultOffset("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0u) << "length of 2^64 - 1";
}

TEST(Cursor, StaysWhereItFailed) {
  const std::string message = "\x08\x01\x12\x05"s;
  Cursor cursor(message);
  ASSERT_TRUE(cursor.Next());
  EXPECT_FALSE(cursor.Next());
  EXPECT_FALSE(cursor.Next());
  EXPECT_FALSE(cursor.ok());
  EXPECT_EQ(cursor.offset(), 2u);
}

TEST(Cursor, TakesVarintsOfUpToTenBytes) {
  const std::string negative_one = "\x08" + std::string(9, '\xff') + "\x01";
  Cursor cursor(negative_one);
  ASSERT_TRUE(cursor.Next());
  EXPECT_EQ(cursor.scalar(), ~0ull);
  EXPECT_EQ(FaultOffset("\x08" + std::string(10, '\xff') + "\x01"), 0u);
  EXPECT_EQ(FaultOffset("\x08\x81\x80\x80\x00"s), std::string::npos) << "padded";
}

TEST(Cursor, RefusesTagsAndLengthsOfMoreThanFiveBytes) {
  EXPECT_EQ(FaultOffset("\x88\x80\x80\x80\x00\x01"s), std::string::npos) << "a padded tag";
  EXPECT_EQ(FaultOffset("\x88\x80\x80\x80\x80\x00\x01"s), 0u);
  EXPECT_EQ(FaultOffset("\x12\x81\x80\x80\x80\x00x"s), std::string::npos) << "a padded length";
  EXPECT_EQ(FaultOffset("\x12\x81\x80\x80\x80\x80\x00x"s), 0u);
}

TEST(Cursor, SkipsGroupsWhole) {
  const std::string group = "\x0b\x10\x05\x1b\x1c\x22\x02hi\x0c"s;  // 1 { 2: 5, 3 {}, 4: "hi" }
  const std::string message = group + "\x28\x07";
  Cursor cursor(message);
  ASSERT_TRUE(cursor.Next());
  EXPECT_EQ(cursor.type(), Type::kGroupStart);
  EXPECT_EQ(cursor.field(), 1u);
  EXPECT_EQ(cursor.raw(), group);
  ASSERT_TRUE(cursor.Next());
  EXPECT_EQ(cursor.field(), 5u);
}

TEST(Cursor, RefusesBrokenGroups) {
  EXPECT_EQ(FaultOffset("\x0b\x10\x05"), 0u) << "not closed";
  EXPECT_EQ(FaultOffset("\x0b\x14"), 0u) << "closed by another field's end";
  EXPECT_EQ(FaultOffset("\x0c"), 0u) << "end without a start";
  EXPECT_EQ(FaultOffset(std::string(32, '\x0b') + std::string(32, '\x0c')), std::string::npos);
  EXPECT_EQ(FaultOffset(std::string(33, '\x0b') + std::string(33, '\x0c')), 0u) << "too deep";
}

TEST(Writer, WritesWhatTheCursorReads) {
  std::string out;
  Writer writer(out);
  writer.Varint(1, 300);
  writer.Fixed64(2, 1);
  writer.Fixed32(3, 2);
  writer.Double(4, 1.5);
  writer.Bytes(5, "x");
  EXPECT_EQ(out, "\x08\xac\x02\x11\1\0\0\0\0\0\0\0\x1d\2\0\0\0\x21\0\0\0\0\0\0\xf8\x3f\x2a\1x"s);
}

TEST(Writer, PatchesLengthsOfNestedMessagesWithoutPadding) {
  for (const size_t size : {0, 1, 124, 125, 126, 127, 128, 16380, 16383, 20000}) {
    const std::string payload(size, 'p');
    std::string inner;
    Writer(inner).Bytes(3, payload);
    std::string middle;
    Writer(middle).Bytes(2, inner);
    std::string expected = "before";
    Writer(expected).Bytes(1, middle);
    expected += "after";

    std::string out = "before";
    Writer writer(out);
    const Writer::Mark outer_mark = writer.Begin(1);
    const Writer::Mark inner_mark = writer.Begin(2);
    writer.Bytes(3, payload);
    writer.End(inner_mark);
    writer.End(outer_mark);
    writer.Raw("after");
    EXPECT_EQ(out, expected) << size;
  }
}

}  // namespace
}  // namespace spanloom::otlp::wire
