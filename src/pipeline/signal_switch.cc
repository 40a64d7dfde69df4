// SPDX-License-Identifier: Apache-2.0

#include "pipeline/signal_switch.h"

#include <absl/strings/cord.h>

#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr char kUnwantedPayload[] = "spanloom/unwanted_signal";

Status NobodyTakes(otlp::Signal signal) {
  Status status = absl::UnimplementedError(StrCat("no pipeline takes ", otlp::SignalText(signal), " from here"));
  status.SetPayload(kUnwantedPayload, absl::Cord());
  return status;
}

}  // namespace

bool IsUnwantedSignal(const Status& status) {
  return status.GetPayload(kUnwantedPayload).has_value();
}

void SignalSwitch::Consume(otlp::Batch batch, Done done) {
  const otlp::Signal signal = batch.signal();
  Consumer* const way = ways_[static_cast<size_t>(signal)];
  if (way == nullptr) return std::move(done)(NobodyTakes(signal));
  way->Consume(std::move(batch), std::move(done));
}

StatusOr<std::unique_ptr<Admission>> SignalSwitch::Reserve(const otlp::Batch& batch) {
  const otlp::Signal signal = batch.signal();
  Consumer* const way = ways_[static_cast<size_t>(signal)];
  if (way == nullptr) return NobodyTakes(signal);
  return way->Reserve(batch);
}

}  // namespace spanloom::pipeline
