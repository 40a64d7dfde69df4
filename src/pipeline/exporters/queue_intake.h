// SPDX-License-Identifier: Apache-2.0
//
// How batches become the requests that wait in a sending queue, and what they count there.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "otlp/batch.h"
#include "pipeline/exporters/queue_options.h"
#include "pipeline/exporters/request_encoder.h"
#include "pipeline/grouping.h"
#include "pipeline/metadata_keys.h"

namespace spanloom::pipeline {

// Wire bytes of a batch that are encoded on the loop it comes on: 0.4 ms at 300 MB/s, which all compressions reach at
// their default level.
inline constexpr size_t kEncodedOnLoopBytesMax = 128 << 10;

// Immutable.
class QueueIntake {
 public:
  using Sizer = SendingQueueOptions::Sizer;

  // Requests as `encoder` makes them, to be sent so. With a `grouping`: in plain protobuf and apart by its metadata, to
  // be grouped behind the queue. If it `counts_groups`, a request is the part of a group that it is.
  QueueIntake(std::shared_ptr<RequestEncoder> encoder, Sizer sizer, const std::optional<Grouping>& grouping,
              bool counts_groups);

  [[nodiscard]] std::vector<ExportRequest> Encode(const otlp::Batch& batch) const;
  // Of what Encode gives.
  [[nodiscard]] const RequestEncoder& encoder() const { return *encoder_; }
  [[nodiscard]] bool is_plain() const { return is_plain_; }
  // True if that is quick enough for a loop.
  [[nodiscard]] bool IsQuick(const otlp::Batch& batch) const;

  // In what sizes are counted, so that a request can be less than one.
  [[nodiscard]] static size_t UnitsOf(Sizer sizer) { return sizer == Sizer::kRequests ? 1'000'000 : 1; }
  // By the sizer, in its units. `bytes`: before compression.
  [[nodiscard]] size_t SizeOf(size_t spans, size_t bytes) const;

 private:
  const bool is_plain_;
  const std::shared_ptr<RequestEncoder> encoder_;  // shared with the queue, unless it is plain
  const Sizer sizer_;
  const MetadataKeys keys_;
  const std::optional<Grouping> counted_;  // by which a request is a part
};

}  // namespace spanloom::pipeline
