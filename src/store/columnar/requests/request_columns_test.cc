// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/requests/request_columns.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <limits>

#include "store/conformance/request_builder.h"

namespace spanloom::store::columnar {
namespace {

constexpr auto Number(RequestSlot slot) {
  return static_cast<size_t>(slot);
}

TracePlace MakePlace(uint64_t start_unix_ns, uint64_t duration_ns) {
  TracePlace place;
  const otlp::TraceId id = MakeTraceId(7);
  std::memcpy(place.entry.values.data(), id.bytes.data(), sizeof(id.bytes));
  place.entry[TraceSlot::kRows] = 3;
  place.entry[TraceSlot::kStart] = start_unix_ns;
  place.entry[TraceSlot::kDuration] = duration_ns;
  return place;
}

// Scenario: a request that spans its trace, all phases known, which add up.
// Guarantees: what follows from other values is stored as 0, whatever the times are.
TEST(RequestColumns, StoreWhatFollowsAsNothing) {
  PlacedRow placed = {.row = {.key = {.trace_id = MakeTraceId(7), .span_id = MakeSpanId(1)},
                              .arrival_unix_ns = 1'000'003,
                              .end_unix_ns = 1'900'020,
                              .output_tokens = 12},
                      .place = 0};
  int64_t sum = 0;
  for (size_t phase = 0; phase + 1 < kRequestPhases; ++phase) {
    placed.row.phases_ns[phase] = static_cast<int64_t>(1'001 + 7 * phase);
    sum += *placed.row.phases_ns[phase];
  }
  const int64_t decode = *placed.row.phases_ns[static_cast<size_t>(RequestPhase::kDecode)];
  placed.row.phases_ns[static_cast<size_t>(RequestPhase::kUnexplained)] = 900'017 - sum;
  placed.row.ttft_ns = sum - decode;
  placed.row.tpot_ns = decode / 11;
  RequestValues values = {};
  static_cast<void>(EncodeRow(placed, MakePlace(1'000'003, 900'017), values));
  for (const RequestSlot slot :
       {RequestSlot::kPlace, RequestSlot::kArrival, RequestSlot::kDuration, RequestSlot::kTtft, RequestSlot::kTpot}) {
    EXPECT_EQ(values[Number(slot)], 0) << Number(slot);
  }
  EXPECT_EQ(values[Number(RequestSlot::kPhases) + static_cast<size_t>(RequestPhase::kUnexplained)], 0);
}

// Scenario: a row with nothing known, at the ends of what numbers can say.
// Guarantees: it comes back; absent is not 0.
TEST(RequestColumns, KeepWhatIsAbsentAndExtreme) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  PlacedRow placed = {.row = {.key = {.trace_id = MakeTraceId(8), .span_id = MakeSpanId(9)},
                              .arrival_unix_ns = 0,
                              .end_unix_ns = kMost,
                              .output_tokens = kMost,
                              .confidence = std::numeric_limits<double>::quiet_NaN(),
                              .is_provisional = false},
                      .place = std::nullopt};
  placed.row.phases_ns[static_cast<size_t>(RequestPhase::kDecode)] = std::numeric_limits<int64_t>::min();
  placed.row.tpot_ns = std::numeric_limits<int64_t>::min();
  const TracePlace place = MakePlace(kMost, 1);
  RequestValues values = {};
  const RequestShape shape = EncodeRow(placed, place, values);
  RequestRow row;
  row.is_provisional = false;
  DecodeRow(shape, values, place, row);
  EXPECT_EQ(std::bit_cast<uint64_t>(row.confidence), std::bit_cast<uint64_t>(placed.row.confidence));
  row.confidence = placed.row.confidence = 1;
  EXPECT_EQ(row, placed.row);
}

}  // namespace
}  // namespace spanloom::store::columnar
