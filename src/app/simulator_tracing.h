// SPDX-License-Identifier: Apache-2.0
//
// The spans of a simulated model server, and their way out: as vLLM's, by --otlp-traces-endpoint and the OTEL_*
// variables (docs/sdk.md), but for those that vLLM does not look at.

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "llmd/simulator/request_spans.h"
#include "net/loop.h"
#include "sdk/batch_exporter.h"
#include "sdk/otlp_sender.h"
#include "sdk/tracer.h"

namespace spanloom::app {

struct SimulatorTracingOptions {
  std::string endpoint = {};      // of --otlp-traces-endpoint; "": no spans
  std::string service_name = {};  // where OTEL_SERVICE_NAME says none
  bool is_faithful = false;
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

  // Sends what waits, for at most `grace`. No span may be started afterwards.
  void Stop(std::chrono::milliseconds grace);

 private:
  explicit SimulatorTracing(net::Loop& loop) : loop_(loop) {}
  StatusOr<sdk::SendRequest> OpenWayOut(const sdk::OtlpSenderOptions& destination);

  net::Loop& loop_;
  std::unique_ptr<sdk::OtlpSender> sender_;                  // bound to loop_
  std::unique_ptr<sdk::BatchExporter> exporter_;             // null: no spans
  std::unique_ptr<llmd::simulator::FaithfulSink> faithful_;  // null unless wanted
  std::unique_ptr<sdk::Tracer> tracer_;
};

}  // namespace spanloom::app
