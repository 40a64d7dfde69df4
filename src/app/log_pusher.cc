// SPDX-License-Identifier: Apache-2.0

#include "app/log_pusher.h"

#include <absl/algorithm/container.h>
#include <absl/strings/numbers.h>

#include <array>
#include <cstdint>
#include <map>
#include <string_view>

#include "app/version.h"
#include "base/rng.h"
#include "base/text.h"
#include "net/loop_call.h"
#include "otlp/log_record.h"
#include "sdk/console_sender.h"

namespace spanloom::app {
namespace {

constexpr sdk::BatchQueue<OwnLogRecord>::Words kWords = {
    .exported = "spanloom_own_log_records_exported",
    .exported_help = "Lines of the log of this process that were delivered.",
    .dropped = "spanloom_own_log_records_dropped",
    .dropped_help = "Lines of the log of this process that were not delivered, by cause.",
    .warning = "the log of this process can't be delivered"};

// SeverityNumber of OTLP: the first of each range.
uint32_t SeverityOf(LogLevel level) {
  static constexpr std::array<uint32_t, 4> kNumbers = {5, 9, 13, 17};
  return kNumbers[static_cast<size_t>(level)];
}

void WriteField(std::string_view key, std::string_view value, bool is_literal, otlp::AttributeWriter& writer) {
  int64_t whole = 0;
  double number = 0;
  if (!is_literal) {
    writer.String(key, value);
  } else if (value == "true" || value == "false") {
    writer.Bool(key, value == "true");
  } else if (absl::SimpleAtoi(AbslView(value), &whole)) {
    writer.Int(key, whole);
  } else if (absl::SimpleAtod(AbslView(value), &number)) {
    writer.Double(key, number);
  } else {
    writer.String(key, value);
  }
}

bool NamesComponent(std::string_view key) {
  static constexpr std::array<std::string_view, 4> kKeys = {"otelcol.component.id", "otelcol.component.kind",
                                                            "otelcol.pipeline.id", "otelcol.signal"};
  return absl::c_linear_search(kKeys, key);
}

}  // namespace

OwnLogRecord RecordOf(const LogLine& line) {
  const auto write = [&](bool of_component, otlp::AttributeWriter& writer) {
    ForEachLogField(line.fields, [&](std::string_view key, std::string_view value, bool is_literal) {
      if (NamesComponent(key) == of_component) WriteField(key, value, is_literal, writer);
    });
  };
  OwnLogRecord record;
  record.wire = otlp::EncodeLogRecord({.time_unix_ns = static_cast<uint64_t>(line.unix_ns),
                                       .severity_number = SeverityOf(line.level),
                                       .severity_text = LogLevelName(line.level),
                                       .body = line.message},
                                      [&](otlp::AttributeWriter& writer) { write(false, writer); });
  record.scope = otlp::EncodeScope({.name = "spanloom", .version = Version()},
                                   [&](otlp::AttributeWriter& writer) { write(true, writer); });
  return record;
}

std::string EncodeOwnLogs(const std::vector<OwnLogRecord>& records, const std::string& resource) {
  std::map<std::string_view, std::string> by_scope;
  for (const OwnLogRecord& record : records) by_scope[record.scope] += record.wire;
  std::string request;
  otlp::RequestWriter writer(request);
  writer.BeginResource(resource);
  for (const auto& [scope, wires] : by_scope) {
    writer.BeginScope(scope);
    writer.AddEncodedSpans(wires);
  }
  writer.End();
  return request;
}

StatusOr<sdk::SendRequest> LogPusher::OpenWayOut(const sdk::SpanRoute& route, net::LoopPool& loops) {
  if (!route.destination) {
    return [console = sdk::ConsoleSender(loops, otlp::Signal::kLogs)](const Bytes& request, sdk::SendDone done) {
      console.Send(request, std::move(done));
    };
  }
  Status status;
  net::RunOn(loop_, [&] {
    auto sender = sdk::OtlpSender::Create(loop_, *route.destination);
    status = sender.status();
    if (sender.ok()) senders_.push_back(*std::move(sender));
  });
  RETURN_IF_ERROR(Annotate(status, route.batch.configured_by));
  return [sender = senders_.back().get()](const Bytes& request, sdk::SendDone done) {
    sender->Send(request, std::move(done));
  };
}

StatusOr<std::unique_ptr<LogPusher>> LogPusher::Create(const std::vector<sdk::SpanRoute>& routes,
                                                       const std::string& resource, net::LoopPool& loops,
                                                       const Clock& clock, MetricRegistry& metrics) {
  std::unique_ptr<LogPusher> pusher(new LogPusher(loops.Next()));
  Rng rng(Rng::SystemSeed());
  for (const sdk::SpanRoute& route : routes) {
    ASSIGN_OR_RETURN(sdk::SendRequest send, pusher->OpenWayOut(route, loops));
    pusher->queues_.push_back(std::make_shared<Queue>(
        route.batch, [resource](const std::vector<OwnLogRecord>& records) { return EncodeOwnLogs(records, resource); },
        kWords, pusher->loop_, clock, metrics, Rng(rng.Next()), std::move(send)));
  }
  SetLogTap(std::make_shared<const LogTap>([queues = pusher->queues_](const LogLine& line) {
    const OwnLogRecord record = RecordOf(line);
    for (const std::shared_ptr<Queue>& queue : queues) queue->Take(record);
  }));
  return pusher;
}

LogPusher::~LogPusher() {
  Stop(std::chrono::milliseconds(0));
  net::RunOn(loop_, [this] { senders_.clear(); });
}

void LogPusher::Stop(std::chrono::milliseconds grace) {
  SetLogTap(nullptr);
  for (const std::shared_ptr<Queue>& queue : queues_) queue->Stop(grace);
}

}  // namespace spanloom::app
