// SPDX-License-Identifier: Apache-2.0

#include "otlp/ids.h"

#include <gtest/gtest.h>

namespace spanloom::otlp {
namespace {

TEST(Ids, WriteAndReadHexadecimal) {
  const auto id = ParseTraceId("5b8efff798038103d269b633813fc60c");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->bytes[0], 0x5b);
  EXPECT_EQ(id->bytes[15], 0x0c);
  EXPECT_EQ(id->Hex(), "5b8efff798038103d269b633813fc60c");
  EXPECT_EQ(ParseSpanId("EEE19B7EC3C1B174")->Hex(), "eee19b7ec3c1b174");
}

TEST(Ids, PadShortHexadecimalOnTheLeft) {
  EXPECT_EQ(ParseTraceId("abc")->Hex(), "00000000000000000000000000000abc");
  EXPECT_EQ(ParseTraceId("eee19b7ec3c1b174")->Hex(), "0000000000000000eee19b7ec3c1b174");
  EXPECT_EQ(ParseSpanId("0")->Hex(), "0000000000000000");
  EXPECT_TRUE(ParseSpanId("0")->IsZero());
}

TEST(Ids, RefuseWhatIsNotHexadecimalOrTooLong) {
  for (const char* text : {"", "g", "0x12", " 12", "12 ", "5b8efff798038103d269b633813fc60c0"}) {
    EXPECT_FALSE(ParseTraceId(text)) << text;
  }
  EXPECT_FALSE(ParseSpanId("0eee19b7ec3c1b174"));
}

TEST(Ids, TakeRawBytesOfTheirSizeOrNone) {
  EXPECT_EQ(SpanId::FromBytes("\1\2\3\4\5\6\7\10")->Hex(), "0102030405060708");
  EXPECT_TRUE(SpanId::FromBytes("")->IsZero());
  EXPECT_FALSE(SpanId::FromBytes("\1\2\3"));
  EXPECT_FALSE(TraceId::FromBytes("12345678"));
}

TEST(Ids, AreOrderedByTheirBytes) {
  EXPECT_LT(*ParseSpanId("7f"), *ParseSpanId("80"));
  EXPECT_LT(*ParseSpanId("ff"), *ParseSpanId("100"));
  EXPECT_EQ(*ParseSpanId("0A"), *ParseSpanId("a"));
}

}  // namespace
}  // namespace spanloom::otlp
