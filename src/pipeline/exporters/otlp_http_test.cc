// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/otlp_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "net/loop_call.h"
#include "pipeline/testing/fake_backend.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class OtlpHttpExporterTest : public testing::Test {
 protected:
  OtlpHttpExporter& Start(OtlpHttpExporterOptions options) {
    options.endpoint = "http://" + backend_.endpoint() + options.endpoint;
    exporter_ = std::make_unique<OtlpHttpExporter>(ComponentId{"otlp_http", "tempo"}, std::move(options), context_);
    EXPECT_TRUE(exporter_->Start().ok());
    return *exporter_;
  }

  net::LoopPool loops_{2};
  MetricRegistry metrics_;
  const BuildContext context_{
      .loops = loops_, .metrics = metrics_, .clock = Clock::System(), .seed = 1, .build = "spanloom 0.1.0\ncommit x\n"};
  FakeBackend backend_{loops_, metrics_};
  std::unique_ptr<OtlpHttpExporter> exporter_;
};

// Scenario: a batch of two requests goes to a real server below a path, compressed as by default.
// Guarantees: every span arrives, with the headers that were configured, and is counted by where it went.
TEST_F(OtlpHttpExporterTest, SendsBatchesWithHeaders) {
  OtlpHttpExporter& exporter = Start({.endpoint = "/tempo/", .headers = {{"X-Tenant", "llm"}}});
  otlp::Batch batch = BatchOf({"a", "b"});
  batch.Add(BatchOf({"c"}));
  EXPECT_TRUE(Deliver(exporter, batch).ok());
  ASSERT_TRUE(backend_.AwaitSpans(3));
  EXPECT_THAT(backend_.names(), ElementsAre("a", "b", "c"));
  const net::HttpRequest request = backend_.http_request();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/tempo/v1/traces");
  EXPECT_EQ(request.headers.Get("x-tenant"), "llm");
  EXPECT_THAT(std::string(request.headers.Get("user-agent")), StartsWith("spanloom/0.1.0 (linux/"));
  EXPECT_EQ(request.headers.Get("content-type"), "application/x-protobuf");
  exporter.Stop(20s);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans", {{"exporter", "otlp_http/tempo"}}), 3u);
  const std::string port = backend_.endpoint().substr(backend_.endpoint().rfind(':') + 1);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans",
                         {{"server_address", "127.0.0.1"}, {"server_port", port}, {"url_path", "/tempo/v1/traces"}}),
            3u);
}

// Scenario: JSON, not compressed, and JSON deflated.
// Guarantees: the spans arrive.
TEST_F(OtlpHttpExporterTest, SendsJson) {
  for (const net::Compression compression : {net::Compression::kNone, net::Compression::kDeflate}) {
    OtlpHttpExporter& exporter = Start({.compression = compression, .encoding = RequestEncoding::kJson});
    EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
    exporter.Stop(20s);
    EXPECT_EQ(backend_.http_request().headers.Get("content-type"), "application/json");
  }
  EXPECT_THAT(backend_.names(), ElementsAre("a", "a"));
}

// Scenario: each compression that can be configured, to a server that takes them all.
// Guarantees: the spans arrive, and the request says which it is.
TEST_F(OtlpHttpExporterTest, SendsEachCompression) {
  size_t sent = 0;
  for (const char* name : {"gzip", "zstd", "snappy", "x-snappy-framed", "zlib", "deflate", "lz4"}) {
    OtlpHttpExporter& exporter = Start({.compression = *net::ParseCompression(name)});
    EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
    ASSERT_TRUE(backend_.AwaitSpans(++sent)) << name;
    EXPECT_EQ(backend_.http_request().headers.Get("content-encoding"), name);
    exporter.Stop(20s);
  }
}

// Scenario: a proxy that is named by the environment, and one by proxy_url; each is a server that takes what comes.
// Guarantees: requests for a name that nobody knows arrive there; the variable does not count for this machine.
TEST_F(OtlpHttpExporterTest, GoesThroughAProxy) {
  const net::ProxyRules rules({.http_proxy = backend_.endpoint(), .https_proxy = "", .no_proxy = ""});
  const BuildContext proxied{
      .loops = loops_, .metrics = metrics_, .clock = Clock::System(), .seed = 1, .proxies = rules};
  const std::string by_url = StrCat("http://", backend_.endpoint());
  size_t sent = 0;
  for (const auto& [context, proxy_url] : {std::pair(&proxied, std::string()), std::pair(&context_, by_url)}) {
    OtlpHttpExporterOptions options{.endpoint = "http://tempo.invalid", .proxy_url = proxy_url};
    exporter_ = std::make_unique<OtlpHttpExporter>(ComponentId{"otlp_http", "far"}, std::move(options), *context);
    ASSERT_TRUE(exporter_->Start().ok());
    EXPECT_TRUE(Deliver(*exporter_, BatchOf({"a"})).ok());
    ASSERT_TRUE(backend_.AwaitSpans(++sent));
    exporter_->Stop(20s);
  }
}

