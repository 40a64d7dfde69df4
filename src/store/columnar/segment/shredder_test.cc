// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/shredder.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "otlp/validate.h"
#include "otlp/wire/writer.h"
#include "store/columnar/segment/assembler.h"
#include "store/columnar/segment/byte_writer.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kTraceStart = 1'000'000;

// Takes spans apart and puts them together again.
class RoundTrip {
 public:
  // The span as it comes back.
  std::string Of(std::string_view wire, std::optional<int64_t> parent = {}) {
    for (RowValues& table : rows_) table.Clear();
    const otlp::SpanView span(wire);
    shredder_.Shred({.wire = wire,
                     .trace_id = span.trace_id().view(),
                     .trace_start = kTraceStart,
                     .start = span.start_unix_ns(),
                     .origin = 7,
                     .parent = parent},
                    rows_);
    return Assembled(span);
  }

  [[nodiscard]] const Shape& shape() const { return shapes_.shapes()[Rows(RowTable::kSpans).groups()[0].shape]; }
  [[nodiscard]] const RowValues& Rows(RowTable table) const { return rows_[static_cast<size_t>(table)]; }
  [[nodiscard]] const ShapeTable& shapes() const { return shapes_; }

 private:
  // The k-th row of a table, whose group has it at place `index`.
  static std::vector<SlotValue> ValuesOf(const RowValues::Group& group, size_t index) {
    std::vector<SlotValue> values;
    for (const std::vector<SlotValue>& slot : group.slots) values.push_back(slot[index]);
    return values;
  }

  std::string Assembled(const otlp::SpanView& span) {
    const RowValues::Group& group = Rows(RowTable::kSpans).groups()[0];
    std::vector<SlotValue> values = ValuesOf(group, 0);
    for (size_t i = 0; i < values.size(); ++i) {
      if (shape().slot_ops[i] != Op::kParent) continue;
      uint64_t id = 0;
      std::memcpy(&id, span.parent_span_id().view().data(), sizeof(id));
      values[i] = SlotValue::Number(id);
    }
    std::deque<std::vector<SlotValue>> kept;
    const std::vector<ChildRow> events = Children(RowTable::kEvents, kept);
    const std::vector<ChildRow> links = Children(RowTable::kLinks, kept);
    const ChildCounts counts = CountChildren(shape(), values);
    EXPECT_EQ(counts.events, events.size());
    EXPECT_EQ(counts.links, links.size());
    EXPECT_TRUE(IsPossible(shape(), shapes_.columns()));
    std::string out;
    Assemble({.shape = &shape(),
              .values = values,
              .trace_id = span.trace_id().view(),
              .trace_start = kTraceStart,
              .events = events,
              .links = links},
             shapes_.columns(), out);
    return out;
  }

  std::vector<ChildRow> Children(RowTable table, std::deque<std::vector<SlotValue>>& kept) {
    std::vector<ChildRow> children;
    std::vector<size_t> next(Rows(table).groups().size());
    for (const uint32_t code : Rows(table).codes()) {
      const RowValues::Group& group = Rows(table).groups()[code];
      kept.push_back(ValuesOf(group, next[code]++));
      children.push_back({.shape = &shapes_.shapes()[group.shape], .values = kept.back()});
      EXPECT_TRUE(IsPossible(*children.back().shape, shapes_.columns()));
    }
    return children;
  }

  ShapeTable shapes_;
  Shredder shredder_{shapes_};
  PageRows rows_;
};

SpanSpec FullSpan() {
  return {.trace_id = MakeTraceId(1),
          .span_id = MakeSpanId(2),
          .parent_span_id = MakeSpanId(3),
          .name = "llm_request",
          .kind = otlp::SpanKind::kServer,
          .start_unix_ns = kTraceStart + 5,
          .end_unix_ns = kTraceStart + 17,
          .attributes = {{"model", "llama"},
                         {"tokens", int64_t{12}},
                         {"minus", int64_t{-1}},
                         {"ttft", 0.25},
                         {"is", true},
                         {"list", MakeArray({"a", int64_t{1}})},
                         {"map", MakeMap({{"k", 1.5}})},
                         {"bytes", MakeBytes(std::string_view("\0\xff", 2))},
                         {"empty", EncodedValue{}},
                         {"model", "twice"},
                         {"text", ""}},
          .events = {{.time_unix_ns = kTraceStart + 6, .name = "first token", .attributes = {{"n", int64_t{1}}}},
                     {.time_unix_ns = 3, .name = ""}},
          .links = {{.trace_id = MakeTraceId(9), .span_id = MakeSpanId(8)}},
          .status_code = otlp::StatusCode::kError,
          .status_message = "out of memory",
          .trace_state = "a=b",
          .flags = 0x101};
}

TEST(Shredder, ASpanComesBackByteForByte) {
  RoundTrip round_trip;
  const std::string wire = Encode(FullSpan());
  EXPECT_EQ(round_trip.Of(wire), wire);
  EXPECT_FALSE(round_trip.shape().is_raw());
  EXPECT_EQ(round_trip.Rows(RowTable::kEvents).rows(), 2);
  EXPECT_EQ(round_trip.Of(wire, -3), wire);
  EXPECT_FALSE(round_trip.shape().is_raw());
}

