// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "store/columnar/segment/segment_account.h"
#include "store/columnar/segment/segment_builder.h"
#include "store/columnar/segment/segment_layout.h"
#include "store/columnar/segment/segment_reader.h"
#include "store/columnar/segment/testing/memory_file.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store::columnar {
namespace {

constexpr size_t kBytesMax = 1 << 30;

struct Written {
  std::vector<Trace> traces;
  std::shared_ptr<std::string> content = std::make_shared<std::string>();
  SegmentTotals totals = {};

  void Write() {
    MemoryFile file(content);
    SegmentBuilder builder(file);
    for (size_t i = 0; i < traces.size(); ++i) builder.Add(traces[i], i + 10);
    StatusOr<SegmentTotals> finished = builder.Finish();
    ASSERT_TRUE(finished.ok()) << finished.status();
    totals = *finished;
  }

  [[nodiscard]] StatusOr<std::unique_ptr<const SegmentReader>> Open() const {
    return SegmentReader::Open(std::make_unique<MemoryFile>(content));
  }
};

std::string Hex(Rng& rng, int digits) {
  std::string text;
  for (int i = 0; i < digits; ++i) text.push_back("0123456789abcdef"[rng.Below(16)]);
  return text;
}

// Traces as an LLM server's clients make them, with everything that a span can have here and there.
std::vector<Trace> MakeTraces(size_t count, Rng& rng) {
  std::vector<std::shared_ptr<const SpanOrigin>> origins;
  for (const std::string_view service : {"gateway", "routing-proxy", "vllm-decode"}) {
    origins.push_back(std::make_shared<const SpanOrigin>(SpanOrigin{.resource = Bytes::CopyOf(service),
                                                                    .scope = Bytes::CopyOf("s"),
                                                                    .resource_schema_url = "u",
                                                                    .scope_schema_url = {}}));
  }
  std::vector<Trace> traces;
  for (size_t i = 0; i < count; ++i) {
    Trace trace = {.id = MakeTraceId(rng.Next()), .spans = {}};
    const std::string request_id = StrCat("chatcmpl-", Hex(rng, 32));
    const uint64_t start = 1'000'000 + i * 1'000;
    for (uint64_t s = 0; s < 1 + rng.Below(8); ++s) {
      SpanSpec spec = {.trace_id = trace.id,
                       .span_id = MakeSpanId(rng.Next()),
                       .name = StrCat("operation ", s),
                       .kind = otlp::SpanKind::kServer,
                       .start_unix_ns = start + s * 37,
                       .end_unix_ns = start + rng.Below(1'000'000),
                       .attributes = {{"request.id", request_id},
                                      {"model", "llama"},
                                      {"ttft", rng.Unit()},
                                      {"tokens", static_cast<int64_t>(rng.Below(4000))}}};
      if (s > 0) spec.parent_span_id = otlp::SpanView(trace.spans[rng.Below(s)].wire.view()).span_id();
      if (rng.Below(20) == 0) spec.parent_span_id = MakeSpanId(rng.Next());
      if (rng.Below(4) == 0) spec.attributes.push_back({"text", std::string(rng.Below(300), 'x')});
      for (uint64_t e = rng.Below(3); e > 0; --e) {
        spec.events.push_back({.time_unix_ns = start + e, .name = "token", .attributes = {{"id", Hex(rng, 8)}}});
      }
      if (rng.Below(5) == 0)
        spec.links.push_back({.trace_id = MakeTraceId(rng.Next()), .span_id = MakeSpanId(rng.Next())});
      std::string wire = Encode(spec);
      if (rng.Below(50) == 0) wire += std::string("\xa2\x06\x01\x61", 4);  // a field that we do not know
      trace.spans.push_back({.wire = Bytes(std::move(wire)), .origin = origins[s % origins.size()]});
    }
    traces.push_back(std::move(trace));
  }
  return traces;
}

void ExpectEqual(const std::vector<StoredSpan>& found, const std::vector<StoredSpan>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].wire.view(), expected[i].wire.view());
    ASSERT_TRUE(AreEqual(*found[i].origin, *expected[i].origin));
  }
}

class SegmentTest : public testing::Test {
 protected:
  Rng rng_{11};
};

