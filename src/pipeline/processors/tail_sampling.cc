// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/tail_sampling.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kEvictionAdvice =
    "raise num_traces, lower decision_wait, or set block_on_overflow to have senders wait";

// Traces for which there is room from the start unless more are expected: a table that grows holds up its loop. A byte
// of memory each, until they come. Guess.
constexpr size_t kRoomMax = 1 << 18;

constexpr int64_t kMs = 1'000'000;  // in nanoseconds, as the other
constexpr int64_t kSecond = 1'000 * kMs;

// The defaults of OpenTelemetry's histograms.
const std::vector<double> kAgeBounds = {0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1'000, 2'500, 5'000, 7'500, 10'000};
// Of otelcol_processor_tail_sampling_sampling_decision_timer_latency, as the Collector has them.
const std::vector<double> kDecisionBounds = {1,     2,     5,     10,     25,     50,     75,    100,
                                             150,   200,   300,   400,    500,    750,    1'000, 2'000,
                                             3'000, 4'000, 5'000, 10'000, 20'000, 30'000, 50'000};

constexpr ComponentDoc kDoc = {
    .words =
        "Holds the spans of a trace for decision_wait after the first, then asks policies about all of them, and "
        "passes "
        "the trace on or not. A policy of type drop refuses it, whatever others say; else it is passed on if one of "
        "them "
        "samples. Late spans follow the decision, as long as it is remembered. It answers at once, from bounded "
        "memory: "
        "what it holds is lost in a crash, and decided about as it is at a clean stop. A span that waits costs its own "
        "bytes, not its request's; when all of them cost more than 512 MiB, the oldest traces are decided about early. "
        "Policies, their keys and their decisions are the Collector's, but for this: attributes of another type than a "
        "policy asks for never match it, latency with an upper threshold looks at the whole trace, policy_order of a "
        "composite policy is followed, and a policy of it that has no share has that of equals. All spans of a trace "
        "must come to the same process.",
    .example = R"(processors:
  tail_sampling:
    decision_wait: 10s
    decision_cache: {sampled_cache_size: 100000, non_sampled_cache_size: 100000}
    policies:
      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: slow, type: latency, latency: {threshold_ms: 5000}}
      - {name: some, type: probabilistic, probabilistic: {sampling_percentage: 10}}
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [tail_sampling]
      exporters: [spanloom_store]
)",
};

std::string MetricName(std::string_view name) {
  return StrCat("otelcol_processor_tail_sampling_", name);
}

Counter& PlainCounter(const BuildContext& context, std::string_view name, std::string_view help) {
  return context.metrics.GetCounter(MetricName(name), help);
}

Histogram& AgeHistogram(const BuildContext& context, std::string_view name, std::string_view help) {
  return context.metrics.GetHistogram(MetricName(name), help, kAgeBounds);
}

// Those that drop before the others, each in the order of the configuration.
std::vector<const TailSamplingPolicyOptions*> InOrder(const TailSamplingOptions& options) {
  std::vector<const TailSamplingPolicyOptions*> policies;
  for (const TailSamplingPolicyOptions& policy : options.policies) policies.push_back(&policy);
  std::stable_partition(policies.begin(), policies.end(),
                        [](const auto* policy) { return policy->type == TracePolicyType::kDrop; });
  return policies;
}

std::vector<std::string> NamesInOrder(const TailSamplingOptions& options) {
  std::vector<std::string> names;
  for (const TailSamplingPolicyOptions* policy : InOrder(options)) names.push_back(policy->name);
  return names;
}

// Whole ones, as the Collector records them.
double WholeUnits(int64_t duration_ns, int64_t unit_ns) {
  const int64_t units = duration_ns / unit_ns;
  return static_cast<double>(units);
}

}  // namespace

TailSamplingMetrics::ByVerdict TailSamplingMetrics::VerdictCounters(const BuildContext& context, std::string_view name,
                                                                    std::string_view help, const MetricLabels& labels) {
  ByVerdict counters;
  for (const TraceVerdict verdict : {TraceVerdict::kSampled, TraceVerdict::kNotSampled, TraceVerdict::kDropped}) {
    static constexpr std::string_view kNames[] = {"sampled", "not_sampled", "dropped"};
    MetricLabels all = labels;
    all.emplace_back("sampled", verdict == TraceVerdict::kSampled ? "true" : "false");
    all.emplace_back("decision", kNames[Place(verdict)]);
    counters[Place(verdict)] = &context.metrics.GetCounter(MetricName(name), help, all);
  }
  return counters;
}

