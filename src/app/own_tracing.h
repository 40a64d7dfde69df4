// SPDX-License-Identifier: Apache-2.0
//
// The spans that this process makes about itself, and their way out.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "net/loop.h"
#include "pipeline/own_traces_config.h"
#include "sdk/batch_exporter.h"
#include "sdk/otlp_sender.h"
#include "sdk/span_fork.h"
#include "sdk/tracer.h"

namespace spanloom::app {

// Made and destroyed on a thread that is not a loop's. The tracer is thread-safe.
class OwnTracing {
 public:
  // Connects with the first spans. `resource` is theirs, encoded. `loops`, `clock` and `metrics` must outlive it.
  static StatusOr<std::unique_ptr<OwnTracing>> Create(const pipeline::OwnTracesConfig& config,
                                                      const std::string& resource, net::LoopPool& loops,
                                                      const Clock& clock, MetricRegistry& metrics);
  ~OwnTracing();

  [[nodiscard]] const sdk::Tracer& tracer() const { return *tracer_; }

  // Sends what waits, for at most `grace` each. To be called before the pipelines stop: their receivers may be where it
  // goes.
  void Flush(std::chrono::milliseconds grace) {
    for (const auto& exporter : exporters_) exporter->Flush(grace);
  }

  // The same for what was made while they stopped; what can't be sent is counted. No span may be started afterwards.
  void Stop(std::chrono::milliseconds grace) {
    for (const auto& exporter : exporters_) exporter->Stop(grace);
  }

 private:
  explicit OwnTracing(net::Loop& loop) : loop_(loop) {}
  StatusOr<sdk::SendRequest> OpenWayOut(const pipeline::OwnTracesRoute& route, net::LoopPool& loops);

  net::Loop& loop_;
  std::vector<std::unique_ptr<sdk::OtlpSender>> senders_;  // bound to loop_; none for standard output
  std::vector<std::unique_ptr<sdk::BatchExporter>> exporters_;
  std::unique_ptr<sdk::SpanFork> fork_;
  std::unique_ptr<sdk::Tracer> tracer_;
};

}  // namespace spanloom::app
