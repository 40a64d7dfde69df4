// SPDX-License-Identifier: Apache-2.0
//
// The policies that have others below them.

#include "pipeline/processors/trace_policy.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace spanloom::pipeline {
namespace {

using PolicyList = std::vector<std::unique_ptr<TracePolicy>>;

PolicyList MakeAll(const std::vector<SimplePolicyOptions>& options, const std::string& processor, const Clock& clock) {
  PolicyList policies;
  for (const SimplePolicyOptions& each : options) policies.push_back(MakeSimpleTracePolicy(each, processor, clock));
  return policies;
}

// `and`, `drop`: a verdict where all below sample.
class AllPolicy final : public TracePolicy {
 public:
  AllPolicy(PolicyList policies, TraceVerdict verdict) : policies_(std::move(policies)), verdict_(verdict) {}

  StatusOr<TraceVerdict> Evaluate(const TraceUnderDecision& trace, int64_t now_ns) override {
    for (const auto& policy : policies_) {
      ASSIGN_OR_RETURN(const TraceVerdict verdict, policy->Evaluate(trace, now_ns));
      if (verdict != TraceVerdict::kSampled) return TraceVerdict::kNotSampled;
    }
    return verdict_;
  }

 private:
  const PolicyList policies_;
  const TraceVerdict verdict_;
};

class NotPolicy final : public TracePolicy {
 public:
  explicit NotPolicy(std::unique_ptr<TracePolicy> policy) : policy_(std::move(policy)) {}

  StatusOr<TraceVerdict> Evaluate(const TraceUnderDecision& trace, int64_t now_ns) override {
    ASSIGN_OR_RETURN(const TraceVerdict verdict, policy_->Evaluate(trace, now_ns));
    return verdict == TraceVerdict::kSampled ? TraceVerdict::kNotSampled : TraceVerdict::kSampled;
  }

 private:
  const std::unique_ptr<TracePolicy> policy_;
};

// The first below that samples decides, within its share of each second.
class CompositePolicy final : public TracePolicy {
 public:
  CompositePolicy(const CompositePolicyOptions& options, const std::string& processor, const Clock& clock)
      : spans_a_second_(static_cast<uint64_t>(options.max_total_spans_per_second)) {
    for (const CompositeSubPolicyOptions* each : InOrder(options)) {
      auto policy = each->type == TracePolicyType::kAnd
                        ? std::make_unique<AllPolicy>(MakeAll(each->and_policy.and_sub_policy, processor, clock),
                                                      TraceVerdict::kSampled)
                        : MakeSimpleTracePolicy(*each, processor, clock);
      shares_.push_back({.policy = std::move(policy), .spans_a_second = ShareOf(each->name, options)});
    }
  }

  StatusOr<TraceVerdict> Evaluate(const TraceUnderDecision& trace, int64_t now_ns) override {
    BeginSecond(now_ns / 1'000'000'000);
    for (Share& share : shares_) {
      ASSIGN_OR_RETURN(const TraceVerdict verdict, share.policy->Evaluate(trace, now_ns));
      if (verdict == TraceVerdict::kSampled) return share.Take(trace.span_count(), spans_a_second_);
    }
    return TraceVerdict::kNotSampled;
  }

 private:
  struct Share {
    std::unique_ptr<TracePolicy> policy;
    uint64_t spans_a_second = 0;
    uint64_t spans = 0;  // of this second

    // What does not fit takes nothing, so that a smaller trace may still come in.
    TraceVerdict Take(uint64_t more, uint64_t total_a_second) {
      if (spans + more > std::min(spans_a_second, total_a_second)) return TraceVerdict::kNotSampled;
      spans += more;
      return TraceVerdict::kSampled;
    }
  };

  static std::vector<const CompositeSubPolicyOptions*> InOrder(const CompositePolicyOptions& options) {
    std::map<std::string_view, size_t> rank;
    for (const std::string& name : options.policy_order) rank.emplace(name, rank.size());
    const auto rank_of = [&rank](const CompositeSubPolicyOptions* each) {
      const auto found = rank.find(each->name);
      return found == rank.end() ? rank.size() : found->second;
    };
    std::vector<const CompositeSubPolicyOptions*> in_order;
    for (const CompositeSubPolicyOptions& each : options.composite_sub_policy) in_order.push_back(&each);
    std::stable_sort(in_order.begin(), in_order.end(),
                     [&](const auto* a, const auto* b) { return rank_of(a) < rank_of(b); });
    return in_order;
  }

  static uint64_t ShareOf(std::string_view name, const CompositePolicyOptions& options) {
    const auto total = static_cast<double>(options.max_total_spans_per_second);
    double share = total / static_cast<double>(options.composite_sub_policy.size());
    for (const RateAllocationOptions& rate : options.rate_allocation) {
      if (rate.policy == name && rate.percent > 0) share = static_cast<double>(rate.percent) / 100 * total;
    }
    return static_cast<uint64_t>(share);
  }

  void BeginSecond(int64_t second) {
    if (std::exchange(second_, second) == second) return;
    for (Share& share : shares_) share.spans = 0;
  }

  const uint64_t spans_a_second_;
  std::vector<Share> shares_;
  int64_t second_ = 0;  // steady, that is counted
};

}  // namespace

std::unique_ptr<TracePolicy> MakeTracePolicy(const TailSamplingPolicyOptions& options, const std::string& processor,
                                             const Clock& clock) {
  switch (options.type) {
    case TracePolicyType::kAnd:
      return std::make_unique<AllPolicy>(MakeAll(options.and_policy.and_sub_policy, processor, clock),
                                         TraceVerdict::kSampled);
    case TracePolicyType::kDrop:
      return std::make_unique<AllPolicy>(MakeAll(options.drop_policy.drop_sub_policy, processor, clock),
                                         TraceVerdict::kDropped);
    case TracePolicyType::kNot:
      return std::make_unique<NotPolicy>(MakeSimpleTracePolicy(options.not_policy.not_sub_policy, processor, clock));
    case TracePolicyType::kComposite:
      return std::make_unique<CompositePolicy>(options.composite, processor, clock);
    default:
      return MakeSimpleTracePolicy(options, processor, clock);
  }
}

}  // namespace spanloom::pipeline
