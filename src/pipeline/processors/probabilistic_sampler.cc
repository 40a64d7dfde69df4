// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/probabilistic_sampler.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "pipeline/processors/attribute_value.h"
#include "pipeline/sampling/sampling_threshold.h"

namespace spanloom::pipeline {
namespace {

using ValueKind = otlp::ValueView::Kind;

// The Collector's hash_seed mode decides by the lowest 14 bits of its hash.
constexpr int kHashBits = 14;
constexpr uint64_t kHashBuckets = uint64_t{1} << kHashBits;
constexpr float kBucketsPerPercent = static_cast<float>(kHashBuckets) / 100.0F;
constexpr int kBucketShift = 56 - kHashBits;

constexpr std::string_view kPolicyNames[SpanSampler::kPolicies] = {
    "missing_randomness", "trace_id_hash", "trace_id_w3c", "sampling_randomness", "sampling_priority"};

// 56 bits of randomness whose first 14 make the decision of the hash: a span is taken if its bucket is below the rate,
// so the buckets count downwards here. The other bits of the hash fill the rest, as the Collector does, so that both
// write the same `rv`.
uint64_t RandomnessOfHash(uint32_t hash) {
  const uint64_t bucket = hash & (kHashBuckets - 1);
  const uint64_t unused = hash >> (32 - kHashBits);  // four of the bits are in neither
  const uint64_t mixed = unused ^ unused << 10;
  return (kHashBuckets - 1 - bucket) << kBucketShift | mixed << kHashBits | bucket;
}

enum class Priority : uint8_t { kNone, kDrop, kKeep };

Priority PriorityOf(double number) {
  if (number == 0) return Priority::kDrop;
  return number > 0 ? Priority::kKeep : Priority::kNone;
}

Priority PriorityOf(const otlp::SpanView& span) {
  const auto value = otlp::FindAttribute(span.attributes(), "sampling.priority");
  if (!value) return Priority::kNone;
  switch (value->kind()) {
    case ValueKind::kInt:
      return PriorityOf(static_cast<double>(value->int_value()));
    case ValueKind::kDouble:
      return PriorityOf(value->double_value());
    case ValueKind::kString:
      return PriorityOf(ReadDecimal(value->string_value()).value_or(-1));
    default:
      return Priority::kNone;
  }
}

// The Collector keeps the percentage in 32 bits, and decides with that.
float Percentage(const ProbabilisticSamplerOptions& options) {
  return std::min(static_cast<float>(options.sampling_percentage), 100.0F);
}

constexpr ComponentDoc kDoc = {
    .words =
        "Passes on a share of the traces, chosen by their ids, so that all spans of a trace go the same way on every "
        "collector. A span whose attribute sampling.priority is 0 is dropped, one where it is above 0 is passed on. "
        "The modes are the Collector's, with the same decisions: hash_seed (an FNV hash of the trace id, in steps of "
        "1/16384), proportional (the share of what arrives, by the 56 random bits of the trace id or of tracestate's "
        "rv) and equalizing (the share of what there was before anybody sampled; spans that were sampled at less "
        "pass). "
        "With what probability a span was taken is written to its tracestate, as ot=th:...",
    .example = R"(processors:
  probabilistic_sampler:
    mode: proportional
    sampling_percentage: 10
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [probabilistic_sampler]
      exporters: [spanloom_store]
)",
};

}  // namespace

struct SpanSampler::Evidence {
  Policy policy = Policy::kMissingRandomness;
  uint64_t randomness = kHighestRandomness;
  std::optional<SamplingTraceState> state;  // nullopt: the span's tracestate is left alone
  Status problem;

  void Take(Policy new_policy, uint64_t new_randomness) {
    policy = new_policy;
    randomness = new_randomness;
  }
  // A threshold that the randomness is below cannot be true: the span would not have been sampled.
  void CheckConsistency() {
    if (policy == Policy::kMissingRandomness) {
      problem = absl::InvalidArgumentError("the trace id is zero, so that there is no randomness");
    } else if (state && state->threshold().value_or(kAlwaysThreshold) > randomness) {
      state->ClearThreshold();
      problem = absl::InvalidArgumentError("tracestate's th says that the span was not sampled");
    }
  }
};

void ProbabilisticSamplerOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, Mode> kModes[] = {{"", Mode::kHashSeed},
                                                                 {"hash_seed", Mode::kHashSeed},
                                                                 {"proportional", Mode::kProportional},
                                                                 {"equalizing", Mode::kEqualizing}};
  r.Choice<Mode>("mode", mode, kModes, "How spans are chosen.");
  r.Field("sampling_percentage", sampling_percentage, "The share that is passed on; from 100 on it is everything.",
          {.min = 0, .unit = "%"});
  r.Field("hash_seed", hash_seed,
          "Of mode hash_seed: collectors that stand side by side have the same one, those behind each other different "
          "ones.",
          {.unit = "seed"});
  r.Field(
      "fail_closed", fail_closed,
      "Whether a span is dropped whose randomness is unknown: its trace id is zero, or its tracestate malformed, in "
      "contradiction to itself or, in mode hash_seed, of another sampler. A malformed tracestate that passes stays as "
      "it is; in the Collector ot=th:0 takes its place.");
  r.Field("sampling_precision", sampling_precision, "Precision of thresholds.",
          {.min = 1, .max = kSamplingHexDigits, .unit = "hexadecimal digits"});
  static constexpr std::pair<std::string_view, bool> kSources[] = {{"traceID", true}, {"", true}};
  bool by_trace_id = true;
  r.Choice<bool>("attribute_source", by_trace_id, kSources, "Where randomness comes from; others are for logs.");
  r.Unsupported("from_attribute", "it is for logs; spans are chosen by their trace id");
  r.Unsupported("sampling_priority", "it is for logs; of spans it is the attribute sampling.priority");
}

Status ProbabilisticSamplerOptions::Validate() const {
  const double ratio = static_cast<double>(static_cast<float>(sampling_percentage)) / 100;
  if (ratio == 0 || ratio >= kSmallestProbability) return absl::OkStatus();
  return absl::InvalidArgumentError("sampling_percentage is too small");
}

SpanSampler::SpanSampler(const ProbabilisticSamplerOptions& options)
    : threshold_(kNeverThreshold),
      precision_(options.sampling_precision),
      hash_seed_(options.hash_seed),
      fail_closed_(options.fail_closed) {
  using Mode = ProbabilisticSamplerOptions::Mode;
  const float percentage = Percentage(options);
  const double ratio = static_cast<double>(percentage) / 100;
  if (percentage == 0) return;
  switch (options.mode) {
    case Mode::kHashSeed: {
      // Towards zero, in 32 bits: as the Collector has always done.
      const auto rate = static_cast<uint64_t>(percentage * kBucketsPerPercent);
      if (rate == 0) return;
      rule_ = Rule::kHashSeed;
      threshold_ = (kHashBuckets - rate) << kBucketShift;
      return;
    }
    case Mode::kProportional:
      rule_ = Rule::kProportional;
      ratio_ = ratio;
      return;
    case Mode::kEqualizing:
      rule_ = Rule::kEqualizing;
      threshold_ = ThresholdOf(ratio, precision_).value_or(kNeverThreshold);
      return;
  }
}

SpanSampler::Evidence SpanSampler::EvidenceOf(const otlp::SpanView& span) const {
  Evidence evidence;
  if (rule_ == Rule::kNever) evidence.Take(Policy::kSamplingPriority, kHighestRandomness);
  if (rule_ == Rule::kHashSeed && !span.trace_id().IsZero()) {
    evidence.Take(Policy::kTraceIdHash, RandomnessOfHash(TraceIdHash(hash_seed_, span.trace_id())));
  }
  StatusOr<SamplingTraceState> state = SamplingTraceState::Read(span.trace_state());
  if (!state.ok()) {
    evidence.problem = state.status();
    return evidence;
  }
  if (rule_ == Rule::kHashSeed) {
    if (state->randomness() || state->threshold()) {
      evidence.problem = absl::InvalidArgumentError("tracestate has rv or th already; use another mode");
      return evidence;
    }
    state->SetRandomness(evidence.randomness);
  } else if (rule_ != Rule::kNever && state->randomness()) {
    evidence.Take(Policy::kSamplingRandomness, *state->randomness());
  } else if (rule_ != Rule::kNever && !span.trace_id().IsZero()) {
    evidence.Take(Policy::kTraceIdW3c, RandomnessOf(span.trace_id()));
  }
  evidence.state = *std::move(state);
  evidence.CheckConsistency();
  return evidence;
}

uint64_t SpanSampler::ThresholdFor(const SamplingTraceState& state) const {
  const std::optional<uint64_t> before = state.threshold();
  switch (rule_) {
    case Rule::kNever:
    case Rule::kHashSeed:
      return threshold_;
    case Rule::kProportional:
      return ThresholdOf(ProbabilityOf(before.value_or(kAlwaysThreshold)) * ratio_, precision_)
          .value_or(kNeverThreshold);
    case Rule::kEqualizing:
      return std::max(threshold_, before.value_or(kAlwaysThreshold));
  }
  return kNeverThreshold;
}

