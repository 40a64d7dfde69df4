// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/lifecycle.h"

#include <algorithm>
#include <utility>

namespace spanloom::net::http2 {
namespace {

using TimePoint = Lifecycle::TimePoint;

constexpr double kJitter = 0.1;  // gRPC's proposal A9: "a random jitter of +/-10%"

// `duration` after `start`; max if it is 0, which means never.
TimePoint After(TimePoint start, std::chrono::milliseconds duration) {
  return duration.count() == 0 ? TimePoint::max() : start + duration;
}

std::chrono::milliseconds Jittered(std::chrono::milliseconds age, double jitter) {
  const double factor = 1 - kJitter + 2 * kJitter * jitter;
  return std::chrono::milliseconds(static_cast<int64_t>(static_cast<double>(age.count()) * factor));
}

// True once: the point is in the past, and forgotten now.
bool Passed(TimePoint& at, TimePoint now) {
  if (now < at) return false;
  at = TimePoint::max();
  return true;
}

}  // namespace

Lifecycle::Lifecycle(const KeepaliveParameters& parameters, TimePoint now, double jitter)
    : parameters_(parameters), age_at_(After(now, Jittered(parameters.age_max, jitter))) {
  OnIdle(now);
}

void Lifecycle::OnIdle(TimePoint now) {
  idle_at_ = After(now, parameters_.idle_max);
}

TimePoint Lifecycle::PingAt(TimePoint last_read) const {
  if (pinged_at_ == TimePoint::max() || last_read > pinged_at_) return After(last_read, parameters_.time);
  return After(pinged_at_, parameters_.timeout);
}

std::optional<Lifecycle::Step> Lifecycle::Due(TimePoint now, TimePoint last_read) {
  if (Passed(grace_at_, now)) return Step::kGrace;
  if (now >= PingAt(last_read)) {
    const bool is_answered = pinged_at_ == TimePoint::max() || last_read > pinged_at_;
    pinged_at_ = is_answered ? now : TimePoint::max();
    return is_answered ? Step::kPing : Step::kDead;
  }
  if (Passed(age_at_, now)) {
    idle_at_ = TimePoint::max();
    grace_at_ = After(now, parameters_.age_grace);
    return Step::kAge;
  }
  return Passed(idle_at_, now) ? std::optional(Step::kIdle) : std::nullopt;
}

TimePoint Lifecycle::next(TimePoint last_read) const {
  return std::min({grace_at_, age_at_, idle_at_, PingAt(last_read)});
}

}  // namespace spanloom::net::http2
