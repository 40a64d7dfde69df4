// SPDX-License-Identifier: Apache-2.0
//
// tail_sampling against a model of it: a map from trace to spans that is walked for everything, and policies that look
// at sketches of spans.

#include <absl/algorithm/container.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "pipeline/processors/tail_sampling.h"
#include "pipeline/testing/requests.h"
#include "pipeline/testing/traces.h"

namespace spanloom::pipeline {
namespace {

using Type = TracePolicyType;
using Sketches = std::vector<SpanSketch>;

constexpr uint64_t kBatchSpansMax = 7;
constexpr auto kSampled = TraceVerdict::kSampled;
constexpr auto kNotSampled = TraceVerdict::kNotSampled;
constexpr auto kDropped = TraceVerdict::kDropped;

// --- Policies, naively -----------------------------------------------------------------------------------------------

bool Matches(const SimplePolicyOptions& policy, const SpanSketch& span) {
  switch (policy.type) {
    case Type::kNumericAttribute:
      return absl::c_any_of(span.numbers, [&](const auto& each) {
        return each.first == policy.numeric_attribute.key && each.second >= policy.numeric_attribute.min_value &&
               each.second <= policy.numeric_attribute.max_value;
      });
    case Type::kStringAttribute: {
      const auto& values = policy.string_attribute.values;
      if (policy.string_attribute.key == "service.name") return absl::c_linear_search(values, span.service);
      return absl::c_any_of(span.texts, [&](const auto& each) {
        return each.first == policy.string_attribute.key && absl::c_linear_search(values, each.second);
      });
    }
    case Type::kBooleanAttribute:
      return absl::c_any_of(span.truths, [&](const auto& each) {
        return each.first == policy.boolean_attribute.key && each.second == policy.boolean_attribute.value;
      });
    case Type::kStatusCode:
      return span.status == otlp::StatusCode::kError;
    case Type::kTraceState:
      return span.trace_state == "t=1";
    case Type::kTraceFlags:
      return span.flags % 2 == 1;
    case Type::kOttlCondition:
      return absl::c_any_of(span.numbers, [](const auto& each) { return each.first == "n" && each.second > 3; });
    default:
      return false;
  }
}

bool Inverts(const SimplePolicyOptions& policy) {
  return (policy.type == Type::kNumericAttribute && policy.numeric_attribute.invert_match) ||
         (policy.type == Type::kStringAttribute && policy.string_attribute.invert_match) ||
         (policy.type == Type::kBooleanAttribute && policy.boolean_attribute.invert_match);
}

bool Samples(const SimplePolicyOptions& policy, const Sketches& spans, size_t span_count) {
  if (policy.type == Type::kSpanCount) return span_count >= static_cast<size_t>(policy.span_count.min_spans);
  if (policy.type == Type::kLatency) {
    uint64_t start = spans[0].start_ms;
    uint64_t end = 0;
    for (const SpanSketch& span : spans) {
      start = std::min(start, span.start_ms);
      end = std::max(end, span.end_ms);
    }
    return static_cast<int64_t>(end - start) >= policy.latency.threshold_ms;
  }
  return Inverts(policy) != absl::c_any_of(spans, [&](const SpanSketch& span) { return Matches(policy, span); });
}

TraceVerdict Says(const TailSamplingPolicyOptions& policy, const Sketches& spans, size_t span_count) {
  const auto all = [&](const std::vector<SimplePolicyOptions>& below) {
    return absl::c_all_of(below, [&](const SimplePolicyOptions& each) { return Samples(each, spans, span_count); });
  };
  switch (policy.type) {
    case Type::kAnd:
      return all(policy.and_policy.and_sub_policy) ? kSampled : kNotSampled;
    case Type::kDrop:
      return all(policy.drop_policy.drop_sub_policy) ? kDropped : kNotSampled;
    case Type::kNot:
      return Samples(policy.not_policy.not_sub_policy, spans, span_count) ? kNotSampled : kSampled;
    default:
      return Samples(policy, spans, span_count) ? kSampled : kNotSampled;
  }
}

// --- The processor, naively ------------------------------------------------------------------------------------------

class Model {
 public:
  explicit Model(const TailSamplingOptions& options)
      : options_(options), tick_ns_(HeldTraces::ResolutionFor(options.decision_wait).count()) {}

