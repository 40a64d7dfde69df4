// SPDX-License-Identifier: Apache-2.0
//
// Consistent probability sampling: a span has 56 bits of randomness, which all spans of its trace share, and is taken
// if they are not below a threshold, the probability with which it is not taken. Specification: OpenTelemetry,
// "TraceState: Probability Sampling"; W3C Trace Context level 2, "randomness of trace-id".

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "otlp/ids.h"

namespace spanloom::pipeline {

inline constexpr int kSamplingHexDigits = 14;                   // 56 bits
inline constexpr uint64_t kNeverThreshold = uint64_t{1} << 56;  // above every randomness
inline constexpr uint64_t kAlwaysThreshold = 0;
inline constexpr uint64_t kHighestRandomness = kNeverThreshold - 1;  // taken at every probability but none
inline constexpr double kSmallestProbability = 1.0 / static_cast<double>(kNeverThreshold);

// The randomness of a trace id: its last 56 bits.
[[nodiscard]] uint64_t RandomnessOf(const otlp::TraceId& id);

// The threshold of `probability`, rounded to about `precision` hexadecimal digits, from 1 to kSamplingHexDigits:
// leading zeros or f's do not count, so that the error stays small near 0 and 1. nullopt if it is not in
// [kSmallestProbability, 1].
[[nodiscard]] std::optional<uint64_t> ThresholdOf(double probability, int precision);

[[nodiscard]] double ProbabilityOf(uint64_t threshold);

// As tracestate has it under `th`: without trailing zeros. `threshold` is below kNeverThreshold.
[[nodiscard]] std::string ThresholdText(uint64_t threshold);
// nullopt unless it is 1 to kSamplingHexDigits hexadecimal digits.
[[nodiscard]] std::optional<uint64_t> ReadThreshold(std::string_view text);

// As tracestate has it under `rv`: kSamplingHexDigits hexadecimal digits.
[[nodiscard]] std::string RandomnessText(uint64_t randomness);
[[nodiscard]] std::optional<uint64_t> ReadRandomness(std::string_view text);

}  // namespace spanloom::pipeline
