// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_traces_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/yaml.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

struct Outcome {
  std::optional<sdk::TracingOptions> config;
  std::vector<std::string> problems;
};

Outcome Read(std::string_view yaml) {
  config::Problems problems;
  const auto options = config::ReadOptions<OwnTracesOptions>(*config::ParseYaml(yaml, "f"), "traces", problems);
  return {problems.empty() ? options.Config() : std::nullopt, problems.lines()};
}

otlp::TraceId Half() {
  return *otlp::ParseTraceId("00000000000000018000000000000000");  // sampled by ratios above 0.5
}

// Scenario: the form of the Collector's own documentation, with everything that can be said.
// Guarantees: read as meant.
TEST(OwnTraces, ReadsTheCollectorsForm) {
  const auto [config, problems] = Read(R"(
level: detailed
propagators: [tracecontext, b3]
sampler: {parent_based: {root: {trace_id_ratio_based: {ratio: 0.4}}}}
processors:
  - batch:
      schedule_delay: 250
      max_queue_size: 100
      max_export_batch_size: 10
      export_timeout: 2000
      exporter:
        otlp:
          protocol: http/protobuf
          endpoint: http://tempo:4318/otlp/v1/traces
          headers: [{name: X-Token, value: t}]
)");
  EXPECT_THAT(problems, IsEmpty());
  ASSERT_TRUE(config.has_value());
  EXPECT_FALSE(config->sampler.Samples({}, Half()));
  EXPECT_TRUE(config->propagation.has_w3c && config->propagation.has_b3);
  EXPECT_EQ(config->routes.at(0).batch.delay, std::chrono::milliseconds(250));
  EXPECT_EQ(config->routes.at(0).batch.queue_spans_max, 100u);
  EXPECT_EQ(config->routes.at(0).batch.batch_spans_max, 10u);
  EXPECT_EQ(config->routes.at(0).destination->protocol, sdk::OtlpProtocol::kHttpProtobuf);
  EXPECT_EQ(config->routes.at(0).destination->endpoint, "tempo:4318");
  EXPECT_EQ(config->routes.at(0).destination->path, "/otlp/v1/traces");
  EXPECT_EQ(config->routes.at(0).destination->timeout, std::chrono::seconds(2));
  EXPECT_THAT(config->routes.at(0).destination->headers, ElementsAre(Pair("x-token", "t")));
}

// Scenario: nothing, level none, and a sampler without a destination.
// Guarantees: no spans are made.
TEST(OwnTraces, IsOffWithoutADestination) {
  constexpr std::string_view kBatch = "processors: [{batch: {exporter: {otlp: {endpoint: 'http://a:1'}}}}]\n";
  EXPECT_FALSE(Read("").config.has_value());
  EXPECT_FALSE(Read("sampler: {always_on: }").config.has_value());
  EXPECT_FALSE(Read(StrCat(kBatch, "level: NONE")).config.has_value());
  EXPECT_TRUE(Read(kBatch).config->sampler.Samples({}, Half()));
}

// Scenario: TLS with files, compression, a list of headers and a timeout; then console, b3 alone and the samplers of
// parents that are those by default.
// Guarantees: each is what it says; the shorter of two timeouts holds; a simple processor waits for nothing.
TEST(OwnTraces, ReadsTheWayOut) {
  const auto secure = Read(R"(
processors:
  - simple:
      exporter:
        otlp: {protocol: grpc, endpoint: "https://tempo:4317", certificate: ca.pem, client_certificate: c.pem,
               client_key: k.pem, compression: gzip, headers_list: "X-A=1, x-b = 2=3", timeout: 3000}
)");
  EXPECT_THAT(secure.problems, IsEmpty());
  const sdk::OtlpSenderOptions& destination = secure.config->routes.at(0).destination.value();
  EXPECT_EQ(destination.tls->ca_file, "ca.pem");
  EXPECT_EQ(destination.tls->cert_file, "c.pem");
  EXPECT_EQ(destination.tls->key_file, "k.pem");
  EXPECT_EQ(destination.compression, net::Compression::kGzip);
  EXPECT_EQ(destination.timeout, std::chrono::seconds(3));
  EXPECT_THAT(destination.headers, ElementsAre(Pair("x-a", "1"), Pair("x-b", "2=3")));
  EXPECT_EQ(secure.config->routes.at(0).batch.batch_spans_max, 1u);
  EXPECT_EQ(secure.config->routes.at(0).batch.delay.count(), 0);

  const auto console = Read(R"(
propagators: [b3]
sampler:
  parent_based:
    remote_parent_sampled: {always_on: }
    remote_parent_not_sampled: {always_off: }
    local_parent_sampled: {always_on: }
    local_parent_not_sampled: {always_off: }
processors: [{batch: {exporter: {console: }}}]
)");
  EXPECT_THAT(console.problems, IsEmpty());
  EXPECT_FALSE(console.config->routes.at(0).destination.has_value());
  EXPECT_TRUE(console.config->propagation.has_b3);
  EXPECT_FALSE(console.config->propagation.has_w3c);

  const auto bare = [](std::string_view otlp) {
    return *Read(StrCat("processors: [{batch: {exporter: {otlp: {", otlp, "}}}}]")).config->routes.at(0).destination;
  };
  EXPECT_TRUE(bare("endpoint: 'a:1'").tls.has_value());
  EXPECT_FALSE(bare("endpoint: 'a:1', insecure: true").tls.has_value());
  EXPECT_FALSE(bare("endpoint: 'http://a:1'").tls.has_value());
  EXPECT_EQ(bare("endpoint: 'http://a:1'").timeout, std::chrono::seconds(10));
}