  // False: refused.
  bool Give(const Sketches& batch, int64_t now_ns) {
    std::vector<std::pair<uint8_t, Sketches>> by_trace;
    for (const SpanSketch& span : batch) {
      auto found = absl::c_find_if(by_trace, [&](const auto& each) { return each.first == span.trace; });
      if (found == by_trace.end()) found = by_trace.insert(found, {span.trace, {}});
      found->second.push_back(span);
    }
    if (options_.block_on_overflow && Overflows(by_trace)) return false;
    for (auto& [trace, spans] : by_trace) Take(trace, spans, now_ns);
    return true;
  }

  void Settle(int64_t now_ns) {
    while (true) {
      std::optional<uint8_t> next;
      for (const auto& [number, trace] : traces_) {
        if (trace.decided || TickOf(trace.deadline_ns) > now_ns / tick_ns_) continue;
        if (!next || std::pair(TickOf(trace.deadline_ns), trace.scheduled) <
                         std::pair(TickOf(traces_[*next].deadline_ns), traces_[*next].scheduled)) {
          next = number;
        }
      }
      if (!next) return;
      if (options_.sampling_strategy == TailSamplingOptions::Strategy::kTraceComplete) {
        Finish(*next, {}, Decide(traces_[*next].spans));
      } else {
        Finish(*next, {}, kNotSampled);
        traces_.erase(*next);
      }
    }
  }

  std::multiset<std::string> released;
  uint64_t filtered = 0;
  uint64_t lost = 0;
  uint64_t sampled_traces = 0;
  uint64_t other_traces = 0;
  [[nodiscard]] size_t waiting_spans() const {
    size_t spans = 0;
    for (const auto& [number, trace] : traces_) spans += trace.decided ? 0 : trace.spans.size();
    return spans;
  }

 private:
  struct Trace {
    Sketches spans;
    int64_t deadline_ns = 0;
    uint64_t arrived = 0;
    uint64_t scheduled = 0;  // when it came into the bucket of its deadline
    std::optional<TraceVerdict> decided;
    uint64_t decided_at = 0;
  };

  [[nodiscard]] int64_t TickOf(int64_t deadline_ns) const { return (deadline_ns + tick_ns_ - 1) / tick_ns_; }
  [[nodiscard]] bool HasCache(bool sampled) const {
    return (sampled ? options_.decision_cache.sampled_cache_size : options_.decision_cache.non_sampled_cache_size) > 0;
  }

  [[nodiscard]] bool Overflows(const std::vector<std::pair<uint8_t, Sketches>>& by_trace) const {
    const auto waiting =
        static_cast<size_t>(absl::c_count_if(traces_, [](const auto& e) { return !e.second.decided; }));
    size_t news = 0;
    for (const auto& [trace, spans] : by_trace) news += cached_.contains(trace) || traces_.contains(trace) ? 0 : 1;
    return waiting > 0 && news > 0 && waiting + news > options_.num_traces;
  }

