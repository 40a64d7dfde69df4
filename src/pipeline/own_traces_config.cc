// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_traces_config.h"

#include <absl/algorithm/container.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {

void OwnExporterOptions::Declare(config::OptionsReader& r) {
  r.Field("otlp", otlp, "An OTLP destination.");
  r.FieldOrDefaults("console", console, "Standard output, a line of OTLP/JSON for each request.");
  r.Unsupported("zipkin", "write otlp instead");
}

Status OwnExporterOptions::Validate() const {
  if (otlp.has_value() + console.has_value() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("must have one exporter (valid: otlp, console)");
}

void OwnBatchOptions::Declare(config::OptionsReader& r) {
  r.Field("schedule_delay", schedule_delay, "Longest time that one waits for others.",
          {.min = 0, .max = 3'600'000, .unit = "ms"});
  r.Field("export_timeout", export_timeout, "Longest time for one attempt.",
          {.min = 1, .max = 3'600'000, .unit = "ms"});
  r.Field("max_queue_size", max_queue_size, "Most that may wait; further ones are lost and counted.",
          {.min = 1, .max = 1'000'000, .unit = "spans or lines"});
  r.Field("max_export_batch_size", max_export_batch_size, "Most in one request; reaching it sends at once.",
          {.min = 1, .max = 10'000, .unit = "spans or lines"});
  r.Field("exporter", exporter, "Where they go.");
}

Status OwnBatchOptions::Validate() const {
  // A missing section is not asked.
  RETURN_IF_ERROR(exporter.Validate());
  if (max_export_batch_size <= max_queue_size) return absl::OkStatus();
  return absl::InvalidArgumentError("max_export_batch_size must not exceed max_queue_size");
}

void OwnSimpleOptions::Declare(config::OptionsReader& r) {
  r.Field("exporter", exporter, "Where they go.");
}

void OwnProcessorOptions::Declare(config::OptionsReader& r) {
  r.Field("batch", batch, "Collects spans and sends them together.");
  r.Field("simple", simple, "Sends each span for itself, one after the other; up to 2048 wait.");
}

Status OwnProcessorOptions::Validate() const {
  if (batch.has_value() + simple.has_value() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("must name one processor (valid: batch, simple)");
}

sdk::SpanRoute OwnProcessorOptions::Route() const {
  return RouteOf(batch ? batch->exporter : simple->exporter, batch ? &*batch : nullptr, otlp::Signal::kTraces);
}

sdk::SpanRoute RouteOf(const OwnExporterOptions& exporter, const OwnBatchOptions* batch, otlp::Signal signal) {
  sdk::SpanRoute route;
  if (exporter.otlp) route.destination = exporter.otlp->Destination(signal);
  if (batch == nullptr) {
    route.batch.batch_spans_max = 1;
    route.batch.delay = std::chrono::nanoseconds(0);
    return route;
  }
  route.batch.queue_spans_max = batch->max_queue_size;
  route.batch.batch_spans_max = batch->max_export_batch_size;
  route.batch.delay = std::chrono::milliseconds(batch->schedule_delay);
  const std::chrono::milliseconds timeout(batch->export_timeout);
  if (route.destination) route.destination->timeout = std::min(route.destination->timeout, timeout);
  return route;
}

void RatioOptions::Declare(config::OptionsReader& r) {
  r.Field("ratio", ratio, "Share of the traces.", {.min = 0, .max = 1, .unit = "share of the traces"});
}

void RootSamplerOptions::Declare(config::OptionsReader& r) {
  r.FieldOrDefaults("always_on", always_on, "Every trace.");
  r.FieldOrDefaults("always_off", always_off, "No trace.");
  r.Field("trace_id_ratio_based", trace_id_ratio_based, "A share of the traces, decided by the trace id.");
}

Status RootSamplerOptions::Validate() const {
  if (count() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("must have one of always_on, always_off, trace_id_ratio_based");
}

sdk::Sampler RootSamplerOptions::Make() const {
  if (trace_id_ratio_based) return sdk::Sampler::TraceIdRatio(trace_id_ratio_based->ratio);
  return always_off ? sdk::Sampler::AlwaysOff() : sdk::Sampler::AlwaysOn();
}

void ParentSamplerOptions::Declare(config::OptionsReader& r) {
  r.Field("root", root, "For traces that begin here; always_on if it is left out.");
  constexpr const char* kFollows = "Only what is done anyway: always_on if the parent is sampled, else always_off.";
  r.Field("remote_parent_sampled", remote_parent_sampled, kFollows);
  r.Field("remote_parent_not_sampled", remote_parent_not_sampled, kFollows);
  r.Field("local_parent_sampled", local_parent_sampled, kFollows);
  r.Field("local_parent_not_sampled", local_parent_not_sampled, kFollows);
}

Status ParentSamplerOptions::Validate() const {
  for (const auto& [name, sampler] :
       {std::pair("remote_parent_sampled", &remote_parent_sampled), {"local_parent_sampled", &local_parent_sampled}}) {
    if (!*sampler || (*sampler)->always_on) continue;
    return absl::InvalidArgumentError(StrCat(name, " may only be always_on: a span is sampled if its parent is"));
  }
  for (const auto& [name, sampler] : {std::pair("remote_parent_not_sampled", &remote_parent_not_sampled),
                                      {"local_parent_not_sampled", &local_parent_not_sampled}}) {
    if (!*sampler || (*sampler)->always_off) continue;
    return absl::InvalidArgumentError(StrCat(name, " may only be always_off: a span is sampled if its parent is"));
  }
  return absl::OkStatus();
}

void OwnSamplerOptions::Declare(config::OptionsReader& r) {
  own.Declare(r);
  r.FieldOrDefaults("parent_based", parent_based, "What the parent does.");
  r.Unsupported("jaeger_remote", "write parent_based with root: {trace_id_ratio_based: {ratio: ...}}");
}

Status OwnSamplerOptions::Validate() const {
  if (own.count() + parent_based.has_value() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("must have one of always_on, always_off, trace_id_ratio_based, parent_based");
}

sdk::Sampler OwnSamplerOptions::Make() const {
  if (!parent_based) return own.Make();
  return sdk::Sampler::ParentBased(parent_based->root ? parent_based->root->Make() : sdk::Sampler::AlwaysOn());
}

void OwnTracesOptions::Declare(config::OptionsReader& r) {
  r.Field("level", level, "none switches them off; basic, normal and detailed make the same spans.");
  r.Field(
      "propagators", propagators,
      "How the trace of a request is found: tracecontext, b3; tracecontext if it is left out.",
      [](const std::string& name) {
        if (name == "tracecontext" || name == "b3") return absl::OkStatus();
        return absl::InvalidArgumentError(StrCat("unsupported propagator \"", name, "\" (valid: tracecontext, b3)"));
      });
  r.Field("sampler", sampler, "Which traces are recorded; parent_based with root always_on if it is left out.");
  r.Field("processors", processors, "Where the spans go, all to each of them; none are made without one.");
  r.Unsupported("limits", "remove it; a span has at most 128 attributes, events and links");
}

Status OwnTracesOptions::Validate() const {
  for (const char* valid : {"none", "basic", "normal", "detailed"}) {
    if (absl::EqualsIgnoreCase(level, valid)) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(StrCat("level must be one of none, basic, normal, detailed, got \"", level, "\""));
}

sdk::Propagation OwnTracesOptions::PropagationOf() const {
  if (propagators.empty()) return {};
  return {.has_w3c = absl::c_linear_search(propagators, "tracecontext"),
          .has_b3 = absl::c_linear_search(propagators, "b3")};
}

std::optional<sdk::TracingOptions> OwnTracesOptions::Config() const {
  if (processors.empty() || absl::EqualsIgnoreCase(level, "none")) return std::nullopt;
  sdk::TracingOptions config;
  if (sampler) config.sampler = sampler->Make();
  config.propagation = PropagationOf();
  for (const OwnProcessorOptions& processor : processors) config.routes.push_back(processor.Route());
  return config;
}

}  // namespace spanloom::pipeline
