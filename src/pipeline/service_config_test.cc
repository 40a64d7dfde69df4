// SPDX-License-Identifier: Apache-2.0

#include "pipeline/service_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "base/testing/test_data.h"
#include "base/text.h"
#include "config/load.h"
#include "config/yaml.h"
#include "otlp/testing/recorded_requests.h"
#include "pipeline/testing/all_components.h"
#include "pipeline/testing/fake_store.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const config::ExpansionSources kNoEnvironment = {
    .environment = [](const std::string&) -> std::optional<std::string> { return std::nullopt; },
    .read_file = nullptr,
};

StatusOr<ServiceConfig> Parse(const std::string& yaml) {
  FakeStore store;
  const std::vector<config::ConfigText> texts = {{"config.yaml", yaml}};
  ASSIGN_OR_RETURN(const config::Expansion loaded, config::Load(texts, {}, kNoEnvironment));
  return ParseServiceConfig(loaded.node, AllComponents(store));
}

std::string Refusal(const std::string& yaml) {
  const auto config = Parse(yaml);
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << yaml;
  return std::string(config.status().message());
}

// A valid configuration with `extra` sections (and overrides) in front.
std::string With(const std::string& components, const std::string& service = "") {
  return StrCat(
      "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\n", components,
      service.empty() ? "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n" : service);
}

// What the Collector was asked about in tests/data/collector/config_cases.txt, by the names of the cases there.
const std::map<std::string, std::string> kCollectorCases = {
    {"empty file", ""},
    {"not yaml", "{["},
    {"unknown top key", With("foo: {}\n")},
    {"no exporters", "receivers: {nop: }\nservice: {pipelines: {traces: {receivers: [nop]}}}\n"},
    {"empty pipelines", With("", "service: {pipelines: {}}\n")},
    {"unknown exporter type",
     "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {foo/bar: }\n"
     "service: {pipelines: {traces: {receivers: [otlp], exporters: [foo/bar]}}}\n"},
    {"unreferenced processor",
     With("", "service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [debug]}}}\n")},
    {"empty receivers list", With("", "service: {pipelines: {traces: {receivers: [], exporters: [debug]}}}\n")},
    {"dup processor",
     With("processors: {batch: }\n",
          "service: {pipelines: {traces: {receivers: [otlp], processors: [batch, batch], exporters: [debug]}}}\n")},
    {"bad signal", With("", "service: {pipelines: {spans: {receivers: [otlp], exporters: [debug]}}}\n")},
    {"ext not configured", With("",
                                "service: {extensions: [health_check], pipelines: {traces: {receivers: [otlp], "
                                "exporters: [debug]}}}\n")},
    {"unused but invalid comp",
     "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: , otlp_grpc: }\n"
     "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"},
    {"otlp unknown key",
     "receivers: {otlp: {protocols: {grpc: {endpont: x}}}}\nexporters: {debug: }\n"
     "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"},
    {"otlp no protocols",
     "receivers: {otlp: }\nexporters: {debug: }\n"
     "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"},
    {"otlp bad endpoint",
     "receivers: {otlp: {protocols: {grpc: {endpoint: nowhere}}}}\nexporters: {debug: }\n"
     "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"},
    {"otlp bad type",
     "receivers: {otlp: {protocols: {grpc: {max_recv_msg_size_mib: \"4\"}}}}\nexporters: {debug: }\n"
     "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"},
    {"batch bad", With("processors: {batch: {send_batch_size: 10, send_batch_max_size: 5}}\n")},
    {"memlimiter no interval", With("processors: {memory_limiter: {limit_mib: 100}}\n")},
    {"filter span_event typo", With("processors: {filter: {traces: {span_event: [\"true\"]}}}\n")},
    {"filter error_mode bad", With("processors: {filter: {error_mode: x}}\n")},
    {"filter mixed", With("processors: {filter: {trace_conditions: [\"true\"], traces: {span: ['name == \"a\"']}}}\n")},
    {"dup yaml key", With("receivers: {}\n")},
    {"queue consumers 0",
     "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {otlp: {endpoint: \"a:1\", tls: "
     "{insecure: true}, sending_queue: {num_consumers: 0}}}\n"
     "service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}\n"},
    {"bad env syntax", With("processors: {batch: {timeout: \"${env:1BAD}\"}}\n")},
    {"default env", With("processors: {batch: {timeout: \"${env:NONE:-5s}\"}}\n")},
    {"unknown scheme", With("processors: {batch: {timeout: \"${foo:bar}\"}}\n")},
    {"telemetry address", With("",
                               "service: {telemetry: {metrics: {address: \"localhost:8888\"}}, pipelines: {traces: "
                               "{receivers: [otlp], exporters: [debug]}}}\n")},
    {"telemetry logs level", With("",
                                  "service: {telemetry: {logs: {level: DEBUG}}, pipelines: {traces: {receivers: "
                                  "[otlp], exporters: [debug]}}}\n")},
    {"null section", With("processors:\n")},
    {"alias otlp",
     "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {otlp: {endpoint: \"a:1\", tls: {insecure: "
     "true}}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}\n"},
};