  void Take(uint8_t number, const Sketches& spans, int64_t now_ns) {
    if (const auto cached = cached_.find(number); cached != cached_.end()) return LetGo(spans, cached->second);
    if (const auto known = traces_.find(number); known != traces_.end() && known->second.decided) {
      return LetGo(spans, *known->second.decided == kSampled);
    }
    if (!traces_.contains(number)) {
      if (traces_.size() >= options_.num_traces) MakeRoom();
      const int64_t deadline_ns = now_ns + options_.decision_wait.count();
      traces_[number] = {.spans = {},
                         .deadline_ns = deadline_ns,
                         .arrived = ++clock_,
                         .scheduled = ++clock_,
                         .decided = {},
                         .decided_at = 0};
    }
    Trace& trace = traces_[number];
    const int64_t after_root_ns = options_.decision_wait_after_root_received.count();
    if (after_root_ns > 0 && absl::c_any_of(spans, [](const SpanSketch& span) { return span.is_root; }) &&
        TickOf(now_ns + after_root_ns) < TickOf(trace.deadline_ns)) {
      trace.deadline_ns = now_ns + after_root_ns;
      trace.scheduled = ++clock_;
    }
    if (options_.sampling_strategy == TailSamplingOptions::Strategy::kSpanIngest) {
      if (const auto verdict = DecideNow(spans, trace.spans.size() + spans.size()))
        return Finish(number, spans, *verdict);
    }
    trace.spans.insert(trace.spans.end(), spans.begin(), spans.end());
  }

  void MakeRoom() {
    const auto rank = [](const Trace& trace) {
      return std::pair(trace.decided ? 0 : 1, trace.decided ? trace.decided_at : trace.arrived);
    };
    const auto oldest =
        absl::c_min_element(traces_, [&](const auto& a, const auto& b) { return rank(a.second) < rank(b.second); });
    if (!oldest->second.decided && options_.block_on_overflow) return;
    if (!oldest->second.decided) lost += oldest->second.spans.size();
    traces_.erase(oldest);
  }

  [[nodiscard]] TraceVerdict Decide(const Sketches& spans) const {
    const auto any = [&](TraceVerdict verdict) {
      return absl::c_any_of(options_.policies,
                            [&](const auto& policy) { return Says(policy, spans, spans.size()) == verdict; });
    };
    if (any(kDropped)) return kDropped;
    return any(kSampled) ? kSampled : kNotSampled;
  }

  // nullopt: it stays open.
  [[nodiscard]] std::optional<TraceVerdict> DecideNow(const Sketches& spans, size_t span_count) const {
    const auto any = [&](TraceVerdict verdict) {
      return absl::c_any_of(options_.policies,
                            [&](const auto& policy) { return Says(policy, spans, span_count) == verdict; });
    };
    if (any(kDropped)) return kDropped;
    if (absl::c_any_of(options_.policies, [](const auto& policy) { return policy.type == Type::kDrop; })) return {};
    return any(kSampled) ? std::optional(kSampled) : std::nullopt;
  }

  void Finish(uint8_t number, const Sketches& last, TraceVerdict verdict) {
    Trace& trace = traces_[number];
    const bool sampled = verdict == kSampled;
    ++(sampled ? sampled_traces : other_traces);
    LetGo(std::exchange(trace.spans, {}), sampled);
    LetGo(last, sampled);
    trace.decided = verdict;
    trace.decided_at = ++clock_;
    if (!HasCache(sampled)) return;
    cached_[number] = sampled;
    traces_.erase(number);
  }

  void LetGo(const Sketches& spans, bool sampled) {
    for (const SpanSketch& span : spans) {
      if (sampled) released.insert(span.name);
      if (!sampled) ++filtered;
    }
  }

