// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/requests/request_columns.h"

#include <bit>
#include <cstring>
#include <limits>

#include "store/columnar/segment/byte_writer.h"

namespace spanloom::store::columnar {
namespace {

// Bits of a shape.
constexpr unsigned kForeignSpan = 0;
constexpr unsigned kForeignTrace = 1;
constexpr unsigned kOtherTrace = 2;
constexpr unsigned kFirstTokens = 3;
constexpr unsigned kFirstPhase = 6;
constexpr unsigned kFirstTime = 14;

constexpr auto kUnexplained = static_cast<size_t>(RequestPhase::kUnexplained);
constexpr auto kDecode = static_cast<size_t>(RequestPhase::kDecode);

constexpr size_t Number(RequestSlot slot) {
  return static_cast<size_t>(slot);
}
constexpr size_t kPhaseSlot = Number(RequestSlot::kPhases);

// The bit that says whether a row has the slot; kAlways if every row has.
constexpr unsigned kAlways = 64;
constexpr std::array<unsigned, kRequestSlots> kBits = [] {
  std::array<unsigned, kRequestSlots> bits = {};
  bits.fill(kAlways);
  bits[Number(RequestSlot::kPlace)] = kForeignSpan;  // the other way round
  bits[Number(RequestSlot::kKeySpan)] = kForeignSpan;
  bits[Number(RequestSlot::kKeyTraceLow)] = kForeignTrace;
  bits[Number(RequestSlot::kKeyTraceHigh)] = kForeignTrace;
  bits[Number(RequestSlot::kOtherTraceLow)] = kOtherTrace;
  bits[Number(RequestSlot::kOtherTraceHigh)] = kOtherTrace;
  for (unsigned i = 0; i < 3; ++i) bits[Number(RequestSlot::kInputTokens) + i] = kFirstTokens + i;
  for (unsigned i = 0; i < kRequestPhases; ++i) bits[kPhaseSlot + i] = kFirstPhase + i;
  bits[Number(RequestSlot::kTtft)] = kFirstTime;
  bits[Number(RequestSlot::kTpot)] = kFirstTime + 1;
  return bits;
}();

uint64_t Zig(uint64_t value) {
  return ZigZag(static_cast<int64_t>(value));
}
uint64_t UnZig(uint64_t value) {
  return static_cast<uint64_t>(UnZigZag(value));
}

// Sums of the phases that a row has, modulo 2^64.
struct PhaseSums {
  uint64_t known = 0;        // all but what is unexplained
  uint64_t first_token = 0;  // those before the first token
};

PhaseSums SumPhases(const RequestRow& row) {
  PhaseSums sums;
  for (size_t phase = 0; phase < kUnexplained; ++phase) {
    const auto ns = static_cast<uint64_t>(row.phases_ns[phase].value_or(0));
    sums.known += ns;
    if (phase < kDecode) sums.first_token += ns;
  }
  return sums;
}

uint64_t PredictedTpot(const RequestRow& row) {
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  const std::optional<int64_t>& decode = row.phases_ns[kDecode];
  if (!decode || !row.output_tokens || *row.output_tokens < 2 || *row.output_tokens > kMost) return 0;
  return static_cast<uint64_t>(*decode / static_cast<int64_t>(*row.output_tokens - 1));
}

void SplitId(const otlp::TraceId& id, RequestSlot low, RequestValues& values) {
  std::memcpy(&values[Number(low)], id.bytes.data(), 2 * sizeof(uint64_t));
}

otlp::TraceId IdIn(const RequestValues& values, RequestSlot low) {
  otlp::TraceId id;
  std::memcpy(id.bytes.data(), &values[Number(low)], 2 * sizeof(uint64_t));
  return id;
}

template <typename T>
void Encode(const std::optional<T>& value, RequestSlot slot, uint64_t predicted, bool zigzags, RequestValues& values,
            RequestShape& shape) {
  if (!value) return;
  const uint64_t difference = static_cast<uint64_t>(*value) - predicted;
  values[Number(slot)] = zigzags ? Zig(difference) : difference;
  shape |= RequestShape{1} << kBits[Number(slot)];
}

template <typename T>
void Decode(RequestShape shape, const RequestValues& values, RequestSlot slot, uint64_t predicted, bool zigzags,
            std::optional<T>& value) {
  value.reset();
  if (!HasSlot(shape, Number(slot))) return;
  const uint64_t stored = values[Number(slot)];
  value = static_cast<T>((zigzags ? UnZig(stored) : stored) + predicted);
}

constexpr RequestSlot PhaseSlot(size_t phase) {
  return static_cast<RequestSlot>(kPhaseSlot + phase);
}

RequestShape EncodeKey(const PlacedRow& placed, const TracePlace& trace, RequestValues& values) {
  const RequestRow& row = placed.row;
  RequestShape shape = 0;
  if (placed.place) {
    values[Number(RequestSlot::kPlace)] = *placed.place;
  } else {
    std::memcpy(&values[Number(RequestSlot::kKeySpan)], row.key.span_id.bytes.data(), sizeof(uint64_t));
    shape |= 1U << kForeignSpan;
  }
  if (row.key.trace_id != trace.id()) {
    SplitId(row.key.trace_id, RequestSlot::kKeyTraceLow, values);
    shape |= 1U << kForeignTrace;
  }
  if (row.other_trace_id) {
    SplitId(*row.other_trace_id, RequestSlot::kOtherTraceLow, values);
    shape |= 1U << kOtherTrace;
  }
  return shape;
}

void DecodeKey(RequestShape shape, const RequestValues& values, const TracePlace& trace, RequestRow& row) {
  row.key.span_id = {};
  if (HasSlot(shape, Number(RequestSlot::kKeySpan))) {
    std::memcpy(row.key.span_id.bytes.data(), &values[Number(RequestSlot::kKeySpan)], sizeof(uint64_t));
  }
  row.key.trace_id =
      HasSlot(shape, Number(RequestSlot::kKeyTraceLow)) ? IdIn(values, RequestSlot::kKeyTraceLow) : trace.id();
  row.other_trace_id.reset();
  if (HasSlot(shape, Number(RequestSlot::kOtherTraceLow))) {
    row.other_trace_id = IdIn(values, RequestSlot::kOtherTraceLow);
  }
}

}  // namespace

bool HasSlot(RequestShape shape, size_t slot) {
  if (kBits[slot] == kAlways) return true;
  const bool is_set = (shape >> kBits[slot] & 1) != 0;
  return slot == Number(RequestSlot::kPlace) ? !is_set : is_set;
}

RequestShape EncodeRow(const PlacedRow& placed, const TracePlace& trace, RequestValues& values) {
  const RequestRow& row = placed.row;
  RequestShape shape = EncodeKey(placed, trace, values);
  values[Number(RequestSlot::kArrival)] = Zig(row.arrival_unix_ns - trace.start_unix_ns());
  values[Number(RequestSlot::kDuration)] = Zig(row.duration_ns() - trace.entry[TraceSlot::kDuration]);
  Encode(row.input_tokens, RequestSlot::kInputTokens, 0, false, values, shape);
  Encode(row.cached_tokens, RequestSlot::kCachedTokens, 0, false, values, shape);
  Encode(row.output_tokens, RequestSlot::kOutputTokens, 0, false, values, shape);
  const PhaseSums sums = SumPhases(row);
  for (size_t phase = 0; phase < kRequestPhases; ++phase) {
    const uint64_t predicted = phase == kUnexplained ? row.duration_ns() - sums.known : 0;
    Encode(row.phases_ns[phase], PhaseSlot(phase), predicted, true, values, shape);
  }
  Encode(row.ttft_ns, RequestSlot::kTtft, sums.first_token, true, values, shape);
  Encode(row.tpot_ns, RequestSlot::kTpot, PredictedTpot(row), true, values, shape);
  values[Number(RequestSlot::kOutcome)] = static_cast<uint64_t>(row.outcome);
  values[Number(RequestSlot::kConfidence)] = std::bit_cast<uint64_t>(row.confidence);
  values[Number(RequestSlot::kSamplingWeight)] = std::bit_cast<uint64_t>(row.sampling_weight);
  return shape;
}

void DecodeRow(RequestShape shape, const RequestValues& values, const TracePlace& trace, RequestRow& row) {
  DecodeKey(shape, values, trace, row);
  row.arrival_unix_ns = trace.start_unix_ns() + UnZig(values[Number(RequestSlot::kArrival)]);
  const uint64_t duration = trace.entry[TraceSlot::kDuration] + UnZig(values[Number(RequestSlot::kDuration)]);
  row.end_unix_ns = row.arrival_unix_ns + duration;
  Decode(shape, values, RequestSlot::kInputTokens, 0, false, row.input_tokens);
  Decode(shape, values, RequestSlot::kCachedTokens, 0, false, row.cached_tokens);
  Decode(shape, values, RequestSlot::kOutputTokens, 0, false, row.output_tokens);
  for (size_t phase = 0; phase < kUnexplained; ++phase) {
    Decode(shape, values, PhaseSlot(phase), 0, true, row.phases_ns[phase]);
  }
  const PhaseSums sums = SumPhases(row);
  Decode(shape, values, PhaseSlot(kUnexplained), duration - sums.known, true, row.phases_ns[kUnexplained]);
  Decode(shape, values, RequestSlot::kTtft, sums.first_token, true, row.ttft_ns);
  Decode(shape, values, RequestSlot::kTpot, PredictedTpot(row), true, row.tpot_ns);
  row.outcome = static_cast<RequestOutcome>(values[Number(RequestSlot::kOutcome)]);
  row.confidence = std::bit_cast<double>(values[Number(RequestSlot::kConfidence)]);
  row.sampling_weight = std::bit_cast<double>(values[Number(RequestSlot::kSamplingWeight)]);
}

}  // namespace spanloom::store::columnar
