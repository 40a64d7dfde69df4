// SPDX-License-Identifier: Apache-2.0
//
// Senders whose spans found no room, in order of arrival. They have no answer yet, so nothing of theirs is anybody's
// responsibility: they get room when there is some, or are refused when their time is over.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "pipeline/consumer.h"

namespace spanloom::pipeline {

struct WaitingSender {
  otlp::Batch batch;
  Done done;
  int64_t deadline_ns = 0;  // of Clock::SteadyNs
};

// Thread-compatible. Must be empty when it ends: each sender must be answered.
class WaitingSenders {
 public:
  // Of what waits, in wire bytes.
  explicit WaitingSenders(size_t bytes_max) : bytes_max_(bytes_max) {}

  [[nodiscard]] bool HasRoomFor(const otlp::Batch& batch) const { return bytes_ + batch.wire_bytes() <= bytes_max_; }
  // Deadlines must not fall.
  void Push(WaitingSender sender) {
    bytes_ += sender.batch.wire_bytes();
    senders_.push_back(std::move(sender));
  }

  [[nodiscard]] bool empty() const { return senders_.empty(); }
  // Of those that wait, who came first.
  [[nodiscard]] const WaitingSender& front() const { return senders_.front(); }
  WaitingSender Pop() {
    WaitingSender sender = std::move(senders_.front());
    senders_.pop_front();
    bytes_ -= sender.batch.wire_bytes();
    return sender;
  }
  std::optional<WaitingSender> PopExpired(int64_t now_ns) {
    if (senders_.empty() || senders_.front().deadline_ns > now_ns) return std::nullopt;
    return Pop();
  }

 private:
  const size_t bytes_max_;
  size_t bytes_ = 0;
  std::deque<WaitingSender> senders_;
};

}  // namespace spanloom::pipeline