TailSamplingMetrics::TailSamplingMetrics(const ComponentId& id, const std::vector<std::string>& policies,
                                         const BuildContext& context)
    : new_traces(PlainCounter(context, "new_trace_id_received", "Counts the arrival of new traces.")),
      dropped_too_early(PlainCounter(context, "sampling_trace_dropped_too_early",
                                     "Count of traces that needed to be dropped before the configured wait time.")),
      dropped_too_large(PlainCounter(context, "traces_dropped_too_large",
                                     "Count of traces that were dropped because they were too large.")),
      evaluation_errors(
          PlainCounter(context, "sampling_policy_evaluation_error", "Count of sampling policy evaluation errors.")),
      filtered_spans(
          context.metrics.GetCounter("spanloom_pipeline_filtered_spans",
                                     "Spans that a processor dropped as it was told to, in batches that were accepted.",
                                     {{"processor", id.ToString()}, {"pipeline", context.pipeline}})),
      decision_latency_ms(context.metrics.GetHistogram(
          MetricName("sampling_decision_timer_latency"),
          "Latency (in milliseconds) of each run of the sampling decision timer.", kDecisionBounds)),
      late_span_age_s(AgeHistogram(context, "sampling_late_span_age",
                                   "Time (in seconds) from the sampling decision was taken and the arrival of a late "
                                   "span.")),
      removal_age_s(AgeHistogram(context, "sampling_trace_removal_age",
                                 "Time (in seconds) from arrival of a new trace until its removal from memory.")),
      decided_(VerdictCounters(context, "global_count_traces_sampled",
                               "Global count of traces that were sampled or not by at least one policy.", {})) {
  for (const std::string& name : policies) {
    const MetricLabels labels = {{"policy", id.name.empty() ? name : StrCat(id.name, ".", name)}};
    policies_.push_back(
        {.traces = VerdictCounters(context, "count_traces_sampled",
                                   "Count of traces that were sampled or not per sampling policy.", labels),
         .spans = VerdictCounters(context, "count_spans_sampled",
                                  "Count of spans that were sampled or not per sampling policy.", labels),
         .bytes = VerdictCounters(context, "count_bytes_sampled",
                                  "Count of bytes that were sampled or not per sampling policy.", labels),
         .executions = &context.metrics.GetCounter(MetricName("sampling_policy_execution_count"),
                                                   "Count of the executions of a sampling policy.", labels),
         .execution_us = &context.metrics.GetCounter(MetricName("sampling_policy_execution_time_sum"),
                                                     "Time (in microseconds) spent in a sampling policy.", labels)});
  }
  for (const bool sampled : {false, true}) {
    early_releases_[sampled ? 1 : 0] = &context.metrics.GetCounter(
        MetricName("early_releases_from_cache_decision"),
        "Number of spans that were able to be immediately released due to a decision cache hit.",
        {{"sampled", sampled ? "true" : "false"}});
  }
}

void TailSamplingMetrics::CountPolicy(size_t policy, TraceVerdict verdict, const TraceUnderDecision& trace) {
  const size_t place = Place(verdict);
  policies_[policy].traces[place]->Add(1);
  policies_[policy].spans[place]->Add(trace.span_count());
  policies_[policy].bytes[place]->Add(trace.wire_bytes());
}

