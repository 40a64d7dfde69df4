// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/queue_options.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pipeline/metadata_keys.h"

namespace spanloom::pipeline {

void QueuePartitionOptions::Declare(config::OptionsReader& r) {
  r.Field("metadata_keys", metadata_keys,
          "Headers whose values keep requests apart; the receiver must have include_metadata: true. What is read from "
          "the disk after a start has none.");
}

void QueueBatchOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, Sizer> kSizers[] = {{"items", Sizer::kItems}, {"bytes", Sizer::kBytes}};
  r.Field("flush_timeout", flush_timeout, "Longest time that a request waits for others.");
  r.Field("min_size", min_size, "Size that makes what is there be sent before; 3 MiB always do.",
          {.min = 0, .unit = "as sizer says"});
  r.Field("max_size", max_size, "Largest size of what is sent at once; 0 means no limit of its own.",
          {.min = 0, .unit = "as sizer says"});
  r.Choice<Sizer>("sizer", sizer, kSizers, "What sizes count: items (spans), or bytes before compression.");
  r.Field("partition", partition, "What is sent apart.");
}

Status QueueBatchOptions::Validate() const {
  if (flush_timeout.count() <= 0) return absl::InvalidArgumentError("flush_timeout: `flush_timeout` must be positive");
  if (max_size > 0 && max_size < min_size) {
    return absl::InvalidArgumentError("max_size: `max_size` must be greater or equal to `min_size`");
  }
  return Annotate(MetadataKeys::Check(partition.metadata_keys), "partition");
}

Grouping QueueBatchOptions::ToGrouping() const {
  Grouping grouping{.timeout = flush_timeout, .metadata_keys = partition.metadata_keys};
  const auto least = static_cast<size_t>(min_size);
  const size_t most = max_size == 0 ? Grouping::kNoLimit : static_cast<size_t>(max_size);
  if (sizer == Sizer::kItems) {
    grouping.spans_min = least;
    grouping.spans_max = most;
  } else {
    grouping.spans_min = Grouping::kNoLimit;
    grouping.bytes_min = std::min(least, grouping.bytes_min);
    grouping.bytes_max = std::min(most, grouping.bytes_max);
  }
  return grouping;
}

void SendingQueueOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, Sizer> kSizers[] = {
      {"requests", Sizer::kRequests}, {"items", Sizer::kItems}, {"bytes", Sizer::kBytes}};
  r.Field("enabled", enabled, "Whether requests are queued in memory; without it a sender waits for the destination.");
  r.Field("num_consumers", num_consumers, "Requests that are under way at once.",
          {.min = 1, .max = 1'000, .unit = "requests"});
  r.Field("queue_size", queue_size, "How much may wait or be under way, counted by sizer; what exceeds it is refused.",
          {.min = 1, .max = int64_t{1} << 40, .unit = "as sizer says"});
  r.Choice<Sizer>("sizer", sizer, kSizers,
                  "What queue_size counts: requests, items (spans), or bytes before compression.");
  r.Field("block_on_overflow", block_on_overflow,
          "Whether a sender waits for room in a full queue instead of being refused.");
  r.Field("wait_for_result", wait_for_result,
          "Whether a sender is answered only when the destination has answered, and with its answer.");
  r.Field("storage", storage,
          "The storage extension that keeps the queue on the disk, so that it outlives the process; in memory if it is "
          "left out.");
  r.FieldOrDefaults(
      "batch", batch,
      "Whether requests are brought together behind the queue; as they come if it is left out. In a queue with a "
      "storage they are written to the disk before.");
}

Status SendingQueueOptions::Validate() const {
  if (batch && !enabled) return absl::InvalidArgumentError("batch needs enabled: true");
  if (storage.empty()) return absl::OkStatus();
  if (!enabled) return absl::InvalidArgumentError("storage needs enabled: true");
  if (!wait_for_result) return absl::OkStatus();
  return absl::InvalidArgumentError("wait_for_result is not supported with a persistent queue configured with storage");
}

}  // namespace spanloom::pipeline
