// SPDX-License-Identifier: Apache-2.0

#include "pipeline/sampling/sampling_threshold.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <system_error>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr int kBitsPerDigit = 4;

std::optional<uint64_t> ReadHex(std::string_view text) {
  uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, 16);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

// The leading hexadecimal zeros of a fraction in (0, 1).
int LeadingZeroDigits(double fraction) {
  int exponent = 0;
  std::frexp(fraction, &exponent);
  return -exponent / kBitsPerDigit;
}

}  // namespace

uint64_t RandomnessOf(const otlp::TraceId& id) {
  uint64_t bits = 0;
  for (size_t i = id.bytes.size() - 7; i < id.bytes.size(); ++i) bits = bits << 8 | id.bytes[i];
  return bits;
}

std::optional<uint64_t> ThresholdOf(double probability, int precision) {
  if (!(probability >= kSmallestProbability && probability <= 1)) return std::nullopt;
  if (probability == 1) return kAlwaysThreshold;
  const int digits = std::min(kSamplingHexDigits,
                              precision + std::max(LeadingZeroDigits(probability), LeadingZeroDigits(1 - probability)));
  const auto taken = static_cast<uint64_t>(std::round(probability * static_cast<double>(kNeverThreshold)));
  const uint64_t threshold = kNeverThreshold - taken;
  const int cut_bits = kBitsPerDigit * (kSamplingHexDigits - digits);
  if (cut_bits == 0) return threshold;
  return (threshold + (uint64_t{1} << (cut_bits - 1))) >> cut_bits << cut_bits;
}

double ProbabilityOf(uint64_t threshold) {
  return static_cast<double>(kNeverThreshold - threshold) / static_cast<double>(kNeverThreshold);
}

std::string ThresholdText(uint64_t threshold) {
  if (threshold == kAlwaysThreshold) return "0";
  std::string text = RandomnessText(threshold);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

std::optional<uint64_t> ReadThreshold(std::string_view text) {
  if (text.empty() || text.size() > kSamplingHexDigits) return std::nullopt;
  const std::optional<uint64_t> digits = ReadHex(text);
  if (!digits) return std::nullopt;
  return *digits << (kBitsPerDigit * (kSamplingHexDigits - static_cast<int>(text.size())));
}

std::string RandomnessText(uint64_t randomness) {
  return absl::StrCat(absl::Hex(randomness, absl::kZeroPad14));
}

std::optional<uint64_t> ReadRandomness(std::string_view text) {
  return text.size() == kSamplingHexDigits ? ReadHex(text) : std::nullopt;
}

}  // namespace spanloom::pipeline
