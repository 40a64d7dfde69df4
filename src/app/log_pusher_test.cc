// SPDX-License-Identifier: Apache-2.0

#include "app/log_pusher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "base/mutex.h"
#include "net/server.h"
#include "net/testing/net_fixture.h"
#include "otlp/export_service.h"
#include "otlp/json/write.h"
#include "otlp/request.h"

namespace spanloom::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A request of logs as OTLP/JSON.
std::string JsonOf(std::string_view request) {
  auto slice = otlp::ReadRequest(otlp::Signal::kLogs, Bytes::CopyOf(request));
  if (!slice.ok()) return std::string(slice.status().message());
  std::string json;
  otlp::WriteJson(otlp::Batch(*std::move(slice)), json);
  return json;
}

// Scenario: lines of two components with fields of each kind, and one of none.
// Guarantees: records as the Collector makes them: level, message, typed fields; who a line is of stands in its scope.
TEST(LogPusher, MakesLogRecords) {
  const std::initializer_list<LogField> fields = {
      {"exporter", "otlp"}, {"otelcol.signal", "traces"}, {"error", "no"}, {"items", 3}, {"share", 0.5}, {"on", true}};
  const std::string json = JsonOf(
      EncodeOwnLogs({RecordOf({LogLevel::kError, "failed", fields, 7}), RecordOf({LogLevel::kInfo, "plain", {}, 8}),
                     RecordOf({LogLevel::kError, "again", fields, 9})},
                    ""));
  EXPECT_THAT(json, HasSubstr(R"("attributes":[{"key":"otelcol.component.id","value":{"stringValue":"otlp"}},)"
                              R"({"key":"otelcol.component.kind","value":{"stringValue":"exporter"}},)"
                              R"({"key":"otelcol.signal","value":{"stringValue":"traces"}}])"));
  const std::string attributes =
      R"("attributes":[{"key":"error","value":{"stringValue":"no"}},{"key":"items","value":{"intValue":"3"}},)"
      R"({"key":"share","value":{"doubleValue":0.5}},{"key":"on","value":{"boolValue":true}}])";
  EXPECT_THAT(json, HasSubstr(R"({"timeUnixNano":"7","observedTimeUnixNano":"7","severityNumber":17,)"
                              R"("severityText":"error","body":{"stringValue":"failed"},)" +
                              attributes + R"(},{"timeUnixNano":"9")"));
  EXPECT_THAT(json, HasSubstr(R"("severityNumber":9,"severityText":"info","body":{"stringValue":"plain"}})"));
}

// Scenario: lines come while it is there, the last one right before its end; one comes afterwards.
// Guarantees: the destination has those, in order, and no other.
TEST(LogPusher, SendsTheLinesOfTheLog) {
  MetricRegistry metrics;
  net::LoopPool loops(2);
  Mutex mutex;
  std::string sent;
  net::ServerOptions options;
  options.name = "backend";
  options.endpoint = "127.0.0.1:0";
  options.grpc.emplace(otlp::ExportMethod(otlp::Signal::kLogs),
                       [&](net::GrpcRequest request, net::GrpcResponder responder) {
                         const MutexLock lock(mutex);
                         sent += JsonOf(request.message.view());
                         std::move(responder).Respond(Bytes());
                       });
  const auto server = net::StartServer(loops, metrics, std::move(options));
  sdk::SpanRoute route{.batch = {.delay = 1h}};
  route.destination.emplace();
  route.destination->signal = otlp::Signal::kLogs;
  route.destination->endpoint = server->endpoint();
  const auto pusher = *LogPusher::Create({route}, "", loops, Clock::System(), metrics);
  Log(LogLevel::kWarn, "one");
  Log(LogLevel::kDebug, "below the level");
  Log(LogLevel::kInfo, "two");
  pusher->Stop(20s);
  Log(LogLevel::kInfo, "three");
  pusher->Stop(20s);
  const MutexLock lock(mutex);
  EXPECT_THAT(sent, testing::ContainsRegex("\"one\".*\"two\""));
  EXPECT_THAT(sent, testing::Not(testing::AnyOf(HasSubstr("below the level"), HasSubstr("three"))));
  EXPECT_EQ(metrics.Sum("spanloom_own_log_records_exported"), 2u);
}

}  // namespace
}  // namespace spanloom::app
