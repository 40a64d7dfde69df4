// SPDX-License-Identifier: Apache-2.0
//
// The spans of a simulated model server, and their way out: as vLLM's, by --otlp-traces-endpoint and the OTEL_*
// variables (docs/sdk.md), but for those that vLLM does not look at.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "llmd/simulator/request_spans.h"
#include "net/loop.h"
#include "sdk/batch_exporter.h"
#include "sdk/otlp_sender.h"
#include "sdk/sampler.h"
#include "sdk/tracer.h"
#include "sdk/variables.h"

namespace spanloom::app {

struct SimulatorTracingOptions {
  std::string endpoint = {};      // of --otlp-traces-endpoint; "": no spans
  std::string service_name = {};  // where OTEL_SERVICE_NAME says none
  bool is_faithful = false;
  bool has_startup = false;  // TellStartup will be called
};

// Made, stopped and destroyed on a thread that is not a loop's. The tracer is thread-safe.
class SimulatorTracing {
 public:
  // Errors: those of sdk::ReadEnvironment and sdk::OtlpSender::Create. Logs what the former warns of. `loops`, `clock`
  // and `metrics` must outlive it.
  static StatusOr<std::unique_ptr<SimulatorTracing>> Create(const SimulatorTracingOptions& options,
                                                            net::LoopPool& loops, const Clock& clock,
                                                            MetricRegistry& metrics);
  ~SimulatorTracing();

  [[nodiscard]] const sdk::Tracer& tracer() const { return tracer_ ? *tracer_ : sdk::Tracer::None(); }

  // Makes the spans of a start that begins now and takes `duration`, when it is over, as those of three processes.
  void TellStartup(std::chrono::nanoseconds duration);

  // Sends what waits, for at most `grace`. No span may be started afterwards.
  void Stop(std::chrono::milliseconds grace);

 private:
  SimulatorTracing(net::Loop& loop, const Clock& clock) : loop_(loop), clock_(clock), rng_(Rng::SystemSeed()) {}
  void OpenStartup(const sdk::BatchExporterOptions& batch, const sdk::TextPairs& resource, const sdk::SendRequest& send,
                   MetricRegistry& metrics);
  StatusOr<sdk::SendRequest> OpenWayOut(const sdk::OtlpSenderOptions& destination);

  // The exporter of one of vLLM's processes, which have resources of their own; and what its spans go through.
  struct StartupExporter {
    std::unique_ptr<sdk::BatchExporter> exporter = {};
    std::unique_ptr<llmd::simulator::FaithfulSink> faithful = {};  // null unless wanted
  };

  net::Loop& loop_;
  const Clock& clock_;
  Rng rng_;
  sdk::Sampler sampler_ = sdk::Sampler::AlwaysOff();
  std::vector<StartupExporter> startup_;  // [kStartupProcesses], or empty
  net::Timer startup_end_;
  std::unique_ptr<sdk::OtlpSender> sender_;                  // bound to loop_
  std::unique_ptr<sdk::BatchExporter> exporter_;             // null: no spans
  std::unique_ptr<llmd::simulator::FaithfulSink> faithful_;  // null unless wanted
  std::unique_ptr<sdk::Tracer> tracer_;
};

}  // namespace spanloom::app
