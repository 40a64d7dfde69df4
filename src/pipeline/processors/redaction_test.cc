// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/redaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "config/yaml.h"
#include "pipeline/testing/attributed_spans.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Strings = std::vector<std::string>;

RedactionOptions Read(const std::string& yaml, config::Problems& problems) {
  return config::ReadOptions<RedactionOptions>(*config::ParseYaml(yaml, "f"), "processors::redaction", problems);
}

Strings ProblemsOf(const std::string& yaml) {
  config::Problems problems;
  static_cast<void>(Read(yaml, problems));
  return problems.lines();
}

otlp::Batch Redacted(const std::string& yaml, otlp::Batch batch) {
  config::Problems problems;
  RedactionProcessor processor(ComponentId{"redaction", ""}, Read(yaml, problems), Clock::System());
  EXPECT_THAT(problems.lines(), IsEmpty());
  EXPECT_TRUE(processor.Process(batch).ok());
  return batch;
}

// What is left of a span's attributes.
Strings After(const std::string& yaml, WriteAttributes attributes) {
  return ShownSpans(Redacted(yaml, BatchOfSpan({.attributes = attributes})))[0].attributes;
}

void IdAndNote(otlp::AttributeWriter& w) {
  w.Int("id", 5).String("note", "card 4111111111111111, code 1234");
}

// Scenario: keys that are allowed, ignored by name and by pattern, and others.
// Guarantees: the others are removed.
TEST(RedactionProcessor, RemovesWhatIsNotAllowed) {
  const auto write = [](otlp::AttributeWriter& w) { w.Int("a", 1).Int("b", 2).Int("c", 3).Int("d1", 4); };
  EXPECT_THAT(After("{allowed_keys: [a], ignored_keys: [c], ignored_key_patterns: ['^d']}", write),
              ElementsAre("a=1", "c=3", "d1=4"));
  EXPECT_THAT(After("{}", write), IsEmpty());
  EXPECT_EQ(After("{allow_all_keys: true}", write).size(), 4u);
}

// Scenario: a value with two blocked parts, and another value.
// Guarantees: the parts are masked, the rest is as it was.
TEST(RedactionProcessor, MasksWhatIsBlockedWithinAValue) {
  EXPECT_THAT(After("{allow_all_keys: true, blocked_values: ['4[0-9]{15}', '[0-9]{4}$']}", IdAndNote),
              ElementsAre("id=5", "note=\"card ****, code ****\""));
}

TEST(RedactionProcessor, AllowedValuesGoBeforeBlockedOnes) {
  EXPECT_THAT(After("{allow_all_keys: true, blocked_values: ['4[0-9]{15}'], allowed_values: [^card]}", IdAndNote),
              testing::Contains(HasSubstr("4111")));
}

// Scenario: blocked keys of values of several types, one whose value is allowed, one that is ignored.
// Guarantees: the whole value is masked, and becomes a text; the others are left alone.
TEST(RedactionProcessor, MasksTheValuesOfBlockedKeys) {
  EXPECT_THAT(
      After(
          "{allow_all_keys: true, blocked_key_patterns: [token], allowed_values: [^none$], ignored_keys: [token_ids]}",
          [](otlp::AttributeWriter& w) {
            w.String("api_token", "a\nb").Int("token_id", 7).String("no_token", "none").Int("token_ids", 7);
          }),
      ElementsAre("api_token=\"****\"", "token_id=\"****\"", "no_token=\"none\"", "token_ids=7"));
}

// Scenario: a number, a list and a map with something blocked in them.
// Guarantees: they are masked as texts if all types are redacted, else left alone.
TEST(RedactionProcessor, LooksAtOtherTypesWhenTold) {
  const auto write = [](otlp::AttributeWriter& w) {
    w.Int("card", 4111).Int("id", 5);
    w.Array("list", [](otlp::ArrayWriter& elements) { elements.String("4111").Int(1); });
  };
  EXPECT_THAT(After("{allow_all_keys: true, blocked_values: ['4111']}", write),
              ElementsAre("card=4111", "id=5", "list=[\"4111\",1]"));
  EXPECT_THAT(After("{allow_all_keys: true, blocked_values: ['4111'], redact_all_types: true}", write),
              ElementsAre("card=\"****\"", "id=5", "list=\"[\\\"****\\\",1]\""));
}

