// SPDX-License-Identifier: Apache-2.0
//
// How long the imitated engine takes. Two ways to tell: each request by itself, as llm-d-inference-sim does, or the
// engine step by step, as a real one works, where what runs together waits for each other. Formulas: docs/simulator.md.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/rng.h"
#include "base/status.h"

namespace spanloom::llmd::simulator {

// --latency-calculator.
enum class LatencyCalculator : uint8_t {
  kConstant,  // prefill takes one time, whatever its tokens
  kPerToken,  // prefill takes an overhead and a time a token
  kBatch,     // a step takes an overhead, a time for each token that it prefills, and a time for all that it decodes
};

// "constant", "per-token", "batch"; nullopt if `name` is none of them.
[[nodiscard]] std::optional<LatencyCalculator> ParseLatencyCalculator(std::string_view name);
[[nodiscard]] std::string_view LatencyCalculatorName(LatencyCalculator calculator);

// A time with a spread: normally distributed, and never further from the mean than 70 % of it.
struct Spread {
  std::chrono::nanoseconds mean{0};
  std::chrono::nanoseconds std_dev{0};  // at most 30 % of the mean
};

struct LatencyOptions {
  LatencyCalculator calculator = LatencyCalculator::kBatch;
  bool is_calculator_named = false;  // else it is the one that the times ask for (ChooseCalculator)
  Spread time_to_first_token = {};
  Spread inter_token = {};
  Spread kv_transfer = {};  // of a request, where there is no time a token
  std::chrono::nanoseconds prefill_overhead{0};
  Spread prefill_per_token = {};
  Spread kv_transfer_per_token = {};
  double time_factor_under_load = 1;  // by which all but transfers are longer when every slot is taken; >= 1
  double speedup = 1;                 // by which everything is shorter; > 0
  size_t running_max = 5;             // the slots
};

// Sets `calculator`, unless one is named, to the one that looks at the times that are given. kInvalidArgument if there
// is a time that it does not look at, which would be given in vain.
Status ChooseCalculator(LatencyOptions& latency);

// Thread-compatible. All results are nanoseconds, >= 0.
class LatencyModel {
 public:
  LatencyModel(const LatencyOptions& options, Rng rng) : options_(options), rng_(rng) {}

  // Of what is asked from now on.
  void SetOptions(const LatencyOptions& options) { options_ = options; }

  [[nodiscard]] bool is_batch() const { return options_.calculator == LatencyCalculator::kBatch; }

  // Of one request by itself: from the start of its prefill of `tokens`, beyond those that the cache has, to its first
  // token, and from token to token, while `running` requests run.
  int64_t PrefillNs(size_t tokens, size_t running);
  int64_t DecodeNs(size_t running);

  // Of a step that prefills `prefill_tokens` of all requests and decodes a token of `decodes` of them.
  int64_t StepNs(size_t prefill_tokens, size_t decodes, size_t running);

  // Of the fetch of the KV blocks of `tokens`.
  int64_t TransferNs(size_t tokens);

 private:
  double Sample(const Spread& spread);
  [[nodiscard]] double LoadFactor(size_t running) const;
  [[nodiscard]] int64_t Scaled(double nanoseconds) const;

  LatencyOptions options_;
  Rng rng_;
};

}  // namespace spanloom::llmd::simulator
