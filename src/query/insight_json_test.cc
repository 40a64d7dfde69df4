// SPDX-License-Identifier: Apache-2.0

#include "query/insight_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace spanloom::query {
namespace {

using testing::HasSubstr;
using testing::Not;

template <typename Report>
std::string Text(void (*write)(const Report&, JsonWriter&), const Report& report) {
  std::string text;
  JsonWriter json(text);
  write(report, json);
  return text;
}

// Scenario: a process with a loss, a queue and a store that has something; and one that has just begun, in memory.
// Guarantees: causes, times, segments and limits are there where there are any, and nowhere else.
TEST(InsightJson, WritesStatus) {
  StatusReport report{
      .now_unix_ns = 5'000'000,
      .started_unix_ns = 2'000'000,
      .version = "0.1.0",
      .counts = {{.part = "receiver", .id = "otlp", .event = "accepted", .spans = 7},
                 {.part = "exporter", .id = "otlp", .event = "lost", .cause = "shutdown", .spans = 2}},
      .queues = {{.exporter = "otlp", .size = 3, .capacity = 1'000}},
      .senders = {.senders = {{.receiver = "otlp",
                               .transport = "grpc",
                               .address = "10.0.0.7",
                               .program = "py/1",
                               .services = {"a", "b"},
                               .connections = 2,
                               .spans_accepted = 7,
                               .spans_refused = 1,
                               .first_unix_ns = 2'000,
                               .last_unix_ns = 3'000}},
                  .forgotten = 4,
                  .forgotten_accepted = 5,
                  .forgotten_refused = 6},
      .store = {.kept = "on disk, in /data",
                .stats = {.traces = 2, .spans = 5, .bytes = 900, .oldest_unix_ns = 1'000, .newest_unix_ns = 4'000},
                .segments = 1,
                .retention = {.age_max_ns = 3'600'000'000'000, .bytes_max = 1'024}}};
  EXPECT_EQ(
      Text(WriteStatus, report),
      R"({"now_us":5000,"started_us":2000,"version":"0.1.0","counts":[)"
      R"({"part":"receiver","id":"otlp","event":"accepted","spans":7},)"
      R"({"part":"exporter","id":"otlp","event":"lost","cause":"shutdown","spans":2}],)"
      R"("queues":[{"exporter":"otlp","size":3,"capacity":1000}],"senders":[{"receiver":"otlp","transport":"grpc",)"
      R"("address":"10.0.0.7","program":"py/1","services":["a","b"],"connections":2,"spans_accepted":7,)"
      R"("spans_refused":1,"first_us":2,"last_us":3}],)"
      R"("senders_forgotten":{"senders":4,"spans_accepted":5,"spans_refused":6},)"
      R"("store":{"kept":"on disk, in /data","traces":2,)"
      R"("spans":5,"bytes":900,"oldest_us":1,"newest_us":4,"segments":1,"spans_evicted":0,"spans_expired":0,)"
      R"("spans_purged":0,"spans_duplicate":0,"age_max_s":3600,"bytes_max":1024}})");
  report.store = {.kept = "in memory"};
  report.senders = {};
  const std::string empty = Text(WriteStatus, report);
  for (const char* key : {"oldest_us", "segments", "age_max_s", "bytes_max", "senders_forgotten"})
    EXPECT_THAT(empty, Not(HasSubstr(key)));
}

}  // namespace
}  // namespace spanloom::query