// Scenario: each hash function, in either case.
// Guarantees: what matched is hashed, not the rest.
TEST(RedactionProcessor, HashesWhatItHides) {
  const auto hashed = [](const std::string& function) {
    return After("{allow_all_keys: true, blocked_values: [abc], " + function + "}",
                 [](otlp::AttributeWriter& w) { w.String("k", "<abc>"); })[0];
  };
  EXPECT_EQ(hashed("hash_function: md5"), "k=\"<900150983cd24fb0d6963f7d28e17f72>\"");
  EXPECT_EQ(hashed("hash_function: SHA1"), "k=\"<a9993e364706816aba3e25717850c26c9cd0d89d>\"");
  EXPECT_EQ(hashed("hash_function: sha3"), "k=\"<3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532>\"");
  const std::string key(64, 'k');
  EXPECT_EQ(hashed("hash_function: hmac-sha256, hmac_key: " + key),
            "k=\"<" + ottl::HexHmac(ottl::Digest::kSha256, key, "abc") + ">\"");
  EXPECT_EQ(hashed("hash_function: hmac-sha512, hmac_key: " + key),
            "k=\"<" + ottl::HexHmac(ottl::Digest::kSha512, key, "abc") + ">\"");
}

constexpr char kAllFindings[] =
    "allowed_keys: [masked, z_masked, allowed]\nignored_keys: [ignored]\nblocked_values: [x]\nallowed_values: [ok]\n";

void OneOfEach(otlp::AttributeWriter& w) {
  w.String("z_masked", "x").String("masked", "x").String("allowed", "ok").Int("ignored", 1).Int("other", 1);
}

TEST(RedactionProcessor, SumsUpWhatItDid) {
  EXPECT_THAT(
      After(std::string(kAllFindings) + "summary: debug", OneOfEach),
      ElementsAre("z_masked=\"****\"", "masked=\"****\"", "allowed=\"ok\"", "ignored=1",
                  "redaction.redacted.keys=\"other\"", "redaction.redacted.count=1",
                  "redaction.masked.keys=\"masked,z_masked\"", "redaction.masked.count=2",
                  "redaction.allowed.keys=\"allowed\"", "redaction.allowed.count=1", "redaction.ignored.count=1"));
  EXPECT_THAT(
      After(std::string(kAllFindings) + "summary: info", OneOfEach),
      ElementsAre("z_masked=\"****\"", "masked=\"****\"", "allowed=\"ok\"", "ignored=1", "redaction.redacted.count=1",
                  "redaction.masked.count=2", "redaction.allowed.count=1", "redaction.ignored.count=1"));
  EXPECT_EQ(After(kAllFindings, OneOfEach).size(), 4u);
}

// Scenario: two such processors, one behind the other.
// Guarantees: the second leaves the summary of the first, and adds to it.
TEST(RedactionProcessor, AddsToASummary) {
  const otlp::Batch first = Redacted(
      "{allowed_keys: [a, b], summary: debug, blocked_values: [x]}",
      BatchOfSpan({.attributes = [](otlp::AttributeWriter& w) { w.String("b", "x").String("a", "y").Int("c", 1); }}));
  EXPECT_THAT(ShownSpans(Redacted("{allowed_keys: [a], summary: debug, blocked_values: [y]}", first))[0].attributes,
              ElementsAre("a=\"****\"", "redaction.redacted.keys=\"b,c\"", "redaction.redacted.count=2",
                          "redaction.masked.keys=\"a,b\"", "redaction.masked.count=2"));
}

// Scenario: a secret in the attributes of a resource, a scope, a span and an event.
// Guarantees: it is in none of them afterwards.
TEST(RedactionProcessor, RedactsAllThatHasAttributes) {
  const auto secret = [](otlp::AttributeWriter& w) { w.String("k", "secret"); };
  const otlp::Batch batch =
      Redacted("{allow_all_keys: true, blocked_values: [secret]}", BatchOfSpan({.resource_attributes = secret,
                                                                                .scope_attributes = secret,
                                                                                .attributes = secret,
                                                                                .event_attributes = secret,
                                                                                .has_event = true}));
  const ShownSpan span = ShownSpans(batch)[0];
  EXPECT_THAT(span.resource_attributes, ElementsAre("k=\"****\""));
  EXPECT_THAT(span.scope_attributes, ElementsAre("k=\"****\""));
  EXPECT_THAT(span.attributes, ElementsAre("k=\"****\""));
  EXPECT_THAT(span.event_attributes, ElementsAre("k=\"****\""));
  EXPECT_EQ(batch.Encode().view().find("secret"), std::string_view::npos);
}

