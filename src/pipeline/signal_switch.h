// SPDX-License-Identifier: Apache-2.0
//
// What a receiver or connector passes on goes to the pipelines of its signal.

#pragma once

#include <array>
#include <memory>

#include "base/status.h"
#include "otlp/signal.h"
#include "pipeline/consumer.h"

namespace spanloom::pipeline {

// True of what a SignalSwitch says to a signal that nobody takes, and of no error of a destination.
[[nodiscard]] bool IsUnwantedSignal(const Status& status);

// Thread-safe. kUnimplemented for a signal that nobody takes.
class SignalSwitch final : public Consumer {
 public:
  // [signal]; null where nobody takes it. What they point to outlives the switch.
  using Ways = std::array<Consumer*, otlp::kSignals.size()>;
  explicit SignalSwitch(const Ways& ways) : ways_(ways) {}

  void Consume(otlp::Batch batch, Done done) override;
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override;

 private:
  const Ways ways_;
};

}  // namespace spanloom::pipeline
