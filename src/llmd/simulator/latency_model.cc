// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/latency_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr double kDeviationMax = 0.7;  // of the mean; llm-d-inference-sim

double Nanoseconds(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count());
}

}  // namespace

std::optional<LatencyCalculator> ParseLatencyCalculator(std::string_view name) {
  for (const auto each : {LatencyCalculator::kConstant, LatencyCalculator::kPerToken, LatencyCalculator::kBatch}) {
    if (LatencyCalculatorName(each) == name) return each;
  }
  return std::nullopt;
}

std::string_view LatencyCalculatorName(LatencyCalculator calculator) {
  if (calculator == LatencyCalculator::kConstant) return "constant";
  return calculator == LatencyCalculator::kPerToken ? "per-token" : "batch";
}

Status ChooseCalculator(LatencyOptions& latency) {
  const bool has_first_token = latency.time_to_first_token.mean.count() != 0;
  const bool has_prefill = latency.prefill_overhead.count() != 0 || latency.prefill_per_token.mean.count() != 0;
  if (!latency.is_calculator_named) {
    const bool is_constant = has_first_token || (!has_prefill && latency.inter_token.mean.count() != 0);
    latency.calculator = is_constant   ? LatencyCalculator::kConstant
                         : has_prefill ? LatencyCalculator::kPerToken
                                       : LatencyCalculator::kBatch;
  }
  const bool is_constant = latency.calculator == LatencyCalculator::kConstant;
  if (is_constant && has_prefill) {
    return absl::InvalidArgumentError(
        "--prefill-overhead, --prefill-time-per-token: have no meaning with constant latencies; use "
        "--latency-calculator=per-token or batch, and leave --time-to-first-token out");
  }
  if (is_constant || !has_first_token) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--time-to-first-token: has a meaning with --latency-calculator=constant alone; use --prefill-overhead and "
      "--prefill-time-per-token");
}

double LatencyModel::Sample(const Spread& spread) {
  const double mean = Nanoseconds(spread.mean);
  if (spread.std_dev.count() == 0) return mean;
  const double normal = std::sqrt(-2 * std::log1p(-rng_.Unit())) * std::cos(2 * std::numbers::pi * rng_.Unit());
  const double value = mean + normal * Nanoseconds(spread.std_dev);
  return std::clamp(value, mean * (1 - kDeviationMax), mean * (1 + kDeviationMax));
}

// Linear from 1, with one request, to the factor, with as many as there are slots.
double LatencyModel::LoadFactor(size_t running) const {
  if (options_.running_max <= 1 || running <= 1) return 1;
  return 1 + (options_.time_factor_under_load - 1) * static_cast<double>(running - 1) /
                 static_cast<double>(options_.running_max - 1);
}

int64_t LatencyModel::Scaled(double nanoseconds) const {
  return std::llround(nanoseconds / options_.speedup);
}

int64_t LatencyModel::PrefillNs(size_t tokens, size_t running) {
  const double load = LoadFactor(running);
  if (options_.calculator == LatencyCalculator::kConstant) return Scaled(Sample(options_.time_to_first_token) * load);
  const double per_token = Sample(options_.prefill_per_token);
  return Scaled((Nanoseconds(options_.prefill_overhead) + static_cast<double>(tokens) * per_token) * load);
}

int64_t LatencyModel::DecodeNs(size_t running) {
  return Scaled(Sample(options_.inter_token) * LoadFactor(running));
}

int64_t LatencyModel::StepNs(size_t prefill_tokens, size_t decodes, size_t running) {
  double nanoseconds = 0;
  if (prefill_tokens > 0) {
    nanoseconds += Nanoseconds(options_.prefill_overhead) +
                   static_cast<double>(prefill_tokens) * Sample(options_.prefill_per_token);
  }
  if (decodes > 0) nanoseconds += Sample(options_.inter_token);
  return Scaled(nanoseconds * LoadFactor(running));
}

int64_t LatencyModel::TransferNs(size_t tokens) {
  if (options_.kv_transfer_per_token.mean.count() == 0) return Scaled(Sample(options_.kv_transfer));
  return Scaled(static_cast<double>(tokens) * Sample(options_.kv_transfer_per_token));
}

}  // namespace spanloom::llmd::simulator
