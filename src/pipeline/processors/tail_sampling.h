// SPDX-License-Identifier: Apache-2.0
//
// The tail_sampling processor: holds the spans of a trace for some time, asks its policies about all of them, and
// passes the trace on or not.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "pipeline/processors/lru_map.h"
#include "pipeline/processors/tail_sampling_options.h"
#include "pipeline/processors/trace_holder.h"
#include "pipeline/processors/trace_keeper.h"
#include "pipeline/processors/trace_policy.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// What there is to count, under the Collector's names.
class TailSamplingMetrics {
 public:
  TailSamplingMetrics(const ComponentId& id, const std::vector<std::string>& policies, const BuildContext& context);

  // Of one policy, by its place: what it said, of how much, and how long it took to say it.
  void CountPolicy(size_t policy, TraceVerdict verdict, const TraceUnderDecision& trace);
  void CountExecution(size_t policy, int64_t duration_ns);
  // Of one trace.
  void CountDecision(TraceVerdict verdict) { decided_[Place(verdict)]->Add(1); }
  void CountEarlyRelease(bool sampled, uint64_t spans) { early_releases_[sampled ? 1 : 0]->Add(spans); }

  Counter& new_traces;
  Counter& dropped_too_early;
  Counter& dropped_too_large;
  Counter& evaluation_errors;
  Counter& filtered_spans;         // our own: what it does not pass on because it was told so
  Histogram& decision_latency_ms;  // of one round of decisions
  Histogram& late_span_age_s;
  Histogram& removal_age_s;

 private:
  using ByVerdict = std::array<Counter*, 3>;  // sampled, not sampled, dropped

  static size_t Place(TraceVerdict verdict) { return static_cast<size_t>(verdict) - 1; }
  static ByVerdict VerdictCounters(const BuildContext& context, std::string_view name, std::string_view help,
                                   const MetricLabels& labels);

  struct PolicyCounters {
    ByVerdict traces;
    ByVerdict spans;
    ByVerdict bytes;
    Counter* executions;
    Counter* execution_us;
    int64_t execution_ns_left = 0;  // below a microsecond, not counted yet
  };

  std::vector<PolicyCounters> policies_;
  ByVerdict decided_;
  std::array<Counter*, 2> early_releases_;  // [sampled]
};

// Decides. What a trace was decided to be holds for its late spans, as long as it is remembered: in a cache of
// decisions, or in memory until num_traces need the room.
class TailSampler final : public TraceKeeper {
 public:
  TailSampler(const ComponentId& id, const TailSamplingOptions& options, const BuildContext& context,
              TraceOutlets outlets);

  Status Admit(std::span<const otlp::DetachedTrace> traces) override;
  void Take(otlp::DetachedTrace trace, int64_t now_ns) override;
  void Settle(HeldTrace& trace, int64_t now_ns) override;
  void OnRound(int64_t duration_ns) override;
  [[nodiscard]] bool settles_at_stop() const override { return !options_.drop_pending_traces_on_shutdown; }

 private:
  struct NamedPolicy {
    std::unique_ptr<TracePolicy> policy;
    bool drops = false;
  };

  // True if the decision is in a cache, and has been followed.
  bool FollowCache(otlp::DetachedTrace& trace);
  void FollowDecision(const HeldTrace& held, otlp::DetachedSpans spans, int64_t now_ns);
  HeldTrace& AddTrace(const otlp::TraceId& id, int64_t now_ns);
  void MakeRoom(int64_t now_ns);
  [[nodiscard]] bool IsTooLarge(const HeldTrace& held, const otlp::DetachedSpans& more) const;
  void DropTooLarge(HeldTrace& held, const otlp::DetachedSpans& more, int64_t now_ns);
  void TakeOnIngest(HeldTrace& held, otlp::DetachedSpans spans, int64_t now_ns);

  // What a policy says, counted; nullopt if it failed.
  std::optional<TraceVerdict> Ask(size_t policy, const TraceUnderDecision& trace, int64_t now_ns);
  TraceVerdict Decide(const TraceUnderDecision& trace, int64_t now_ns);
  // kPending if it stays open.
  TraceVerdict DecideOnIngest(const TraceUnderDecision& trace, int64_t now_ns);

  // The end of one that nobody has sampled as it came. Without a cache it is forgotten: what comes later is new.
  void GiveUpOn(HeldTrace& trace, int64_t now_ns);
  // The end of one that waits: its spans, and those that came last, go where the verdict says.
  void Finish(HeldTrace& trace, otlp::DetachedSpans last, TraceVerdict verdict, int64_t now_ns);
  void Remember(HeldTrace& trace, TraceVerdict verdict, int64_t now_ns);
  void Forget(HeldTrace& trace, int64_t now_ns);
  void LetGo(const otlp::DetachedSpans& spans, bool sampled);

  const TailSamplingOptions options_;
  const Clock& clock_;
  const TraceOutlets outlets_;
  std::vector<NamedPolicy> policies_;  // those that drop before the others
  TailSamplingMetrics metrics_;
  LruMap<otlp::TraceId, bool> sampled_ids_;
  LruMap<otlp::TraceId, bool> non_sampled_ids_;
};

[[nodiscard]] std::unique_ptr<TraceHolder> MakeTailSampling(const ComponentId& id, const TailSamplingOptions& options,
                                                            const BuildContext& context, Consumer& next,
                                                            const TraceHolderLimits& limits = {});

// Processor type "tail_sampling".
void RegisterTailSamplingProcessor(Registry& registry);

}  // namespace spanloom::pipeline