// Scenario: a batch processor to one place and a simple one to standard output.
// Guarantees: both are there, in order, each with its own settings.
TEST(OwnTraces, GoesToSeveralPlaces) {
  const auto [config, problems] = Read(R"(
processors:
  - batch: {max_queue_size: 100, max_export_batch_size: 10, exporter: {otlp: {endpoint: "http://a:1"}}}
  - simple: {exporter: {console: }}
)");
  EXPECT_THAT(problems, IsEmpty());
  ASSERT_EQ(config->routes.size(), 2u);
  EXPECT_EQ(config->routes[0].destination->endpoint, "a:1");
  EXPECT_EQ(config->routes[0].batch.batch_spans_max, 10u);
  EXPECT_FALSE(config->routes[1].destination.has_value());
  EXPECT_EQ(config->routes[1].batch.batch_spans_max, 1u);
}

// Scenario: what can't be done, each in the place where it stands.
// Guarantees: refused by name.
TEST(OwnTraces, RefusesWhatItWouldNotDo) {
  const auto refusal = [](std::string_view otlp) {
    return Read(StrCat("processors: [{batch: {exporter: {otlp: {", otlp, "}}}}]")).problems;
  };
  EXPECT_THAT(refusal("endpoint: 'https://a:1', insecure: true"), ElementsAre(HasSubstr("insecure must not")));
  EXPECT_THAT(refusal("endpoint: 'http://a:1', certificate: x"), ElementsAre(HasSubstr("certificate is for TLS")));
  EXPECT_THAT(refusal("endpoint: 'https://a:1', client_key: x"), ElementsAre(HasSubstr("given together")));
  EXPECT_THAT(refusal("endpoint: 'http://a:1', headers_list: x"), ElementsAre(HasSubstr("NAME=VALUE")));
  EXPECT_THAT(refusal("endpoint: 'http://a:1', compression: zstd"), ElementsAre(HasSubstr("(valid: none, gzip")));
  EXPECT_THAT(refusal(""), ElementsAre(HasSubstr("endpoint must be http://HOST:PORT")));
  EXPECT_THAT(refusal("endpoint: 'http://a:1', protocol: http/json"), ElementsAre(HasSubstr("(valid: grpc")));
  EXPECT_THAT(Read("processors: [{batch: {}}]").problems, ElementsAre(HasSubstr("must have one exporter")));
  EXPECT_THAT(Read("processors: [{simple: {}}]").problems, ElementsAre(HasSubstr("must have one exporter")));
  EXPECT_THAT(Read("processors: [{}]").problems, ElementsAre(HasSubstr("(valid: batch, simple)")));
  EXPECT_THAT(Read("propagators: [tracecontext, jaeger]").problems,
              ElementsAre(HasSubstr("traces::propagators::1: unsupported propagator \"jaeger\"")));
  EXPECT_THAT(Read("sampler: {parent_based: {remote_parent_sampled: {always_off: }}}").problems,
              ElementsAre(HasSubstr("remote_parent_sampled may only be always_on")));
  EXPECT_THAT(Read("sampler: {parent_based: {local_parent_not_sampled: {always_on: }}}").problems,
              ElementsAre(HasSubstr("local_parent_not_sampled may only be always_off")));
  EXPECT_THAT(Read("sampler: {parent_based: , always_off: }").problems, ElementsAre(HasSubstr("must have one of")));
  EXPECT_THAT(Read("sampler: {trace_id_ratio_based: {ratio: 2}}").problems, ElementsAre(HasSubstr("between 0 and 1")));
  EXPECT_THAT(Read("level: most").problems, ElementsAre(HasSubstr("level must be one of none")));
}

}  // namespace
}  // namespace spanloom::pipeline
