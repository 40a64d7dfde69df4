// SPDX-License-Identifier: Apache-2.0
//
// One answer out of those of several destinations that were given spans of one request, and what is counted of spans
// that one has taken and another has not: docs/decisions/0013-the-pipeline-contract.md.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/status.h"
#include "pipeline/drops.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// True for an error after which the same batch may be offered again.
[[nodiscard]] bool IsForTheMoment(const Status& status);

// "Send again": kUnavailable with the longest delay of those in `answers` that are for the moment, of which there is at
// least one.
[[nodiscard]] Status SendAgain(const std::vector<Status>& answers);

// Of a batch that all of several were to take, and nobody took. A refusal that is final stays so, because the batch
// will never be taken by all; else "send again". `refusals` must not be empty.
[[nodiscard]] Status JointRefusal(const std::vector<Status>& refusals);

// Counts of one destination what it dropped (spanloom_pipeline_dropped_spans), and what it took although its sender was
// told to send it again (spanloom_pipeline_repeated_spans). Thread-safe.
class TargetCounters {
 public:
  // [owners] labels of those who lose what it does not take; more than one if several pipelines are one destination.
  // `context` is used for metrics and clock, which outlive this, and for the signal. `advice` is what the log says to
  // do about a drop; it lives for ever.
  TargetCounters(const std::vector<MetricLabels>& owners, const BuildContext& context, std::string_view advice);

  void CountDrop(size_t spans, const Status& status);
  void CountRepetition(size_t spans);

 private:
  std::vector<std::unique_ptr<DropCounter>> drops_;
  std::vector<Counter*> repeated_;
  std::string_view advice_;
};

// What one of those who decide was given.
struct TargetShare {
  TargetCounters& counters;
  size_t spans = 0;
};

// The answer of destinations that decide together, [answers] theirs, not empty. If some refused for the moment, the
// sender is to send again, and what the others took counts as repeated. Else, if one took its spans, OK; what another
// refused for good, it has dropped. Else the first refusal. `share_of(index)` is asked where something is counted.
[[nodiscard]] Status DecideTogether(const std::vector<Status>& answers,
                                    absl::FunctionRef<TargetShare(size_t)> share_of);

}  // namespace spanloom::pipeline
