// SPDX-License-Identifier: Apache-2.0

#include "pipeline/receivers/sender_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/text.h"
#include "otlp/testing/recorded_requests.h"
#include "store/conformance/request_builder.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int64_t kSecondNs = 1'000'000'000;

SenderTable::Peer PeerAt(std::string_view address, std::string_view program = "OTel-OTLP-Exporter-Python/1.39.0") {
  return {.receiver = "otlp", .transport = "grpc", .address = address, .program = program};
}

// Scenario: a program sends by two connections, another one from the same address, a third over a unix socket.
// Guarantees: one row for each program, whoever sent last first, with when it sent, by how many connections, and what
// became of its spans.
TEST(SenderTable, TellsWhoSends) {
  SimClock clock;
  SenderTable table(clock);
  const int64_t begin_ns = clock.UnixNs();
  const auto first = table.Arrive(PeerAt("10.0.0.7:40001"));
  table.CountAccepted(*first, 5);
  clock.Advance(2 * kSecondNs);
  const auto again = table.Arrive(PeerAt("10.0.0.7:40002"));
  table.CountRefused(*again, 2);
  static_cast<void>(table.Arrive(PeerAt("[fd00::1]:1", "curl/8")));
  static_cast<void>(table.Arrive(PeerAt("", "agent")));
  const auto last = table.Arrive(PeerAt("10.0.0.7:40002"));
  const SenderReport report = table.Report();
  EXPECT_EQ(last, first);
  ASSERT_THAT(report.senders, SizeIs(3));
  const SenderRow& row = report.senders[0];
  EXPECT_EQ(row.receiver, "otlp");
  EXPECT_EQ(row.transport, "grpc");
  EXPECT_EQ(row.address, "10.0.0.7");
  EXPECT_EQ(row.program, "OTel-OTLP-Exporter-Python/1.39.0");
  EXPECT_EQ(row.connections, 2U);
  EXPECT_EQ(row.spans_accepted, 5U);
  EXPECT_EQ(row.spans_refused, 2U);
  EXPECT_EQ(row.first_unix_ns, begin_ns);
  EXPECT_EQ(row.last_unix_ns, clock.UnixNs());
  EXPECT_EQ(report.senders[1].address, "");
  EXPECT_EQ(report.senders[1].program, "agent");
  EXPECT_EQ(report.senders[2].address, "fd00::1");
  EXPECT_EQ(report.forgotten, 0U);
}

// Guarantees: a connection counts for a minute after its last request, and no more of them than the limit.
TEST(SenderTable, CountsConnectionsThatAreInUse) {
  SimClock clock;
  SenderTable table(clock, {.connections_max = 3});
  for (int port = 1; port <= 5; ++port) static_cast<void>(table.Arrive(PeerAt(StrCat("10.0.0.7:", port))));
  EXPECT_EQ(table.Report().senders[0].connections, 3U);
  clock.Advance(59 * kSecondNs);
  static_cast<void>(table.Arrive(PeerAt("10.0.0.7:5")));
  clock.Advance(2 * kSecondNs);
  EXPECT_EQ(table.Report().senders[0].connections, 1U);
}

// Scenario: more senders than are remembered; one of those that are forgotten has a request under way.
// Guarantees: whoever sent longest ago makes room; sums stay right.
TEST(SenderTable, IsBounded) {
  SimClock clock;
  SenderTable table(clock, {.senders_max = 2, .program_bytes_max = 4});
  const auto first = table.Arrive(PeerAt("10.0.0.1:1"));
  table.CountAccepted(*first, 1);
  for (const char* address : {"10.0.0.2:1", "10.0.0.3:1", "10.0.0.2:1"}) {
    table.CountAccepted(*table.Arrive(PeerAt(address)), 10);
  }
  table.CountRefused(*first, 7);
  const SenderReport report = table.Report();
  ASSERT_THAT(report.senders, SizeIs(2));
  EXPECT_EQ(report.senders[0].address, "10.0.0.2");
  EXPECT_EQ(report.senders[0].program, "OTel");
  EXPECT_EQ(report.senders[0].spans_accepted, 20U);
  EXPECT_EQ(report.senders[1].address, "10.0.0.3");
  EXPECT_EQ(report.forgotten, 1U);
  EXPECT_EQ(report.forgotten_accepted, 1U);
  EXPECT_EQ(report.forgotten_refused, 7U);
}

// Scenario: a program that ends at once sends the spans of two services in a request each.
// Guarantees: both are known.
TEST(SenderTable, KnowsTheServicesOfWhatSendsForAMoment) {
  SimClock clock;
  SenderTable table(clock);
  const auto tally = table.Arrive(PeerAt("10.0.0.1:1"));
  for (const char* service : {"vllm-prefill", "vllm-decode"}) {
    const std::string request(store::RequestBuilder()
                                  .FromService(service)
                                  .Add({.trace_id = store::MakeTraceId(1),
                                        .span_id = store::MakeSpanId(1),
                                        .name = "llm_request",
                                        .start_unix_ns = 1,
                                        .end_unix_ns = 2})
                                  .Build()
                                  .Encode()
                                  .view());
    table.LookAt(*tally, otlp::TracesView(request));
  }
  EXPECT_THAT(table.Report().senders[0].services, ElementsAre("vllm-prefill", "vllm-decode"));
}

// Guarantees: of one that goes on sending, services are looked for once a second, and a few of them are kept.
TEST(SenderTable, LooksForServicesNowAndThen) {
  SimClock clock;
  SenderTable table(clock, {.services_max = 1, .looks_first = 1});
  const otlp::RecordedRequest request = otlp::ReadRecordedRequests(".pb").front();
  const otlp::TracesView traces(request.body);
  const std::string name((*traces.resource_spans().begin()).resource().service_name());
  const auto tally = table.Arrive(PeerAt("10.0.0.1:1"));
  EXPECT_THAT(table.Report().senders[0].services, IsEmpty());
  table.LookAt(*tally, otlp::TracesView(""));
  table.LookAt(*tally, traces);
  EXPECT_THAT(table.Report().senders[0].services, IsEmpty());
  clock.Advance(1 * kSecondNs);
  table.LookAt(*tally, traces);
  EXPECT_THAT(table.Report().senders[0].services, ElementsAre(name));
}

// Scenario: threads send, while another one reads and senders come and go.
// Guarantees: nothing is lost of the sum.
TEST(SenderTable, SumsUpWhatThreadsSend) {
  SenderTable table(Clock::System(), {.senders_max = 3});
  const auto send = [&](int thread) {
    for (int i = 0; i < 2'000; ++i) {
      table.CountAccepted(*table.Arrive(PeerAt(StrCat("10.0.", thread, ".", i % 2, ":", i % 9))), 1);
    }
  };
  std::thread one([&] { send(1); });
  std::thread two([&] { send(2); });
  for (int i = 0; i < 50; ++i) EXPECT_LE(table.Report().senders.size(), 3U);
  one.join();
  two.join();
  const SenderReport report = table.Report();
  uint64_t sum = report.forgotten_accepted;
  for (const SenderRow& row : report.senders) sum += row.spans_accepted;
  EXPECT_EQ(sum, 4'000U);
}

}  // namespace
}  // namespace spanloom::pipeline
