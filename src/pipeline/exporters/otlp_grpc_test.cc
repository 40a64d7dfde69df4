// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/otlp_grpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "net/loop_call.h"
#include "otlp/wire/writer.h"
#include "pipeline/testing/fake_backend.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class OtlpGrpcExporterTest : public testing::Test {
 protected:
  OtlpGrpcExporter& Start(OtlpGrpcExporterOptions options) {
    options.endpoint = backend_.endpoint();
    options.tls.insecure = true;
    exporter_ = std::make_unique<OtlpGrpcExporter>(ComponentId{"otlp_grpc", "jaeger"}, std::move(options), context_);
    EXPECT_TRUE(exporter_->Start().ok());
    return *exporter_;
  }

  net::LoopPool loops_{2};
  MetricRegistry metrics_;
  const BuildContext context_{
      .loops = loops_, .metrics = metrics_, .clock = Clock::System(), .seed = 1, .build = "spanloom 0.1.0\ncommit x\n"};
  FakeBackend backend_{loops_, metrics_};
  std::unique_ptr<OtlpGrpcExporter> exporter_;
};

// Scenario: a batch of two requests goes to a real server, compressed as by default.
// Guarantees: every span arrives, with the headers that were configured, and is counted by where it went.
TEST_F(OtlpGrpcExporterTest, SendsBatchesWithHeaders) {
  OtlpGrpcExporter& exporter = Start({.headers = {{"X-Tenant", "llm"}}});
  otlp::Batch batch = BatchOf({"a", "b"});
  batch.Add(BatchOf({"c"}));
  EXPECT_TRUE(Deliver(exporter, batch).ok());
  ASSERT_TRUE(backend_.AwaitSpans(3));
  EXPECT_THAT(backend_.names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(backend_.metadata().Get("x-tenant"), "llm");
  EXPECT_EQ(backend_.metadata().Get("grpc-encoding"), "gzip");
  exporter.Stop(20s);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans", {{"exporter", "otlp_grpc/jaeger"}}), 3u);
  const std::string port = backend_.endpoint().substr(backend_.endpoint().rfind(':') + 1);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans", {{"server_address", "127.0.0.1"}, {"server_port", port}}), 3u);
}

// Scenario: options about the connection.
// Guarantees: they reach the backend.
TEST_F(OtlpGrpcExporterTest, SendsItsNames) {
  OtlpGrpcExporter& exporter = Start({.wait_for_ready = true, .authority = "tempo.example", .user_agent = "edge/1"});
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
  ASSERT_TRUE(backend_.AwaitSpans(1));
  EXPECT_EQ(backend_.metadata().Get("host"), "tempo.example");
  EXPECT_THAT(std::string(backend_.metadata().Get("user-agent")), HasSubstr("edge/1 "));
}

// Scenario: no user_agent.
// Guarantees: the program with its version, in the Collector's form.
TEST_F(OtlpGrpcExporterTest, SaysWhatItIs) {
  OtlpGrpcExporter& exporter = Start({});
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
  ASSERT_TRUE(backend_.AwaitSpans(1));
  EXPECT_THAT(std::string(backend_.metadata().Get("user-agent")), HasSubstr("spanloom/0.1.0 (linux/"));
}

// Scenario: no compression; a batch with a span that was filtered.
// Guarantees: what was dropped is not sent.
TEST_F(OtlpGrpcExporterTest, SendsOnlyWhatIsLeft) {
  OtlpGrpcExporter& exporter = Start({.compression = net::Compression::kNone});
  otlp::Batch batch = BatchOf({"a", "GET", "b"});
  batch.slices()[0].DropIf([](const otlp::SpanContext& context) { return context.span.name() == "GET"; });
  EXPECT_TRUE(Deliver(exporter, batch).ok());
  ASSERT_TRUE(backend_.AwaitSpans(2));
  EXPECT_THAT(backend_.names(), ElementsAre("a", "b"));
}

// Scenario: each compression that can be configured, to a server that takes them all.
// Guarantees: the spans arrive.
TEST_F(OtlpGrpcExporterTest, SendsEachCompression) {
  size_t sent = 0;
  for (const net::Compression compression : net::kGrpcCompressions) {
    OtlpGrpcExporter& exporter = Start({.compression = compression});
    EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
    ASSERT_TRUE(backend_.AwaitSpans(++sent)) << net::ContentEncoding(compression);
    exporter.Stop(20s);
  }
}

// Scenario: the backend asks to come back later, then is well.
// Guarantees: the batch arrives.
TEST_F(OtlpGrpcExporterTest, ComesBackWhenAskedTo) {
  OtlpGrpcExporter& exporter = Start({.retry_on_failure = {.initial_interval = 1ms, .max_interval = 1ms}});
  backend_.AnswerWith(WithRetryDelay(absl::UnavailableError("busy"), 1ms));
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
  ASSERT_TRUE(backend_.AwaitRequests(2));
  backend_.AnswerWith(std::string());
  ASSERT_TRUE(backend_.AwaitSpans(1));
}

// Scenario: the backend rejects one of three spans in a partial success.
// Guarantees: counted as rejected, the others as sent.
TEST_F(OtlpGrpcExporterTest, CountsAPartialSuccess) {
  std::string response;
  otlp::wire::Writer writer(response);
  const auto mark = writer.Begin(1);
  writer.Varint(1, 1);
  writer.Bytes(2, "too long");
  writer.End(mark);
  OtlpGrpcExporter& exporter = Start({});
  backend_.AnswerWith(response);
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a", "b", "c"})).ok());
  ASSERT_TRUE(backend_.AwaitSpans(3));
  exporter.Stop(20s);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans"), 2u);
  EXPECT_EQ(metrics_.Sum("spanloom_exporter_rejected_spans"), 1u);
}

// Scenario: nobody listens; the exporter is stopped.
// Guarantees: the stop ends, and what was queued is counted as undelivered.
TEST_F(OtlpGrpcExporterTest, StopEndsWithoutABackend) {
  OtlpGrpcExporterOptions options{.endpoint = "127.0.0.1:1", .tls = {.insecure = true}};
  OtlpGrpcExporter exporter(ComponentId{"otlp_grpc", ""}, options, context_);
  ASSERT_TRUE(exporter.Start().ok());
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a", "b"})).ok());
  exporter.Stop(10ms);
  // An attempt that was cut off is counted by a task on the exporter's loop.
  for (size_t i = 0; i < loops_.size(); ++i) RunOn(loops_.At(i), [] {});
  EXPECT_EQ(exporter.undelivered_spans(), 2u);
}

// Scenario: endpoints as they stand in files.
// Guarantees: schemes that say nothing about where are stripped; a missing port and nothing at all are refused.
TEST(GrpcTarget, StripsSchemesAndChecksThePort) {
  EXPECT_EQ(*GrpcTarget("jaeger-collector:4317"), "jaeger-collector:4317");
  EXPECT_EQ(*GrpcTarget("http://tempo:4317"), "tempo:4317");
  EXPECT_EQ(*GrpcTarget("https://tempo:4317"), "tempo:4317");
  EXPECT_EQ(*GrpcTarget("dns:///tempo:4317"), "tempo:4317");
  EXPECT_EQ(*GrpcTarget("[::1]:4317"), "[::1]:4317");
  for (const char* endpoint : {"", "x", "http://x", "[::1]", "https://x", "x:"}) {
    EXPECT_EQ(GrpcTarget(endpoint).status().code(), absl::StatusCode::kInvalidArgument) << endpoint;
  }
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<OtlpGrpcExporterOptions>(*config::ParseYaml(yaml, "f"), "exporters::otlp", problems);
  return problems.lines();
}

// Scenario: the options of other Collector files.
// Guarantees: what this version would not do is refused by name.
TEST(OtlpGrpcExporterOptions, RefusesWhatItWouldNotDo) {
  EXPECT_THAT(Problems("endpoint: jaeger-collector:4317\ntls:\n  insecure: true\n"), IsEmpty());
  EXPECT_THAT(Problems(""), ElementsAre(HasSubstr("requires a non-empty \"endpoint\"")));
  EXPECT_THAT(Problems("{endpoint: 'a:1', tls: {cert_file: c}}"),
              ElementsAre(HasSubstr("a certificate needs its key")));
  EXPECT_THAT(Problems("{endpoint: 'a:1', tls: {insecure: true}, compression: zlib}"),
              ElementsAre(HasSubstr("compression: unknown value")));
  EXPECT_THAT(Problems("{endpoint: 'a:1', tls: {insecure: true}, sending_queue: {num_consumers: 0}}"),
              ElementsAre(HasSubstr("exporters::otlp::sending_queue::num_consumers: must be between 1 and 1000")));
  EXPECT_THAT(Problems("{endpoint: 'a:1', keepalive: {time: 30s}, balancer_name: pick_first, wait_for_ready: true}"),
              IsEmpty());
  EXPECT_THAT(Problems("{endpoint: 'a:1', balancer_name: grpclb}"), ElementsAre(HasSubstr("balancer_name")));
  EXPECT_THAT(Problems("{endpoint: 'a:1', headers: {Content-Type: x}}"), ElementsAre(HasSubstr("\"content-type\"")));
}

}  // namespace
}  // namespace spanloom::pipeline
