// SPDX-License-Identifier: Apache-2.0

#include "sdk/environment.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "sdk/otlp_variables.h"

namespace spanloom::sdk {
namespace {

constexpr int64_t kCountMax = 65'536;          // of attributes, events or links of a span; guess
constexpr int64_t kDelayMsMax = 3'600'000;     // as service.telemetry.traces has it
constexpr int64_t kQueueSpansMax = 1'000'000;  // the same
constexpr int64_t kBatchSpansMax = 10'000;     // the same

constexpr std::string_view kPropagators = "OTEL_PROPAGATORS";

StatusOr<Sampler> ReadSampler(Variables& variables) {
  const Variable name = variables.Text({"OTEL_TRACES_SAMPLER"});
  const Variable argument = variables.Text({"OTEL_TRACES_SAMPLER_ARG"});
  const Status ratio = Sampler::ParseRatio(argument.value).status();
  const bool takes_ratio = absl::AsciiStrToLower(name.value).ends_with("traceidratio");
  if (takes_ratio && !ratio.ok()) {
    variables.Warn(StrCat(argument.name, " must be a number from 0 to 1, got \"", argument.value,
                          "\"; it is as if it were not set, so every trace is recorded"));
  }
  if (!takes_ratio && argument.is_set()) {
    variables.Warn(StrCat(argument.name, " is not used: the sampler is ",
                          name.is_set() ? name.value : "parentbased_always_on", ", which takes none"));
  }
  StatusOr<Sampler> sampler = Sampler::Parse(name.is_set() ? name.value : "parentbased_always_on",
                                             ratio.ok() ? std::string_view(argument.value) : std::string_view());
  if (!sampler.ok()) return Annotate(sampler.status(), name.name);
  return sampler;
}

StatusOr<Propagation> ReadPropagation(const Variables& variables) {
  const Variable variable = variables.Text({kPropagators});
  if (!variable.is_set()) return Propagation();
  Propagation propagation = {.has_w3c = false, .has_baggage = false};
  for (const absl::string_view item : absl::StrSplit(variable.value, ',', absl::SkipWhitespace())) {
    const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(item));
    if (name == "tracecontext") {
      propagation.has_w3c = true;
    } else if (name == "baggage") {
      propagation.has_baggage = true;
    } else if (name == "b3") {
      propagation.has_b3 = true;
    } else if (name == "b3multi") {
      propagation.has_b3_multi = true;
    } else if (name != "none") {
      return absl::InvalidArgumentError(StrCat(variable.name,
                                               " must list some of tracecontext, baggage, b3, b3multi, or be "
                                               "none, got \"",
                                               name, "\""));
    }
  }
  return propagation;
}

// "" and what is not written take the default; the general variable stands in for the one of spans.
SpanLimits ReadLimits(Variables& variables) {
  constexpr NumberRange kCounts = {.min = 0, .max = kCountMax};
  constexpr NumberRange kLengths = {.min = 0, .max = std::numeric_limits<int32_t>::max()};
  constexpr std::string_view kCount = "OTEL_ATTRIBUTE_COUNT_LIMIT";
  constexpr std::string_view kLength = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT";
  const auto count = [&](std::initializer_list<std::string_view> names, size_t otherwise) {
    return static_cast<size_t>(variables.Number(names, static_cast<int64_t>(otherwise), kCounts));
  };
  const auto length = [&](std::initializer_list<std::string_view> names) {
    const int64_t read = variables.Number(names, -1, kLengths);
    return read < 0 ? SpanLimits().text_length : static_cast<size_t>(read);
  };
  SpanLimits limits;
  limits.attributes = count({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", kCount}, limits.attributes);
  limits.events = count({"OTEL_SPAN_EVENT_COUNT_LIMIT"}, limits.events);
  limits.links = count({"OTEL_SPAN_LINK_COUNT_LIMIT"}, limits.links);
  limits.event_attributes = count({"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", kCount}, limits.event_attributes);
  limits.link_attributes = count({"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", kCount}, limits.link_attributes);
  limits.text_length = length({"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", kLength});
  limits.other_text_length = length({kLength});
  return limits;
}

BatchExporterOptions ReadBatch(Variables& variables) {
  constexpr std::string_view kQueue = "OTEL_BSP_MAX_QUEUE_SIZE";
  constexpr std::string_view kBatch = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
  BatchExporterOptions batch;
  batch.configured_by = "OTEL_EXPORTER_OTLP_*";
  batch.queue_spans_max = static_cast<size_t>(
      variables.Number({kQueue}, static_cast<int64_t>(batch.queue_spans_max), {.min = 1, .max = kQueueSpansMax}));
  batch.batch_spans_max = static_cast<size_t>(
      variables.Number({kBatch}, static_cast<int64_t>(batch.batch_spans_max), {.min = 1, .max = kBatchSpansMax}));
  batch.delay = variables.Milliseconds({"OTEL_BSP_SCHEDULE_DELAY"}, 5'000, {.min = 0, .max = kDelayMsMax});
  batch.retry_max = variables.Milliseconds({"OTEL_BSP_EXPORT_TIMEOUT"}, 30'000, {.min = 1, .max = kDelayMsMax});
  if (batch.batch_spans_max > batch.queue_spans_max) {
    if (variables.Text({kBatch}).is_set()) {
      variables.Warn(StrCat(kBatch, " must not exceed ", kQueue, ", got ", batch.batch_spans_max, "; it is taken as ",
                            batch.queue_spans_max));
    }
    batch.batch_spans_max = batch.queue_spans_max;
  }
  return batch;
}

enum class Exporter : size_t { kOtlp, kConsole, kNone };

// Where spans go; nothing that is not needed is read, so that a variable of a sender that there is none of harms
// nobody.
Status ReadExport(Variables& variables, TracingOptions& tracing) {
  ASSIGN_OR_RETURN(const size_t choice, variables.Choice({"OTEL_TRACES_EXPORTER"}, 0, {"otlp", "console", "none"}));
  tracing.is_on = static_cast<Exporter>(choice) != Exporter::kNone;
  if (!tracing.is_on) return absl::OkStatus();
  SpanRoute& route = tracing.routes.emplace_back();
  route.batch = ReadBatch(variables);
  if (static_cast<Exporter>(choice) == Exporter::kConsole) return absl::OkStatus();
  ASSIGN_OR_RETURN(route.destination, ReadOtlpVariables(variables));
  const auto export_max = std::chrono::duration_cast<std::chrono::milliseconds>(route.batch.retry_max);
  route.destination->timeout = std::min(route.destination->timeout, export_max);
  return absl::OkStatus();
}

}  // namespace

StatusOr<EnvironmentReading> ReadEnvironment(const ServiceIdentity& identity, LookUpVariable look_up) {
  Variables variables(std::move(look_up));
  EnvironmentReading reading;
  reading.resource = ReadResource(identity, variables);
  ASSIGN_OR_RETURN(reading.tracing.propagation, ReadPropagation(variables));
  if (variables.Truth({"OTEL_SDK_DISABLED"})) {
    reading.tracing.is_on = false;
  } else {
    ASSIGN_OR_RETURN(reading.tracing.sampler, ReadSampler(variables));
    reading.tracing.limits = ReadLimits(variables);
    RETURN_IF_ERROR(ReadExport(variables, reading.tracing));
  }
  reading.warnings = std::move(variables.warnings());
  return reading;
}

}  // namespace spanloom::sdk
