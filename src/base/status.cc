// SPDX-License-Identifier: Apache-2.0

#include "base/status.h"

#include <absl/strings/cord.h>
#include <absl/strings/numbers.h>

#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/text.h"

namespace spanloom {
namespace {

constexpr char kRetryDelayPayload[] = "spanloom/retry_delay_ms";

}  // namespace

Status WithRetryDelay(Status status, std::chrono::milliseconds delay) {
  CHECK(delay.count() >= 0);
  status.SetPayload(kRetryDelayPayload, absl::Cord(StrCat(delay.count())));
  return status;
}

std::optional<std::chrono::milliseconds> RetryDelay(const Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kRetryDelayPayload);
  if (!payload.has_value()) return std::nullopt;
  int64_t delay_ms = 0;
  CHECK(absl::SimpleAtoi(std::string(*payload), &delay_ms));
  return std::chrono::milliseconds(delay_ms);
}

bool IsRetryable(const Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
      return true;
    case absl::StatusCode::kResourceExhausted:
      return RetryDelay(status).has_value();
    default:
      return false;
  }
}

Status Annotate(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  Status annotated(status.code(), StrCat(context, ": ", status.message()));
  status.ForEachPayload(
      [&](absl::string_view type, const absl::Cord& payload) { annotated.SetPayload(type, payload); });
  return annotated;
}

}  // namespace spanloom
