// SPDX-License-Identifier: Apache-2.0
//
// The nop exporter, as the Collector's: takes everything and does nothing. For measuring what stands before it.

#pragma once

#include <chrono>
#include <string>

#include "config/options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct NopOptions {
  void Declare(config::OptionsReader&) {}
};

// Counts spans as sent. Thread-safe.
class NopExporter final : public Exporter {
 public:
  NopExporter(const ComponentId& id, const BuildContext& context);

  Status Start() override { return absl::OkStatus(); }
  void Stop(std::chrono::milliseconds) override {}
  void Consume(otlp::Batch batch, Done done) override;
  [[nodiscard]] AckGrade ack_grade() const override { return AckGrade::kDelivered; }

 private:
  Counter& sent_;
};

// Exporter type "nop".
void RegisterNopExporter(Registry& registry);

}  // namespace spanloom::pipeline
