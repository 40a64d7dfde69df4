// SPDX-License-Identifier: Apache-2.0
//
// The probabilistic_sampler processor: passes on a share of the traces. Whether a span is passed on depends on its
// trace id, its tracestate and its attribute sampling.priority alone, so that all collectors of a fleet decide alike.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "config/options.h"
#include "otlp/batch.h"
#include "pipeline/log_limiter.h"
#include "pipeline/registry.h"
#include "pipeline/sampling/sampling_trace_state.h"

namespace spanloom::pipeline {

struct ProbabilisticSamplerOptions {
  // By a hash of the trace id; by its random bits, as a share of what arrives; by the same, as a share of what there
  // was before anybody sampled.
  enum class Mode : uint8_t { kHashSeed, kProportional, kEqualizing };

  Mode mode = Mode::kHashSeed;
  double sampling_percentage = 0;
  uint32_t hash_seed = 0;
  bool fail_closed = true;
  int sampling_precision = 4;  // hexadecimal digits of a threshold
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Which spans are passed on. Immutable; thread-safe.
class SpanSampler {
 public:
  // Where the randomness came from: the label `policy` of the metric.
  enum class Policy : uint8_t { kMissingRandomness, kTraceIdHash, kTraceIdW3c, kSamplingRandomness, kSamplingPriority };
  static constexpr size_t kPolicies = 5;

  struct Decision {
    Policy policy = Policy::kMissingRandomness;
    bool is_sampled = false;
    Status problem;                          // why the options' fail_closed decided; OK if it did not
    std::optional<std::string> trace_state;  // what the span's becomes; of a span that is sampled
  };

  // `options` have passed Validate.
  explicit SpanSampler(const ProbabilisticSamplerOptions& options);

  [[nodiscard]] Decision Decide(const otlp::SpanView& span) const;

  // True if no span is sampled but for its priority.
  [[nodiscard]] bool samples_nothing() const { return rule_ == Rule::kNever; }

 private:
  // What is known of a span before it is decided about.
  struct Evidence;
  enum class Rule : uint8_t { kNever, kHashSeed, kProportional, kEqualizing };

  [[nodiscard]] Evidence EvidenceOf(const otlp::SpanView& span) const;
  [[nodiscard]] uint64_t ThresholdFor(const SamplingTraceState& state) const;

  Rule rule_ = Rule::kNever;
  uint64_t threshold_;  // of kHashSeed and kEqualizing
  double ratio_ = 0;    // of kProportional
  const int precision_;
  const uint32_t hash_seed_;
  const bool fail_closed_;
};

// The 32 bits that the mode hash_seed decides by: FNV-1a over the seed, lowest byte first, and the trace id.
[[nodiscard]] uint32_t TraceIdHash(uint32_t seed, const otlp::TraceId& id);

// Thread-safe; holds nothing.
class ProbabilisticSampler final : public TransformProcessor {
 public:
  ProbabilisticSampler(const ComponentId& id, const ProbabilisticSamplerOptions& options, const BuildContext& context);

  // Warns if nothing would be passed on.
  Status Start() override;
  // Always OK.
  Status Process(otlp::Batch& batch) override;

 private:
  using Tally = std::array<std::array<uint64_t, 2>, SpanSampler::kPolicies>;  // [policy][is_sampled], spans

  void Sample(otlp::Slice& slice, Tally& tally);
  void Report(const Status& problem, uint64_t spans);

  const std::string id_;
  const SpanSampler sampler_;
  const bool fail_closed_;
  LogLimiter limiter_;
  std::array<std::array<Counter*, 2>, SpanSampler::kPolicies> counters_;  // [policy][is_sampled]
};

// Processor type "probabilistic_sampler".
void RegisterProbabilisticSampler(Registry& registry);

}  // namespace spanloom::pipeline
