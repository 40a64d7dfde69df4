// SPDX-License-Identifier: Apache-2.0
//
// The batch processor: gathers spans until there are enough or some time has passed, then passes them on as one batch.
// It answers as soon as it holds the spans, so it holds a bounded amount of them, and refuses what does not fit.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "config/options.h"
#include "pipeline/metadata_keys.h"
#include "pipeline/processors/batch_group.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct BatchOptions {
  std::chrono::nanoseconds timeout = std::chrono::milliseconds(200);
  int64_t send_batch_size = 8192;
  int64_t send_batch_max_size = 0;
  std::vector<std::string> metadata_keys = {};
  int64_t metadata_cardinality_limit = 1'000;  // 0: kCombinationsMax
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  static constexpr size_t kCombinationsMax = 100'000;  // guess; the Collector has no limit for 0
  [[nodiscard]] size_t CombinationsMax() const {
    return metadata_cardinality_limit == 0 ? kCombinationsMax : static_cast<size_t>(metadata_cardinality_limit);
  }
};

// Thread-safe. Refusals of what stands behind: batch_group.h. What is dropped is counted by cause in
// spanloom_pipeline_dropped_spans. When a further batch would exceed the limits it is refused with kUnavailable and a
// delay; kResourceExhausted without one for a combination of metadata beyond the limit of those.
//
// A batch whose slices belong to several groups may be taken by some and refused by others; then its sender is told to
// send all of it again.
//
// What goes on has no origin, since it is of many senders, but what the metadata of a group have in common.
class BatchProcessor final : public HoldingProcessor {
 public:
  BatchProcessor(const ComponentId& id, const BatchOptions& options, const BuildContext& context, Consumer& next,
                 const BatchLimits& limits = {});
  ~BatchProcessor() override;

  Status Start() override { return absl::OkStatus(); }
  // Sends what is held at once, and again where it is refused, until the grace has passed.
  void Stop(std::chrono::milliseconds grace) override;
  void HurryStop() override;
  void Consume(otlp::Batch batch, Done done) override;
  [[nodiscard]] bool selects() const override { return false; }
  [[nodiscard]] HoldLimits hold_limits() const override;
  [[nodiscard]] std::optional<Grouping> grouping() const override;
  [[nodiscard]] uint64_t undelivered_spans() const override;

 private:
  struct Part {
    std::shared_ptr<BatchGroup> group;
    otlp::Batch batch;
  };

  // `batch` by groups.
  StatusOr<std::vector<Part>> Grouped(const otlp::Batch& batch);
  // That of the senders with these values of the keys.
  StatusOr<std::shared_ptr<BatchGroup>> GroupOf(const std::string& values) ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] std::vector<std::shared_ptr<BatchGroup>> Groups() const ABSL_LOCKS_EXCLUDED(mutex_);

  const BatchOptions options_;
  const MetadataKeys keys_;
  const std::shared_ptr<BatchCommon> common_;  // shared with the groups
  Consumer& next_;
  // Shared with tasks on their loops and with answers under way. The one group, if there are no keys.
  const std::shared_ptr<BatchGroup> only_group_;
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<BatchGroup>> groups_ ABSL_GUARDED_BY(mutex_);  // by the values of the keys
  const ScopedGauge cardinality_gauge_;
  const ScopedGauge held_gauge_;
};

// Processor type "batch".
void RegisterBatchProcessor(Registry& registry);

}  // namespace spanloom::pipeline
