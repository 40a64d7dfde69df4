// SPDX-License-Identifier: Apache-2.0
//
// What the log says of a request that a destination did not take, in the words of the Collector's errors, which
// searches and alarms go by.

#pragma once

#include <string>

#include "base/status.h"

namespace spanloom::pipeline {

// "Permanent error: rpc error: code = InvalidArgument desc = backend:4317: no" of what must not be sent again;
// "Throttle (2s), error: rpc error: ..." where the destination said when; "rpc error: ..." of all else. A destination
// over HTTP has the code that its status stands for.
[[nodiscard]] std::string FailureText(const Status& status);

}  // namespace spanloom::pipeline
