// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/ping_policy.h"

#include <utility>

namespace spanloom::net::http2 {
namespace {

constexpr int kStrikesMax = 2;  // doc/keepalive.md of grpc/grpc: GRPC_ARG_HTTP2_MAX_PING_STRIKES
constexpr std::chrono::hours kMinTimeWithoutStreams{
    2};  // as TCP keepalive, when pings without streams are not permitted

}  // namespace

bool PingPolicy::Allows(TimePoint now, bool has_streams) {
  const TimePoint last_ping = std::exchange(last_ping_, now);
  if (std::exchange(answer_was_sent_, false)) {
    strikes_ = 0;
    return true;
  }
  if (last_ping == TimePoint::min()) return true;
  const bool counts_as_idle = !has_streams && !enforcement_.permit_without_stream;
  const auto min_time = counts_as_idle ? kMinTimeWithoutStreams : std::chrono::nanoseconds(enforcement_.min_time);
  if (now - last_ping < min_time) ++strikes_;
  return strikes_ <= kStrikesMax;
}

}  // namespace spanloom::net::http2
