// SPDX-License-Identifier: Apache-2.0
//
// A component as the engine keeps it: with its name, the options it was made from, and the inlet it passes on through.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "config/node.h"
#include "pipeline/component.h"
#include "pipeline/component_id.h"
#include "pipeline/inlet.h"
#include "pipeline/registry.h"
#include "pipeline/service_config.h"
#include "pipeline/status_board.h"

namespace spanloom::pipeline {

// Receivers, connectors and extensions are one part an id, processors one a pipeline, exporters one a signal, as in the
// Collector.
struct PartKey {
  ComponentKind kind = ComponentKind::kReceiver;
  ComponentId id;
  std::string pipeline = {};                    // of a processor; else ""
  otlp::Signal signal = otlp::Signal::kTraces;  // of a processor or exporter

  // `receiver "otlp"`, `processor "batch" of traces`, `exporter "otlp_grpc"`, `exporter "otlp_grpc" of metrics`.
  [[nodiscard]] std::string ToString() const;
  friend auto operator<=>(const PartKey&, const PartKey&) = default;
};

// Used by one thread that is not a loop's; but what `component` and `inlet` are for their callers.
class Part {
 public:
  // Makes the component; opens nothing. `options` have passed the check of its factory. `context` needs its board.
  Part(PartKey key, config::Node options, const Registry& registry, BuildContext context, StatusBoard& board);

  [[nodiscard]] const PartKey& key() const { return key_; }
  [[nodiscard]] const config::Node& options() const { return options_; }
  [[nodiscard]] Component& component() const { return *component_; }
  // Null unless it is of that kind.
  // Of holding processors, passing connectors and exporters.
  [[nodiscard]] Consumer* consumer() const { return consumer_; }
  [[nodiscard]] TransformProcessor* transform() const { return transform_; }
  [[nodiscard]] HoldingProcessor* holder() const { return holder_; }
  [[nodiscard]] PassingConnector* connector() const { return connector_; }
  [[nodiscard]] ChoosingConnector* chooser() const { return chooser_; }
  [[nodiscard]] Exporter* exporter() const { return exporter_; }
  [[nodiscard]] Extension* extension() const { return extension_; }
  [[nodiscard]] Inlet* inlet() const { return inlet_.get(); }  // of those that pass on
  [[nodiscard]] bool started() const { return started_; }

  // Starts it and reports its status. Errors name the component.
  Status Start();
  // Nothing if it is not started.
  void Stop(std::chrono::milliseconds grace);
  // For one that should run and does not.
  void ReportPermanent(const Status& error) const { status_.ReportPermanent(error); }

  // True if both want to listen on one port.
  [[nodiscard]] bool Rivals(const Part& other) const;

 private:
  template <typename Made>
  Made* Adopt(std::unique_ptr<Made> made);
  void Make(const Registry& registry, const BuildContext& context);
  void MakeProcessor(const Registry& registry, const BuildContext& context);
  void MakeConnector(const Registry& registry, const BuildContext& context);

  const PartKey key_;
  const config::Node options_;
  StatusReporter status_;
  std::unique_ptr<Inlet> inlet_;  // outlives the component
  std::unique_ptr<Component> component_;
  Consumer* consumer_ = nullptr;
  TransformProcessor* transform_ = nullptr;
  HoldingProcessor* holder_ = nullptr;
  PassingConnector* connector_ = nullptr;
  ChoosingConnector* chooser_ = nullptr;
  Exporter* exporter_ = nullptr;
  Extension* extension_ = nullptr;
  bool started_ = false;
};

// Shared by the assemblies before and after a reload.
using PartPtr = std::shared_ptr<Part>;

}  // namespace spanloom::pipeline
