// SPDX-License-Identifier: Apache-2.0
//
// The summary table of inference requests: none, one or many rows a trace. What the quantities mean is worked out
// elsewhere and handed in (RequestDeriver); the store keeps the rows, replaces them by key, and knows when they are out
// of date.

#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "otlp/ids.h"
#include "store/span.h"

namespace spanloom::store {

// Stretches of a request on one time axis, from arrival to last token.
enum class RequestPhase : uint8_t {
  kRouting,
  kPrefillQueue,
  kPrefill,
  kPrefillOverhead,
  kKvWait,
  kFirstDecodeStep,
  kDecode,
  kUnexplained,
};
inline constexpr size_t kRequestPhases = 8;

enum class RequestOutcome : uint8_t { kUnknown, kOk, kError, kCancelled };

// The outermost serving span of a request.
struct RequestKey {
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  friend auto operator<=>(const RequestKey&, const RequestKey&) = default;
};

// What is not known is absent, never 0. Durations in nanoseconds.
struct RequestRow {
  RequestKey key;
  std::optional<otlp::TraceId> other_trace_id = std::nullopt;  // where the rest is, if the request spans two traces
  uint64_t arrival_unix_ns = 0;
  uint64_t end_unix_ns = 0;
  std::string service = {};
  std::string model = {};
  std::string prefill_pod = {};
  std::string decode_pod = {};
  std::optional<uint64_t> input_tokens = std::nullopt;
  std::optional<uint64_t> cached_tokens = std::nullopt;
  std::optional<uint64_t> output_tokens = std::nullopt;
  std::array<std::optional<int64_t>, kRequestPhases> phases_ns = {};  // by RequestPhase
  std::optional<int64_t> ttft_ns = std::nullopt;
  std::optional<int64_t> tpot_ns = std::nullopt;
  RequestOutcome outcome = RequestOutcome::kUnknown;
  double confidence = 1;         // [0, 1], how sure the derivation is
  double sampling_weight = 1;    // 1 / probability that the request was kept; at least 1
  bool is_provisional = true;    // its root or one of its legs may still come
  uint32_t anatomy_version = 0;  // of the derivation; rows of an older one are derived again when they are read

  [[nodiscard]] uint64_t duration_ns() const { return end_unix_ns - arrival_unix_ns; }
  friend bool operator==(const RequestRow&, const RequestRow&) = default;
};

enum class RequestColumn : uint8_t {
  kTraceId,     // kBytes
  kService,     // kString
  kModel,       // kString
  kPrefillPod,  // kString
  kDecodePod,   // kString
  kArrival,     // kInt, nanoseconds since 1970
  kDuration,    // kInt, nanoseconds, as all that follow
  kTtft,
  kTpot,
  kRouting,
  kPrefillQueue,
  kPrefill,
  kPrefillOverhead,
  kKvWait,
  kFirstDecodeStep,
  kDecode,
  kUnexplained,
  kInputTokens,  // kInt, tokens
  kCachedTokens,
  kOutputTokens,
  kOutcome,      // kInt: RequestOutcome
  kProvisional,  // kBool
};

// Turns the spans of one trace into rows. Pure; thread-safe. `now_unix_ns` decides whether a request that is not
// complete is still provisional, and nothing else: what it says of spans without a provisional row, it says of them at
// any later time, and a store may keep it. A request arrives within kArrivalSlackNs of the start of one of the spans:
// clocks differ, and a store finds it by them.
struct RequestDeriver {
  static constexpr uint64_t kArrivalSlackNs = 60'000'000'000;  // guess
  uint32_t version = 0;
  std::function<std::vector<RequestRow>(const Trace& trace, uint64_t now_unix_ns)> derive;
};

}  // namespace spanloom::store
