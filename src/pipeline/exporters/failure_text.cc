// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/failure_text.h"

#include <string_view>

#include "base/text.h"
#include "config/duration.h"
#include "pipeline/drops.h"

namespace spanloom::pipeline {

std::string FailureText(const Status& status) {
  const std::string text = StrCat("rpc error: code = ", CauseOf(status), " desc = ", StdView(status.message()));
  if (!IsRetryable(status)) return StrCat("Permanent error: ", text);
  if (const auto delay = RetryDelay(status)) {
    return StrCat("Throttle (", config::FormatDuration(*delay), "), error: ", text);
  }
  return text;
}

}  // namespace spanloom::pipeline
