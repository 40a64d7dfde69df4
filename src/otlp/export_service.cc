// SPDX-License-Identifier: Apache-2.0

#include "otlp/export_service.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/text.h"

namespace spanloom::otlp {
namespace {

constexpr int64_t kRetryAfterMaxSeconds = 3'600;

Status WithRetryAfter(Status status, std::string_view retry_after) {
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(AbslView(retry_after), &seconds) || seconds < 0) return status;
  return WithRetryDelay(std::move(status), std::chrono::seconds(std::min(seconds, kRetryAfterMaxSeconds)));
}

bool IsRetryableHttp(int http_status) {
  return http_status == 429 || http_status == 502 || http_status == 503 || http_status == 504;
}

}  // namespace

Status StatusOfHttpAnswer(int http_status, std::string_view message, std::string_view retry_after) {
  if (!IsRetryableHttp(http_status)) return absl::FailedPreconditionError(AbslView(message));
  return WithRetryAfter(absl::UnavailableError(AbslView(message)), retry_after);
}

}  // namespace spanloom::otlp