TEST(RedactionProcessor, LeavesARequestWholeThatHoldsNothingBlocked) {
  const otlp::Batch batch =
      Redacted("{allow_all_keys: true, blocked_values: [secret], summary: debug}",
               BatchOfSpan({.attributes = IdAndNote, .event_attributes = IdAndNote, .has_event = true}));
  EXPECT_TRUE(batch.slices()[0].is_whole());
}

// Scenario: the patterns of llm-d's recipe for payloads, and prompts that hold a number of each kind.
// Guarantees: they are masked, with a summary.
TEST(RedactionProcessor, CarriesOutTheRecipeOfLlmD) {
  const std::string recipe = R"(
allow_all_keys: true
blocked_values:
  - "\\b\\d{3}-\\d{2}-\\d{4}\\b"
  - "\\b(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|3[47][0-9]{13}|6(?:011|5[0-9]{2})[0-9]{12})\\b"
  - "(?i)bearer\\s+[a-z0-9._\\-]+"
summary: debug
)";
  EXPECT_THAT(After(recipe,
                    [](otlp::AttributeWriter& w) {
                      w.String("gen_ai.input.messages", "my ssn is 078-05-1120, card 4111111111111111");
                      w.String("gen_ai.output.messages", "use Authorization: Bearer abc.d-ef");
                      w.String("gen_ai.request.model", "llama");
                    }),
              ElementsAre("gen_ai.input.messages=\"my ssn is ****, card ****\"",
                          "gen_ai.output.messages=\"use Authorization: ****\"", "gen_ai.request.model=\"llama\"",
                          "redaction.masked.keys=\"gen_ai.input.messages,gen_ai.output.messages\"",
                          "redaction.masked.count=2"));
}

// Scenario: a server's span with a URL and a query in attributes, a blocked value in one of them, and an event.
// Guarantees: both are sanitized behind the blocked values, the name too, and the summary counts the attributes; an
// event's query is read as its span's database has it; what is ignored or allowed is not looked at.
TEST(RedactionProcessor, SanitizesUrlsAndQueries) {
  const otlp::Batch batch = Redacted(
      "{allow_all_keys: true, blocked_values: [eve], allowed_values: [^/raw], ignored_keys: [kept], summary: debug,"
      " url_sanitizer: {enabled: true, attributes: [url.path, raw, kept]},"
      " db_sanitizer: {sql: {enabled: true, attributes: [db.query.text, number]}}}",
      BatchOfSpan({.fields = {.trace_id = {}, .span_id = {}, .name = "GET /users/17", .kind = otlp::SpanKind::kServer},
                   .attributes =
                       [](otlp::AttributeWriter& w) {
                         w.String("url.path", "/eve/17").String("raw", "/raw/17").String("kept", "/kept/17");
                         w.String("db.query.text", "SELECT 17").Int("number", 17).String("db.system", "mysql");
                       },
                   .event_attributes = [](otlp::AttributeWriter& w) { w.String("db.query.text", "SELECT 'a'"); },
                   .has_event = true}));
  const ShownSpan span = ShownSpans(batch)[0];
  EXPECT_THAT(span.attributes,
              ElementsAre("url.path=\"/*/*\"", "raw=\"/raw/17\"", "kept=\"/kept/17\"", "db.query.text=\"SELECT ?\"",
                          "number=17", "db.system=\"mysql\"", "redaction.masked.keys=\"db.query.text,url.path\"",
                          "redaction.masked.count=2", "redaction.allowed.keys=\"raw\"", "redaction.allowed.count=1",
                          "redaction.ignored.count=1"));
  EXPECT_THAT(span.event_attributes, testing::Contains("db.query.text=\"SELECT ?\""));
  EXPECT_EQ(span.name, "GET /users/*");
}

