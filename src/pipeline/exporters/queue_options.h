// SPDX-License-Identifier: Apache-2.0
//
// How requests wait in front of a destination: the section `sending_queue` of exporters.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "pipeline/grouping.h"

namespace spanloom::pipeline {

struct QueuePartitionOptions {
  std::vector<std::string> metadata_keys = {};
  void Declare(config::OptionsReader& r);
};

// Requests are grouped behind the queue.
struct QueueBatchOptions {
  std::chrono::nanoseconds flush_timeout = std::chrono::milliseconds(200);
  int64_t min_size = 8'192;
  int64_t max_size = 0;
  enum class Sizer : uint8_t { kItems, kBytes };
  Sizer sizer = Sizer::kItems;
  QueuePartitionOptions partition = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  [[nodiscard]] Grouping ToGrouping() const;
};

struct SendingQueueOptions {
  bool enabled = true;
  int64_t num_consumers = 10;
  int64_t queue_size = 1'000;  // of what waits, in units of the sizer
  enum class Sizer : uint8_t { kRequests, kItems, kBytes };
  Sizer sizer = Sizer::kRequests;
  bool block_on_overflow = false;
  bool wait_for_result = false;
  std::string storage = {};  // the id of an extension; "": in memory
  std::optional<QueueBatchOptions> batch = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  // True if senders are answered before the destination has answered.
  [[nodiscard]] bool answers_early() const { return enabled && !wait_for_result; }
  [[nodiscard]] bool is_on_disk() const { return enabled && !storage.empty(); }
};

}  // namespace spanloom::pipeline