TEST_F(SegmentTest, EverySpanComesBackByteForByte) {
  Written written = {.traces = MakeTraces(3'000, rng_)};
  written.Write();
  const auto reader = written.Open();
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->index().totals(), written.totals);
  EXPECT_EQ(written.totals.traces, 3'000);
  EXPECT_GT((*reader)->index().pages().size(), 2);
  for (size_t i = 0; i < written.traces.size(); ++i) {
    const Trace& trace = written.traces[i];
    const auto place = (*reader)->Find(trace.id);
    ASSERT_TRUE(place.ok()) << place.status();
    ASSERT_TRUE(place->has_value());
    EXPECT_EQ((*place)->number, i);
    const auto spans = (*reader)->ReadSpans(**place, kBytesMax);
    ASSERT_TRUE(spans.ok()) << spans.status();
    ExpectEqual(*spans, trace.spans);
    EXPECT_EQ((*reader)->RowOf(**place), Summarize(trace, i + 10));
  }
  const auto none = (*reader)->Find(MakeTraceId(5));
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
}

TEST_F(SegmentTest, ATraceMayBeLargerThanManyPages) {
  Written written = {.traces = MakeTraces(2, rng_)};
  Trace& trace = written.traces[0];
  std::vector<Trace> more = MakeTraces(6'000, rng_);
  for (const Trace& other : more) trace.spans.insert(trace.spans.end(), other.spans.begin(), other.spans.end());
  std::ranges::stable_sort(trace.spans, {}, [](const StoredSpan& span) { return span.span().start_unix_ns(); });
  written.Write();
  const auto reader = written.Open();
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto place = (*reader)->TraceAt(0);
  ASSERT_TRUE(place.ok());
  const auto spans = (*reader)->ReadSpans(*place, kBytesMax);
  ASSERT_TRUE(spans.ok()) << spans.status();
  ExpectEqual(*spans, trace.spans);
}

// Gives the spans of a trace a few at a time, from memory that ends with each.
class Pieces final : public SpanSource {
 public:
  explicit Pieces(const std::vector<StoredSpan>& spans) : spans_(spans) {}

  void Rewind() override { next_ = 0; }
  StatusOr<std::vector<StoredSpan>> Next() override {
    std::vector<StoredSpan> piece;
    for (; piece.size() < 700 && next_ < spans_.size(); ++next_) {
      piece.push_back({.wire = Bytes::CopyOf(spans_[next_].wire.view()), .origin = spans_[next_].origin});
    }
    return piece;
  }

 private:
  const std::vector<StoredSpan>& spans_;
  size_t next_ = 0;
};

// Scenario: traces of any size, the root of one in its middle, are added piece by piece, and another time whole.
// Guarantees: the files are the same, byte for byte.
TEST_F(SegmentTest, ATraceMayComeInPieces) {
  Written whole = {.traces = MakeTraces(300, rng_)};
  for (const size_t number : {size_t{100}, size_t{200}}) {
    std::vector<StoredSpan>& spans = whole.traces[number].spans;
    const std::vector<StoredSpan> some = spans;
    while (spans.size() < 10'000) spans.insert(spans.end(), some.begin(), some.end());
    std::ranges::stable_sort(spans, {}, [](const StoredSpan& span) { return span.span().start_unix_ns(); });
  }
  SpanSpec late_root = {.trace_id = whole.traces[0].id, .span_id = MakeSpanId(1), .name = "root", .start_unix_ns = 1};
  SpanSpec child = late_root;
  child.parent_span_id = MakeSpanId(2);
  child.name = "child";
  const auto origin = whole.traces[1].spans[0].origin;
  whole.traces[0].spans = {{.wire = Bytes(Encode(child)), .origin = origin},
                           {.wire = Bytes(Encode(late_root)), .origin = origin}};
  whole.Write();

  const auto content = std::make_shared<std::string>();
  MemoryFile file(content);
  SegmentBuilder builder(file);
  for (size_t i = 0; i < whole.traces.size(); ++i) {
    Pieces pieces(whole.traces[i].spans);
    ASSERT_TRUE(builder.Add(whole.traces[i].id, pieces, i + 10).ok());
  }
  EXPECT_EQ(builder.Finish().value_or(SegmentTotals()), whole.totals);
  EXPECT_TRUE(*content == *whole.content);
}

TEST_F(SegmentTest, EveryFlippedByteIsDetectedOrHarmless) {
  Written written = {.traces = MakeTraces(6, rng_)};
  written.Write();
  for (size_t i = 0; i < written.content->size(); ++i) {
    (*written.content)[i] ^= 0x20;
    const auto reader = written.Open();
    for (size_t t = 0; reader.ok() && t < written.traces.size(); t += 2) {
      const auto place = (*reader)->Find(written.traces[t].id);
      if (!place.ok()) continue;
      ASSERT_TRUE(place->has_value()) << "byte " << i;
      const auto spans = (*reader)->ReadSpans(**place, kBytesMax);
      if (spans.ok()) ExpectEqual(*spans, written.traces[t].spans);
    }
    (*written.content)[i] ^= 0x20;
  }
}

TEST_F(SegmentTest, AFileThatEndsEarlyIsRefused) {
  Written written = {.traces = MakeTraces(10, rng_)};
  written.Write();
  while (!written.content->empty()) {
    written.content->pop_back();
    ASSERT_FALSE(written.Open().ok());
  }
}

TEST_F(SegmentTest, ANewerVersionIsRefusedByName) {
  Written written = {.traces = MakeTraces(1, rng_)};
  written.Write();
  (*written.content)[written.content->size() - 12] = 2;
  EXPECT_EQ(written.Open().status().code(), absl::StatusCode::kDataLoss);
  (*written.content)[kHeaderMagic.size()] = 2;
  const auto reader = written.Open();
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kFailedPrecondition) << reader.status();
}

// Scenario: a segment with everything that spans can have.
// Guarantees: the account of its bytes names each once, and those of attributes by their keys.
TEST_F(SegmentTest, TheAccountHoldsEveryByte) {
  Written written = {.traces = MakeTraces(2'000, rng_)};
  written.Write();
  const auto account = AccountOf(MemoryFile(written.content));
  ASSERT_TRUE(account.ok()) << account.status();
  uint64_t sum = 0;
  for (const auto& [part, bytes] : account->parts) sum += bytes;
  EXPECT_EQ(sum, written.content->size());
  EXPECT_EQ(account->file_bytes, written.content->size());
  EXPECT_EQ(account->spans, written.totals.spans);
  EXPECT_GE(account->parts.at("span ids"), written.totals.spans * 8);
  EXPECT_GE(account->parts.at("trace ids"), written.totals.traces * 8);  // half of an id is random here
  EXPECT_GE(account->columns.at("ttft"), written.totals.spans * 6);
}

TEST_F(SegmentTest, RequestIdsCostTheirOwnBytesOnce) {
  Written small = {.traces = MakeTraces(20'000, rng_)};
  size_t spans = 0;
  for (const Trace& trace : small.traces) spans += trace.spans.size();
  small.Write();
  RecordProperty("bytes_per_span", static_cast<int>(small.content->size() / spans));
  EXPECT_LT(small.content->size() / spans, 100);
}

}  // namespace
}  // namespace spanloom::store::columnar
