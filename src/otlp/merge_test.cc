// SPDX-License-Identifier: Apache-2.0

#include "otlp/merge.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "otlp/request.h"
#include "otlp/testing/recorded_requests.h"
#include "otlp/validate.h"
#include "otlp/wire/writer.h"
#include "otlp/writer.h"

namespace spanloom::otlp {
namespace {

// A field `field` with `content` in it.
std::string Field(uint32_t field, const std::string& content) {
  std::string out;
  wire::Writer(out).Bytes(field, content);
  return out;
}

std::string Varint(uint32_t field, uint64_t value) {
  std::string out;
  wire::Writer(out).Varint(field, value);
  return out;
}

// A request of one span, whose fields are `span`.
std::string RequestWithSpan(const std::string& span) {
  return Field(1, Field(2, Field(2, span)));
}

// Merges `split`, which must be found to need it, and checks what always holds.
std::string Merged(const std::string& split) {
  const auto before = ValidateTraces(split);
  EXPECT_TRUE(before.ok()) << before.status();
  EXPECT_TRUE(before->has_split_messages);
  std::string merged = MergeSplitMessages(split);
  const auto after = ValidateTraces(merged);
  EXPECT_TRUE(after.ok()) << after.status();
  EXPECT_FALSE(after->has_split_messages);
  EXPECT_EQ(after->spans, before->spans);
  EXPECT_LE(merged.size(), split.size());
  return merged;
}

std::string MergedSpan(const std::string& span) {
  const std::string request = Merged(RequestWithSpan(span));
  return std::string(
      (*(*(*TracesView(request).resource_spans().begin()).scope_spans().begin()).spans().begin()).wire());
}

// What a value that is written in these parts becomes.
std::string MergedValue(const std::string& parts) {
  return std::string(
      AttributeView((*SpanView(MergedSpan(Field(9, parts))).attributes().begin()).wire()).value().wire());
}

std::string Value(const std::string& fields) {
  return Field(2, fields);
}

TEST(Merge, JoinsTheAttributesOfAResourceInParts) {
  const std::string request =
      Merged(Field(1, Field(1, Field(1, Field(1, "a")) + Varint(2, 1)) + Field(2, Field(2, "")) +
                          Field(1, Field(1, Field(1, "b")) + Varint(2, 2))));
  EXPECT_EQ(request,
            Field(1, Field(1, Field(1, Field(1, "a")) + Varint(2, 1) + Field(1, Field(1, "b")) + Varint(2, 2)) +
                         Field(2, Field(2, ""))));
  const ResourceView resource = (*TracesView(request).resource_spans().begin()).resource();
  EXPECT_EQ(resource.attributes().Count(), 2u);
  EXPECT_EQ(resource.dropped_attributes_count(), 2u);
}

TEST(Merge, JoinsScopesAndStatus) {
  const std::string scope = Field(1, Field(1, "name")) + Field(1, Field(2, "version"));
  const std::string request = Merged(Field(1, Field(2, scope)));
  EXPECT_EQ(request, Field(1, Field(2, Field(1, Field(1, "name") + Field(2, "version")))));
  EXPECT_EQ(MergedSpan(Field(15, Field(2, "boom")) + Varint(6, 1) + Field(15, Varint(3, 2))),
            Field(15, Field(2, "boom") + Varint(3, 2)) + Varint(6, 1));
}

TEST(Merge, TakesTheLastKindOfValue) {
  EXPECT_EQ(MergedValue(Value(Varint(3, 1)) + Value(Varint(3, 2))), Varint(3, 2));
  EXPECT_EQ(MergedValue(Value(Varint(3, 1)) + Value("")), Varint(3, 1)) << "an empty part changes nothing";
  EXPECT_EQ(MergedValue(Value(Varint(3, 1)) + Value(Field(1, "s"))), Field(1, "s"));
}

TEST(Merge, JoinsArraysUnlessAnotherKindStandsBetween) {
  const auto array = [](uint64_t element) { return Field(5, Field(1, Varint(3, element))); };
  EXPECT_EQ(MergedValue(Value(array(1) + array(2))), Field(5, Field(1, Varint(3, 1)) + Field(1, Varint(3, 2))));
  EXPECT_EQ(MergedValue(Value(array(1)) + Value(array(2))), Field(5, Field(1, Varint(3, 1)) + Field(1, Varint(3, 2))));
  EXPECT_EQ(MergedValue(Value(array(1)) + Value(Varint(3, 7)) + Value(array(2))), array(2));
  EXPECT_EQ(MergedValue(Value(array(1)) + Value(Field(6, "")) + Value(array(2) + array(3))),
            Field(5, Field(1, Varint(3, 2)) + Field(1, Varint(3, 3))));
}

TEST(Merge, JoinsPartsWithinParts) {
  // A map in two parts, each with an entry whose value is in two parts.
  const std::string entry = Field(1, Field(1, "k") + Value(Varint(3, 1)) + Value(Varint(3, 2)));
  const std::string whole = Field(1, Field(1, "k") + Value(Varint(3, 2)));
  EXPECT_EQ(MergedValue(Value(Field(6, entry)) + Value(Field(6, entry))), Field(6, whole + whole));
}

TEST(Merge, KeepsUnknownFieldsOfEveryWireType) {
  const std::string unknown = Varint(100, 1) + Field(101, "x") + "\xd3\x06\x08\x01\xd4\x06" +
                              "\xdd\x06"
                              "1234" +
                              "\xd9\x06"
                              "12345678";  // the third is a group, then fixed32 and fixed64
  const std::string request =
      Merged(unknown + Field(1, unknown + Field(1, unknown) + Field(1, unknown) + unknown) + unknown);
  EXPECT_EQ(request, unknown + Field(1, unknown + Field(1, unknown + unknown) + unknown) + unknown);
}

// Scenario: every recorded request, none of which has split messages.
// Guarantees: the check says so, and merging would not have changed a byte.
TEST(Merge, LeavesRecordedRequestsAsTheyAre) {
  for (const RecordedRequest& request : ReadRecordedRequests(".pb")) {
    ASSERT_FALSE(ValidateTraces(request.body)->has_split_messages) << request.name;
    ASSERT_EQ(MergeSplitMessages(request.body), request.body) << request.name;
  }
}

// Scenario: values 64 deep of 1 MiB, where each level is in two parts.
// Guarantees: it is merged within the stated memory and in time that grows with size times depth, not faster.
TEST(Merge, ManagesPartsOnEveryLevel) {
  std::string value = Field(1, std::string(1 << 20, 'x'));
  for (int depth = 0; depth < kValueDepthMax; ++depth) {
    value = Field(6, Field(1, Value(value) + Value(""))) + Field(6, "");
  }
  EXPECT_LT(MergedValue(Value(value) + Value("")).size(), value.size());
}

TEST(ReadTraces, SharesTheBytesOfAnOrdinaryRequest) {
  const Bytes wire(RequestWithSpan(Field(5, "name")));
  const auto slice = ReadTraces(wire);
  ASSERT_TRUE(slice.ok());
  EXPECT_EQ(slice->wire().data(), wire.data());
  EXPECT_EQ(slice->span_count(), 1u);
}

TEST(ReadTraces, MergesSplitMessages) {
  const auto slice = ReadTraces(Bytes(Field(1, Field(1, "") + Field(1, "") + Field(2, Field(2, "")))));
  ASSERT_TRUE(slice.ok());
  EXPECT_EQ(slice->wire().view(), Field(1, Field(1, "") + Field(2, Field(2, ""))));
  EXPECT_EQ(slice->span_count(), 1u);
}

TEST(ReadTraces, RefusesWhatIsMalformed) {
  EXPECT_EQ(ReadTraces(Bytes::CopyOf("\x0a")).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spanloom::otlp