TEST(Shredder, SpansOfOneKindShareTheirShape) {
  RoundTrip round_trip;
  SpanSpec span = FullSpan();
  round_trip.Of(Encode(span));
  const size_t shapes = round_trip.shapes().shapes().size();
  span.span_id = MakeSpanId(77);
  span.name = "other";
  span.end_unix_ns = 3;
  span.attributes[0].second = "x";
  span.events.push_back(span.events[0]);
  EXPECT_EQ(round_trip.Of(Encode(span)), Encode(span));
  EXPECT_EQ(round_trip.shapes().shapes().size(), shapes);
  span.attributes[1].second = "another type";
  EXPECT_EQ(round_trip.Of(Encode(span)), Encode(span));
  EXPECT_EQ(round_trip.shapes().shapes().size(), shapes + 1);
}

TEST(Shredder, WhatItWouldWriteOtherwiseIsStoredRaw) {
  RoundTrip round_trip;
  const std::string plain = Encode(FullSpan());
  const std::string_view oddities[] = {
      std::string_view("\xa2\x06\x01\x61", 4),          // field 100, unknown
      std::string_view("\x30\x81\x00", 3),              // a second kind, padded
      std::string_view("\x4a\x04\x12\x00\x0a\x00", 6),  // an attribute, its value before its key
  };
  for (const std::string_view oddity : oddities) {
    const std::string wire = plain + std::string(oddity);
    EXPECT_EQ(round_trip.Of(wire), wire);
    EXPECT_TRUE(round_trip.shape().is_raw());
    EXPECT_EQ(round_trip.Rows(RowTable::kEvents).rows(), 0);
  }
}

TEST(Shredder, AnOddEventIsStoredRawAlone) {
  RoundTrip round_trip;
  SpanSpec span = FullSpan();
  span.events.clear();
  const std::string wire =
      Encode(span) + std::string("\x5a\x03\x08\x81\x00", 5) + std::string("\x5a\x03\x12\x01\x61", 5);
  EXPECT_EQ(round_trip.Of(wire), wire);
  EXPECT_FALSE(round_trip.shape().is_raw());
  EXPECT_EQ(round_trip.Rows(RowTable::kEvents).groups().size(), 2);
}

TEST(Shredder, KeysWithoutEndDoNotFillTheTables) {
  RoundTrip round_trip;
  SpanSpec span = FullSpan();
  for (int i = 0; i < 10'000; ++i) {
    span.attributes[0].first = StrCat("key ", i);
    const std::string wire = Encode(span);
    ASSERT_EQ(round_trip.Of(wire), wire);
  }
  EXPECT_TRUE(round_trip.shape().is_raw());
  EXPECT_LE(round_trip.shapes().shapes().size(), kShapesMax);
}

// Random fields in random order, often repeated, with lengths and numbers of all sizes.
std::string RandomMessage(Rng& rng, int depth, uint32_t fields) {
  std::string out;
  otlp::wire::Writer writer(out);
  for (uint64_t left = rng.Below(6); left > 0; --left) {
    const auto number = static_cast<uint32_t>(1 + rng.Below(fields));
    switch (rng.Below(4)) {
      case 0:
        writer.Varint(number, rng.Next() >> rng.Below(64));
        break;
      case 1:
        writer.Fixed64(number, rng.Next() >> rng.Below(64));
        break;
      case 2:
        writer.Bytes(number, std::string(rng.Below(20), 'x'));
        break;
      default:
        if (depth > 0) writer.Bytes(number, RandomMessage(rng, depth - 1, 7));
    }
  }
  return out;
}

TEST(Shredder, WhateverPassesTheCheckComesBack) {
  RoundTrip round_trip;
  Rng rng(7);
  size_t checked = 0;
  size_t shaped = 0;
  for (int i = 0; i < 200'000; ++i) {
    SpanSpec spec = FullSpan();
    if (rng.Below(2) == 0) spec.events.clear();
    if (rng.Below(2) == 0) spec.attributes.resize(rng.Below(4));
    std::string wire = Encode(spec);
    if (rng.Below(4) == 0) wire.clear();
    otlp::wire::Writer writer(wire);
    for (uint64_t left = rng.Below(3); left > 0; --left) {
      constexpr uint32_t kNested[] = {9, 11, 13, 15};
      writer.Bytes(kNested[rng.Below(4)], RandomMessage(rng, 2, 5));
    }
    std::string request;
    otlp::wire::Writer outer(request);
    const auto resource_spans = outer.Begin(1);
    const auto scope_spans = outer.Begin(2);
    outer.Bytes(2, wire);
    outer.End(scope_spans);
    outer.End(resource_spans);
    if (!otlp::ValidateTraces(request).ok()) continue;
    ++checked;
    ASSERT_EQ(round_trip.Of(wire), wire);
    if (!round_trip.shape().is_raw()) ++shaped;
  }
  EXPECT_GT(checked, 10'000);
  EXPECT_GT(shaped, 5'000);
}

}  // namespace
}  // namespace spanloom::store::columnar
