// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/groupbytrace.h"

#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kEvictionAdvice = "raise num_traces, or lower wait_duration";

constexpr ComponentDoc kDoc = {
    .words =
        "Holds the spans of each trace for wait_duration after the first, then passes them on together; a span that "
        "comes later begins anew. It answers at once, from bounded memory: what it holds is lost in a crash and passed "
        "on at a clean stop. A span that waits costs its own bytes, not its request's. In front of tail_sampling, or "
        "of "
        "a store, it is not needed: they bring spans together themselves.",
    .example = R"(processors:
  groupbytrace:
    wait_duration: 10s
    num_traces: 100000
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [groupbytrace]
      exporters: [spanloom_store]
)",
};

Counter& GroupCounter(MetricRegistry& metrics, std::string_view name, std::string_view help) {
  return metrics.GetCounter(StrCat("otelcol_processor_groupbytrace_", name), help);
}

}  // namespace

void GroupByTraceOptions::Declare(config::OptionsReader& r) {
  r.Field("wait_duration", wait_duration, "How long the first span of a trace waits for the others.",
          {.max = std::chrono::hours(24)});
  r.Field("num_traces", num_traces,
          "Traces that are held at most. One more and the oldest is given up, as in the Collector; its spans count as "
          "dropped.",
          {.min = 1, .unit = "traces"});
  r.Field("num_workers", num_workers,
          "Taken, and without effect: spans are copied on all loops, and one of them holds the traces.",
          {.min = 1, .unit = "workers"});
  r.Field("discard_orphans", discard_orphans, "Must be false: the Collector has not built it, nor has this.");
  r.Field("store_on_disk", store_on_disk, "Must be false: the Collector has not built it, nor has this.");
}

Status GroupByTraceOptions::Validate() const {
  if (discard_orphans) {
    return absl::InvalidArgumentError(
        "discard_orphans: option 'discard orphans' not supported in this release; set it to false");
  }
  if (store_on_disk) {
    return absl::InvalidArgumentError(
        "store_on_disk: option 'disk storage' not supported in this release; set it to false");
  }
  return absl::OkStatus();
}

TraceGrouper::TraceGrouper(const GroupByTraceOptions& options, const BuildContext& context, TraceOutlets outlets)
    : TraceKeeper(options.wait_duration, context.clock.SteadyNs()),
      options_(options),
      outlets_(std::move(outlets)),
      traces_evicted_(GroupCounter(context.metrics, "traces_evicted", "Traces evicted from the internal buffer.")),
      traces_released_(GroupCounter(context.metrics, "traces_released", "Traces released to the next consumer.")),
      spans_released_(GroupCounter(context.metrics, "spans_released", "Spans released to the next consumer.")),
      incomplete_releases_(GroupCounter(context.metrics, "incomplete_releases",
                                        "Releases that are suspected to have been incomplete.")) {}

void TraceGrouper::Take(otlp::DetachedTrace trace, int64_t now_ns) {
  HeldTrace* held = traces().Find(trace.id);
  if (held == nullptr) {
    if (traces().size() >= static_cast<size_t>(options_.num_traces)) Evict(*traces().OldestWaiting());
    held = &traces().Add(trace.id, now_ns, now_ns + options_.wait_duration.count());
  }
  traces().Append(*held, std::move(trace.spans));
}

void TraceGrouper::Settle(HeldTrace& trace, int64_t) {
  traces_released_.Add(1);
  spans_released_.Add(trace.spans.span_count());
  outlets_.release(trace.spans.ToSlice());
  traces().Remove(trace);
}

void TraceGrouper::Evict(HeldTrace& trace) {
  traces_evicted_.Add(1);
  // What the Collector says when the time of the evicted trace comes.
  incomplete_releases_.Add(1);
  outlets_.lose(trace.spans.span_count(), absl::ResourceExhaustedError("num_traces are held"), kEvictionAdvice);
  traces().Remove(trace);
}

std::unique_ptr<TraceHolder> MakeGroupByTrace(const ComponentId& id, const GroupByTraceOptions& options,
                                              const BuildContext& context, Consumer& next,
                                              const TraceHolderLimits& limits) {
  auto holder = std::make_unique<TraceHolder>(
      id, context, next, TraceHolder::Traits{.selects = false, .wait = options.wait_duration}, limits,
      [&](TraceOutlets outlets) { return std::make_unique<TraceGrouper>(options, context, std::move(outlets)); });
  const auto show = [&](std::string_view name, std::string_view help, std::function<size_t()> read) {
    holder->Show(context.metrics.AddGauge(StrCat("otelcol_processor_groupbytrace_", name), help, {},
                                          [read = std::move(read)] { return static_cast<double>(read()); }));
  };
  show("num_traces_in_memory", "Number of traces currently in the in-memory storage.", holder->TraceCount());
  show("num_events_in_queue", "Number of events currently in the queue.", holder->BatchesComing());
  show("conf_num_traces", "Maximum number of traces to hold in the internal storage.",
       [traces = options.num_traces] { return static_cast<size_t>(traces); });
  return holder;
}

void RegisterGroupByTraceProcessor(Registry& registry) {
  registry.processors.Add<GroupByTraceOptions>(
      "groupbytrace", kDoc,
      [](const ComponentId& id, const GroupByTraceOptions& options, const BuildContext& context, Consumer& next) {
        return MakeGroupByTrace(id, options, context, next);
      });
}

}  // namespace spanloom::pipeline
