// SPDX-License-Identifier: Apache-2.0

#include "otlp/batch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "otlp/testing/digest.h"
#include "otlp/testing/recorded_requests.h"
#include "otlp/validate.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {
namespace {

using wire::Writer;

// A request of two resources: "a" with the spans a0, a1 in one scope and a2 in another, "b" with b0. Every message has
// an unknown field 100.
std::string TwoResources() {
  std::string out;
  Writer writer(out);
  const auto scope_spans = [&](std::string_view scope, std::vector<std::string_view> names) {
    const auto mark = writer.Begin(2);
    const auto scope_mark = writer.Begin(1);
    writer.Bytes(1, scope);
    writer.End(scope_mark);
    for (const std::string_view name : names) {
      const auto span = writer.Begin(2);
      writer.Bytes(5, name);
      writer.Varint(100, 1);
      writer.End(span);
    }
    writer.Varint(100, 2);
    writer.End(mark);
  };
  const auto a = writer.Begin(1);
  scope_spans("s1", {"a0", "a1"});
  scope_spans("s2", {"a2"});
  writer.Varint(100, 3);
  writer.End(a);
  const auto b = writer.Begin(1);
  scope_spans("s3", {"b0"});
  writer.End(b);
  writer.Varint(100, 4);
  return out;
}

Slice MakeSlice(std::string wire) {
  const auto stats = ValidateTraces(wire);
  EXPECT_TRUE(stats.ok()) << stats.status();
  return {Bytes(std::move(wire)), stats->spans};
}

std::vector<std::string> Names(const Slice& slice) {
  std::vector<std::string> names;
  slice.ForEach([&](const SpanContext& context) {
    names.push_back(std::string(context.scope.name()) + "/" + std::string(context.span.name()));
  });
  return names;
}

std::string Copy(const Slice& slice) {
  std::string out;
  slice.AppendTo(out);
  return out;
}

size_t DropNamed(Slice& slice, std::string_view name) {
  return slice.DropIf([&](const SpanContext& context) { return context.span.name() == name; });
}

using Strings = std::vector<std::string>;

TEST(Slice, VisitsSpansInOrderWithTheirScopes) {
  EXPECT_EQ(Names(MakeSlice(TwoResources())), (Strings{"s1/a0", "s1/a1", "s2/a2", "s3/b0"}));
}

TEST(Slice, DropsSpansAndCountsThem) {
  Slice slice = MakeSlice(TwoResources());
  EXPECT_EQ(DropNamed(slice, "none"), 0u);
  EXPECT_TRUE(slice.is_whole());
  EXPECT_EQ(DropNamed(slice, "a0"), 1u);
  EXPECT_EQ(DropNamed(slice, "a0"), 0u) << "dropped spans are not visited again";
  EXPECT_FALSE(slice.is_whole());
  EXPECT_EQ(slice.span_count(), 3u);
  EXPECT_EQ(DropNamed(slice, "b0"), 1u);
  EXPECT_EQ(Names(slice), (Strings{"s1/a1", "s2/a2"}));
}

TEST(Slice, CopiesDoNotShareWhatIsDropped) {
  const Slice original = MakeSlice(TwoResources());
  Slice copy = original;
  DropNamed(copy, "a0");
  EXPECT_EQ(original.span_count(), 4u);
  EXPECT_EQ(copy.wire().data(), original.wire().data());
}

TEST(Slice, AppendsAWholeRequestAsItCame) {
  EXPECT_EQ(Copy(MakeSlice(TwoResources())), TwoResources());
}

// Scenario: one of two spans of a scope is dropped.
// Guarantees: all other bytes, unknown fields of every message included, are as they were.
TEST(Slice, AppendsTheRestByteForByte) {
  Slice slice = MakeSlice(TwoResources());
  DropNamed(slice, "a1");
  std::string span;
  Writer span_writer(span);
  const auto mark = span_writer.Begin(2);
  span_writer.Bytes(5, "a1");
  span_writer.Varint(100, 1);
  span_writer.End(mark);
  std::string expected = TwoResources();
  expected.erase(expected.find(span), span.size());
  expected[1] = static_cast<char>(expected[1] - span.size());  // length of resource spans
  expected[3] = static_cast<char>(expected[3] - span.size());  // length of scope spans
  EXPECT_EQ(Copy(slice), expected);
}

TEST(Slice, LeavesOutScopesAndResourcesWithoutSpans) {
  Slice slice = MakeSlice(TwoResources());
  DropNamed(slice, "a2");
  DropNamed(slice, "b0");
  const std::string rest = Copy(slice);
  EXPECT_EQ(TracesView(rest).resource_spans().Count(), 1u);
  EXPECT_EQ((*TracesView(rest).resource_spans().begin()).scope_spans().Count(), 1u);
  EXPECT_EQ(Names(MakeSlice(rest)), (Strings{"s1/a0", "s1/a1"}));
}

TEST(Slice, AppendsNothingIfAllIsDropped) {
  Slice slice = MakeSlice(TwoResources());
  EXPECT_EQ(slice.DropIf([](const SpanContext&) { return true; }), 4u);
  EXPECT_EQ(Copy(slice), "");
}

// Scenario: every recorded request, with each span dropped at random, from a seed, in two rounds.
// Guarantees: the copy is valid and has exactly the spans that were left, byte for byte, in order.
TEST(SliceProperty, CopiesTheSpansOfRecordedRequestsThatAreLeft) {
  Rng rng(7);
  for (const RecordedRequest& request : ReadRecordedRequests(".pb")) {
    Slice slice = MakeSlice(request.body);
    ASSERT_EQ(Copy(slice), request.body);
    const uint64_t share = rng.Below(10);
    const auto is_unlucky = [&](const SpanContext&) { return rng.Below(10) < share; };
    const size_t dropped = slice.DropIf(is_unlucky) + slice.DropIf(is_unlucky);
    ASSERT_EQ(slice.span_count() + dropped, request.spans);

    Strings left;
    slice.ForEach([&](const SpanContext& context) { left.emplace_back(context.span.wire()); });
    ASSERT_EQ(left.size(), slice.span_count());
    Strings copied;
    const Slice copy = MakeSlice(Copy(slice));
    copy.ForEach([&](const SpanContext& context) { copied.emplace_back(context.span.wire()); });
    ASSERT_EQ(copied, left) << request.name;
  }
}

TEST(Batch, AddsUpItsSlices) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  batch.Add(MakeSlice(TwoResources()));
  batch.Add(Batch(MakeSlice(TwoResources())));
  EXPECT_EQ(batch.slices().size(), 2u);
  EXPECT_EQ(batch.span_count(), 8u);
  EXPECT_EQ(batch.wire_bytes(), 2 * TwoResources().size());
  EXPECT_EQ(batch.Encode().view(), TwoResources() + TwoResources());
}

