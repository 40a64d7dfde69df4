// SPDX-License-Identifier: Apache-2.0

#include "net/detail/backoff.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace spanloom::net {
namespace {

// doc/connection-backoff.md of grpc/grpc: INITIAL_BACKOFF, MAX_BACKOFF, JITTER.
constexpr std::chrono::milliseconds kFirstDelay{1'000};
constexpr std::chrono::milliseconds kDelayMax{120'000};
constexpr double kJitter = 0.2;

}  // namespace

void Backoff::OnFailure(TimePoint now, Status reason) {
  delay_ = std::clamp(delay_ * 2, kFirstDelay, kDelayMax);
  const double factor = 1 + kJitter * (2 * rng_.Unit() - 1);
  retry_at_ = now + std::chrono::duration_cast<std::chrono::milliseconds>(delay_ * factor);
  reason_ = std::move(reason);
}

void Backoff::OnSuccess() {
  delay_ = std::chrono::milliseconds(0);
  retry_at_ = TimePoint::min();
}

Status Backoff::Check(TimePoint now) const {
  if (now >= retry_at_) return absl::OkStatus();
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(retry_at_ - now);
  return absl::UnavailableError(StrCat(reason_.message(), " (next attempt in ", left.count(), " ms)"));
}

}  // namespace spanloom::net
