// SPDX-License-Identifier: Apache-2.0

#include "config/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"

namespace spanloom::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

enum class Codec { kNone, kGzip };

struct ServerOptions {
  std::string endpoint = "localhost:4317";
  size_t message_bytes_max = 4 << 20;
  void Declare(OptionsReader& r) {
    r.Field("endpoint", endpoint, "Address to listen on.");
    r.Mebibytes("max_size_mib", message_bytes_max, "Largest message.", {.min = 0, .max = 64});
  }
};

struct SampleOptions {
  bool enabled = true;
  int64_t batch_size = 8192;
  uint16_t port = 80;
  double factor = 0.5;
  std::chrono::nanoseconds timeout = 200ms;
  std::vector<std::string> names;
  StringMap headers;
  Codec codec = Codec::kGzip;
  ServerOptions grpc;
  std::optional<ServerOptions> http;

  void Declare(OptionsReader& r) {
    static constexpr std::pair<std::string_view, Codec> kCodecs[] = {{"none", Codec::kNone}, {"gzip", Codec::kGzip}};
    r.Field("enabled", enabled, "Whether it is on.");
    r.Field("batch_size", batch_size, "Spans of a batch.", {.min = 1});
    r.Field("port", port, "A port.");
    r.Field("factor", factor, "A share.", {.min = 0, .max = 1});
    r.Field("timeout", timeout, "Longest wait.");
    r.Field("names", names, "Names.");
    r.Field("headers", headers, "Headers.");
    r.Choice<Codec>("codec", codec, kCodecs, "How it is compressed.");
    r.Field("grpc", grpc, "The gRPC side.");
    r.Field("http", http, "The HTTP side.");
    r.Unsupported("auth", "remove it");
  }
  [[nodiscard]] Status Validate() const {
    return port == 81 ? absl::InvalidArgumentError("port 81 is taken") : absl::OkStatus();
  }
};

struct Outcome {
  SampleOptions options;
  std::vector<std::string> problems;
};

Outcome Read(std::string_view text) {
  Problems problems;
  Outcome outcome;
  outcome.options = ReadOptions<SampleOptions>(*ParseYaml(text, "config.yaml"), "processors::sample", problems);
  outcome.problems = problems.lines();
  return outcome;
}

// Scenario: every kind of field is set.
// Guarantees: the struct holds what was written.
TEST(Options, ReadsEveryKindOfField) {
  const auto [options, problems] = Read(
      "enabled: false\nbatch_size: 1_000\nport: 65535\nfactor: 1\ntimeout: 1m30s\nnames: [a, b]\n"
      "headers: {x-a: \"1\"}\ncodec: none\ngrpc: {max_size_mib: 16}\nhttp:\n");
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_FALSE(options.enabled);
  EXPECT_EQ(options.batch_size, 1000);
  EXPECT_EQ(options.port, 65535);
  EXPECT_EQ(options.factor, 1.0);
  EXPECT_EQ(options.timeout, 90s);
  EXPECT_THAT(options.names, ElementsAre("a", "b"));
  EXPECT_THAT(options.headers, ElementsAre(std::pair("x-a", "1")));
  EXPECT_EQ(options.codec, Codec::kNone);
  EXPECT_EQ(options.grpc.message_bytes_max, size_t{16} << 20);
  EXPECT_EQ(options.grpc.endpoint, "localhost:4317");
  EXPECT_TRUE(options.http.has_value());  // "http:" with nothing behind it
}

// Scenario: nothing is set, by null or by absence.
// Guarantees: the defaults of the struct hold, optional sections are absent.
TEST(Options, LeavesDefaults) {
  for (const char* text : {"", "{}", "timeout:\ngrpc:\n"}) {
    const auto [options, problems] = Read(text);
    EXPECT_THAT(problems, IsEmpty());
    EXPECT_EQ(options.timeout, 200ms);
    EXPECT_FALSE(options.http.has_value());
  }
}

// Scenario: a bare integer for a duration, a comma list for a list.
// Guarantees: nanoseconds, and one entry each, as in the Collector.
TEST(Options, ReadsTheCollectorsShorthands) {
  const SampleOptions options = Read("timeout: 5\nnames: a, b").options;
  EXPECT_EQ(options.timeout, 5ns);
  EXPECT_THAT(options.names, ElementsAre("a", "b"));
}

