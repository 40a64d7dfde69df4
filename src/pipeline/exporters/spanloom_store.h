// SPDX-License-Identifier: Apache-2.0
//
// The spanloom_store exporter: the end of a pipeline in the store of this process.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/options.h"
#include "pipeline/registry.h"
#include "store/span_store.h"

namespace spanloom::pipeline {

// How a store on disk keeps what it has acknowledged.
struct StoreDiskOptions {
  enum class Sync { kAlways, kInterval, kNever };
  Sync sync = Sync::kAlways;
  std::chrono::nanoseconds sync_interval = std::chrono::seconds(1);  // guess
  size_t head_bytes = 128U << 20;                                    // guess
  void Declare(config::OptionsReader& r);
};

// What is removed, and when. 0: never.
struct StoreRetentionOptions {
  std::chrono::nanoseconds age_max{0};
  size_t bytes_max = 0;
  void Declare(config::OptionsReader& r);
};

// The options of the store, read by whoever opens it (app): it is open before any exporter is made.
struct SpanloomStoreOptions {
  size_t traces_max = 100'000;    // as Jaeger's memory store
  size_t spans_max = 1'000'000;   // guess: ten a trace
  size_t bytes_max = 256U << 20;  // of the spans' messages; guess
  std::string data_dir = {};
  std::optional<StoreDiskOptions> disk = std::nullopt;
  StoreRetentionOptions retention = {};
  void Declare(config::OptionsReader& r);
  // Limits of memory and options of a disk exclude each other.
  [[nodiscard]] Status Validate() const;
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
