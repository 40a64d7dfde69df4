// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/batch.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include <algorithm>
#include <limits>
#include <set>
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

// What `metadata` has of `keys`, which are in lower case.
otlp::RequestOrigin::Pairs Chosen(const otlp::RequestOrigin::Pairs& metadata, const std::vector<std::string>& keys) {
  otlp::RequestOrigin::Pairs chosen;
  for (const std::string& key : keys) {
    absl::c_copy_if(metadata, std::back_inserter(chosen), [&](const auto& pair) { return pair.first == key; });
  }
  return chosen;
}

// Different for different pairs.
std::string KeyOf(const otlp::RequestOrigin::Pairs& pairs) {
  std::string key;
  for (const auto& [name, value] : pairs) StrAppend(key, name.size(), ":", name, value.size(), ":", value);
  return key;
}

BatchOptions Normalized(BatchOptions options) {
  for (std::string& key : options.metadata_keys) key = absl::AsciiStrToLower(key);
  absl::c_sort(options.metadata_keys);
  return options;
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
  r.Field("metadata_cardinality_limit", metadata_cardinality_limit,
          "How many combinations of their values there may be; what comes with a further one is refused.",
          {.min = 1, .max = 100'000, .unit = "combinations"});
}

Status BatchOptions::Validate() const {
  std::set<std::string> seen;
  for (const std::string& key : metadata_keys) {
    if (seen.insert(absl::AsciiStrToLower(key)).second) continue;
    return absl::InvalidArgumentError(StrCat("duplicate entry in metadata_keys: \"", key, "\" (case-insensitive)"));
  }
  if (send_batch_max_size == 0 || send_batch_max_size >= send_batch_size) return absl::OkStatus();
  return absl::InvalidArgumentError("send_batch_max_size must be greater or equal to send_batch_size");
}

BatchProcessor::BatchProcessor(const ComponentId& id, const BatchOptions& options, const BuildContext& context,
                               Consumer& next, const BatchLimits& limits)
    : options_(Normalized(options)),
      common_(CommonOf(id, options, context, limits)),
      next_(next),
      only_group_(options_.metadata_keys.empty() ? std::make_shared<BatchGroup>(common_, next) : nullptr),
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
  for (const auto& [key, known] : groups_) groups.push_back(known.group);
  return groups;
}

StatusOr<std::shared_ptr<BatchGroup>> BatchProcessor::GroupOf(std::shared_ptr<const otlp::RequestOrigin>& origin) {
  otlp::RequestOrigin common;
  if (origin != nullptr) common.metadata = Chosen(origin->metadata, options_.metadata_keys);
  const std::string key = KeyOf(common.metadata);
  const MutexLock lock(mutex_);
  auto known = groups_.find(key);
  if (known == groups_.end()) {
    if (groups_.size() >= static_cast<size_t>(options_.metadata_cardinality_limit)) {
      return absl::ResourceExhaustedError(StrCat("processor ", common_->id,
                                                 ": too many batcher metadata-value combinations; its "
                                                 "metadata_cardinality_limit is ",
                                                 options_.metadata_cardinality_limit));
    }
    KnownGroup made{std::make_shared<BatchGroup>(common_, next_),
                    std::make_shared<const otlp::RequestOrigin>(std::move(common))};
    known = groups_.emplace(key, std::move(made)).first;
  }
  origin = known->second.origin;
  return known->second.group;
}

StatusOr<std::vector<BatchProcessor::Part>> BatchProcessor::Grouped(const otlp::Batch& batch) {
  std::vector<Part> parts;
  for (otlp::Slice slice : batch.slices()) {
    auto origin = slice.origin();
    ASSIGN_OR_RETURN(const std::shared_ptr<BatchGroup> group, GroupOf(origin));
    slice.set_origin(std::move(origin));
    auto part = absl::c_find_if(parts, [&](const Part& each) { return each.group == group; });
    if (part == parts.end()) part = parts.insert(parts.end(), Part{group, {}});
    part->batch.Add(std::move(slice));
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