TEST(RedactionProcessor, LeavesNamesThatAreAllowedOrNotMeant) {
  const auto name_after = [](const std::string& yaml) {
    return ShownSpans(Redacted(
        yaml,
        BatchOfSpan(
            {.fields = {.trace_id = {}, .span_id = {}, .name = "/users/17", .kind = otlp::SpanKind::kServer}})))[0]
        .name;
  };
  EXPECT_EQ(name_after("{url_sanitizer: {enabled: true}}"), "/users/*");
  EXPECT_EQ(name_after("{url_sanitizer: {enabled: true, sanitize_span_name: false}}"), "/users/17");
  EXPECT_EQ(name_after("{url_sanitizer: {enabled: true}, allowed_values: [^/users]}"), "/users/17");
  EXPECT_EQ(name_after("{url_sanitizer: {attributes: [a]}}"), "/users/17");
}

// Scenario: conditions of each context hold for a span with an event, or fail.
// Guarantees: what a condition holds for is left alone with all that it has; one that fails refuses the batch.
TEST(RedactionProcessor, LeavesWhatItsConditionsSay) {
  const auto shown_after = [](const std::string& condition) {
    const auto secret = [](otlp::AttributeWriter& w) { w.String("k", "secret"); };
    const ShownSpan span =
        ShownSpans(Redacted("{allow_all_keys: true, blocked_values: [secret], skip_conditions: ['" + condition + "']}",
                            BatchOfSpan({.resource_attributes = secret,
                                         .scope_attributes = secret,
                                         .attributes = secret,
                                         .event_attributes = secret,
                                         .has_event = true})))[0];
    std::string masked;  // of resource, scope, span, event
    for (const auto* attributes :
         {&span.resource_attributes, &span.scope_attributes, &span.attributes, &span.event_attributes}) {
      masked += attributes->front() == "k=\"****\"" ? '1' : '0';
    }
    return masked;
  };
  EXPECT_EQ(shown_after("span.name == \"other\""), "1111");
  EXPECT_EQ(shown_after("resource.attributes[\"k\"] == \"secret\""), "0000");
  EXPECT_EQ(shown_after("scope.name == \"scope\""), "1000");
  EXPECT_EQ(shown_after("span.name == \"span\""), "1100");
  EXPECT_EQ(shown_after("spanevent.name == \"event\""), "1110");
  config::Problems problems;
  otlp::Batch batch = BatchOfSpan({});
  RedactionProcessor failing(ComponentId{"redaction", ""},
                             Read("skip_conditions: ['1 / span.dropped_links_count == 1']", problems), Clock::System());
  EXPECT_EQ(failing.Process(batch).code(), absl::StatusCode::kInvalidArgument);
}

TEST(RedactionOptions, RefusesWhatItWouldNotDo) {
  EXPECT_THAT(ProblemsOf("blocked_values: [a, '[']"),
              ElementsAre(HasSubstr("processors::redaction::blocked_values::1: is not a regular expression")));
  EXPECT_THAT(ProblemsOf("hash_function: sha2"), ElementsAre(HasSubstr("hash_function must be one of md5, sha1")));
  EXPECT_THAT(ProblemsOf("{hash_function: hmac-sha256, hmac_key: short}"), ElementsAre(HasSubstr("at least 32 bytes")));
  EXPECT_THAT(ProblemsOf("{hash_function: md5, hmac_key: x, summary: ''}"), ElementsAre());
  EXPECT_THAT(ProblemsOf("summary: verbose"), ElementsAre(HasSubstr("summary: unknown value")));
  EXPECT_THAT(ProblemsOf("url_sanitizer: {sanitize_log_body: false}"), ElementsAre(HasSubstr("only traces")));
  EXPECT_THAT(ProblemsOf("url_sanitizer: {sanitize_log_body: true}"), IsEmpty());
  EXPECT_THAT(ProblemsOf("skip_conditions: ['span.nme == \"a\"']"),
              ElementsAre(HasSubstr("skip_conditions::0: unable to parse OTTL condition")));
  EXPECT_THAT(ProblemsOf("skip_conditions: ['name == \"a\"']"), ElementsAre(HasSubstr("skip_conditions::0")));
}

}  // namespace
}  // namespace spanloom::pipeline
