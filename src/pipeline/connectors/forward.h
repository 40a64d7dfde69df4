// SPDX-License-Identifier: Apache-2.0
//
// The forward connector: what pipelines end with goes on, unchanged, to the pipelines that begin with it. Joins
// pipelines with common processors, or splits one.

#pragma once

#include <chrono>
#include <memory>

#include "config/options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct ForwardOptions {
  void Declare(config::OptionsReader&) {}
};

// Its answers are those of the pipelines behind it. Thread-safe; holds nothing.
class ForwardConnector final : public PassingConnector {
 public:
  explicit ForwardConnector(Consumer& next) : next_(next) {}

  Status Start() override { return absl::OkStatus(); }
  void Stop(std::chrono::milliseconds) override {}
  void Consume(otlp::Batch batch, Done done) override;
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override;

 private:
  Consumer& next_;
};

// Connector type "forward".
void RegisterForwardConnector(Registry& registry);

}  // namespace spanloom::pipeline
