// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/requests/request_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "store/columnar/requests/request_file_builder.h"
#include "store/columnar/segment/testing/memory_file.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint32_t kAnatomy = 3;

// The traces of a segment, and their rows; nullopt: not covered.
struct Content {
  std::vector<TracePlace> places;
  std::vector<std::optional<std::vector<PlacedRow>>> rows;

  [[nodiscard]] SegmentIdentity identity() const {
    return {.id = 5, .bytes = 1'234, .spans = 99, .traces = places.size()};
  }
};

TracePlace MakePlace(uint64_t number, uint64_t start_unix_ns, uint64_t duration_ns) {
  TracePlace place;
  place.number = number;
  const otlp::TraceId id = MakeTraceId(number + 1);
  std::memcpy(place.entry.values.data(), id.bytes.data(), sizeof(id.bytes));
  place.entry[TraceSlot::kStart] = start_unix_ns;
  place.entry[TraceSlot::kDuration] = duration_ns;
  return place;
}

std::string Write(const Content& content) {
  const auto bytes = std::make_shared<std::string>();
  MemoryFile file(bytes);
  RequestFileBuilder builder(content.identity(), kAnatomy, file);
  uint64_t rows = 0;
  for (size_t i = 0; i < content.places.size(); ++i) {
    if (!content.rows[i]) {
      builder.AddUncovered();
      continue;
    }
    builder.Add(content.places[i], *content.rows[i]);
    rows += content.rows[i]->size();
  }
  const StatusOr<uint64_t> finished = builder.Finish(77);
  EXPECT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished.value_or(0), rows);
  return *bytes;
}

StatusOr<std::shared_ptr<const RequestFile>> Open(std::string bytes, const SegmentIdentity& segment,
                                                  std::optional<uint32_t> anatomy = kAnatomy) {
  return RequestFile::Open(std::make_unique<MemoryFile>(std::make_shared<std::string>(std::move(bytes))), segment,
                           anatomy);
}

// Equal for rows that are equal bit for bit.
std::string Describe(const RequestRow& row) {
  std::string text =
      StrCat(row.key.trace_id.Hex(), row.key.span_id.Hex(), " ", row.arrival_unix_ns, " ", row.end_unix_ns, " ",
             row.service, "|", row.model, "|", row.prefill_pod, "|", row.decode_pod, " ", static_cast<int>(row.outcome),
             " ", std::bit_cast<uint64_t>(row.confidence), " ", std::bit_cast<uint64_t>(row.sampling_weight),
             row.is_provisional ? " provisional" : "");
  const auto add = [&](const auto& value) {
    if (value) {
      StrAppend(text, " ", *value);
    } else {
      StrAppend(text, " -");
    }
  };
  StrAppend(text, row.other_trace_id ? row.other_trace_id->Hex() : "-");
  for (const auto& tokens : {row.input_tokens, row.cached_tokens, row.output_tokens}) add(tokens);
  for (const auto& phase : row.phases_ns) add(phase);
  add(row.ttft_ns);
  add(row.tpot_ns);
  return text;
}

// The rows of the file are those of `content`, or, of chunks that do not check, none.
void ExpectRows(const RequestFile& file, const Content& content, bool is_whole = true) {
  for (const RequestChunkRef& ref : file.index().chunks) {
    const StatusOr<RequestChunk> chunk = file.ReadChunk(ref);
    if (!is_whole && absl::IsDataLoss(chunk.status())) continue;
    ASSERT_TRUE(chunk.ok()) << chunk.status();
    for (size_t i = 0; i < ref.traces; ++i) {
      const size_t number = ref.first_trace + i;
      const auto& expected = content.rows[number];
      const bool is_expected = expected && expected->size() <= kRequestChunkRows;
      ASSERT_EQ(chunk->IsCovered(i), is_expected) << number;
      if (!is_expected) continue;
      const auto [begin, end] = chunk->RowsOf(i);
      ASSERT_EQ(end - begin, expected->size());
      for (uint32_t row = begin; row < end; ++row) {
        PlacedRow placed = (*expected)[row - begin];
        ASSERT_EQ(chunk->PlaceOf(row), placed.place);
        if (placed.place) placed.row.key.span_id = {};
        RequestRow read;
        chunk->Fill(row, content.places[number], read);
        ASSERT_EQ(Describe(read), Describe(placed.row));
        const bool is_within =
            read.arrival_unix_ns >= ref.first_arrival_unix_ns && read.arrival_unix_ns <= ref.last_arrival_unix_ns;
        ASSERT_TRUE(is_within);
      }
    }
  }
}

