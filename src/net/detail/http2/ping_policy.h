// SPDX-License-Identifier: Apache-2.0
//
// How often a client may send PING: the policy of grpc-go's servers (keepalive.EnforcementPolicy), since that is what
// clients' keepalive settings are made for.

#pragma once

#include <chrono>

#include "net/server.h"

namespace spanloom::net::http2 {

// Thread-compatible.
class PingPolicy {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit PingPolicy(KeepaliveEnforcement enforcement) : enforcement_(enforcement) {}

  // Counts a PING that arrived at `now`. False if the client has sent too many.
  [[nodiscard]] bool Allows(TimePoint now, bool has_streams);

  // The server sent headers or data: the next PING is free and past strikes are forgotten.
  void OnAnswerSent() { answer_was_sent_ = true; }

 private:
  KeepaliveEnforcement enforcement_;
  TimePoint last_ping_ = TimePoint::min();
  int strikes_ = 0;
  bool answer_was_sent_ = false;
};

}  // namespace spanloom::net::http2
