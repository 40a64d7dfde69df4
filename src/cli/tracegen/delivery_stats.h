// SPDX-License-Identifier: Apache-2.0
//
// What became of the spans of a run. Every span that was sent is in exactly one of the sums, so nothing can get lost
// unseen.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cli/tracegen/latency_histogram.h"
#include "cli/tracegen/transport.h"

namespace spanloom::cli::tracegen {

// Requests that ended for the same reason.
struct Problem {
  uint64_t requests = 0;
  uint64_t spans = 0;
  std::string message;  // of the first of them
};

using Problems = std::map<std::string, Problem>;  // by ExportAnswer::code

// Thread-compatible.
struct DeliveryStats {
  uint64_t requests = 0;     // handed to the sender
  uint64_t attempts = 0;     // requests and their repetitions
  uint64_t wire_bytes = 0;   // bodies as sent, repetitions included
  uint64_t plain_bytes = 0;  // bodies before compression, without repetitions

  uint64_t acknowledged_spans = 0;
  uint64_t rejected_spans = 0;  // left out by the receiver of a request that it accepted: partial success
  std::string rejected_reason;  // the first that was given
  Problems refused;             // final answers
  Problems exhausted;           // answers that allow another try, when there was none left
  Problems abandoned;           // the same, when the run was interrupted
  LatencyHistogram latency;     // of the attempts that were acknowledged

  // A request of `spans` spans was accepted after `duration_ns`.
  void Accept(const ExportAnswer& answer, uint64_t spans, int64_t duration_ns);

  // Spans sent and not acknowledged.
  [[nodiscard]] uint64_t lost_spans() const;
};

// Adds a request to `problems`.
void AddProblem(const ExportAnswer& answer, uint64_t spans, Problems& problems);

uint64_t SumSpans(const Problems& problems);

}  // namespace spanloom::cli::tracegen