// Numbers of all sizes, and those at the ends.
uint64_t AnyNumber(Rng& rng) {
  constexpr uint64_t kEnds[] = {0, 1, uint64_t{1} << 63, std::numeric_limits<uint64_t>::max(), 1'000'000'000};
  if (rng.Below(4) == 0) return kEnds[rng.Below(5)];
  return rng.Next() >> rng.Below(64);
}

std::string AnyText(Rng& rng) {
  switch (rng.Below(5)) {
    case 0:
      return "";
    case 1:
      return std::string(rng.Below(20'000), 'x');
    default:
      return StrCat("pod-", rng.Below(7), std::string("\0", rng.Below(2)));
  }
}

PlacedRow AnyRow(const TracePlace& place, Rng& rng) {
  const auto maybe = [&](auto& value) {
    if (rng.Below(3) > 0) value = static_cast<std::remove_reference_t<decltype(*value)>>(AnyNumber(rng));
  };
  PlacedRow placed;
  RequestRow& row = placed.row;
  row.key = {.trace_id = rng.Below(8) == 0 ? MakeTraceId(rng.Next()) : place.id(), .span_id = MakeSpanId(rng.Next())};
  if (rng.Below(4) > 0) placed.place = AnyNumber(rng);
  if (rng.Below(4) == 0) row.other_trace_id = MakeTraceId(rng.Next());
  row.arrival_unix_ns = AnyNumber(rng);
  row.end_unix_ns = AnyNumber(rng);
  for (std::string* const text : {&row.service, &row.model, &row.prefill_pod, &row.decode_pod}) *text = AnyText(rng);
  for (auto* const tokens : {&row.input_tokens, &row.cached_tokens, &row.output_tokens}) maybe(*tokens);
  for (auto& phase : row.phases_ns) maybe(phase);
  maybe(row.ttft_ns);
  maybe(row.tpot_ns);
  row.outcome = static_cast<RequestOutcome>(rng.Below(256));
  row.confidence = std::bit_cast<double>(AnyNumber(rng));
  if (rng.Below(5) == 0) row.confidence = std::numeric_limits<double>::quiet_NaN();
  row.sampling_weight = std::bit_cast<double>(AnyNumber(rng));
  row.is_provisional = false;
  return placed;
}

Content AnyContent(size_t traces, Rng& rng) {
  Content content;
  for (uint64_t number = 0; number < traces; ++number) {
    content.places.push_back(MakePlace(number, AnyNumber(rng), AnyNumber(rng)));
    auto& rows = content.rows.emplace_back();
    if (rng.Below(5) == 0) continue;
    rows.emplace();
    for (uint64_t i = rng.Below(4); i > 0; --i) rows->push_back(AnyRow(content.places.back(), rng));
  }
  return content;
}

// Scenario: rows with anything in them, of traces with any number of rows, some not covered.
// Guarantees: every row comes back bit for bit, and every trace is covered or not as it was said.
TEST(RequestFileProperty, GivesBackAnyRow) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const Content content = AnyContent(rng.Below(60), rng);
    const auto file = Open(Write(content), content.identity());
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ((*file)->index().derived_unix_ns, 77);
    ExpectRows(**file, content);
    if (HasFailure()) return;
  }
}

// Scenario: more traces than a chunk of the trace table has, traces with many rows, and one with too many.
// Guarantees: chunks have no more rows than they may, and end where those of the trace table do; all rows are there
// but those of the last.
TEST(RequestFile, CutsChunks) {
  Rng rng(1);
  Content content = AnyContent(2 * kChunkTraces + 5, rng);
  for (const auto& [number, rows] : {std::pair(10, kRequestChunkRows), std::pair(11, kRequestChunkRows + 1)}) {
    content.rows[static_cast<size_t>(number)].emplace(rows, AnyRow(content.places[static_cast<size_t>(number)], rng));
  }
  for (auto& rows : content.rows) {
    for (PlacedRow& placed : rows.value_or(std::vector<PlacedRow>())) placed.row.service.resize(2);
  }
  const auto bytes = std::make_shared<std::string>();
  MemoryFile target(bytes);
  RequestFileBuilder builder(content.identity(), kAnatomy, target);
  for (size_t i = 0; i < content.places.size(); ++i) {
    content.rows[i] ? builder.Add(content.places[i], *content.rows[i]) : builder.AddUncovered();
  }
  ASSERT_TRUE(builder.Finish(1).ok());
  const auto file = Open(*bytes, content.identity());
  ASSERT_TRUE(file.ok()) << file.status();
  ExpectRows(**file, content);
  EXPECT_GT((*file)->index().chunks.size(), 5);
}

// Scenario: each byte of a small file is changed in each bit, and the file is cut everywhere.
// Guarantees: it is refused, or all rows that are read are right.
TEST(RequestFileProperty, IsRightOrRefusedWhateverIsChanged) {
  Rng rng(3);
  Content content;
  for (uint64_t number = 0; number < 3; ++number) content.places.push_back(MakePlace(number, 1'000 * number, 500));
  for (const TracePlace& place : content.places) {
    PlacedRow row = AnyRow(place, rng);
    row.row.service = "s";
    row.row.model = row.row.prefill_pod = row.row.decode_pod = "";
    content.rows.push_back(std::vector{std::move(row)});
  }
  content.rows[1].reset();
  const std::string whole = Write(content);
  for (size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      SCOPED_TRACE(StrCat("byte ", i, ", bit ", bit));
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      const auto file = Open(changed, content.identity());
      if (file.ok()) ExpectRows(**file, content, false);
      if (HasFailure()) return;
    }
    EXPECT_FALSE(Open(whole.substr(0, i), content.identity()).ok()) << i;
  }
}

// Scenario: the file of another segment, of another anatomy, and of any.
// Guarantees: the first is damage, the second is not; any is any.
TEST(RequestFile, KnowsWhoseItIs) {
  Rng rng(4);
  const Content content = AnyContent(3, rng);
  const std::string bytes = Write(content);
  for (uint64_t SegmentIdentity::*const field :
       {&SegmentIdentity::id, &SegmentIdentity::bytes, &SegmentIdentity::spans, &SegmentIdentity::traces}) {
    SegmentIdentity other = content.identity();
    ++(other.*field);
    EXPECT_EQ(Open(bytes, other).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(Open(bytes, content.identity(), kAnatomy + 1).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Open(bytes, content.identity(), std::nullopt).ok());
}

}  // namespace
}  // namespace spanloom::store::columnar
