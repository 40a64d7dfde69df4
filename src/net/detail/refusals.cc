// SPDX-License-Identifier: Apache-2.0

#include "net/detail/refusals.h"

#include <string_view>

namespace spanloom::net {
namespace {

constexpr std::array<std::string_view, kRefusalCount> kCauses = {
    "message_too_large",
    "body_too_large",
    "header_too_large",
    "connections_max",
    "streams_max",
    "bad_request",
    "bad_message",
    "bad_encoding",
    "unknown_method",
    "timeout",
    "first_byte",
    "idle",
    "age",
    "ping_timeout",
    "slow_reader",
    "deadline",
    "held_bytes",
    "inflate_queue",
    "too_many_pings",
    "tls_handshake",
    "flood",
};

}  // namespace

Refusals::Refusals(MetricRegistry& metrics, const std::string& server) {
  for (size_t i = 0; i < kRefusalCount; ++i) {
    counters_[i] =
        &metrics.GetCounter("spanloom_net_refused", "Connections and requests that a server refused, by cause.",
                            {{"server", server}, {"cause", std::string(kCauses[i])}});
  }
}

}  // namespace spanloom::net
