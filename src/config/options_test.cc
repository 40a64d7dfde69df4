// SPDX-License-Identifier: Apache-2.0

#include "config/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"

namespace spanloom::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

enum class Codec { kNone, kGzip };

struct ServerOptions {
  std::string endpoint = "localhost:4317";
  size_t message_bytes_max = 4 << 20;
  void Declare(OptionsReader& r) {
    r.Field("endpoint", endpoint, "Address to listen on.");
    r.Mebibytes("max_size_mib", message_bytes_max, "Largest message.", {.min = 0, .max = 64});
  }
  [[nodiscard]] Status Validate() const {
    return endpoint.empty() ? absl::InvalidArgumentError("endpoint must be set") : absl::OkStatus();
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
  std::optional<Codec> any_codec;
  ServerOptions grpc;
  std::optional<ServerOptions> http;
  std::optional<ServerOptions> unix_side;
  std::vector<ServerOptions> peers;
  std::optional<Node> anything;

  void Declare(OptionsReader& r) {
    static constexpr std::pair<std::string_view, Codec> kCodecs[] = {{"none", Codec::kNone}, {"gzip", Codec::kGzip}};
    r.Field("enabled", enabled, "Whether it is on.");
    r.Field("batch_size", batch_size, "Size of a batch.", {.min = 1, .unit = "spans"});
    r.Field("port", port, "A port.");
    r.Field("factor", factor, "A share.", {.min = 0, .max = 1});
    r.Field("timeout", timeout, "Longest wait.", {.min = 1ms, .max = 1h});
    r.Field("names", names, "Names.");
    r.Field("headers", headers, "Headers.");
    r.Choice<Codec>("codec", codec, kCodecs, "How it is compressed.");
    r.Choice<Codec>("any_codec", any_codec, kCodecs, "How something else is compressed.", Letters::kAnyCase);
    r.Field("grpc", grpc, "The gRPC side.");
    r.FieldOrDefaults("http", http, "The HTTP side.");
    r.Field("unix", unix_side, "The local side.");
    r.Field("peers", peers, "Other servers.");
    r.Field("anything", anything, "Whatever.");
    r.Unsupported("auth", "remove it");
    r.Unsupported("buffer_size", "remove it", "512");
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

// Scenario: nothing is set, by absence or by null where a section or a list may stand.
// Guarantees: the defaults of the struct hold, optional sections are absent.
TEST(Options, LeavesDefaults) {
  for (const char* text : {"", "{}", "names:\nheaders:\ngrpc:\n"}) {
    const auto [options, problems] = Read(text);
    EXPECT_THAT(problems, IsEmpty());
    EXPECT_EQ(options.timeout, 200ms);
    EXPECT_FALSE(options.http.has_value());
  }
}

// Scenario: null for single values of each type, as items of a list and a map, and where 0 is out of range. The
// Collector v0.155 answers so. Guarantees: false, 0, "", checked as any value.
TEST(Options, TakesNullForNothing) {
  const auto [options, problems] =
      Read("enabled:\nfactor:\nport: ~\ngrpc: {max_size_mib: }\nnames: [~]\nheaders: {a: ~}");
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_FALSE(options.enabled);
  EXPECT_EQ(options.factor, 0);
  EXPECT_EQ(options.port, 0);
  EXPECT_EQ(options.grpc.message_bytes_max, 0u);
  EXPECT_THAT(options.names, ElementsAre(""));
  EXPECT_THAT(options.headers, ElementsAre(std::pair("a", "")));
  EXPECT_THAT(Read("batch_size:\ntimeout:").problems,
              ElementsAre("config.yaml:2: processors::sample::batch_size: must be at least 1, got null",
                          "config.yaml:2: processors::sample::timeout: must be between 1ms and 1h0m0s, got null"));
}

// Scenario: whole numbers written as templates write them, one with a fraction, and one that no int64_t holds.
// Guarantees: the whole part counts, for durations too; the last is refused.
TEST(Options, TakesTheWholePartOfFloats) {
  const auto [options, problems] = Read("batch_size: 1.048576e+06\nport: 81.0e1\ntimeout: 2.5e+06");
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(options.batch_size, 1'048'576);
  EXPECT_EQ(options.port, 810);
  EXPECT_EQ(options.timeout, 2'500us);
  EXPECT_EQ(Read("batch_size: 1.9").options.batch_size, 1);
  EXPECT_THAT(Read("batch_size: 1e20").problems,
              ElementsAre("config.yaml:1: processors::sample::batch_size: expected type 'int', got 'float' \"1e20\""));
}

// Scenario: a section that may be off is null, empty, off by its switch, and off with a mistake in it.
// Guarantees: null is off, or its defaults where that was declared; a switch decides; mistakes in its keys are found
// all the same, but not what is missing.
TEST(Options, SwitchesSections) {
  EXPECT_FALSE(Read("unix:\n").options.unix_side.has_value());
  EXPECT_TRUE(Read("http:\n").options.http.has_value());
  EXPECT_TRUE(Read("unix: {}").options.unix_side.has_value());
  EXPECT_TRUE(Read("unix: {enabled: true}").options.unix_side.has_value());
  const auto [off, none] = Read("unix: {enabled: false, endpoint: a}\nhttp: {enabled: false}");
  EXPECT_THAT(none, IsEmpty());
  EXPECT_FALSE(off.unix_side.has_value());
  EXPECT_FALSE(off.http.has_value());
  EXPECT_THAT(Read("unix: {enabled: false, endpoint: \"\"}").problems, IsEmpty());
  EXPECT_THAT(Read("unix: {endpoint: \"\"}").problems,
              ElementsAre("config.yaml:1: processors::sample::unix: endpoint must be set"));
  EXPECT_THAT(Read("unix: {enabled: maybe}\nhttp: {enabled: false, endpont: a}").problems,
              ElementsAre("config.yaml:2: processors::sample::http: has invalid keys: endpont (valid: endpoint, "
                          "max_size_mib; did you mean \"endpoint\"?)",
                          "config.yaml:1: processors::sample::unix::enabled: expected type 'bool', got 'string' "
                          "\"maybe\""));
}

// Scenario: a key that takes anything is a number, a map, null, and left out.
// Guarantees: what was written is there as it was; null is as good as nothing.
TEST(Options, TakesAnythingWhereAnythingMayStand) {
  EXPECT_EQ(ReadInt(*Read("anything: 5").options.anything), 5);
  EXPECT_TRUE(Read("anything: {a: [b]}").options.anything->is_map());
  EXPECT_FALSE(Read("anything:\n").options.anything.has_value());
  EXPECT_FALSE(Read("").options.anything.has_value());
}

// Scenario: a bare integer for a duration, a comma list for a list.
// Guarantees: nanoseconds, and one entry each, as in the Collector.
TEST(Options, ReadsTheCollectorsShorthands) {
  const SampleOptions options = Read("timeout: 5_000_000\nnames: a, b").options;
  EXPECT_EQ(options.timeout, 5ms);
  EXPECT_THAT(options.names, ElementsAre("a", "b"));
}

// Scenario: a key with a typing error, at the top and in a section.
// Guarantees: named with path, the valid keys, the likely one, file and line.
TEST(Options, RefusesUnknownKeysByName) {
  EXPECT_THAT(
      Read("enabled: true\nbatch_sise: 5\n").problems,
      ElementsAre("config.yaml:2: processors::sample: has invalid keys: batch_sise (valid: enabled, batch_size, port, "
                  "factor, timeout, names, headers, codec, any_codec, grpc, http, unix, peers, anything; did you mean "
                  "\"batch_size\"?)"));
  EXPECT_THAT(
      Read("grpc:\n  zzzzzz: a\n").problems,
      ElementsAre("config.yaml:2: processors::sample::grpc: has invalid keys: zzzzzz (valid: endpoint, max_size_mib)"));
}

// Scenario: values of a wrong type.
// Guarantees: each is named with what was expected and what stands there; all are reported.
TEST(Options, NamesWrongTypes) {
  EXPECT_THAT(
      Read("batch_size: \"4\"\nenabled: yes\ntimeout: soon\nnames: {a: b}\ngrpc: [x]\nheaders: {a: 1}\n").problems,
      ElementsAre("config.yaml:2: processors::sample::enabled: expected type 'bool', got 'string' \"yes\"",
                  "config.yaml:1: processors::sample::batch_size: expected type 'int', got 'string' \"4\"",
                  "config.yaml:3: processors::sample::timeout: expected type 'duration', got 'string' \"soon\"",
                  "config.yaml:4: processors::sample::names: expected type 'list of strings', got 'map'",
                  "config.yaml:6: processors::sample::headers::a: expected type 'string', got 'int' \"1\"",
                  "config.yaml:5: processors::sample::grpc: expected a map, got 'list'"));
}

// Scenario: values outside their ranges, also outside the field's own type.
// Guarantees: refused with the range; the default stays.
TEST(Options, ChecksRanges) {
  const auto [options, problems] =
      Read("batch_size: 0\nport: 70000\nfactor: .nan\ntimeout: -1s\ncodec: zip\ngrpc: {max_size_mib: 65}");
  EXPECT_THAT(problems,
              ElementsAre("config.yaml:1: processors::sample::batch_size: must be at least 1, got 0",
                          "config.yaml:2: processors::sample::port: must be between 0 and 65535, got 70000",
                          "config.yaml:3: processors::sample::factor: must be between 0 and 1, got .nan",
                          "config.yaml:4: processors::sample::timeout: must be between 1ms and 1h0m0s, got -1s",
                          "config.yaml:5: processors::sample::codec: unknown value 'string' \"zip\" (valid: none, "
                          "gzip; did you mean \"gzip\"?)",
                          "config.yaml:6: processors::sample::grpc::max_size_mib: must be between 0 and 64, got 65"));
  EXPECT_EQ(options.port, 80);
}

// Scenario: a choice that was left out, as the Collector prints it.
// Guarantees: the default.
TEST(Options, TakesAnEmptyMapForAChoiceLeftOut) {
  const auto [options, problems] = Read("codec: {}");
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(options.codec, Codec::kGzip);
}

// Scenario: a word in capitals for a choice that takes any case and for one that does not, and an optional choice that
// is there, left out and empty. Guarantees: as declared; what is left out is nothing; "" is no word.
TEST(Options, ReadsWordsInAnyCaseWhereDeclared) {
  const auto read = Read("any_codec: GZIP");
  EXPECT_THAT(read.problems, IsEmpty());
  EXPECT_EQ(read.options.any_codec, Codec::kGzip);
  EXPECT_EQ(Read("").options.any_codec, std::nullopt);
  EXPECT_THAT(Read("codec: GZIP\nany_codec: ''").problems,
              ElementsAre(HasSubstr("codec: unknown value"), HasSubstr("any_codec: unknown value")));
}

// Scenario: one item of a list, two sections deep, is a map.
// Guarantees: the item is named by its number, with its own line.
TEST(Options, NamesTheItemOfAList) {
  EXPECT_THAT(Read("names:\n  - a\n  - b: c\n").problems,
              ElementsAre("config.yaml:3: processors::sample::names::1: expected type 'string', got 'map'"));
}

// Scenario: a list of sections, one with a mistake; headers as a list of pairs, one without a value, then with a pair
// that is none. Guarantees: read in order, with defaults; a mistake is placed in its item.
TEST(Options, ReadsListsOfSectionsAndPairs) {
  const auto [options, problems] =
      Read("peers: [{endpoint: a}, {max_size_mib: 1}]\nheaders:\n  - {name: x, value: \"1\"}\n  - {name: y}\n");
  EXPECT_THAT(problems, IsEmpty());
  ASSERT_EQ(options.peers.size(), 2u);
  EXPECT_EQ(options.peers[1].endpoint, "localhost:4317");
  EXPECT_THAT(options.headers, ElementsAre(std::pair("x", "1"), std::pair("y", "")));
  EXPECT_THAT(
      Read("headers:\n  - {nam: x}\npeers:\n  - endpoint: a\n  - max_size_mib: 65\n").problems,
      ElementsAre("config.yaml:2: processors::sample::headers::0: expected type '{name: string, value: "
                  "string}', got 'map'",
                  "config.yaml:5: processors::sample::peers::1::max_size_mib: must be between 0 and 64, got 65"));
}

// Scenario: a rule across fields names the key it is about.
// Guarantees: it is placed at that key, not at the section.
TEST(Options, PlacesARuleAtItsKey) {
  EXPECT_THAT(Read("enabled: true\nfactor: 1\nport: 81").problems,
              ElementsAre("config.yaml:3: processors::sample: port 81 is taken"));
}

// Scenario: a key of the Collector that this version has not, set, empty, and with the value that changes nothing; a
// rule across fields. Guarantees: refused by name with advice, unless it says nothing; the rule's text is passed on.
TEST(Options, RefusesUnsupportedKeysAndBrokenRules) {
  EXPECT_THAT(Read("auth: {authenticator: x}").problems,
              ElementsAre("config.yaml:1: processors::sample: auth is not supported by this version: remove it"));
  EXPECT_THAT(Read("auth: {}").problems, IsEmpty());
  EXPECT_THAT(Read("auth: ''").problems, IsEmpty());
  EXPECT_THAT(Read("auth: {authenticator: ~, request_params: [], more: {a: ''}}").problems, IsEmpty());
  EXPECT_THAT(Read("auth: {enabled: false, authenticator: x}").problems, IsEmpty());
  EXPECT_THAT(Read("buffer_size: 512").problems, IsEmpty());
  EXPECT_THAT(Read("buffer_size: [512]").problems, IsEmpty());
  EXPECT_THAT(
      Read("buffer_size: 513").problems,
      ElementsAre("config.yaml:1: processors::sample: buffer_size is not supported by this version: remove it"));
  EXPECT_THAT(Read("port: 81").problems, ElementsAre("config.yaml:1: processors::sample: port 81 is taken"));
}

// Scenario: the reference pages ask for the declaration.
// Guarantees: name, type, default, range, unit and words of every field, sections with their own, and what to do about
// keys that are not supported.
TEST(Options, DescribesItself) {
  const std::vector<OptionDoc> docs = DescribeOptions<SampleOptions>();
  ASSERT_EQ(docs.size(), 16u);
  EXPECT_EQ(docs[1].type, "int");
  EXPECT_EQ(docs[1].range, "at least 1");
  EXPECT_EQ(docs[1].unit, "spans");
  EXPECT_EQ(docs[2].range, "between 0 and 65535");
  EXPECT_EQ(docs[4].name, "timeout");
  EXPECT_EQ(docs[4].type, "duration");
  EXPECT_EQ(docs[4].default_text, "200ms");
  EXPECT_EQ(docs[4].range, "between 1ms and 1h0m0s");
  EXPECT_EQ(docs[4].words, "Longest wait.");
  EXPECT_EQ(docs[7].type, "one of none, gzip");
  EXPECT_EQ(docs[7].default_text, "gzip");
  EXPECT_EQ(docs[9].kind, OptionDoc::Kind::kSection);
  EXPECT_EQ(docs[10].kind, OptionDoc::Kind::kSectionOrDefaults);
  EXPECT_EQ(docs[10].children[1].default_text, "4");
  EXPECT_EQ(docs[10].children[1].unit, "MiB");
  EXPECT_EQ(docs[11].kind, OptionDoc::Kind::kOptionalSection);
  EXPECT_EQ(docs[12].kind, OptionDoc::Kind::kSectionList);
  EXPECT_EQ(docs[13].type, "any");
  EXPECT_EQ(docs[14].kind, OptionDoc::Kind::kUnsupported);
  EXPECT_EQ(docs[14].words, "remove it");
}

}  // namespace
}  // namespace spanloom::config
