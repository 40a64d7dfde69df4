// SPDX-License-Identifier: Apache-2.0
//
// Collects ended spans and sends them as OTLP requests, one at a time, from a loop. What is lost on the way is counted
// by cause: a tracer must never slow down or stop what it watches.

#pragma once

#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "base/status.h"
#include "net/loop.h"
#include "sdk/span_record.h"

namespace spanloom::sdk {

// OTEL_BSP_* of the OpenTelemetry specification, "Batch Span Processor".
struct BatchExporterOptions {
  size_t queue_spans_max = 2'048;
  size_t batch_spans_max = 512;
  std::chrono::nanoseconds delay = std::chrono::seconds(5);  // from the first span that waits to its request
  // A request that fails for the moment (IsRetryable) is sent again: after 1 s, doubled up to 30 s, +- 20 %, or after
  // the delay that the answer asks for; for this long. Guess.
  std::chrono::nanoseconds retry_max = std::chrono::minutes(1);
  // Where its destination is configured, for the line in the log about one that can't be reached.
  std::string configured_by = "service.telemetry.traces";
};

// How many spans of a request the destination refused for good, or why it took none.
using SendDone = absl::AnyInvocable<void(StatusOr<size_t> rejected_spans)>;
// Sends an ExportTraceServiceRequest. Called on the exporter's loop; `done` is called once, on any thread, perhaps from
// inside the call.
using SendRequest = std::function<void(Bytes request, SendDone done)>;

// Thread-safe; works on one loop. Counts spanloom_own_spans_exported and spanloom_own_spans_dropped{cause}: full,
// refused (by the destination, for good), unreachable (sent again in vain), shutdown.
class BatchExporter final : public SpanSink {
 public:
  // `resource` is what every span is of, `scopes` those that SpanRecord::scope counts in; all in wire form. `send` must
  // stay callable until Stop has returned. `loop`, `clock` and `metrics` must outlive the exporter.
  BatchExporter(const BatchExporterOptions& options, std::string resource, std::vector<std::string> scopes,
                net::Loop& loop, const Clock& clock, MetricRegistry& metrics, Rng rng, SendRequest send);
  ~BatchExporter() override;

  void Take(std::unique_ptr<SpanRecord> span) override;

  // Sends what waits, at most until `grace` is over; from now on spans are sent as soon as they can. For the time
  // before a stop. Called from a thread that is not a loop's, as Stop is.
  void Flush(std::chrono::milliseconds grace);

  // The same, and counts the rest as lost. Later calls do nothing.
  void Stop(std::chrono::milliseconds grace);

 private:
  class State;
  const std::shared_ptr<State> state_;  // shared with tasks on the loop and answers under way
};

}  // namespace spanloom::sdk
