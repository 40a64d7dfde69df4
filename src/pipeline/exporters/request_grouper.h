// SPDX-License-Identifier: Apache-2.0
//
// Requests that wait in a sending queue as they came, brought together to requests of a wanted size: behind the queue's
// log, so that what waits for others is as safe as the queue is.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "otlp/batch.h"
#include "pipeline/consumer.h"
#include "pipeline/exporters/request_encoder.h"
#include "pipeline/grouping.h"
#include "pipeline/metadata_keys.h"
#include "pipeline/slice_queue.h"

namespace spanloom::pipeline {

// A request that a sending queue has taken.
struct QueuedRequest {
  ExportRequest request;
  RequestForm form = {};    // of its message
  Done done = nullptr;      // empty if the queue has answered already
  uint64_t sequence = 0;    // in the log, if it is there
  bool is_spilled = false;  // its message is on the disk alone
  bool is_overdue = false;  // it has waited since before the start
  size_t size = 0;          // what it counts while it waits
  size_t spans_left = 0;    // that have not come to an end, once it is grouped
  Status status = {};       // of those that have
};
using QueuedRequestPtr = std::shared_ptr<QueuedRequest>;  // shared by all that its spans are part of

// What a request of several becomes.
struct RequestGroup {
  // How many of its spans are of which request.
  struct Share {
    QueuedRequestPtr request;
    size_t spans = 0;
  };
  otlp::Batch batch;
  std::vector<Share> shares;
};

// Thread-compatible. Keeps requests with different values of the grouping's metadata apart; holds of each less than a
// group and one request, if whoever adds takes what is due.
class RequestGrouper {
 public:
  RequestGrouper(const Grouping& grouping, otlp::Signal signal);

  // Takes in `request`, whose message is in plain protobuf. `now_ns`: steady time.
  void Add(const QueuedRequestPtr& request, int64_t now_ns);

  // The next group that is full.
  std::optional<RequestGroup> TakeFull(int64_t now_ns);
  // The next group whose oldest request has waited for long enough; any at all if it `hurries`. For when nothing is
  // there to be added.
  std::optional<RequestGroup> TakeOverdue(int64_t now_ns, bool hurries);

  // When there will be one, if nothing comes. Nullopt if there is nothing.
  [[nodiscard]] std::optional<int64_t> due_ns() const;

  // Gives up what it holds.
  [[nodiscard]] std::vector<RequestGroup::Share> TakeAll();

  [[nodiscard]] bool empty() const { return kinds_.empty(); }
  [[nodiscard]] size_t span_count() const;

 private:
  // Requests that may go together; never empty.
  struct Kind {
    SliceQueue slices = {};
    std::deque<RequestGroup::Share> shares = {};  // of what is in `slices`, in the same order
    int64_t begin_ns = 0;                         // since when the oldest waits, or a later time
  };

  [[nodiscard]] bool IsFull(const Kind& kind) const;
  using Kinds = std::map<std::string, Kind>;
  std::optional<RequestGroup> Take(Kinds::iterator kind, int64_t now_ns);

  const Grouping grouping_;
  const MetadataKeys keys_;
  const otlp::Signal signal_;
  Kinds kinds_;  // by the values of the keys
};

}  // namespace spanloom::pipeline
