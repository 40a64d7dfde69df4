// SPDX-License-Identifier: Apache-2.0
//
// service.telemetry.traces: which spans the process makes about itself and where they go. The keys are those of the
// OpenTelemetry configuration schema 0.3 (TracerProvider), as the Collector reads them.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "sdk/batch_exporter.h"
#include "sdk/otlp_sender.h"
#include "sdk/sampler.h"

namespace spanloom::pipeline {

struct OwnTracesConfig {
  sdk::Sampler sampler = sdk::Sampler::ParentBased(sdk::Sampler::AlwaysOn());
  sdk::BatchExporterOptions batch = {};
  sdk::OtlpSenderOptions destination = {};
};

struct OwnOtlpOptions {
  sdk::OtlpProtocol protocol = sdk::OtlpProtocol::kGrpc;
  std::string endpoint = {};
  config::StringMap headers = {};
  bool insecure = false;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct OwnExporterOptions {
  std::optional<OwnOtlpOptions> otlp = {};
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

struct OwnProcessorOptions {
  std::optional<OwnBatchOptions> batch = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

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
  void Declare(config::OptionsReader& r);
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
  [[nodiscard]] std::optional<OwnTracesConfig> Config() const;
};

}  // namespace spanloom::pipeline