TEST(Batch, SharesTheBytesOfOneWholeSlice) {
  const Slice slice = MakeSlice(TwoResources());
  EXPECT_EQ(Batch(slice).Encode().data(), slice.wire().data());
}

// Scenario: a request of 20 kB as it came, one of 200 bytes, one of 20 kB with a span dropped, and one more as it came.
// Guarantees: what is whole and large stays where it is, the rest is copied together, all in order.
TEST(Batch, EncodesWholeRequestsWhereTheyLie) {
  const auto request_with = [](std::string_view name) {
    std::string wire = TwoResources();
    Writer writer(wire);
    writer.Bytes(101, std::string(name.size() < 2 ? 20'000 : 1, name[0]));
    return wire;
  };
  Batch batch;
  for (const char* name : {"a", "small", "b", "c"}) batch.Add(MakeSlice(request_with(name)));
  batch.slices()[2].DropIf([](const SpanContext& context) { return context.span.name() == "a1"; });
  const ByteChain pieces = batch.EncodeInPieces();
  ASSERT_EQ(pieces.pieces().size(), 3u);
  EXPECT_EQ(pieces.pieces()[0].data(), batch.slices()[0].wire().data());
  EXPECT_EQ(pieces.pieces()[2].data(), batch.slices()[3].wire().data());
  std::string appended;
  for (const Slice& slice : batch.slices()) slice.AppendTo(appended);
  EXPECT_EQ(batch.Encode().view(), appended);
  EXPECT_GE(batch.copied_bytes(), pieces.pieces()[1].size());
  EXPECT_LT(batch.copied_bytes(), 25'000u);
}

TEST(Batch, EncodesWhatIsLeft) {
  Slice first = MakeSlice(TwoResources());
  first.DropIf([](const SpanContext& context) { return context.scope.name() != "s3"; });
  Batch batch(first);
  batch.Add(first);
  EXPECT_EQ(Names(MakeSlice(std::string(batch.Encode().view()))), (Strings{"s3/b0", "s3/b0"}));
}

TEST(Batch, IsEmptyWhenEverySpanIsDropped) {
  Batch batch(MakeSlice(TwoResources()));
  batch.slices()[0].DropIf([](const SpanContext&) { return true; });
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(batch.Encode().empty());
}

}  // namespace
}  // namespace spanloom::otlp
