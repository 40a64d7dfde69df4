// SPDX-License-Identifier: Apache-2.0
//
// The spans that a process of ours makes about itself, and their way out: what its configuration, or the environment
// (sdk/environment.h), becomes.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "net/loop.h"
#include "otlp/writer.h"
#include "sdk/batch_exporter.h"
#include "sdk/otlp_sender.h"
#include "sdk/sampler.h"
#include "sdk/span_fork.h"
#include "sdk/span_limits.h"
#include "sdk/tracer.h"

namespace spanloom::sdk {

// One destination.
struct SpanRoute {
  BatchExporterOptions batch = {};
  std::optional<OtlpSenderOptions> destination = {};  // nullopt: standard output
};

struct TracingOptions {
  bool is_on = true;  // false: tracers that are off, but know the propagation
  Sampler sampler = Sampler::ParentBased(Sampler::AlwaysOn());
  Propagation propagation = {};
  SpanLimits limits = {};
  std::vector<SpanRoute> routes = {};  // each gets every span; at least one if it is on
};

// Made, stopped and destroyed on a thread that is not a loop's. Its tracers are thread-safe, and live as long as it
// does.
class Tracing {
 public:
  // Connects with the first spans. `resource` is theirs, encoded; there is a tracer for each of `scopes`. `loops`,
  // `clock` and `metrics` must outlive it. Errors, which name the batch.configured_by of their route: those of
  // OtlpSender::Create.
  static StatusOr<std::unique_ptr<Tracing>> Create(const TracingOptions& options, const std::string& resource,
                                                   const std::vector<otlp::ScopeFields>& scopes, net::LoopPool& loops,
                                                   const Clock& clock, MetricRegistry& metrics);
  ~Tracing();

  // `scope` is an index into the scopes it was made with.
  [[nodiscard]] const Tracer& tracer(size_t scope = 0) const { return *tracers_[scope]; }

  // Sends what waits, for at most `grace` a route; from then on spans are sent as soon as they can. For the time before
  // a stop.
  void Flush(std::chrono::milliseconds grace);

  // The same, and counts what can't be sent as lost. No span may be started afterwards; those under way may still end,
  // and are counted as lost.
  void Stop(std::chrono::milliseconds grace);

 private:
  explicit Tracing(net::Loop& loop) : loop_(loop) {}
  StatusOr<SendRequest> OpenWayOut(const SpanRoute& route, net::LoopPool& loops);

  net::Loop& loop_;
  std::vector<std::unique_ptr<OtlpSender>> senders_;       // bound to loop_; none for standard output
  std::vector<std::unique_ptr<BatchExporter>> exporters_;  // none if it is off
  std::unique_ptr<SpanFork> fork_;                         // to the exporters
  std::vector<std::unique_ptr<Tracer>> tracers_;
};

}  // namespace spanloom::sdk