void TailSamplingMetrics::CountExecution(size_t policy, int64_t duration_ns) {
  PolicyCounters& counters = policies_[policy];
  counters.executions->Add(1);
  counters.execution_ns_left += duration_ns;
  counters.execution_us->Add(static_cast<uint64_t>(counters.execution_ns_left / 1'000));
  counters.execution_ns_left %= 1'000;
}

TailSampler::TailSampler(const ComponentId& id, const TailSamplingOptions& options, const BuildContext& context,
                         TraceOutlets outlets)
    : TraceKeeper(options.decision_wait, context.clock.SteadyNs()),
      options_(options),
      clock_(context.clock),
      outlets_(std::move(outlets)),
      metrics_(id, NamesInOrder(options), context),
      sampled_ids_(options.decision_cache.sampled_cache_size),
      non_sampled_ids_(options.decision_cache.non_sampled_cache_size) {
  for (const TailSamplingPolicyOptions* policy : InOrder(options)) {
    policies_.push_back({.policy = MakeTracePolicy(*policy, id.ToString(), context.clock),
                         .drops = policy->type == TracePolicyType::kDrop});
  }
  const auto wait_s = static_cast<size_t>(options.decision_wait / std::chrono::seconds(1)) + 1;
  const size_t expected = std::max(kRoomMax, options.expected_new_traces_per_sec * wait_s);
  traces().Reserve(std::min(options.num_traces, expected));
}

Status TailSampler::Admit(std::span<const otlp::DetachedTrace> batch) {
  if (!options_.block_on_overflow || traces().waiting_count() == 0) return absl::OkStatus();
  size_t waiting = traces().waiting_count();
  for (const otlp::DetachedTrace& trace : batch) {
    if (sampled_ids_.Contains(trace.id) || non_sampled_ids_.Contains(trace.id)) continue;
    if (traces().Find(trace.id) == nullptr) ++waiting;
  }
  if (waiting <= options_.num_traces || waiting == traces().waiting_count()) return absl::OkStatus();
  return absl::UnavailableError(StrCat(options_.num_traces, " traces wait for their decision, as many as num_traces"));
}

void TailSampler::Take(otlp::DetachedTrace trace, int64_t now_ns) {
  if (FollowCache(trace)) return;
  HeldTrace* const known = traces().Find(trace.id);
  if (known != nullptr && known->verdict != TraceVerdict::kPending) {
    return FollowDecision(*known, std::move(trace.spans), now_ns);
  }
  HeldTrace& held = known != nullptr ? *known : AddTrace(trace.id, now_ns);
  if (trace.has_root && options_.decision_wait_after_root_received.count() > 0) {
    traces().DueBy(held, now_ns + options_.decision_wait_after_root_received.count());
  }
  if (IsTooLarge(held, trace.spans)) return DropTooLarge(held, trace.spans, now_ns);
  if (options_.sampling_strategy == TailSamplingOptions::Strategy::kSpanIngest) {
    return TakeOnIngest(held, std::move(trace.spans), now_ns);
  }
  traces().Append(held, std::move(trace.spans));
}

bool TailSampler::FollowCache(otlp::DetachedTrace& trace) {
  const bool sampled = sampled_ids_.Find(trace.id) != nullptr;
  if (!sampled && non_sampled_ids_.Find(trace.id) == nullptr) return false;
  metrics_.CountEarlyRelease(sampled, trace.spans.span_count());
  LetGo(trace.spans, sampled);
  return true;
}

void TailSampler::FollowDecision(const HeldTrace& held, otlp::DetachedSpans spans, int64_t now_ns) {
  metrics_.late_span_age_s.Add(WholeUnits(now_ns - held.decision_ns, kSecond));
  LetGo(spans, held.verdict == TraceVerdict::kSampled);
}

HeldTrace& TailSampler::AddTrace(const otlp::TraceId& id, int64_t now_ns) {
  if (traces().size() >= options_.num_traces) MakeRoom(now_ns);
  metrics_.new_traces.Add(1);
  return traces().Add(id, now_ns, now_ns + options_.decision_wait.count());
}

void TailSampler::MakeRoom(int64_t now_ns) {
  if (HeldTrace* const settled = traces().OldestSettled()) return Forget(*settled, now_ns);
  if (options_.block_on_overflow) return;  // only if one batch alone has that many traces
  HeldTrace& oldest = *traces().OldestWaiting();
  metrics_.dropped_too_early.Add(1);
  outlets_.lose(oldest.spans.span_count(),
                absl::ResourceExhaustedError(StrCat(options_.num_traces, " traces wait for their decision")),
                kEvictionAdvice);
  Forget(oldest, now_ns);
}

bool TailSampler::IsTooLarge(const HeldTrace& held, const otlp::DetachedSpans& more) const {
  return options_.maximum_trace_size_bytes > 0 &&
         held.spans.wire_bytes() + more.wire_bytes() > options_.maximum_trace_size_bytes;
}

void TailSampler::DropTooLarge(HeldTrace& held, const otlp::DetachedSpans& more, int64_t now_ns) {
  metrics_.dropped_too_large.Add(1);
  outlets_.lose_as_too_large(held.spans.span_count() + more.span_count());
  Remember(held, TraceVerdict::kNotSampled, now_ns);
}

void TailSampler::TakeOnIngest(HeldTrace& held, otlp::DetachedSpans spans, int64_t now_ns) {
  const TraceUnderDecision trace(held.id, spans, held.spans.span_count() + spans.span_count());
  const TraceVerdict verdict = DecideOnIngest(trace, now_ns);
  if (verdict == TraceVerdict::kPending) return traces().Append(held, std::move(spans));
  Finish(held, std::move(spans), verdict, now_ns);
  metrics_.CountDecision(verdict);
}

void TailSampler::Settle(HeldTrace& trace, int64_t now_ns) {
  if (options_.sampling_strategy == TailSamplingOptions::Strategy::kSpanIngest) return GiveUpOn(trace, now_ns);
  const TraceVerdict verdict = Decide({trace.id, trace.spans, trace.spans.span_count()}, now_ns);
  Finish(trace, {}, verdict, now_ns);
  metrics_.CountDecision(verdict);
}

void TailSampler::GiveUpOn(HeldTrace& trace, int64_t now_ns) {
  LetGo(traces().TakeSpans(trace), false);
  if (options_.decision_cache.non_sampled_cache_size > 0) non_sampled_ids_.Put(trace.id, true);
  Forget(trace, now_ns);
  metrics_.CountDecision(TraceVerdict::kNotSampled);
}

void TailSampler::OnRound(int64_t duration_ns) {
  metrics_.decision_latency_ms.Add(WholeUnits(duration_ns, kMs));
}

std::optional<TraceVerdict> TailSampler::Ask(size_t policy, const TraceUnderDecision& trace, int64_t now_ns) {
  const int64_t begin_ns = clock_.SteadyNs();
  const StatusOr<TraceVerdict> verdict = policies_[policy].policy->Evaluate(trace, now_ns);
  metrics_.CountExecution(policy, clock_.SteadyNs() - begin_ns);
  if (!verdict.ok()) {
    metrics_.evaluation_errors.Add(1);
    return std::nullopt;
  }
  metrics_.CountPolicy(policy, *verdict, trace);
  return *verdict;
}

TraceVerdict TailSampler::Decide(const TraceUnderDecision& trace, int64_t now_ns) {
  auto decision = TraceVerdict::kNotSampled;
  for (size_t policy = 0; policy < policies_.size(); ++policy) {
    const std::optional<TraceVerdict> verdict = Ask(policy, trace, now_ns);
    if (verdict == TraceVerdict::kDropped) return TraceVerdict::kDropped;
    if (verdict != TraceVerdict::kSampled) continue;
    decision = TraceVerdict::kSampled;
    if (options_.sample_on_first_match) break;
  }
  return decision;
}

TraceVerdict TailSampler::DecideOnIngest(const TraceUnderDecision& trace, int64_t now_ns) {
  // A policy that would drop may still do so for a later span; until then nobody may sample.
  bool may_be_dropped = false;
  for (size_t policy = 0; policy < policies_.size(); ++policy) {
    const bool drops = policies_[policy].drops;
    if (!drops && may_be_dropped) break;
    const std::optional<TraceVerdict> verdict = Ask(policy, trace, now_ns);
    if (!verdict) continue;
    if (*verdict == TraceVerdict::kDropped) return TraceVerdict::kDropped;
    if (drops) {
      may_be_dropped = true;
    } else if (*verdict == TraceVerdict::kSampled) {
      return TraceVerdict::kSampled;
    }
  }
  return TraceVerdict::kPending;
}

void TailSampler::Finish(HeldTrace& trace, otlp::DetachedSpans last, TraceVerdict verdict, int64_t now_ns) {
  otlp::DetachedSpans spans = traces().TakeSpans(trace);
  spans.Append(std::move(last));
  LetGo(spans, verdict == TraceVerdict::kSampled);
  Remember(trace, verdict, now_ns);
}

void TailSampler::Remember(HeldTrace& trace, TraceVerdict verdict, int64_t now_ns) {
  const bool sampled = verdict == TraceVerdict::kSampled;
  const bool has_cache =
      (sampled ? options_.decision_cache.sampled_cache_size : options_.decision_cache.non_sampled_cache_size) > 0;
  if (!has_cache) return traces().Settle(trace, verdict, now_ns);
  (sampled ? sampled_ids_ : non_sampled_ids_).Put(trace.id, true);
  Forget(trace, now_ns);
}

void TailSampler::Forget(HeldTrace& trace, int64_t now_ns) {
  metrics_.removal_age_s.Add(WholeUnits(now_ns - trace.arrival_ns, kSecond));
  traces().Remove(trace);
}

void TailSampler::LetGo(const otlp::DetachedSpans& spans, bool sampled) {
  if (!sampled) return metrics_.filtered_spans.Add(spans.span_count());
  outlets_.release(spans.ToSlice());
}

std::unique_ptr<TraceHolder> MakeTailSampling(const ComponentId& id, const TailSamplingOptions& options,
                                              const BuildContext& context, Consumer& next,
                                              const TraceHolderLimits& limits) {
  auto holder = std::make_unique<TraceHolder>(
      id, context, next, TraceHolder::Traits{.selects = true, .wait = options.decision_wait}, limits,
      [&](TraceOutlets outlets) { return std::make_unique<TailSampler>(id, options, context, std::move(outlets)); });
  holder->Show(context.metrics.AddGauge(MetricName("sampling_traces_on_memory"),
                                        "Tracks the number of traces current on memory.", {},
                                        [count = holder->TraceCount()] { return static_cast<double>(count()); }));
  return holder;
}

void RegisterTailSamplingProcessor(Registry& registry) {
  registry.processors.Add<TailSamplingOptions>(
      "tail_sampling", kDoc,
      [](const ComponentId& id, const TailSamplingOptions& options, const BuildContext& context, Consumer& next) {
        return MakeTailSampling(id, options, context, next);
      });
}

}  // namespace spanloom::pipeline
