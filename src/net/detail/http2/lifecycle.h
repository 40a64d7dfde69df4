// SPDX-License-Identifier: Apache-2.0
//
// When a server's connection is to be pinged, sent away or cut off: grpc-go's keepalive.ServerParameters (gRPC's
// proposals A8 and A9). Knows times only; ServerConnection does what is due.

#pragma once

#include <chrono>
#include <optional>

#include "net/server.h"

namespace spanloom::net::http2 {

// Thread-compatible.
class Lifecycle {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  enum class Step {
    kPing,   // the peer has been silent for `time`
    kDead,   // and for `timeout` after the ping
    kIdle,   // no request for `idle_max`
    kAge,    // it has reached its age
    kGrace,  // and the grace after it has passed
  };

  // `jitter` in [0, 1): where in the 10 % around age_max this connection's age lies.
  Lifecycle(const KeepaliveParameters& parameters, TimePoint now, double jitter);

  // The last request has ended, or (OnBusy) one has begun.
  void OnIdle(TimePoint now);
  void OnBusy() { idle_at_ = TimePoint::max(); }

  // What is due at `now`, if something is; each but kPing once. `last_read` is when the peer last sent anything.
  std::optional<Step> Due(TimePoint now, TimePoint last_read);

  // The earliest time at which something may be due; max: never.
  [[nodiscard]] TimePoint next(TimePoint last_read) const;

 private:
  [[nodiscard]] TimePoint PingAt(TimePoint last_read) const;

  KeepaliveParameters parameters_;
  TimePoint idle_at_ = TimePoint::max();
  TimePoint age_at_ = TimePoint::max();
  TimePoint grace_at_ = TimePoint::max();
  TimePoint pinged_at_ = TimePoint::max();  // max: no ping is out
};

}  // namespace spanloom::net::http2
