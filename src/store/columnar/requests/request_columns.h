// SPDX-License-Identifier: Apache-2.0
//
// A request row as numbers: which it has, and what each is less what follows from others. Format:
// docs/formats/requests.md, "Chunks".

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "store/columnar/segment/trace_place.h"
#include "store/request_row.h"

namespace spanloom::store::columnar {

// The numbers are the order in a chunk.
enum class RequestSlot : uint8_t {
  kPlace,
  kKeySpan,
  kKeyTraceLow,
  kKeyTraceHigh,
  kOtherTraceLow,
  kOtherTraceHigh,
  kArrival,
  kDuration,
  kService,  // texts: as many as kRequestTexts
  kModel,
  kPrefillPod,
  kDecodePod,
  kInputTokens,
  kCachedTokens,
  kOutputTokens,
  kPhases,  // as many as kRequestPhases
  kTtft = kPhases + kRequestPhases,
  kTpot,
  kOutcome,
  kConfidence,
  kSamplingWeight,
};
inline constexpr size_t kRequestSlots = 28;
inline constexpr size_t kRequestTexts = 4;
static_assert(static_cast<size_t>(RequestSlot::kSamplingWeight) + 1 == kRequestSlots);

// What a row has, as the format says.
using RequestShape = uint64_t;
inline constexpr RequestShape kRequestShapeEnd = uint64_t{1} << 16;

// True if rows of that shape have a value of the slot.
[[nodiscard]] bool HasSlot(RequestShape shape, size_t slot);

// A row, and where its key's span stands among the rows of its trace; nullopt if it is no span of the trace.
struct PlacedRow {
  RequestRow row;
  std::optional<uint64_t> place;
};

using RequestValues = std::array<uint64_t, kRequestSlots>;

// The shape of a row, and the values of the slots that it has, but for texts. `trace` is where its spans are.
[[nodiscard]] RequestShape EncodeRow(const PlacedRow& placed, const TracePlace& trace, RequestValues& values);

// The reverse, for all but texts and what all rows of a file have in common. A key whose span has a place gets no span
// id. All of `row` is set but for these.
void DecodeRow(RequestShape shape, const RequestValues& values, const TracePlace& trace, RequestRow& row);

}  // namespace spanloom::store::columnar
