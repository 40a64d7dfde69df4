// SPDX-License-Identifier: Apache-2.0

#include "sdk/otlp_variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>

namespace spanloom::sdk {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

constexpr const char* kEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
constexpr const char* kTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
constexpr const char* kProtocol = "OTEL_EXPORTER_OTLP_PROTOCOL";

using Environment = std::map<std::string, std::string>;

struct Reading {
  StatusOr<OtlpSenderOptions> options = absl::UnknownError("");
  std::vector<std::string> warnings = {};
};

Reading Read(const Environment& environment) {
  Variables variables([&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  });
  Reading reading;
  reading.options = ReadOtlpVariables(variables);
  reading.warnings = variables.warnings();
  return reading;
}

// "https://host:4318/v1/traces"; the path is there with HTTP alone.
std::string Destination(const Environment& environment) {
  const Reading reading = Read(environment);
  if (!reading.options.ok()) return std::string(reading.options.status().message());
  return (reading.options->tls ? "https://" : "http://") + reading.options->endpoint + reading.options->path;
}

// Scenario: endpoints of gRPC with and without scheme, port, path; INSECURE beside them, general and of traces.
// Guarantees: http and https decide alone; elsewhere TLS is used unless INSECURE says otherwise. The one of traces goes
// before the general one.
TEST(OtlpVariables, ReadsEndpointsOfGrpc) {
  const std::string insecure = "OTEL_EXPORTER_OTLP_INSECURE";
  const std::string traces_insecure = "OTEL_EXPORTER_OTLP_TRACES_INSECURE";
  EXPECT_EQ(Destination({}), "http://localhost:4317");
  EXPECT_EQ(Destination({{kEndpoint, "http://otel-collector:4317"}}), "http://otel-collector:4317");
  EXPECT_EQ(Destination({{kEndpoint, "HTTPS://otel-collector:4317/"}}), "https://otel-collector:4317");
  EXPECT_EQ(Destination({{kEndpoint, "http://c:4317"}, {insecure, "false"}}), "http://c:4317");
  EXPECT_EQ(Destination({{kEndpoint, "https://c:4317"}, {insecure, "true"}}), "https://c:4317");
  EXPECT_EQ(Destination({{kEndpoint, "otel-collector:4317"}}), "https://otel-collector:4317");
  EXPECT_EQ(Destination({{kEndpoint, "otel-collector:4317"}, {insecure, "True"}}), "http://otel-collector:4317");
  EXPECT_EQ(Destination({{kEndpoint, "grpc://c:4317"}, {insecure, "true"}}), "http://c:4317");
  EXPECT_EQ(Destination({{kEndpoint, "c:1"}, {insecure, "true"}, {traces_insecure, "false"}}), "https://c:1");
  EXPECT_EQ(Destination({{kEndpoint, "http://general:1"}, {kTracesEndpoint, "http://traces:2"}}), "http://traces:2");
  EXPECT_EQ(Destination({{kEndpoint, "http://[::1]:4317"}}), "http://[::1]:4317");
}

// Scenario: endpoints of HTTP, general and of traces, with and without a path.
// Guarantees: the general one is where /v1/traces begins; that of traces is used as it is.
TEST(OtlpVariables, ReadsEndpointsOfHttp) {
  const auto read = [](const char* variable, const char* endpoint) {
    return Destination({{kProtocol, "HTTP/protobuf"}, {variable, endpoint}});
  };
  EXPECT_EQ(Destination({{kProtocol, "http/protobuf"}}), "http://localhost:4318/v1/traces");
  EXPECT_EQ(read(kEndpoint, "http://c:4318"), "http://c:4318/v1/traces");
  EXPECT_EQ(read(kEndpoint, "https://c/base/"), "https://c:443/base/v1/traces");
  EXPECT_EQ(read(kEndpoint, "http://c:4318/base"), "http://c:4318/base/v1/traces");
  EXPECT_EQ(read(kTracesEndpoint, "http://c:4318/v1/traces"), "http://c:4318/v1/traces");
  EXPECT_EQ(read(kTracesEndpoint, "http://c:4318/own"), "http://c:4318/own");
  EXPECT_EQ(read(kTracesEndpoint, "http://c:4318"), "http://c:4318/");
  EXPECT_EQ(Destination({{kProtocol, "grpc"}, {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"}}),
            "http://localhost:4318/v1/traces");
}

// Scenario: endpoints that are none, one with a password.
// Guarantees: an error that names the variable, without the password.
TEST(OtlpVariables, RefusesEndpointsThatAreNone) {
  for (const char* endpoint : {"http://", "ftp://c:1", "c:port", "http://c:99999", "http://u:secret@c:1", "a b:1"}) {
    for (const char* protocol : {"grpc", "http/protobuf"}) {
      const Reading reading = Read({{kProtocol, protocol}, {kTracesEndpoint, endpoint}});
      EXPECT_EQ(reading.options.status().code(), absl::StatusCode::kInvalidArgument) << endpoint << protocol;
      EXPECT_THAT(std::string(reading.options.status().message()),
                  AllOf(HasSubstr(kTracesEndpoint), Not(HasSubstr("secret"))));
    }
  }
  EXPECT_THAT(Destination({{kProtocol, "http/protobuf"}, {kEndpoint, "c:4318"}}), HasSubstr("http://HOST"));
}

// Scenario: what is allowed and looks like a mistake; and what does not.
// Guarantees: one warning each, that says what to write; none elsewhere.
TEST(OtlpVariables, WarnsOfWhatLooksLikeAMistake) {
  EXPECT_THAT(Read({{kEndpoint, "c:4317"}}).warnings, ElementsAre(HasSubstr("http://c:4317")));
  EXPECT_THAT(Read({{kEndpoint, "http://c:4318"}}).warnings, ElementsAre(HasSubstr("usual port of http/protobuf")));
  EXPECT_THAT(Read({{kProtocol, "http/protobuf"}, {kEndpoint, "http://c:4317"}}).warnings,
              ElementsAre(HasSubstr("usual port of grpc")));
  EXPECT_THAT(Read({{kEndpoint, "http://c:1/v1/traces"}}).warnings, ElementsAre(HasSubstr("path")));
  EXPECT_THAT(Read({{kEndpoint, "http://c:1"}, {"OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem"}}).warnings,
              ElementsAre(HasSubstr("is not used")));
  EXPECT_THAT(Read({{kEndpoint, "https://c:4317"}}).warnings, IsEmpty());
  EXPECT_THAT(Read({{kEndpoint, "c:4317"}, {"OTEL_EXPORTER_OTLP_INSECURE", "true"}}).warnings, IsEmpty());
}

// Scenario: headers with escapes, spaces and equal signs, general and of traces.
// Guarantees: decoded, names in lower case; those of traces stand in for the general ones.
TEST(OtlpVariables, ReadsHeaders) {
  const std::string general = "OTEL_EXPORTER_OTLP_HEADERS";
  const std::string traces = "OTEL_EXPORTER_OTLP_TRACES_HEADERS";
  EXPECT_THAT(Read({{general, "Authorization=Basic%20dTpw==, x-tenant = a b,"}}).options->headers,
              ElementsAre(Pair("authorization", "Basic dTpw=="), Pair("x-tenant", "a b")));
  EXPECT_THAT(Read({{general, "a=1"}, {traces, "b=2"}}).options->headers, ElementsAre(Pair("b", "2")));
  for (const char* bad : {"secret", "a=1,secret", "a b=secret", "a=secret%0D%0Ax", "a=secret%", "=secret"}) {
    const Status status = Read({{general, bad}}).options.status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(general), Not(HasSubstr("secret"))));
  }
}

// Scenario: certificates, general and of traces; a key without its certificate.
// Guarantees: they are the TLS options' files; half a pair is an error that names both variables.
TEST(OtlpVariables, ReadsCertificates) {
  const Environment environment = {{kEndpoint, "https://c:4317"},
                                   {"OTEL_EXPORTER_OTLP_CERTIFICATE", "general.pem"},
                                   {"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "traces.pem"},
                                   {"OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem"},
                                   {"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "client.pem"}};
  const Reading reading = Read(environment);
  ASSERT_TRUE(reading.options.ok()) << reading.options.status();
  ASSERT_TRUE(reading.options->tls.has_value());
  EXPECT_EQ(reading.options->tls->ca_file, "traces.pem");
  EXPECT_EQ(reading.options->tls->key_file, "key.pem");
  EXPECT_EQ(reading.options->tls->cert_file, "client.pem");
  Environment half = environment;
  half.erase("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE");
  EXPECT_THAT(std::string(Read(half).options.status().message()),
              AllOf(HasSubstr("CLIENT_CERTIFICATE"), HasSubstr("CLIENT_KEY")));
}

// Scenario: time-outs and compressions.
// Guarantees: milliseconds; 0 is as long as there is; that of traces goes before.
TEST(OtlpVariables, ReadsTimeoutAndCompression) {
  const std::string general = "OTEL_EXPORTER_OTLP_TIMEOUT";
  EXPECT_EQ(Read({{general, "2500"}}).options->timeout, 2'500ms);
  EXPECT_EQ(Read({{general, "0"}}).options->timeout, 1h);
  EXPECT_EQ(Read({{general, "1"}, {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "7"}}).options->timeout, 7ms);
  EXPECT_EQ(Read({{"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"}}).options->compression, net::Compression::kGzip);
  EXPECT_EQ(Read({{"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"}, {"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none"}})
                .options->compression,
            net::Compression::kNone);
}

}  // namespace
}  // namespace spanloom::sdk
