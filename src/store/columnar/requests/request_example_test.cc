// SPDX-License-Identifier: Apache-2.0
//
// The worked example of docs/formats/requests.md.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "store/columnar/requests/request_file_builder.h"
#include "store/columnar/segment/testing/memory_file.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store::columnar {
namespace {

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) StrAppend(hex, absl::Hex(static_cast<uint8_t>(byte), absl::kZeroPad2));
  return hex;
}

constexpr std::string_view kHeader = "5350414e524551000100000000000000";
constexpr std::string_view kChunk =
    "00000201a0e203000000030173016d0000000000000000000000000000000000000000000000000000000000000100000200"
    "00020000000000000000030000000000000000e8070000000000000000000000a01f00000000000000000000000100008080"
    "8080808080f83f000080808080808080f83f";
constexpr std::string_view kIndex = "018a05020109882701010100e807007621f1504f";
constexpr std::string_view kFooter = "860000000000000014000000000000007abc7ba201000000005145524e415053";

// Scenario: the request of the segment that docs/formats/segment.md takes apart.
// Guarantees: the bytes on that page.
TEST(RequestExample, IsWhatThePageSays) {
  TracePlace place;
  const otlp::TraceId id = MakeTraceId(7);
  std::memcpy(place.entry.values.data(), id.bytes.data(), sizeof(id.bytes));
  place.entry[TraceSlot::kRows] = 2;
  place.entry[TraceSlot::kStart] = 1'000;
  place.entry[TraceSlot::kDuration] = 3'000;
  PlacedRow placed = {.row = {.key = {.trace_id = id, .span_id = MakeSpanId(1)},
                              .arrival_unix_ns = 1'000,
                              .end_unix_ns = 4'000,
                              .service = "s",
                              .model = "m",
                              .output_tokens = 3,
                              .ttft_ns = 500,
                              .tpot_ns = 1'000,
                              .outcome = RequestOutcome::kOk,
                              .is_provisional = false},
                      .place = 0};
  placed.row.phases_ns[static_cast<size_t>(RequestPhase::kPrefill)] = 500;
  placed.row.phases_ns[static_cast<size_t>(RequestPhase::kDecode)] = 2'000;
  placed.row.phases_ns[static_cast<size_t>(RequestPhase::kUnexplained)] = 500;

  const auto content = std::make_shared<std::string>();
  MemoryFile file(content);
  RequestFileBuilder builder({.id = 1, .bytes = 650, .spans = 2, .traces = 1}, 9, file);
  builder.Add(place, std::vector{placed});
  ASSERT_TRUE(builder.Finish(5'000).ok());
  EXPECT_EQ(Hex(*content), StrCat(kHeader, kChunk, kIndex, kFooter));
}

}  // namespace
}  // namespace spanloom::store::columnar
