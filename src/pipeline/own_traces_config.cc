// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_traces_config.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/strip.h>

#include <string_view>
#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kNoTls =
    "these spans are sent in cleartext; send them to a receiver of this process and export them from there";

struct Destination {
  std::string endpoint;  // "host:port"
  std::string path;      // "" if none was written
};

// "http://host:port/path"; the scheme and the path may be missing.
StatusOr<Destination> ParseDestination(const std::string& text) {
  absl::string_view rest = text;
  if (absl::StartsWith(rest, "https://")) return absl::InvalidArgumentError(StrCat("endpoint ", text, ": ", kNoTls));
  absl::ConsumePrefix(&rest, "http://");
  const size_t slash = std::min(rest.find('/'), rest.size());
  const absl::string_view endpoint = rest.substr(0, slash);
  const size_t colon = endpoint.rfind(':');
  if (colon == absl::string_view::npos || colon + 1 == endpoint.size() || endpoint.back() == ']') {
    return absl::InvalidArgumentError(StrCat("endpoint must be http://HOST:PORT, got \"", text, "\""));
  }
  const absl::string_view path = rest.substr(slash);
  return Destination{std::string(endpoint), path == "/" ? "" : std::string(path)};
}

}  // namespace

void OwnOtlpOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, sdk::OtlpProtocol> kProtocols[] = {
      {"grpc", sdk::OtlpProtocol::kGrpc}, {"http/protobuf", sdk::OtlpProtocol::kHttpProtobuf}};
  r.Choice<sdk::OtlpProtocol>("protocol", protocol, kProtocols, "How spans are sent.");
  r.Field("endpoint", endpoint,
          "Destination, http://HOST:PORT; with http/protobuf a path may follow, else /v1/traces.");
  r.Field("headers", headers, "Headers or metadata sent with every request.");
  r.Field("insecure", insecure, "Must be true where the endpoint has no http:// in front.");
  for (const char* name : {"certificate", "client_key", "client_certificate"}) r.Unsupported(name, kNoTls);
  r.Unsupported("compression", "remove it; these requests are small");
  r.Unsupported("timeout", "write export_timeout of the batch instead");
}

Status OwnOtlpOptions::Validate() const {
  RETURN_IF_ERROR(ParseDestination(endpoint).status());
  if (insecure || absl::StartsWith(endpoint, "http://")) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("insecure must be true: ", kNoTls));
}

void OwnExporterOptions::Declare(config::OptionsReader& r) {
  r.Field("otlp", otlp, "An OTLP destination.");
  r.Unsupported("console", "write otlp instead");
  r.Unsupported("zipkin", "write otlp instead");
}

Status OwnExporterOptions::Validate() const {
  if (otlp) return absl::OkStatus();
  return absl::InvalidArgumentError("must have an exporter (valid: otlp)");
}

void OwnBatchOptions::Declare(config::OptionsReader& r) {
  r.Field("schedule_delay", schedule_delay, "Longest time that a span waits for others.",
          {.min = 0, .max = 3'600'000, .unit = "ms"});
  r.Field("export_timeout", export_timeout, "Longest time for one attempt.",
          {.min = 1, .max = 3'600'000, .unit = "ms"});
  r.Field("max_queue_size", max_queue_size, "Most that may wait; further ones are lost and counted.",
          {.min = 1, .max = 1'000'000, .unit = "spans"});
  r.Field("max_export_batch_size", max_export_batch_size, "Most in one request; reaching it sends at once.",
          {.min = 1, .max = 10'000, .unit = "spans"});
  r.Field("exporter", exporter, "Where they go.");
}

Status OwnBatchOptions::Validate() const {
  // A missing section is not asked.
  RETURN_IF_ERROR(exporter.Validate());
  if (max_export_batch_size <= max_queue_size) return absl::OkStatus();
  return absl::InvalidArgumentError("max_export_batch_size must not exceed max_queue_size");
}

void OwnProcessorOptions::Declare(config::OptionsReader& r) {
  r.Field("batch", batch, "Collects spans and sends them together.");
  r.Unsupported("simple", "write batch instead");
}

Status OwnProcessorOptions::Validate() const {
  if (batch) return absl::OkStatus();
  return absl::InvalidArgumentError("must name a processor (valid: batch)");
}

void RatioOptions::Declare(config::OptionsReader& r) {
  r.Field("ratio", ratio, "Share of the traces.", {.min = 0, .max = 1, .unit = "share of the traces"});
}

void RootSamplerOptions::Declare(config::OptionsReader& r) {
  r.Field("always_on", always_on, "Every trace.");
  r.Field("always_off", always_off, "No trace.");
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
  for (const char* name :
       {"remote_parent_sampled", "remote_parent_not_sampled", "local_parent_sampled", "local_parent_not_sampled"}) {
    r.Unsupported(name, "remove it; a span is sampled if its parent is");
  }
}

void OwnSamplerOptions::Declare(config::OptionsReader& r) {
  own.Declare(r);
  r.Field("parent_based", parent_based, "What the parent does.");
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
  r.Field("propagators", propagators,
          "How the trace of a request is found: tracecontext, which is what happens anyway.",
          [](const std::string& name) {
            if (name == "tracecontext") return absl::OkStatus();
            return absl::InvalidArgumentError(StrCat("unsupported propagator \"", name, "\" (valid: tracecontext)"));
          });
  r.Field("sampler", sampler, "Which traces are recorded; parent_based with root always_on if it is left out.");
  r.Field("processors", processors, "Where the spans go, one of them; none are made without it.");
}

Status OwnTracesOptions::Validate() const {
  if (processors.size() > 1) return absl::InvalidArgumentError("processors may name one in this version");
  for (const char* valid : {"none", "basic", "normal", "detailed"}) {
    if (absl::EqualsIgnoreCase(level, valid)) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(StrCat("level must be one of none, basic, normal, detailed, got \"", level, "\""));
}

std::optional<OwnTracesConfig> OwnTracesOptions::Config() const {
  if (processors.empty() || absl::EqualsIgnoreCase(level, "none")) return std::nullopt;
  const OwnBatchOptions& batch = *processors.front().batch;
  const OwnOtlpOptions& otlp = *batch.exporter.otlp;
  Destination destination = *ParseDestination(otlp.endpoint);
  OwnTracesConfig config;
  if (sampler) config.sampler = sampler->Make();
  config.batch.queue_spans_max = batch.max_queue_size;
  config.batch.batch_spans_max = batch.max_export_batch_size;
  config.batch.delay = std::chrono::milliseconds(batch.schedule_delay);
  config.destination.protocol = otlp.protocol;
  config.destination.endpoint = std::move(destination.endpoint);
  if (!destination.path.empty()) config.destination.path = std::move(destination.path);
  config.destination.timeout = std::chrono::milliseconds(batch.export_timeout);
  for (const auto& [name, value] : otlp.headers) {
    config.destination.headers.emplace_back(absl::AsciiStrToLower(name), value);
  }
  return config;
}

}  // namespace spanloom::pipeline
