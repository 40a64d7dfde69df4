// SPDX-License-Identifier: Apache-2.0

#include "net/detail/backoff.h"

#include <utility>

#include "base/text.h"

namespace spanloom::net {
namespace {

// doc/connection-backoff.md of grpc/grpc: INITIAL_BACKOFF, MAX_BACKOFF, JITTER; doubled where that says 1.6.
constexpr RetryIntervals kIntervals = {
    .first = std::chrono::seconds(1), .longest = std::chrono::seconds(120), .multiplier = 2, .jitter = 0.2};

}  // namespace

Backoff::Backoff(uint64_t seed) : rng_(seed), delays_(kIntervals) {}

void Backoff::OnFailure(TimePoint now, Status reason) {
  retry_at_ = now + std::chrono::duration_cast<std::chrono::milliseconds>(delays_.Next(rng_));
  reason_ = std::move(reason);
}

void Backoff::OnSuccess() {
  delays_ = RetryBackoff(kIntervals);
  retry_at_ = TimePoint::min();
}

Status Backoff::Check(TimePoint now) const {
  if (now >= retry_at_) return absl::OkStatus();
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(retry_at_ - now);
  return absl::UnavailableError(StrCat(reason_.message(), " (next attempt in ", left.count(), " ms)"));
}

}  // namespace spanloom::net
