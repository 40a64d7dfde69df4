// SPDX-License-Identifier: Apache-2.0

#include "sdk/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace spanloom::sdk {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

using Environment = std::map<std::string, std::string>;

StatusOr<EnvironmentReading> Read(const Environment& environment) {
  return ReadEnvironment({.name = "proxy", .version = "1.2"},
                         [&](const std::string& name) -> std::optional<std::string> {
                           const auto found = environment.find(name);
                           if (found == environment.end()) return std::nullopt;
                           return found->second;
                         });
}

// The reading of an environment without an error.
EnvironmentReading Get(const Environment& environment) {
  StatusOr<EnvironmentReading> reading = Read(environment);
  EXPECT_TRUE(reading.ok()) << reading.status();
  return reading.ok() ? *std::move(reading) : EnvironmentReading();
}

std::string ErrorOf(const Environment& environment) {
  const Status status = Read(environment).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

// True for the decision about the trace id with low 64 bits 0x8000000000000000 (half way) and no parent.
bool SamplesTheMiddle(const EnvironmentReading& reading) {
  return reading.tracing.sampler.Samples({}, *otlp::ParseTraceId("00000000000000018000000000000000"));
}

// Scenario: nothing is set; everything is set to nothing.
// Guarantees: the defaults of the manual, without a warning.
TEST(Environment, HasDefaults) {
  for (const Environment& environment : {Environment(), Environment{{"OTEL_TRACES_SAMPLER", ""},
                                                                    {"OTEL_TRACES_EXPORTER", " "},
                                                                    {"OTEL_PROPAGATORS", ""},
                                                                    {"OTEL_SDK_DISABLED", ""},
                                                                    {"OTEL_BSP_MAX_QUEUE_SIZE", ""},
                                                                    {"OTEL_EXPORTER_OTLP_ENDPOINT", ""},
                                                                    {"OTEL_RESOURCE_ATTRIBUTES", ""}}}) {
    const EnvironmentReading reading = Get(environment);
    EXPECT_THAT(reading.warnings, IsEmpty());
    const TracingOptions& tracing = reading.tracing;
    EXPECT_TRUE(tracing.is_on);
    EXPECT_TRUE(SamplesTheMiddle(reading));
    EXPECT_TRUE(tracing.propagation.has_w3c && tracing.propagation.has_baggage && !tracing.propagation.has_b3);
    ASSERT_TRUE(tracing.routes.at(0).destination.has_value());
    EXPECT_EQ(tracing.routes.at(0).destination->protocol, OtlpProtocol::kGrpc);
    EXPECT_EQ(tracing.routes.at(0).destination->endpoint, "localhost:4317");
    EXPECT_FALSE(tracing.routes.at(0).destination->tls.has_value());
    EXPECT_EQ(tracing.routes.at(0).destination->timeout, 10s);
    EXPECT_EQ(tracing.routes.at(0).destination->compression, net::Compression::kNone);
    EXPECT_EQ(tracing.routes.at(0).batch.queue_spans_max, 2'048u);
    EXPECT_EQ(tracing.routes.at(0).batch.batch_spans_max, 512u);
    EXPECT_EQ(tracing.routes.at(0).batch.delay, 5s);
    EXPECT_EQ(tracing.routes.at(0).batch.retry_max, 30s);
    EXPECT_EQ(tracing.limits.attributes, 128u);
    EXPECT_GT(tracing.limits.text_length, 1'000'000'000u);
    EXPECT_THAT(reading.resource,
                ElementsAre(Pair("service.name", "proxy"), Pair("service.version", "1.2"),
                            Pair("telemetry.sdk.language", "cpp"), Pair("telemetry.sdk.name", "spanloom"),
                            Pair("telemetry.sdk.version", "1.2")));
  }
}

// Scenario: a resource with escapes, spaces, a name twice, an empty value and equal signs; with and without
// OTEL_SERVICE_NAME.
// Guarantees: as the specification has it; the service name of its own variable goes before.
TEST(Environment, ReadsTheResource) {
  const std::string attributes = "k8s.pod.name=a%2Cb%20c, service.name = list ,x=1,x=a=b,service.version=,";
  EXPECT_THAT(Get({{"OTEL_RESOURCE_ATTRIBUTES", attributes}}).resource,
              AllOf(Contains(Pair("k8s.pod.name", "a,b c")), Contains(Pair("service.name", "list")),
                    Contains(Pair("x", "a=b")), Not(Contains(Pair("service.version", testing::_)))));
  EXPECT_THAT(Get({{"OTEL_RESOURCE_ATTRIBUTES", attributes}, {"OTEL_SERVICE_NAME", "own"}}).resource,
              Contains(Pair("service.name", "own")));
}

// Scenario: resources with a malformed item.
// Guarantees: none of it counts, with a warning that names the variable and not what is in it.
TEST(Environment, LeavesOutAResourceThatCannotBeRead) {
  for (const char* attributes : {"a=1,secret", "a=1,=secret", "a=secret%2", "a=secret%zz", "a=secret%FF"}) {
    const EnvironmentReading reading = Get({{"OTEL_RESOURCE_ATTRIBUTES", attributes}});
    EXPECT_THAT(reading.warnings, ElementsAre(AllOf(HasSubstr("OTEL_RESOURCE_ATTRIBUTES"), Not(HasSubstr("secret")))))
        << attributes;
    EXPECT_THAT(reading.resource, SizeIs(5)) << attributes;
  }
}

// Scenario: each sampler, in other cases too; ratios that are none; a ratio for a sampler without one.
// Guarantees: what the specification says: a bad ratio is a warning and records everything.
TEST(Environment, ChoosesTheSampler) {
  EXPECT_FALSE(SamplesTheMiddle(Get({{"OTEL_TRACES_SAMPLER", "always_off"}})));
  EXPECT_FALSE(SamplesTheMiddle(Get({{"OTEL_TRACES_SAMPLER", "TraceIdRatio"}, {"OTEL_TRACES_SAMPLER_ARG", " 0.4 "}})));
  EXPECT_TRUE(
      SamplesTheMiddle(Get({{"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "0.6"}})));
  for (const char* ratio : {"many", "1.5", "-1", "nan"}) {
    const EnvironmentReading reading =
        Get({{"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", ratio}});
    EXPECT_TRUE(SamplesTheMiddle(reading)) << ratio;
    EXPECT_THAT(reading.warnings, ElementsAre(AllOf(HasSubstr("OTEL_TRACES_SAMPLER_ARG"), HasSubstr(ratio))));
  }
  EXPECT_THAT(Get({{"OTEL_TRACES_SAMPLER_ARG", "0.1"}}).warnings, ElementsAre(HasSubstr("is not used")));
}

// Scenario: names that are not known, of everything that is chosen by name.
// Guarantees: an error that names the variable, the value and what is allowed.
TEST(Environment, RefusesNamesThatItDoesNotKnow) {
  for (const auto& [variable, allowed] : Environment{{"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
                                                     {"OTEL_TRACES_EXPORTER", "otlp, console, none"},
                                                     {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc, http/protobuf"},
                                                     {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc, http/protobuf"},
                                                     {"OTEL_EXPORTER_OTLP_COMPRESSION", "none, gzip"},
                                                     {"OTEL_PROPAGATORS", "tracecontext, baggage, b3, b3multi"}}) {
    EXPECT_THAT(ErrorOf({{variable, "jaeger"}}), AllOf(HasSubstr(variable), HasSubstr("jaeger"), HasSubstr(allowed)));
  }
}

// Scenario: numbers and truths that are none, or out of range.
// Guarantees: a warning for each that names the variable and the value, and the default.
TEST(Environment, WarnsOfNumbersThatItCannotRead) {
  const EnvironmentReading reading = Get({{"OTEL_BSP_MAX_QUEUE_SIZE", "many"},
                                          {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"},
                                          {"OTEL_BSP_SCHEDULE_DELAY", "-1"},
                                          {"OTEL_BSP_EXPORT_TIMEOUT", "1s"},
                                          {"OTEL_EXPORTER_OTLP_TIMEOUT", "99999999999"},
                                          {"OTEL_SPAN_EVENT_COUNT_LIMIT", "1.5"},
                                          {"OTEL_SDK_DISABLED", "1"}});
  EXPECT_THAT(reading.warnings, SizeIs(7));
  EXPECT_THAT(reading.warnings, Each(HasSubstr("got \"")));
  EXPECT_TRUE(reading.tracing.is_on);
  EXPECT_EQ(reading.tracing.routes.at(0).batch.queue_spans_max, 2'048u);
  EXPECT_EQ(reading.tracing.routes.at(0).batch.batch_spans_max, 512u);
  EXPECT_EQ(reading.tracing.routes.at(0).batch.delay, 5s);
  EXPECT_EQ(reading.tracing.routes.at(0).batch.retry_max, 30s);
  EXPECT_EQ(reading.tracing.routes.at(0).destination->timeout, 10s);
  EXPECT_EQ(reading.tracing.limits.events, 128u);
}

// Scenario: batch variables, with a queue that is smaller than a batch.
// Guarantees: they are taken; a batch is no larger than the queue, with a warning only if it was asked to be.
TEST(Environment, ReadsTheBatch) {
  const BatchExporterOptions batch = Get({{"OTEL_BSP_MAX_QUEUE_SIZE", "4096"},
                                          {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100"},
                                          {"OTEL_BSP_SCHEDULE_DELAY", "0"},
                                          {"OTEL_BSP_EXPORT_TIMEOUT", "2500"}})
                                         .tracing.routes.at(0)
                                         .batch;
  EXPECT_EQ(batch.queue_spans_max, 4'096u);
  EXPECT_EQ(batch.batch_spans_max, 100u);
  EXPECT_EQ(batch.delay, 0s);
  EXPECT_EQ(batch.retry_max, 2'500ms);
  const EnvironmentReading silent = Get({{"OTEL_BSP_MAX_QUEUE_SIZE", "10"}});
  EXPECT_EQ(silent.tracing.routes.at(0).batch.batch_spans_max, 10u);
  EXPECT_THAT(silent.warnings, IsEmpty());
  EXPECT_THAT(Get({{"OTEL_BSP_MAX_QUEUE_SIZE", "10"}, {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "11"}}).warnings, SizeIs(1));
}

// Scenario: general limits, and ones of spans, events and links beside them.
// Guarantees: the special one goes before the general one; lengths of events and links go by the general one alone.
TEST(Environment, ReadsTheLimits) {
  const SpanLimits general =
      Get({{"OTEL_ATTRIBUTE_COUNT_LIMIT", "7"}, {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "0"}}).tracing.limits;
  EXPECT_EQ(general.attributes, 7u);
  EXPECT_EQ(general.event_attributes, 7u);
  EXPECT_EQ(general.link_attributes, 7u);
  EXPECT_EQ(general.text_length, 0u);
  EXPECT_EQ(general.other_text_length, 0u);
  const SpanLimits special = Get({{"OTEL_ATTRIBUTE_COUNT_LIMIT", "7"},
                                  {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1"},
                                  {"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "2"},
                                  {"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "3"},
                                  {"OTEL_SPAN_EVENT_COUNT_LIMIT", "4"},
                                  {"OTEL_SPAN_LINK_COUNT_LIMIT", "5"},
                                  {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "20"},
                                  {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "10"}})
                                 .tracing.limits;
  EXPECT_EQ(special.attributes, 1u);
  EXPECT_EQ(special.event_attributes, 2u);
  EXPECT_EQ(special.link_attributes, 3u);
  EXPECT_EQ(special.events, 4u);
  EXPECT_EQ(special.links, 5u);
  EXPECT_EQ(special.text_length, 10u);
  EXPECT_EQ(special.other_text_length, 20u);
}

// Scenario: tracing is switched off either way, with variables of the sender that are wrong, and propagators.
// Guarantees: it is off; what it does not need harms nobody, and the propagators hold.
TEST(Environment, IsSwitchedOff) {
  for (const Environment& off : {Environment{{"OTEL_SDK_DISABLED", "TRUE"}, {"OTEL_TRACES_SAMPLER", "x"}},
                                 Environment{{"OTEL_TRACES_EXPORTER", "None"}}}) {
    Environment environment = off;
    environment.emplace("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense://");
    environment.emplace("OTEL_PROPAGATORS", "b3multi, baggage");
    const TracingOptions tracing = Get(environment).tracing;
    EXPECT_FALSE(tracing.is_on);
    EXPECT_TRUE(tracing.propagation.has_b3_multi && tracing.propagation.has_baggage && !tracing.propagation.has_w3c);
  }
  const EnvironmentReading console = Get({{"OTEL_TRACES_EXPORTER", "console"}, {"OTEL_PROPAGATORS", "none"}});
  EXPECT_TRUE(console.tracing.is_on);
  EXPECT_FALSE(console.tracing.routes.at(0).destination.has_value());
  EXPECT_FALSE(console.tracing.propagation.has_w3c || console.tracing.propagation.has_baggage);
}

}  // namespace
}  // namespace spanloom::sdk
