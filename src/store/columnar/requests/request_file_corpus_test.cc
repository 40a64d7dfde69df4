// SPDX-License-Identifier: Apache-2.0
//
// The corpus of request_file_fuzz: small files. SPANLOOM_WRITE_CORPUS=1 writes it anew.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/test_data.h"
#include "base/text.h"
#include "store/columnar/requests/request_file.h"
#include "store/columnar/requests/request_file_builder.h"
#include "store/columnar/segment/testing/memory_file.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store::columnar {
namespace {

// As request_file_fuzz.cc has it.
constexpr SegmentIdentity kSegment = {.id = 1, .bytes = 650, .spans = 2, .traces = 6};

PlacedRow RichRow(uint64_t number) {
  PlacedRow placed = {.row = {.key = {.trace_id = MakeTraceId(number), .span_id = MakeSpanId(number)},
                              .arrival_unix_ns = 1'000 * number,
                              .end_unix_ns = 1'000 * number + 900,
                              .service = "gateway",
                              .model = StrCat("model-", number % 2),
                              .input_tokens = 100 * number,
                              .output_tokens = 7,
                              .ttft_ns = 50,
                              .is_provisional = false},
                      .place = 0};
  for (size_t phase = number % 3; phase < kRequestPhases; ++phase) placed.row.phases_ns[phase] = 11 * number;
  return placed;
}

// A row that has what few have.
PlacedRow OddRow() {
  PlacedRow placed = RichRow(2);
  placed.place.reset();
  placed.row.other_trace_id = MakeTraceId(77);
  placed.row.key.trace_id = MakeTraceId(78);
  placed.row.confidence = 0.5;
  return placed;
}

// `rows`: of each trace; empty rows, none.
std::string Build(const std::vector<std::vector<PlacedRow>>& rows) {
  const auto content = std::make_shared<std::string>();
  MemoryFile file(content);
  RequestFileBuilder builder(kSegment, 1, file);
  TracePlace place;
  for (; place.number < kSegment.traces; ++place.number) {
    place.number < rows.size() ? builder.Add(place, rows[place.number]) : builder.AddUncovered();
  }
  EXPECT_TRUE(builder.Finish(5).ok());
  return *content;
}

std::vector<std::pair<std::string, std::string>> MakeCorpus() {
  return {{"none", Build({})},
          {"one_shape", Build({{RichRow(3)}, {RichRow(6)}, {RichRow(9)}})},
          {"many", Build({{RichRow(1), OddRow()}, {}, {RichRow(2)}, {OddRow(), RichRow(4), RichRow(5)}})}};
}

TEST(RequestFileCorpus, IsReadWhole) {
  for (const auto& [name, content] : MakeCorpus()) {
    const std::string path = TestData() / "../corpus/store/request_file" / name;
    if (std::getenv("SPANLOOM_WRITE_CORPUS") != nullptr) std::ofstream(path, std::ios::binary) << content;
    std::ifstream stream(path, std::ios::binary);
    const auto read =
        std::make_shared<std::string>(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    const auto file = RequestFile::Open(std::make_unique<MemoryFile>(read), kSegment, 1);
    ASSERT_TRUE(file.ok()) << path << ": " << file.status();
    for (const RequestChunkRef& chunk : (*file)->index().chunks) EXPECT_TRUE((*file)->ReadChunk(chunk).ok());
  }
}

}  // namespace
}  // namespace spanloom::store::columnar
