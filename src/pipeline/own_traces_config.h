// SPDX-License-Identifier: Apache-2.0
//
// service.telemetry.traces: which spans the process makes about itself and where they go. The keys are those of the
// OpenTelemetry configuration schema 0.3 (TracerProvider), as the Collector reads them.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "pipeline/own_otlp_options.h"
#include "sdk/batch_exporter.h"
#include "sdk/sampler.h"
#include "sdk/trace_context.h"
#include "sdk/tracing.h"

namespace spanloom::pipeline {

struct OwnExporterOptions {
  std::optional<OwnOtlpOptions> otlp = {};
  std::optional<OwnConsoleOptions> console = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct OwnBatchOptions {
  int64_t schedule_delay = 5'000;   // ms
  int64_t export_timeout = 30'000;  // ms
  size_t max_queue_size = sdk::BatchExporterOptions().queue_spans_max;
  size_t max_export_batch_size = sdk::BatchExporterOptions().batch_spans_max;
  OwnExporterOptions exporter = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct OwnSimpleOptions {
  OwnExporterOptions exporter = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const { return exporter.Validate(); }  // a missing section is not asked
};

struct OwnProcessorOptions {
  std::optional<OwnBatchOptions> batch = {};
  std::optional<OwnSimpleOptions> simple = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
  [[nodiscard]] sdk::SpanRoute Route() const;
};

// The way of `signal` to `exporter`, one by one without `batch`. The options are valid.
[[nodiscard]] sdk::SpanRoute RouteOf(const OwnExporterOptions& exporter, const OwnBatchOptions* batch,
                                     otlp::Signal signal);

struct RatioOptions {
  double ratio = 1;
  void Declare(config::OptionsReader& r);
};

struct NoOptions {
  void Declare(config::OptionsReader&) {}
};

// Exactly one of its keys.
struct RootSamplerOptions {
  std::optional<NoOptions> always_on = {};
  std::optional<NoOptions> always_off = {};
  std::optional<RatioOptions> trace_id_ratio_based = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
  [[nodiscard]] size_t count() const {
    return always_on.has_value() + always_off.has_value() + trace_id_ratio_based.has_value();
  }
  [[nodiscard]] sdk::Sampler Make() const;
};

struct ParentSamplerOptions {
  std::optional<RootSamplerOptions> root = {};
  // Samplers of spans with a parent; they may only say what is done anyway.
  std::optional<RootSamplerOptions> remote_parent_sampled = {};
  std::optional<RootSamplerOptions> remote_parent_not_sampled = {};
  std::optional<RootSamplerOptions> local_parent_sampled = {};
  std::optional<RootSamplerOptions> local_parent_not_sampled = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct OwnSamplerOptions {
  RootSamplerOptions own = {};
  std::optional<ParentSamplerOptions> parent_based = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
  [[nodiscard]] sdk::Sampler Make() const;
};

struct OwnTracesOptions {
  std::string level = "basic";
  std::vector<std::string> propagators = {};
  std::optional<OwnSamplerOptions> sampler = {};
  std::vector<OwnProcessorOptions> processors = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
  // nullopt if no spans are made: level none, or no processor. The options are valid.
  [[nodiscard]] std::optional<sdk::TracingOptions> Config() const;

 private:
  [[nodiscard]] sdk::Propagation PropagationOf() const;
};

}  // namespace spanloom::pipeline
