// SPDX-License-Identifier: Apache-2.0
//
// The spanloom_store exporter: the end of a pipeline in the store of this process.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "config/options.h"
#include "pipeline/registry.h"
#include "store/span_store.h"

namespace spanloom::pipeline {

// The options of the store, read by whoever opens it (app): it is open before any exporter is made.
struct SpanloomStoreOptions {
  size_t traces_max = 100'000;    // as Jaeger's memory store
  size_t spans_max = 1'000'000;   // guess: ten a trace
  size_t bytes_max = 256U << 20;  // of the spans' messages; guess
  std::string data_dir = {};
  void Declare(config::OptionsReader& r);
};

// Where the exporters find the store; called when they are made. It outlives them.
using StoreSource = std::function<store::SpanStore&()>;

// Its answers are the store's, its reservations too. Reports a recoverable error while the store refuses. Thread-safe.
class SpanloomStoreExporter final : public Exporter {
 public:
  // `store` outlives the exporter. `safety`: how safe what it holds is, in a few words.
  SpanloomStoreExporter(const ComponentId& id, const BuildContext& context, store::SpanStore& store,
                        std::string safety);
  ~SpanloomStoreExporter() override;

  Status Start() override { return absl::OkStatus(); }
  // Waits for the store's answers to what it has been given.
  void Stop(std::chrono::milliseconds grace) override;
  void Consume(otlp::Batch batch, Done done) override;
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override;
  [[nodiscard]] AckGrade ack_grade() const override { return AckGrade::kStored; }
  [[nodiscard]] std::string safety() const override { return safety_; }

 private:
  class Appends;
  class ReservedAppend;
  store::SpanStore& store_;
  const std::string safety_;
  const std::shared_ptr<Appends> appends_;  // shared with the callbacks, which a slow store may call late
};

// Exporter type "spanloom_store".
void RegisterSpanloomStoreExporter(Registry& registry, StoreSource store);

}  // namespace spanloom::pipeline
