// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/db_sanitizer.h"

#include <gtest/gtest.h>

#include "pipeline/testing/attributed_spans.h"

namespace spanloom::pipeline {
namespace {

DbSystemOptions Of(std::vector<std::string> attributes) {
  return {.enabled = true, .attributes = std::move(attributes)};
}

DbSanitizerOptions AllOf(bool allow_fallback_without_system = false) {
  const DbSystemOptions statement = Of({"db.statement"});
  return {.sql = statement,
          .redis = statement,
          .valkey = statement,
          .memcached = statement,
          .mongo = statement,
          .opensearch = statement,
          .es = statement,
          .sanitize_span_name = true,
          .allow_fallback_without_system = allow_fallback_without_system};
}

// Scenario: one attribute for queries of all databases.
// Guarantees: the span's database says how it is read; one that is not known leaves it alone.
TEST(DbSanitizer, GoesByTheSystem) {
  const DbSanitizer sanitizer(AllOf());
  const auto after = [&](const char* system, const char* value) {
    return sanitizer.Sanitized("db.statement", value, system);
  };
  EXPECT_EQ(after("mysql", "SELECT \"a\" FROM t WHERE id = 7"), "SELECT ? FROM t WHERE id = ?");
  EXPECT_EQ(after("postgresql", "SELECT \"a\" FROM t WHERE id = 7"), "SELECT \"a\" FROM t WHERE id = ?");
  EXPECT_EQ(after("microsoft.sql_server", "SELECT 7"), "SELECT ?");
  EXPECT_EQ(after("redis", "SET user:123 john"), "SET user:123 ?");
  EXPECT_EQ(after("valkey", "SET key value"), "SET key ?");
  EXPECT_EQ(after("memcached", "set mykey 0 60 5\r\nsecret\r\n"), "set mykey 0 60 5");
  EXPECT_EQ(after("mongodb", R"({"find": "users"})"), R"({"find":"?"})");
  EXPECT_EQ(after("opensearch", R"({"query": {"match": {"title": "x"}}})"), R"({"query":{"match":{"title":"?"}}})");
  EXPECT_EQ(after("elasticsearch", "/svc/resource"), "/svc/resource");
  EXPECT_EQ(after("cassandra", "SET user:123 john"), "SET user:123 john");
  EXPECT_EQ(after("", "SELECT 7"), "SELECT 7");
  EXPECT_EQ(sanitizer.Sanitized("other", "SELECT 7", "mysql"), "SELECT 7");
}

TEST(DbSanitizer, LeavesWhatIsNotEnabled) {
  const DbSanitizer sanitizer({.sql = {.enabled = false, .attributes = {"q"}}, .redis = Of({"r"})});
  EXPECT_FALSE(sanitizer.Covers("q"));
  EXPECT_TRUE(sanitizer.Covers("r"));
  EXPECT_EQ(sanitizer.Sanitized("q", "SELECT 7", "mysql"), "SELECT 7");
  EXPECT_TRUE(DbSanitizer(DbSanitizerOptions()).empty());
}

// Scenario: queries without a word on their database.
// Guarantees: each is read as what it looks like; what could be two things loses the values of both.
TEST(DbSanitizer, GoesByLooksWhereThereIsNoSystem) {
  const DbSanitizer sanitizer(AllOf(true));
  const auto after = [&](const char* value) { return sanitizer.Sanitized("db.statement", value, ""); };
  EXPECT_EQ(after("SELECT a\nFROM t WHERE id = 7"), "SELECT a\nFROM t WHERE id = ?");
  EXPECT_EQ(after("SET user:123 john"), "SET user:? ?");
  EXPECT_EQ(after(R"({"find": "users"})"), R"({"find":"?"})");
  const DbSanitizer only_sql({.sql = Of({"q"}), .allow_fallback_without_system = true});
  EXPECT_EQ(only_sql.Sanitized("q", R"({"find": "users"})", ""), "{?: ?}");
}

std::string NameAfter(otlp::SpanKind kind, const char* name, const char* key, const char* system) {
  const otlp::Batch batch = BatchOfSpan({.fields = {.trace_id = {}, .span_id = {}, .name = name, .kind = kind},
                                         .attributes = [&](otlp::AttributeWriter& w) { w.String(key, system); }});
  std::string result;
  batch.slices().front().ForEach([&](const otlp::SpanContext& span) {
    const std::string found = DbSanitizer::SystemOf(span.span.attributes());
    result = DbSanitizer(AllOf()).SpanName(span.span, found).value_or("(left)");
  });
  return result;
}

TEST(DbSanitizer, NamesSpansOfDatabases) {
  EXPECT_EQ(NameAfter(otlp::SpanKind::kClient, "SELECT 7", "db.system", "MySQL"), "SELECT ?");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kInternal, "SET a secret", "db.system.name", "redis"), "SET a ?");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kProducer, "SELECT 7", "db.system", "mysql"), "(left)");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kClient, "SELECT 7", "other", "mysql"), "(left)");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kClient, "look up the user", "db.system", "redis"), "(left)");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kClient, "SELECT shop.users", "db.system", "mysql"), "(left)");
}

}  // namespace
}  // namespace spanloom::pipeline
