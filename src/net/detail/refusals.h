// SPDX-License-Identifier: Apache-2.0
//
// Why a server refused something: the causes of `spanloom_net_refused{server,cause}`.

#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "base/metrics.h"

namespace spanloom::net {

enum class Refusal {
  kMessageTooLarge,  // a gRPC message over its limit
  kBodyTooLarge,     // an HTTP body over its limit
  kHeaderTooLarge,   // a header block over its limit
  kConnectionsMax,   // one connection too many
  kStreamsMax,       // one HTTP/2 stream too many
  kBadRequest,       // what is not HTTP or breaks its rules
  kBadMessage,       // gRPC framing that is broken
  kBadEncoding,      // a content coding that is unknown, or content that is not of it
  kUnknownMethod,    // a gRPC method that nobody serves
  kTimeout,          // a request that took too long to arrive
  kFirstByte,        // a new connection that said nothing
  kIdle,             // a connection that was idle for too long
  kAge,              // a connection that had reached its age
  kPingTimeout,      // a connection whose client did not answer a ping
  kSlowReader,       // a client that did not take its answer
  kDeadline,         // a gRPC call that was not answered in time
  kHeldBytes,        // a request over the server's budget of bytes
  kInflateQueue,     // a large compressed body while too many waited to be inflated
  kTooManyPings,     // HTTP/2 pings against the policy
  kTlsHandshake,     // a TLS handshake that failed
  kFlood,            // resets, acknowledgements or settings in a number that only an attack has
};
inline constexpr size_t kRefusalCount = static_cast<size_t>(Refusal::kFlood) + 1;

// The counters of one server. Thread-safe.
class Refusals {
 public:
  Refusals(MetricRegistry& metrics, const std::string& server);
  void Count(Refusal cause) { counters_[static_cast<size_t>(cause)]->Add(1); }

 private:
  std::array<Counter*, kRefusalCount> counters_;  // [causes]
};

}  // namespace spanloom::net