SpanSampler::Decision SpanSampler::Decide(const otlp::SpanView& span) const {
  Evidence evidence = EvidenceOf(span);
  uint64_t threshold = fail_closed_ ? kNeverThreshold : kAlwaysThreshold;
  if (evidence.problem.ok()) threshold = ThresholdFor(*evidence.state);
  const Priority priority = PriorityOf(span);
  if (priority != Priority::kNone) {
    threshold = priority == Priority::kKeep ? kAlwaysThreshold : kNeverThreshold;
    evidence.policy = Policy::kSamplingPriority;
  }
  Decision decision = {.policy = evidence.policy,
                       .is_sampled = evidence.randomness >= threshold,
                       .problem = std::move(evidence.problem),
                       .trace_state = std::nullopt};
  if (decision.is_sampled && evidence.state) {
    evidence.state->RaiseThreshold(threshold);
    decision.trace_state = evidence.state->ToString();
  }
  return decision;
}

uint32_t TraceIdHash(uint32_t seed, const otlp::TraceId& id) {
  uint32_t hash = 2166136261;  // FNV's offset basis and prime for 32 bits
  const auto add = [&hash](uint8_t byte) { hash = (hash ^ byte) * 16777619; };
  for (int shift = 0; shift < 32; shift += 8) add(static_cast<uint8_t>(seed >> shift));
  for (const uint8_t byte : id.bytes) add(byte);
  return hash;
}

ProbabilisticSampler::ProbabilisticSampler(const ComponentId& id, const ProbabilisticSamplerOptions& options,
                                           const BuildContext& context)
    : id_(id.ToString()), sampler_(options), fail_closed_(options.fail_closed), limiter_(context.clock) {
  for (size_t policy = 0; policy < SpanSampler::kPolicies; ++policy) {
    for (const bool is_sampled : {false, true}) {
      counters_[policy][is_sampled] = &context.metrics.GetCounter(
          "otelcol_processor_probabilistic_sampler_count_traces_sampled", "Count of spans that were sampled or not.",
          {{"policy", std::string(kPolicyNames[policy])}, {"sampled", is_sampled ? "true" : "false"}});
    }
  }
}

Status ProbabilisticSampler::Start() {
  if (sampler_.samples_nothing()) {
    Log(LogLevel::kWarn, "every span is dropped but those with a sampling.priority above 0",
        {{"processor", id_}, {"advice", "set sampling_percentage; mode hash_seed has steps of 1/16384, 0.0061 %"}});
  }
  return absl::OkStatus();
}

Status ProbabilisticSampler::Process(otlp::Batch& batch) {
  Tally tally = {};
  for (otlp::Slice& slice : batch.slices()) Sample(slice, tally);
  for (size_t policy = 0; policy < SpanSampler::kPolicies; ++policy) {
    for (const size_t is_sampled : {0, 1}) counters_[policy][is_sampled]->Add(tally[policy][is_sampled]);
  }
  return absl::OkStatus();
}

void ProbabilisticSampler::Sample(otlp::Slice& slice, Tally& tally) {
  std::vector<std::optional<std::string>> trace_states;  // of the spans that are left
  Status problem;
  uint64_t problems = 0;
  slice.DropIf([&](const otlp::SpanContext& context) {
    SpanSampler::Decision decision = sampler_.Decide(context.span);
    ++tally[static_cast<size_t>(decision.policy)][decision.is_sampled];
    if (!decision.problem.ok()) {
      problem = std::move(decision.problem);
      ++problems;
    }
    if (decision.is_sampled) trace_states.push_back(std::move(decision.trace_state));
    return !decision.is_sampled;
  });
  if (problems > 0) Report(problem, problems);
  auto next = trace_states.begin();
  slice.EditSpans([&next](otlp::SpanEditContext& context) {
    if (*next) context.span().SetTraceState(**next);
    ++next;
  });
}

void ProbabilisticSampler::Report(const Status& problem, uint64_t spans) {
  const std::optional<uint64_t> due = limiter_.Admit(spans);
  if (!due) return;
  Log(LogLevel::kWarn, "spans without usable randomness",
      {{"processor", id_},
       {"spans", *due},
       {"problem", StdView(problem.message())},
       {"became", fail_closed_ ? "dropped, unless sampling.priority says otherwise; fail_closed: false passes them on"
                               : "passed on, unless sampling.priority says otherwise"}});
}

void RegisterProbabilisticSampler(Registry& registry) {
  registry.processors.Add<ProbabilisticSamplerOptions>(
      "probabilistic_sampler", kDoc,
      [](const ComponentId& id, const ProbabilisticSamplerOptions& options, const BuildContext& context) {
        return std::make_unique<ProbabilisticSampler>(id, options, context);
      });
}

}  // namespace spanloom::pipeline
