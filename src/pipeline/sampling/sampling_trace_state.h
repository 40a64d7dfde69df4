// SPDX-License-Identifier: Apache-2.0
//
// What a span's tracestate says of sampling: the member `ot` with the randomness `rv` and the threshold `th`.
// Specifications: W3C Trace Context level 2, "tracestate header"; OpenTelemetry, "TraceState Handling".

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace spanloom::pipeline {

// Borrows the text that it was read from.
class SamplingTraceState {
 public:
  // kInvalidArgument says what is malformed, or too long: over 1024 bytes, 32 members, or 256 bytes of a member's
  // value. (The first is the Collector's limit.)
  static StatusOr<SamplingTraceState> Read(std::string_view text);

  [[nodiscard]] std::optional<uint64_t> randomness() const { return randomness_; }
  [[nodiscard]] std::optional<uint64_t> threshold() const { return threshold_; }

  void SetRandomness(uint64_t randomness);
  void ClearThreshold();
  // Does nothing if there is a higher one: what was sampled once cannot become more likely.
  void RaiseThreshold(uint64_t threshold);

  // The whole tracestate: `ot` first, then the other members as they came, less those at the end that do not fit into
  // the limits above any more (W3C's rule).
  [[nodiscard]] std::string ToString() const;

 private:
  Status ReadOpenTelemetry(std::string_view value);

  std::optional<uint64_t> randomness_;
  std::optional<uint64_t> threshold_;
  std::string randomness_text_;                  // as it came, where it came; "" without randomness_
  std::string threshold_text_;                   // "" without threshold_
  std::vector<std::string_view> other_fields_;   // of `ot`: "key:value"
  std::vector<std::string_view> other_members_;  // "key=value"
};

}  // namespace spanloom::pipeline
