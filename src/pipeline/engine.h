// SPDX-License-Identifier: Apache-2.0
//
// Runs a configuration: starts its components from the back to the front, exchanges what has changed while requests
// are under way, and stops from the front to the back.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "pipeline/assembly.h"
#include "pipeline/component.h"
#include "pipeline/pipeline_ack.h"
#include "pipeline/pipeline_list.h"
#include "pipeline/registry.h"
#include "pipeline/service_config.h"
#include "pipeline/status_board.h"

namespace spanloom::pipeline {

// What a reload did. Names as `processor "batch" of traces`.
struct ReloadReport {
  std::vector<std::string> kept;
  std::vector<std::string> started;
  std::vector<std::string> stopped;
  uint64_t undelivered_spans = 0;  // that stopped components had answered OK for and could not deliver
};

// Thread-compatible; used from one thread at a time that is not a loop's. statuses() is thread-safe.
class Engine {
 public:
  // `config` came from ParseServiceConfig with this `registry`, which must outlive the engine, as must what `context`
  // refers to.
  static std::unique_ptr<Engine> Build(const ServiceConfig& config, const Registry& registry,
                                       const BuildContext& context);
  // Stops without grace if it runs.
  ~Engine();

  // Starts extensions, exporters, processors and connectors, then receivers, and tells the extensions that all is
  // ready. Logs one line a pipeline with its grade. On an error, which names the component, what had started is stopped
  // again.
  Status Start();

  // Goes over to `config` without losing or refusing anything for it. Components whose id and options are the same
  // stay, with their connections and what they hold; the others are made and started first. Then requests go the new
  // way; those under way are answered the old way, and what is gone is stopped from the front to the back, within about
  // `grace`. Only a component that listens on a port which one that goes has too starts after that one has stopped.
  // On an error, which names the component, the old configuration goes on; if a component that had to stop first can't
  // be started again, the error says so. Logs what was done. To be called between Start and Stop. When `hurry` is
  // requested, on any thread, what is gone gets no more grace.
  StatusOr<ReloadReport> Reload(const ServiceConfig& config, std::chrono::milliseconds grace,
                                std::stop_token hurry = {});

  // Stops receivers (requests under way are finished), processors and connectors (what they hold is passed on, the
  // front first), exporters (queues are drained), then extensions, all within about `grace`. Returns how many spans
  // that had been answered OK were not delivered. Calling it again returns 0.
  uint64_t Stop(std::chrono::milliseconds grace);

  [[nodiscard]] const std::vector<PipelineAck>& acks() const { return assembly_.acks; }

  // What receivers and extensions listen on, between Start and Stop.
  [[nodiscard]] std::vector<Endpoint> endpoints() const;

  // How every component is doing. Thread-safe.
  [[nodiscard]] std::vector<ComponentStatus> statuses() const { return board_.Snapshot(); }

 private:
  class Reloading;

  Engine(const Registry& registry, const BuildContext& context);
  // A new passage through `assembly`, whose end is notified.
  static std::shared_ptr<const Passage> PassageOf(const Assembly& assembly, std::shared_ptr<Notification> ended);
  // Stops `parts` from the last to the first, in stages that leave time for those behind them; without grace once
  // `hurry` is requested.
  void StopInOrder(const std::vector<PartPtr>& parts, std::chrono::milliseconds grace,
                   const std::stop_token& hurry = {});
  void SetReady(bool ready);
  // `context` with what the engine adds to it.
  [[nodiscard]] BuildContext Extended(BuildContext context) const;
  void LogAcks() const;
  void RunPostedTasks();
  [[nodiscard]] std::chrono::milliseconds Remaining(int64_t deadline_ns) const;

  const Registry& registry_;
  PipelineList pipelines_;
  const BuildContext context_;
  StatusBoard board_;
  Assembly assembly_;
  std::shared_ptr<Notification> passage_ended_;  // of what goes through assembly_; shared with its passage
  std::vector<PartPtr> retired_;                 // stopped, but a request that did not end in time may still know them
  bool running_ = false;
};

}  // namespace spanloom::pipeline
