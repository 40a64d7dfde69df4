// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/batch.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/text.h"
#include "pipeline/joined_done.h"

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Collects spans (or metrics, or logs) and passes them on together, by size or time. It answers at once, from "
        "bounded memory: what it "
        "holds is lost in a crash and delivered at a clean stop.",
    .example = R"(processors:
  batch:
    timeout: 1s
    send_batch_size: 1024
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [spanloom_store]
)",
};

std::shared_ptr<BatchCommon> CommonOf(const ComponentId& id, const BatchOptions& options, const BuildContext& context,
                                      const BatchLimits& limits) {
  auto common = std::make_shared<BatchCommon>(id.ToString(), context, limits);
  common->timeout = options.timeout;
  common->batch_spans_min = static_cast<size_t>(options.send_batch_size);
  common->batch_spans_max = options.send_batch_max_size == 0 ? std::numeric_limits<size_t>::max()
                                                             : static_cast<size_t>(options.send_batch_max_size);
  return common;
}

}  // namespace

void BatchOptions::Declare(config::OptionsReader& r) {
  r.Field("timeout", timeout, "Longest time that a span waits for others; 0 sends at once.");
  r.Field("send_batch_size", send_batch_size, "Size that makes a batch be sent before its timeout.",
          {.min = 0, .unit = "spans"});
  r.Field("send_batch_max_size", send_batch_max_size, "Largest size of one batch; 0 means no limit.",
          {.min = 0, .unit = "spans"});
  r.Field("metadata_keys", metadata_keys,
          "Headers whose values keep batches apart; the receiver must have include_metadata: true.");
  r.Field(
      "metadata_cardinality_limit", metadata_cardinality_limit,
      "How many combinations of their values there may be; what comes with a further one is refused. 0 means 100000.",
      {.min = 0, .max = BatchOptions::kCombinationsMax, .unit = "combinations"});
}

Status BatchOptions::Validate() const {
  RETURN_IF_ERROR(MetadataKeys::Check(metadata_keys));
  if (send_batch_max_size == 0 || send_batch_max_size >= send_batch_size) return absl::OkStatus();
  return absl::InvalidArgumentError("send_batch_max_size must be greater or equal to send_batch_size");
}

BatchProcessor::BatchProcessor(const ComponentId& id, const BatchOptions& options, const BuildContext& context,
                               Consumer& next, const BatchLimits& limits)
    : options_(options),
      keys_(options.metadata_keys),
      common_(CommonOf(id, options, context, limits)),
      next_(next),
      only_group_(keys_.empty() ? std::make_shared<BatchGroup>(common_, next) : nullptr),
      cardinality_gauge_(context.metrics.AddGauge(
          "otelcol_processor_batch_metadata_cardinality",
          "Number of distinct metadata value combinations being processed.", {{"processor", common_->id}},
          [this] { return only_group_ == nullptr ? static_cast<double>(Groups().size()) : 1; })),
      held_gauge_(context.metrics.AddGauge(
          StrCat("spanloom_processor_held_", otlp::ItemsText(context.signal)), "Items that a processor holds.",
          {{"processor", common_->id}, {"pipeline", context.pipeline}},
          [common = common_] { return static_cast<double>(common->held_spans.load()); })) {}

BatchProcessor::~BatchProcessor() {
  for (const auto& group : Groups()) group->Abandon();
}

std::vector<std::shared_ptr<BatchGroup>> BatchProcessor::Groups() const {
  if (only_group_ != nullptr) return {only_group_};
  std::vector<std::shared_ptr<BatchGroup>> groups;
  const MutexLock lock(mutex_);
  for (const auto& [values, group] : groups_) groups.push_back(group);
  return groups;
}

StatusOr<std::shared_ptr<BatchGroup>> BatchProcessor::GroupOf(const std::string& values) {
  const MutexLock lock(mutex_);
  auto known = groups_.find(values);
  if (known == groups_.end()) {
    if (groups_.size() >= options_.CombinationsMax()) {
      return absl::ResourceExhaustedError(StrCat("processor ", common_->id,
                                                 ": too many batcher metadata-value combinations; its "
                                                 "metadata_cardinality_limit is ",
                                                 options_.CombinationsMax()));
    }
    known = groups_.emplace(values, std::make_shared<BatchGroup>(common_, next_)).first;
  }
  return known->second;
}

StatusOr<std::vector<BatchProcessor::Part>> BatchProcessor::Grouped(const otlp::Batch& batch) {
  std::vector<Part> parts;
  for (MetadataKeys::Part& part : keys_.Split(batch)) {
    ASSIGN_OR_RETURN(const std::shared_ptr<BatchGroup> group, GroupOf(part.text));
    parts.push_back({group, std::move(part.batch)});
  }
  return parts;
}

void BatchProcessor::Consume(otlp::Batch batch, Done done) {
  if (only_group_ != nullptr) {
    for (otlp::Slice& slice : batch.slices()) slice.set_origin(nullptr);
    return only_group_->Add(std::move(batch), std::move(done));
  }
  StatusOr<std::vector<Part>> parts = Grouped(batch);
  if (!parts.ok()) return std::move(done)(parts.status());
  if (parts->empty()) return std::move(done)(absl::OkStatus());
  std::vector<Done> dones = JoinedDone(parts->size(), std::move(done));
  for (size_t i = 0; i < parts->size(); ++i) (*parts)[i].group->Add(std::move((*parts)[i].batch), std::move(dones[i]));
}

void BatchProcessor::Stop(std::chrono::milliseconds grace) {
  const std::vector<std::shared_ptr<BatchGroup>> groups = Groups();
  for (const auto& group : groups) group->Drain();
  const auto deadline = std::chrono::steady_clock::now() + grace;
  for (const auto& group : groups) {
    group->drained().WaitFor(std::max<std::chrono::nanoseconds>(deadline - std::chrono::steady_clock::now(), {}));
  }
  for (const auto& group : groups) group->Abandon();
}

void BatchProcessor::HurryStop() {
  for (const auto& group : Groups()) group->Hurry();
}

HoldLimits BatchProcessor::hold_limits() const {
  return {.spans = common_->limits.held_spans_max, .bytes = common_->limits.held_bytes_max, .time = options_.timeout};
}

std::optional<Grouping> BatchProcessor::grouping() const {
  return Grouping{.spans_min = common_->batch_spans_min,
                  .spans_max = common_->batch_spans_max,
                  .bytes_min = common_->limits.batch_bytes_max,
                  .bytes_max = common_->limits.batch_bytes_max,
                  .timeout = options_.timeout,
                  .metadata_keys = options_.metadata_keys};
}

uint64_t BatchProcessor::undelivered_spans() const {
  return common_->undelivered_spans;
}

void RegisterBatchProcessor(Registry& registry) {
  registry.processors.Add<BatchOptions>(
      "batch", kDoc,
      [](const ComponentId& id, const BatchOptions& options, const BuildContext& context, Consumer& next) {
        return std::make_unique<BatchProcessor>(id, options, context, next);
      },
      EverySignal());
}

}  // namespace spanloom::pipeline