// Scenario: the backend asks to come back later, then is well; then it finds the data bad.
// Guarantees: the first batch arrives; the second is given up at once, counted.
TEST_F(OtlpHttpExporterTest, ComesBackWhenThatHelps) {
  OtlpHttpExporter& exporter = Start({.retry_on_failure = {.initial_interval = 1ms, .max_interval = 1ms}});
  net::HttpResponse busy{.status = 503, .headers = {}, .body = {}};
  busy.headers.Add("retry-after", "0");
  backend_.AnswerHttpWith(busy);
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
  ASSERT_TRUE(backend_.AwaitRequests(2));
  backend_.AnswerHttpWith({});
  ASSERT_TRUE(backend_.AwaitSpans(1));
  backend_.AnswerHttpWith(net::TextResponse(400, "bad data"));
  EXPECT_TRUE(Deliver(exporter, BatchOf({"b"})).ok());
  exporter.Stop(20s);
  EXPECT_THAT(backend_.names(), ElementsAre("a"));
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans", {{"cause", "InvalidArgument"}}), 1u);
}

// Scenario: a backend that takes it, and says in JSON that it rejected one span.
// Guarantees: counted as rejected, the others as sent.
TEST_F(OtlpHttpExporterTest, CountsAPartialSuccess) {
  OtlpHttpExporter& exporter = Start({});
  net::HttpResponse partial;
  partial.headers.Add("content-type", "application/json");
  partial.body = Bytes(std::string(R"({"partialSuccess":{"rejectedSpans":"1","errorMessage":"late"}})"));
  backend_.AnswerHttpWith(partial);
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a", "b", "c"})).ok());
  exporter.Stop(20s);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans"), 2u);
  EXPECT_EQ(metrics_.Sum("spanloom_exporter_rejected_spans"), 1u);
}

// Scenario: a backend whose limit is passed, in the words of a proxy.
// Guarantees: the batch is sent in parts, which the backend would take; here it never does, so each span is dropped
// with that cause.
TEST_F(OtlpHttpExporterTest, SendsInPartsWhatIsTooLarge) {
  OtlpHttpExporter& exporter = Start({});
  backend_.AnswerHttpWith(net::TextResponse(413, "<html>413 Request Entity Too Large</html>"));
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a", "b"})).ok());
  exporter.Stop(20s);
  EXPECT_EQ(backend_.requests(), 3u);
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans", {{"cause", "too_large"}}), 2u);
}

HttpTarget Target(OtlpHttpExporterOptions options) {
  return *TargetOf(options, otlp::Signal::kTraces);
}

// Scenario: URLs as they stand in files.
// Guarantees: host, port and path as a browser reads them.
TEST(HttpTarget, ReadsUrls) {
  EXPECT_EQ(Target({.endpoint = "http://tempo:4318"}).endpoint, "tempo:4318");
  EXPECT_EQ(Target({.endpoint = "http://tempo:4318"}).path, "/v1/traces");
  EXPECT_EQ(Target({.endpoint = "http://tempo:4318/"}).path, "/v1/traces");
  EXPECT_EQ(Target({.endpoint = "https://otlp.example/otlp"}).endpoint, "otlp.example:443");
  EXPECT_EQ(Target({.endpoint = "https://otlp.example/otlp"}).path, "/otlp/v1/traces");
  EXPECT_TRUE(Target({.endpoint = "https://otlp.example"}).is_secure);
  EXPECT_EQ(Target({.endpoint = "http://[::1]"}).endpoint, "[::1]:80");
  EXPECT_EQ(Target({.endpoint = "http://a:1", .traces_endpoint = "http://b:2/x?k=v"}).path, "/x?k=v");
  EXPECT_EQ(Target({.traces_endpoint = "http://b:2"}).path, "/");
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<OtlpHttpExporterOptions>(*config::ParseYaml(yaml, "f"), "exporters::otlp_http", problems);
  return problems.lines();
}

// Scenario: the options of other Collector files.
// Guarantees: what this version would not do is refused by name.
TEST(OtlpHttpExporterOptions, RefusesWhatItWouldNotDo) {
  EXPECT_THAT(Problems("endpoint: http://a:1"), IsEmpty());
  EXPECT_THAT(Problems(""), ElementsAre(HasSubstr("at least one endpoint must be specified")));
  EXPECT_THAT(Problems("endpoint: a:1"), ElementsAre(HasSubstr("\"a:1\" is no URL; write http://HOST:PORT")));
  EXPECT_THAT(Problems("{endpoint: 'http://a:1', compression: brotli}"), ElementsAre(HasSubstr("unknown value")));
  EXPECT_THAT(Problems("{endpoint: 'http://a:1', proxy_url: 'socks5://p:1'}"), ElementsAre(HasSubstr("proxy_url")));
  EXPECT_THAT(Problems("{endpoint: 'http://a:1', compression: lz4, compression_params: {level: 1}}"),
              ElementsAre(HasSubstr("compression_params")));
  EXPECT_THAT(Problems("{endpoint: 'http://a:1', proxy_url: 'http://p:1', compression_params: {level: 9}}"), IsEmpty());
}

}  // namespace
}  // namespace spanloom::pipeline
