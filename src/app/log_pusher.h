// SPDX-License-Identifier: Apache-2.0
//
// Sends the lines of the process log as OTLP log records: service.telemetry.logs.processors.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log_tap.h"
#include "base/metrics.h"
#include "base/status.h"
#include "net/loop.h"
#include "otlp/writer.h"
#include "sdk/batch_queue.h"
#include "sdk/otlp_sender.h"
#include "sdk/tracing.h"

namespace spanloom::app {

// A line on its way: a log record in wire form, and the attributes of its scope, which say of which component it is.
struct OwnLogRecord {
  std::string wire;
  std::string scope;  // an InstrumentationScope in wire form
};

// The record has the message as its body, and the fields as attributes; those that name a component or its pipeline
// are its scope's, as in the Collector.
[[nodiscard]] OwnLogRecord RecordOf(const LogLine& line);

// An ExportLogsServiceRequest; `resource` in wire form.
[[nodiscard]] std::string EncodeOwnLogs(const std::vector<OwnLogRecord>& records, const std::string& resource);

// Made, stopped and destroyed on a thread that is not a loop's; one at a time, as it taps the log. Counts
// spanloom_own_log_records_exported and spanloom_own_log_records_dropped{cause}.
class LogPusher {
 public:
  // Connects with the first line. `loops`, `clock` and `metrics` outlive it. Errors: those of sdk::OtlpSender::Create.
  static StatusOr<std::unique_ptr<LogPusher>> Create(const std::vector<sdk::SpanRoute>& routes,
                                                     const std::string& resource, net::LoopPool& loops,
                                                     const Clock& clock, MetricRegistry& metrics);
  ~LogPusher();

  // Sends what waits, for at most `grace` a destination. Lines that come later are not sent.
  void Stop(std::chrono::milliseconds grace);

 private:
  using Queue = sdk::BatchQueue<OwnLogRecord>;

  explicit LogPusher(net::Loop& loop) : loop_(loop) {}
  StatusOr<sdk::SendRequest> OpenWayOut(const sdk::SpanRoute& route, net::LoopPool& loops);

  net::Loop& loop_;
  std::vector<std::unique_ptr<sdk::OtlpSender>> senders_;  // bound to loop_; none for standard output
  std::vector<std::shared_ptr<Queue>> queues_;             // shared with the tap
};

}  // namespace spanloom::app
