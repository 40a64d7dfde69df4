// SPDX-License-Identifier: Apache-2.0
//
// The OTEL_* variables that say whether, of what and whereto a process of ours makes spans. Manual, with every
// variable, its default and its range: docs/sdk.md. Specification: OpenTelemetry, "Environment Variable Specification".

#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "sdk/resource.h"
#include "sdk/tracing.h"
#include "sdk/variables.h"

namespace spanloom::sdk {

struct EnvironmentReading {
  TracingOptions tracing = {};
  TextPairs resource = {};
  std::vector<std::string> warnings = {};  // to be logged at start, each by itself
};

// A pure function of the variables. kInvalidArgument, for the start to fail with: a name that is not known (of a
// sampler, exporter, protocol, compression or propagator), an endpoint that is none, headers that can't be sent. What
// is wrong is named, with its variable and what is allowed.
StatusOr<EnvironmentReading> ReadEnvironment(const ServiceIdentity& identity, LookUpVariable look_up);

}  // namespace spanloom::sdk
