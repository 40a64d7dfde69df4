// SPDX-License-Identifier: Apache-2.0
//
// Builds the components that a configuration names, joins them into pipelines, starts them from the back to the front,
// and stops them from the front to the back.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipeline/component.h"
#include "pipeline/fan_out.h"
#include "pipeline/registry.h"
#include "pipeline/service_config.h"

namespace spanloom::pipeline {

// What a client may rely on when one of its requests is answered OK.
struct PipelineAck {
  std::string pipeline;  // "traces/payloads"
  AckGrade grade = AckGrade::kDelivered;
  std::string by;  // who promises it: "processor batch", "exporter spanloom_store"
};

// Thread-compatible; used from one thread that is not a loop's.
class Engine {
 public:
  // `config` came from ParseServiceConfig with this `registry`. What `context` refers to must outlive the engine.
  static std::unique_ptr<Engine> Build(const ServiceConfig& config, const Registry& registry,
                                       const BuildContext& context);
  // Stops without grace if it runs.
  ~Engine();

  // Starts extensions, exporters, processors, then receivers, and tells the extensions that all is ready. Logs one line
  // a pipeline with its grade. On an error, which names the component, what had started is stopped again.
  Status Start();

  // Stops receivers (requests under way are finished), processors (what they hold is passed on), exporters (queues are
  // drained), then extensions, all within about `grace`. Returns how many spans that had been answered OK were not
  // delivered. Calling it again returns 0.
  uint64_t Stop(std::chrono::milliseconds grace);

  [[nodiscard]] const std::vector<PipelineAck>& acks() const { return acks_; }

  // What receivers and extensions listen on, between Start and Stop.
  [[nodiscard]] std::vector<Endpoint> endpoints() const;

 private:
  class Builder;

  // A component with what messages call it.
  template <typename Made>
  struct Named {
    std::string name;  // "receiver \"otlp\""
    std::unique_ptr<Made> component;
    bool started = false;
  };

  explicit Engine(const BuildContext& context) : context_(context) {}
  template <typename Made>
  Status StartAll(std::vector<Named<Made>>& components);
  template <typename Made>
  void StopAll(std::vector<Named<Made>>& components, std::chrono::milliseconds grace);
  void SetReady(bool ready);
  void LogAcks() const;
  void RunPostedTasks();
  [[nodiscard]] std::chrono::milliseconds Remaining(int64_t deadline_ns) const;
  [[nodiscard]] uint64_t UndeliveredSpans() const;

  const BuildContext context_;
  std::vector<PipelineAck> acks_;
  bool running_ = false;

  // Destroyed from the last to the first: who calls goes before who is called.
  std::vector<Named<Extension>> extensions_;
  std::vector<Named<Exporter>> exporters_;
  std::vector<std::unique_ptr<FanOut>> fan_outs_;
  std::vector<Named<Processor>> processors_;  // each behind those it passes on to
  std::vector<Named<Receiver>> receivers_;
};

}  // namespace spanloom::pipeline