  const TailSamplingOptions options_;
  const int64_t tick_ns_;
  std::map<uint8_t, Trace> traces_;
  std::map<uint8_t, bool> cached_;  // whether it was sampled
  uint64_t clock_ = 0;
};

// --- Chance ----------------------------------------------------------------------------------------------------------

bool OneIn(uint64_t n, Rng& rng) {
  return rng.Below(n) == 0;
}

SimplePolicyOptions RandomSimplePolicy(Rng& rng) {
  SimplePolicyOptions policy;
  policy.name = "below";
  const Type types[] = {Type::kLatency,          Type::kNumericAttribute, Type::kStatusCode,
                        Type::kStringAttribute,  Type::kSpanCount,        Type::kTraceState,
                        Type::kBooleanAttribute, Type::kTraceFlags,       Type::kOttlCondition};
  policy.type = types[rng.Below(std::size(types))];
  policy.latency.threshold_ms = static_cast<int64_t>(rng.Below(100));
  policy.numeric_attribute = {.key = "n", .min_value = 2, .max_value = 3, .invert_match = OneIn(3, rng)};
  policy.status_code.status_codes = {"ERROR"};
  policy.string_attribute.key = OneIn(2, rng) ? "service.name" : "s";
  policy.string_attribute.values = {"a"};
  policy.string_attribute.invert_match = OneIn(3, rng);
  policy.span_count.min_spans = static_cast<int32_t>(1 + rng.Below(4));
  policy.trace_state = {.key = "t", .values = {"1"}};
  policy.boolean_attribute = {.key = "b", .value = OneIn(2, rng), .invert_match = OneIn(3, rng)};
  policy.ottl_condition.span = {R"(attributes["n"] > 3)"};
  return policy;
}

TailSamplingPolicyOptions RandomPolicy(Rng& rng) {
  TailSamplingPolicyOptions policy;
  static_cast<SimplePolicyOptions&>(policy) = RandomSimplePolicy(rng);
  std::vector<SimplePolicyOptions> below = {RandomSimplePolicy(rng), RandomSimplePolicy(rng)};
  switch (rng.Below(8)) {
    case 0:
      policy.type = Type::kAnd;
      policy.and_policy.and_sub_policy = below;
      break;
    case 1:
      policy.type = Type::kDrop;
      policy.drop_policy.drop_sub_policy = below;
      break;
    case 2:
      policy.type = Type::kNot;
      policy.not_policy.not_sub_policy = below[0];
      break;
    default:
      break;
  }
  return policy;
}

TailSamplingOptions RandomOptions(Rng& rng) {
  TailSamplingOptions options;
  options.decision_wait = std::chrono::milliseconds(rng.Below(30'000));
  if (OneIn(2, rng)) options.decision_wait_after_root_received = options.decision_wait / 4;
  options.num_traces = 1 + rng.Below(30);
  options.block_on_overflow = OneIn(3, rng);
  options.sample_on_first_match = OneIn(2, rng);
  if (OneIn(3, rng)) options.sampling_strategy = TailSamplingOptions::Strategy::kSpanIngest;
  if (OneIn(2, rng)) options.decision_cache.sampled_cache_size = 1'000;
  if (OneIn(2, rng)) options.decision_cache.non_sampled_cache_size = 1'000;
  for (uint64_t i = 1 + rng.Below(4); i > 0; --i) {
    options.policies.push_back(RandomPolicy(rng));
    options.policies.back().name = StrCat("p", i);
  }
  return options;
}

SpanSketch RandomSpan(const std::string& name, Rng& rng) {
  SpanSketch span = {.trace = static_cast<uint8_t>(rng.Below(60)), .name = name, .is_root = OneIn(4, rng)};
  span.service = OneIn(2, rng) ? "a" : "b";
  span.start_ms = 1'000 + rng.Below(50);
  span.end_ms = span.start_ms + rng.Below(50);
  if (OneIn(4, rng)) span.status = otlp::StatusCode::kError;
  if (OneIn(4, rng)) span.trace_state = "t=1";
  span.flags = static_cast<uint32_t>(rng.Below(3));
  if (OneIn(2, rng)) span.texts = {{"s", OneIn(2, rng) ? "a" : "b"}};
  if (OneIn(2, rng)) span.numbers = {{"n", static_cast<int64_t>(rng.Below(6))}};
  if (OneIn(2, rng)) span.truths = {{"b", OneIn(2, rng)}};
  return span;
}

class TailSamplingProperty : public testing::Test {
 protected:
  void Run(uint64_t seed);

  uint64_t all_released_ = 0;  // over all runs
  uint64_t all_filtered_ = 0;
  uint64_t all_lost_ = 0;
  net::LoopPool loops_{1};
};

void TailSamplingProperty::Run(uint64_t seed) {
  Rng rng(seed);
  const TailSamplingOptions options = RandomOptions(rng);
  SimClock clock;
  clock.Advance(static_cast<int64_t>(rng.Below(1'000'000'000'000)));
  MetricRegistry metrics;
  const BuildContext context = {.loops = loops_, .metrics = metrics, .clock = clock};
  std::multiset<std::string> released;
  uint64_t lost = 0;
  TailSampler sampler({"tail_sampling", ""}, options, context,
                      {.release =
                           [&](const otlp::Slice& slice) {
                             for (std::string& name : NamesOf(otlp::Batch(slice))) released.insert(std::move(name));
                           },
                       .lose = [&](uint64_t spans, const Status&, std::string_view) { lost += spans; },
                       .lose_as_too_large = [&](uint64_t spans) { lost += spans; }});
  Model model(options);
  otlp::ContextTable contexts;
  const auto settle = [&] {
    while (HeldTrace* const due = sampler.traces().NextDue(clock.SteadyNs())) sampler.Settle(*due, clock.SteadyNs());
    model.Settle(clock.SteadyNs());
  };
  uint64_t spans = 0;
  const int64_t tick_ns = sampler.traces().resolution().count();
  for (int step = 0; step < 150; ++step) {
    Sketches batch;
    for (uint64_t i = rng.Below(kBatchSpansMax + 1); i > 0; --i)
      batch.push_back(RandomSpan(StrCat("span-", step, "-", i), rng));
    if (!batch.empty()) {
      auto detached = otlp::DetachByTrace(RequestOf(batch), contexts);
      const bool admitted = sampler.Admit(detached).ok();
      ASSERT_EQ(admitted, model.Give(batch, clock.SteadyNs())) << seed;
      if (admitted) {
        spans += batch.size();
        for (otlp::DetachedTrace& trace : detached) sampler.Take(std::move(trace), clock.SteadyNs());
      }
    }
    clock.Advance(static_cast<int64_t>(rng.Below(static_cast<uint64_t>(2 * tick_ns))));
    settle();
    const uint64_t filtered = metrics.Sum("spanloom_pipeline_filtered_spans");
    ASSERT_EQ(released, model.released) << seed << " step " << step;
    ASSERT_EQ(filtered, model.filtered) << seed << " step " << step;
    ASSERT_EQ(lost, model.lost) << seed << " step " << step;
    ASSERT_EQ(sampler.traces().span_count(), model.waiting_spans()) << seed << " step " << step;
    ASSERT_EQ(released.size() + filtered + lost + sampler.traces().span_count(), spans);
    ASSERT_LE(sampler.traces().size(), options.num_traces + (options.block_on_overflow ? kBatchSpansMax : 0));
  }
  EXPECT_EQ(metrics.Sum("otelcol_processor_tail_sampling_global_count_traces_sampled", {{"sampled", "true"}}),
            model.sampled_traces);
  EXPECT_EQ(metrics.Sum("otelcol_processor_tail_sampling_global_count_traces_sampled", {{"sampled", "false"}}),
            model.other_traces);
  all_released_ += released.size();
  all_filtered_ += metrics.Sum("spanloom_pipeline_filtered_spans");
  all_lost_ += lost;
  sampler.GiveUp();
  EXPECT_EQ(contexts.size(), 0u);
}

// Scenario: random options and policies; spans of 60 traces come in random order while time goes on in random steps.
// Guarantees: after every step the same spans were passed on, filtered and lost as a model says; none twice, none in no
// account.
TEST_F(TailSamplingProperty, DecidesAsTheModelDoes) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Run(seed);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(all_released_, 10'000u);
  EXPECT_GT(all_filtered_, 10'000u);
  EXPECT_GT(all_lost_, 1'000u);
}

}  // namespace
}  // namespace spanloom::pipeline