// Scenario: the cases that a real Collector (v0.155) was asked to validate.
// Guarantees: what it refuses we refuse, what it accepts we accept. Two differences on purpose:
// telemetry.metrics.address, which older Collectors took and live files still carry, and traces.span_event of a filter,
// as llm-d's own file writes it.
TEST(ServiceConfig, AgreesWithTheCollectorOnWhatIsValid) {
  std::ifstream file(TestData() / "collector" / "config_cases.txt");
  size_t cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('[')) continue;
    const std::string name = line.substr(4, line.find(':') - 4);
    const bool is_valid = line[1] == '0' || name == "telemetry address" || name == "filter span_event typo";
    const auto yaml = kCollectorCases.find(name);
    ASSERT_NE(yaml, kCollectorCases.end()) << name;
    EXPECT_EQ(Parse(yaml->second).ok(), is_valid) << name << ": " << Parse(yaml->second).status();
    ++cases;
  }
  EXPECT_EQ(cases, kCollectorCases.size());
}

// Scenario: several mistakes in one file.
// Guarantees: all are reported at once, in words an operator can act on, each with its line.
TEST(ServiceConfig, ReportsEverythingThatIsWrong) {
  const std::string refusal = Refusal(
      "receivers:\n"
      "  otlp:\n"
      "    protocols: {grpc: }\n"
      "processors:\n"
      "  batch:\n"
      "    send_batch_sise: 5\n"
      "exporters:\n"
      "  otlp/jaeger: {tls: {insecure: true}}\n"
      "service:\n"
      "  pipelines:\n"
      "    traces:\n"
      "      receivers: [otlp, otlp/2]\n"
      "      processors: [batch]\n"
      "      exporters: []\n"
      "    profiles/x: {receivers: [otlp], exporters: [debug]}\n");
  EXPECT_THAT(refusal, HasSubstr("config.yaml:6: processors::batch: has invalid keys: send_batch_sise (valid: timeout, "
                                 "send_batch_size, send_batch_max_size, metadata_keys, metadata_cardinality_limit; did "
                                 "you mean \"send_batch_size\"?)"));
  EXPECT_THAT(refusal, HasSubstr("config.yaml:8: exporters::otlp/jaeger: requires a non-empty \"endpoint\""));
  EXPECT_THAT(refusal,
              HasSubstr("config.yaml:12: service::pipelines::traces: references receiver \"otlp/2\" which is not "
                        "configured (configured: otlp; did you mean \"otlp\"?)"));
  EXPECT_THAT(refusal, HasSubstr("config.yaml:14: service::pipelines::traces: must have at least one exporter"));
  EXPECT_THAT(refusal,
              HasSubstr("config.yaml:15: service::pipelines: profiles pipelines are not supported by this version: "
                        "remove service.pipelines.profiles/x"));
}

// Scenario: an unknown type that a pipeline uses.
// Guarantees: it is reported once, with the types there are, and not as missing too.
TEST(ServiceConfig, NamesUnknownTypesOnce) {
  const std::string refusal = Refusal(kCollectorCases.at("unknown exporter type"));
  EXPECT_THAT(refusal, HasSubstr("config.yaml:2: exporters: unknown type: \"foo\" for id: \"foo/bar\" (valid values: "
                                 "[debug file load_balancing nop otlp_grpc otlp_http prometheus spanloom_store])"));
  EXPECT_THAT(refusal, Not(HasSubstr("not configured")));
}

// Scenario: two keys that are the same name but for spaces.
// Guarantees: refused; the Collector does so.
TEST(ServiceConfig, RefusesANameTwice) {
  EXPECT_THAT(Refusal(With("processors:\n  batch:\n  \" batch\":\n")),
              HasSubstr("config.yaml:5: processors: duplicate name \"batch\""));
}

