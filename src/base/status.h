// SPDX-License-Identifier: Apache-2.0
//
// "The world said no": absl::Status is the one way to say so. Its codes are gRPC's codes. This header adds early
// returns, and the two facts a refusal may carry for whoever sent the data: whether to send again, and when.

#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace spanloom {

using absl::Status;
using absl::StatusOr;

// Attaches "send again after `delay`" to an error. It travels as google.rpc.RetryInfo over gRPC and as Retry-After over
// HTTP. `delay` is rounded up to whole milliseconds and must not be negative. No effect on an OK status.
[[nodiscard]] Status WithRetryDelay(Status status, std::chrono::milliseconds delay);

// The delay attached by WithRetryDelay or received from a peer; nullopt if there is none.
[[nodiscard]] std::optional<std::chrono::milliseconds> RetryDelay(const Status& status);

// True if the sender of OTLP data may send the same request again after this answer.
// OTLP 1.x, "Failures": CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS; RESOURCE_EXHAUSTED
// only together with a retry delay.
[[nodiscard]] bool IsRetryable(const Status& status);

// The same error with `context` and ": " before its message. OK stays OK; payloads are kept.
[[nodiscard]] Status Annotate(const Status& status, std::string_view context);

}  // namespace spanloom

// Returns from the function if `expression` is not OK.
#define RETURN_IF_ERROR(expression)                                        \
  do {                                                                     \
    if (::absl::Status status_ = (expression); !status_.ok()) [[unlikely]] \
      return status_;                                                      \
  } while (false)

#define SPANLOOM_CONCAT_INNER(a, b) a##b
#define SPANLOOM_CONCAT(a, b) SPANLOOM_CONCAT_INNER(a, b)
#define SPANLOOM_ASSIGN_OR_RETURN(result, target, expression) \
  auto result = (expression);                                 \
  if (!result.ok()) [[unlikely]]                              \
    return std::move(result).status();                        \
  target = *std::move(result)

// ASSIGN_OR_RETURN(auto value, F()): the value of a StatusOr, or a return of its error.
#define ASSIGN_OR_RETURN(target, expression) \
  SPANLOOM_ASSIGN_OR_RETURN(SPANLOOM_CONCAT(status_or_, __LINE__), target, expression)
