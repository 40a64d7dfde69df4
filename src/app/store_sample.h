// SPDX-License-Identifier: Apache-2.0
//
// Traces of the store of this process for the doctor to look at: as many, and as old, as `spanloom doctor live` asks a
// backend for.

#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "doctor/trace_rules.h"
#include "store/span_store.h"

namespace spanloom::app {

struct StoreSampleLimits {
  std::chrono::seconds lookback{3'600};  // by the spans' starts; this and the next two: as `doctor live`
  std::chrono::seconds settle{60};       // what may still come is not missed so long after a trace's last span
  size_t traces_max = 100;               // the newest of each service
  size_t services_max = 100;             // those with the most spans; guess
  size_t spans_max = 200'000;            // over all; some 50 MB; guess
  std::chrono::seconds time_max{10};     // for all questions together; guess
};

struct StoreSample {
  doctor::TraceSample traces = {};
  std::vector<std::string> left_out = {};  // what was not looked at, and why, a sentence each
};

// Asks the store, which may block; not to be called on a loop. A service whose traces can't be had is left out. Errors:
// kCancelled; those of SpanStore::Services. `clock` is the store's.
StatusOr<StoreSample> SampleStore(const store::SpanStore& store, const Clock& clock, const StoreSampleLimits& limits,
                                  const std::stop_token& stop);

}  // namespace spanloom::app