// Scenario: the old name of an exporter, twice.
// Guarantees: it works, and is warned of once, in the Collector's words.
TEST(ServiceConfig, WarnsOfOldNamesOnce) {
  const auto config = Parse(
      "receivers: {otlp: {protocols: {grpc: }}}\n"
      "exporters: {otlp/a: {endpoint: \"a:1\", tls: {insecure: true}}, otlp/b: {endpoint: \"b:1\", tls: {insecure: "
      "true}}}\n"
      "service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp/a, otlp/b]}}}\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->warnings, ElementsAre("exporters: \"otlp\" alias is deprecated; use \"otlp_grpc\" instead"));
}

// Scenario: a receiver listed twice, several pipelines, telemetry settings.
// Guarantees: read as meant.
TEST(ServiceConfig, ReadsPipelinesAndTelemetry) {
  const auto config =
      Parse(With("processors: {batch: , filter/a: {traces: {span: ['name == \"x\"']}}}\n",
                 "service:\n"
                 "  telemetry: {logs: {level: WARN, encoding: json}, metrics: {level: none}}\n"
                 "  pipelines:\n"
                 "    traces: {receivers: [otlp, otlp], processors: [filter/a, batch], exporters: [debug]}\n"
                 "    traces/2: {receivers: [otlp], exporters: [debug]}\n"));
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->pipelines.size(), 2u);
  EXPECT_EQ(config->pipelines[0].receivers.size(), 1u);
  EXPECT_EQ(config->pipelines[0].processors[1].ToString(), "batch");
  EXPECT_EQ(config->pipelines[1].id.ToString(), "traces/2");
  EXPECT_EQ(config->telemetry.log.level, LogLevel::kWarn);
  EXPECT_EQ(config->telemetry.log.format, LogFormat::kJson);
  EXPECT_THAT(config->telemetry.metrics_pages, testing::IsEmpty());
}

// Scenario: telemetry keys that this version has not.
// Guarantees: refused by name.
TEST(ServiceConfig, RefusesTelemetryItHasNot) {
  EXPECT_THAT(Refusal(With("",
                           "service: {telemetry: {logs: {development: true}, metrics: {readers: [{producers: [a]}]}}, "
                           "pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n")),
              testing::AllOf(HasSubstr("service::telemetry::logs: development is not supported by this version"),
                             HasSubstr("producers is not supported by this version")));
}

// Compares the defaults of `docs` with the values of the same keys in `printed`. Returns how many were compared.
size_t ExpectDefaults(const std::vector<config::OptionDoc>& docs, const config::Node& printed,
                      const std::string& path) {
  size_t compared = 0;
  for (const config::OptionDoc& doc : docs) {
    const config::Node* value = printed.Find(doc.name);
    // What a configuration must say itself was said where the Collector printed its defaults: "a:1", "1s".
    static const std::set<std::string> said = {"endpoint", "path", "check_interval", "limit_mib"};
    if (value == nullptr || said.contains(doc.name) || doc.kind == config::OptionDoc::Kind::kUnsupported) continue;
    const std::string key = StrCat(path, "::", doc.name);
    compared += ExpectDefaults(doc.children, *value, key);
    if (!value->is_scalar()) continue;
    EXPECT_EQ(doc.default_text, value->text()) << key;
    ++compared;
  }
  return compared;
}

// Scenario: the defaults that a real Collector (v0.155) prints for its components.
// Guarantees: ours are the same wherever both have the key.
TEST(ServiceConfig, HasTheCollectorsDefaults) {
  FakeStore store;
  const Registry registry = AllComponents(store);
  const auto printed = config::ParseYaml(otlp::ReadFile(TestData() / "collector" / "effective_defaults.yaml"),
                                         "effective_defaults.yaml");
  ASSERT_TRUE(printed.ok()) << printed.status();
  const auto expect = [&](const std::string& section, const std::string& type, const auto& table) {
    return ExpectDefaults(table.Find(type)->describe(), *printed->Find(section)->Find(type), type);
  };
  EXPECT_EQ(expect("processors", "batch", registry.processors), 4u);
  EXPECT_EQ(expect("processors", "filter", registry.processors), 1u);
  EXPECT_EQ(expect("processors", "memory_limiter", registry.processors), 5u);
  EXPECT_EQ(expect("processors", "transform", registry.processors), 1u);
  EXPECT_EQ(expect("exporters", "debug", registry.exporters), 3u);
  EXPECT_EQ(expect("exporters", "file", registry.exporters), 10u);
  EXPECT_EQ(expect("exporters", "otlp_grpc", registry.exporters), 13u);
  EXPECT_EQ(expect("exporters", "otlp_http", registry.exporters), 17u);
  EXPECT_EQ(expect("exporters", "prometheus", registry.exporters), 14u);
  EXPECT_EQ(expect("receivers", "otlp", registry.receivers), 9u);
}

}  // namespace
}  // namespace spanloom::pipeline
