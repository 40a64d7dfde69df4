// SPDX-License-Identifier: Apache-2.0
//
// `spanloom doctor live`: asks a backend and a collector that run.

#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "doctor/finding.h"

namespace spanloom::cli::doctor {

inline constexpr std::string_view kNobody = "none";

struct LiveOptions {
  std::string backend = "localhost:16686";                    // of Jaeger's API; kNobody: none is asked
  std::string metrics = "localhost:8888";                     // of a collector's metrics page; kNobody: none is asked
  std::vector<std::string> expected;                          // services that should be there
  int traces = 100;                                           // of each service
  std::chrono::nanoseconds lookback = std::chrono::hours(1);  // how long ago a trace may have begun
  int settle_seconds = 60;  // a trace is whole that long after its last span: a request may take as long; guess
};

// What was found. An endpoint that does not answer is a finding.
std::vector<spanloom::doctor::Finding> ExamineLive(const LiveOptions& options);

}  // namespace spanloom::cli::doctor
