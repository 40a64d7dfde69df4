// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/options.h"

#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

Status Positive(std::string_view name, size_t value) {
  if (value > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("--", name, " is 0; it is to be 1 or more"));
}

// llm-d-inference-sim's bound: beyond it the cut at 70 % would shift the mean.
Status CheckSpread(std::string_view name, const Spread& spread) {
  if (spread.mean.count() >= 0 && spread.std_dev.count() >= 0 && spread.std_dev * 10 <= spread.mean * 3)
    return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("--", name, "-std-dev is ", spread.std_dev.count(), " ns of a mean of ",
                                           spread.mean.count(),
                                           " ns; it is to be at most 30 % of it, and neither negative"));
}

Status CheckLatency(const LatencyOptions& latency) {
  RETURN_IF_ERROR(CheckSpread("time-to-first-token", latency.time_to_first_token));
  RETURN_IF_ERROR(CheckSpread("inter-token-latency", latency.inter_token));
  RETURN_IF_ERROR(CheckSpread("kv-cache-transfer-latency", latency.kv_transfer));
  RETURN_IF_ERROR(CheckSpread("prefill-time", latency.prefill_per_token));
  RETURN_IF_ERROR(CheckSpread("kv-cache-transfer-time", latency.kv_transfer_per_token));
  if (latency.prefill_overhead.count() < 0)
    return absl::InvalidArgumentError("--prefill-overhead is negative; it is to be 0 or more");
  if (!(latency.time_factor_under_load >= 1)) {
    return absl::InvalidArgumentError(
        StrCat("--time-factor-under-load is ", latency.time_factor_under_load, "; it is to be 1 or more"));
  }
  if (!(latency.speedup > 0))
    return absl::InvalidArgumentError(StrCat("--speedup is ", latency.speedup, "; it is to be above 0"));
  return absl::OkStatus();
}

Status CheckTools(const ToolOptions& tools) {
  const auto wrong = [](std::string_view what, auto min, auto max) {
    return absl::InvalidArgumentError(StrCat("--min-tool-call-", what, " is ", min, " and --max-tool-call-", what,
                                             " is ", max, "; the first is to be at most the second"));
  };
  if (tools.integer_min > tools.integer_max) return wrong("integer-param", tools.integer_min, tools.integer_max);
  if (!(tools.number_min <= tools.number_max)) return wrong("number-param", tools.number_min, tools.number_max);
  if (tools.list_min > tools.list_max) return wrong("array-param-length", tools.list_min, tools.list_max);
  if (tools.list_min >= 0 && tools.list_max <= kToolListMax) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("--min-tool-call-array-param-length, --max-tool-call-array-param-length: ",
                                           "are to be from 0 to ", kToolListMax));
}

}  // namespace

Status Validate(const SimulatorOptions& options) {
  if (options.model.empty())
    return absl::InvalidArgumentError("no model is named; give --model NAME, or set SIM_MODEL");
  RETURN_IF_ERROR(Positive("max-num-seqs", options.engine.running_max));
  RETURN_IF_ERROR(Positive("max-num-batched-tokens", options.engine.step_tokens_max));
  RETURN_IF_ERROR(Positive("kv-cache-size", options.engine.blocks));
  RETURN_IF_ERROR(Positive("block-size", options.engine.block_tokens));
  RETURN_IF_ERROR(Positive("max-loras", options.engine.loras_max));
  RETURN_IF_ERROR(Positive("tensor-parallel-size", static_cast<size_t>(options.tensor_parallel_size)));
  if (options.model_tokens_max < 2) {
    return absl::InvalidArgumentError(
        StrCat("--max-model-len is ", options.model_tokens_max, "; a prompt and an answer take at least 2 tokens"));
  }
  const size_t cache_tokens = options.engine.blocks * options.engine.block_tokens;
  if (static_cast<size_t>(options.model_tokens_max) > cache_tokens) {
    return absl::InvalidArgumentError(
        StrCat("--max-model-len is ", options.model_tokens_max, " tokens, but the KV cache holds ", cache_tokens,
               " (--kv-cache-size ", options.engine.blocks, " blocks of --block-size ", options.engine.block_tokens,
               "): one request might never fit; lower the first or raise --kv-cache-size"));
  }
  if (!(options.cache_hit_threshold >= 0 && options.cache_hit_threshold <= 1)) {
    return absl::InvalidArgumentError(
        StrCat("--global-cache-hit-threshold is ", options.cache_hit_threshold, "; it is a share, 0 to 1"));
  }
  RETURN_IF_ERROR(CheckTools(options.tools));
  if (options.fake_metrics_interval.count() <= 0)
    return absl::InvalidArgumentError("--fake-metrics-refresh-interval is to be above 0");
  if (!(options.failures.rate >= 0 && options.failures.rate <= 100)) {
    return absl::InvalidArgumentError(
        StrCat("--failure-injection-rate is ", options.failures.rate, "; it is a percentage, 0 to 100"));
  }
  return CheckLatency(options.engine.latency);
}

}  // namespace spanloom::llmd::simulator
