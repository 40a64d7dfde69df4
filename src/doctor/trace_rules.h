// SPDX-License-Identifier: Apache-2.0
//
// Rules for the traces that have arrived: what is missing in them, and what contradicts itself.

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "doctor/finding.h"
#include "doctor/seen_trace.h"

namespace spanloom::doctor {

struct TraceSample {
  std::string source = {};                 // the endpoint, for findings
  std::vector<std::string> services = {};  // all that the backend knows
  std::vector<std::string> expected = {};  // that should be among them
  std::vector<SeenTrace> traces = {};      // a sample, each once
  // Of a trace whose last span ended later, more may come: it is not missed yet. Microseconds since 1970.
  int64_t settled_before_us = std::numeric_limits<int64_t>::max();
};

void CheckTraces(const TraceSample& sample, Findings& findings);

}  // namespace spanloom::doctor