// Scenario: a key with a typing error, at the top and in a section.
// Guarantees: named with path, the valid keys, the likely one, file and line.
TEST(Options, RefusesUnknownKeysByName) {
  EXPECT_THAT(Read("enabled: true\nbatch_sise: 5\n").problems,
              ElementsAre("processors::sample: has invalid keys: batch_sise (valid: enabled, batch_size, port, factor, "
                          "timeout, names, headers, codec, grpc, http; did you mean \"batch_size\"?) (config.yaml:2)"));
  EXPECT_THAT(Read("grpc:\n  zzzzzz: a\n").problems,
              ElementsAre("processors::sample::grpc: has invalid keys: zzzzzz (valid: endpoint, max_size_mib) "
                          "(config.yaml:2)"));
}

// Scenario: values of a wrong type.
// Guarantees: each is named with what was expected and what stands there; all are reported.
TEST(Options, NamesWrongTypes) {
  EXPECT_THAT(
      Read("batch_size: \"4\"\nenabled: yes\ntimeout: soon\nnames: {a: b}\ngrpc: [x]\nheaders: {a: 1}\n").problems,
      ElementsAre("processors::sample::enabled: expected type 'bool', got 'string' \"yes\" (config.yaml:2)",
                  "processors::sample::batch_size: expected type 'int', got 'string' \"4\" (config.yaml:1)",
                  "processors::sample::timeout: expected type 'duration', got 'string' \"soon\" (config.yaml:3)",
                  "processors::sample::names: expected type 'list of strings', got 'map' (config.yaml:4)",
                  "processors::sample::headers::a: expected type 'string', got 'int' \"1\" (config.yaml:6)",
                  "processors::sample::grpc: expected a map, got 'list' (config.yaml:5)"));
}

// Scenario: values outside their ranges, also outside the field's own type.
// Guarantees: refused with the range; the default stays.
TEST(Options, ChecksRanges) {
  const auto [options, problems] =
      Read("batch_size: 0\nport: 70000\nfactor: .nan\ntimeout: -1s\ncodec: zip\ngrpc: {max_size_mib: 65}");
  EXPECT_THAT(problems, ElementsAre("processors::sample::batch_size: must be at least 1, got 0 (config.yaml:1)",
                                    "processors::sample::port: must be between 0 and 65535, got 70000 (config.yaml:2)",
                                    "processors::sample::factor: must be between 0 and 1, got .nan (config.yaml:3)",
                                    "processors::sample::timeout: must be at least 0s, got -1s (config.yaml:4)",
                                    "processors::sample::codec: unknown value 'string' \"zip\" (valid: none, gzip) "
                                    "(config.yaml:5)",
                                    "processors::sample::grpc::max_size_mib: must be between 0 and 64, got 65 "
                                    "(config.yaml:6)"));
  EXPECT_EQ(options.port, 80);
}

// Scenario: a key of the Collector that this version has not, set and empty; a rule across fields.
// Guarantees: refused by name with advice, unless it says nothing; the rule's text is passed on.
TEST(Options, RefusesUnsupportedKeysAndBrokenRules) {
  EXPECT_THAT(Read("auth: {authenticator: x}").problems,
              ElementsAre("processors::sample: auth is not supported by this version: remove it (config.yaml:1)"));
  EXPECT_THAT(Read("auth: {}").problems, IsEmpty());
  EXPECT_THAT(Read("port: 81").problems, ElementsAre("processors::sample: port 81 is taken (config.yaml:1)"));
}

// Scenario: the reference pages ask for the declaration.
// Guarantees: name, type, default and words of every field, sections with their own.
TEST(Options, DescribesItself) {
  const std::vector<OptionDoc> docs = DescribeOptions<SampleOptions>();
  ASSERT_EQ(docs.size(), 10u);
  EXPECT_EQ(docs[4].name, "timeout");
  EXPECT_EQ(docs[4].type, "duration");
  EXPECT_EQ(docs[4].default_text, "200ms");
  EXPECT_EQ(docs[4].words, "Longest wait.");
  EXPECT_EQ(docs[7].type, "one of none, gzip");
  EXPECT_EQ(docs[7].default_text, "gzip");
  EXPECT_EQ(docs[9].children[1].default_text, "4");
}

}  // namespace
}  // namespace spanloom::config
