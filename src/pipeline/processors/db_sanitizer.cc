// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/db_sanitizer.h"

#include <absl/strings/ascii.h>

#include "base/text.h"
#include "pipeline/db_queries/json_text.h"
#include "pipeline/db_queries/redis_command.h"
#include "pipeline/db_queries/sql_text.h"

namespace spanloom::pipeline {
namespace {

// What a storage command sends stands in the lines behind the first one.
std::string MaskMemcachedValues(std::string_view command) {
  const std::string_view line = command.substr(0, command.find('\n'));
  return std::string(StdView(absl::StripAsciiWhitespace(AbslView(line))));
}

}  // namespace

void DbSystemOptions::Declare(config::OptionsReader& r) {
  r.Field("enabled", enabled, "Whether queries of such databases are sanitized.");
  r.Field("attributes", attributes, "Keys of attributes whose values are queries; none are looked at if it is empty.");
}

void DbSanitizerOptions::Declare(config::OptionsReader& r) {
  r.Field("sql", sql, "SQL: literals, and what comments say, become ?.");
  r.Field("redis", redis, "Commands of Redis: values become ?.");
  r.Field("valkey", valkey, "The same of Valkey.");
  r.Field("memcached", memcached, "Commands of Memcached: what follows the first line goes.");
  r.Field("mongo", mongo, "Queries of MongoDB as JSON: values become \"?\".");
  r.Field("opensearch", opensearch, "The same of OpenSearch.");
  r.Field("es", es, "The same of Elasticsearch.");
  r.Field("sanitize_span_name", sanitize_span_name,
          "Whether names of spans that have a db.system.name (db.system) are sanitized, too.");
  r.Field("allow_fallback_without_system", allow_fallback_without_system,
          "Whether attributes are sanitized where no db.system.name (db.system) says what they are: JSON as JSON, the "
          "rest as SQL, Redis and Memcached, one after the other.");
}

DbSanitizer::DbSanitizer(const DbSanitizerOptions& options)
    : sanitizes_span_names_(options.sanitize_span_name), allows_fallback_(options.allow_fallback_without_system) {
  Add(Kind::kSql, options.sql);
  Add(Kind::kRedis, options.redis);
  Add(Kind::kValkey, options.valkey);
  Add(Kind::kMemcached, options.memcached);
  Add(Kind::kMongo, options.mongo);
  Add(Kind::kOpenSearch, options.opensearch);
  Add(Kind::kElasticsearch, options.es);
}

void DbSanitizer::Add(Kind kind, const DbSystemOptions& options) {
  if (!options.enabled) return;
  databases_.push_back({kind, {options.attributes.begin(), options.attributes.end()}});
  keys_.insert(options.attributes.begin(), options.attributes.end());
}

std::string DbSanitizer::TextOf(const std::optional<otlp::ValueView>& value) {
  if (!value || value->kind() != otlp::ValueView::Kind::kString) return {};
  return absl::AsciiStrToLower(AbslView(value->string_value()));
}

bool DbSanitizer::IsOf(Kind kind, std::string_view system) {
  switch (kind) {
    case Kind::kSql:
      return IsSqlSystem(system);
    case Kind::kRedis:
      return system == "redis";
    case Kind::kValkey:
      return system == "valkey";
    case Kind::kMemcached:
      return system == "memcached";
    case Kind::kMongo:
      return system == "mongodb";
    case Kind::kOpenSearch:
      return system == "opensearch";
    case Kind::kElasticsearch:
      return system == "elasticsearch";
  }
  return false;
}

std::string DbSanitizer::Masked(Kind kind, std::string_view value, std::string_view system) {
  switch (kind) {
    case Kind::kSql:
      return MaskSqlLiterals(value, SqlDialect::Of(system));
    case Kind::kRedis:
    case Kind::kValkey:
      return MaskRedisValues(value);
    case Kind::kMemcached:
      return MaskMemcachedValues(value);
    case Kind::kMongo:
    case Kind::kOpenSearch:
    case Kind::kElasticsearch:
      return LooksLikeJson(value) ? MaskJsonValues(value) : std::string(value);
  }
  return std::string(value);
}

std::string DbSanitizer::Sanitized(std::string_view key, std::string_view value, std::string_view system) const {
  if (system.empty()) return allows_fallback_ ? SanitizedByLooks(key, value) : std::string(value);
  for (const Database& database : databases_) {
    if (IsOf(database.kind, system) && database.attributes.contains(AbslView(key))) {
      return Masked(database.kind, value, system);
    }
  }
  return std::string(value);
}

std::string DbSanitizer::SanitizedByLooks(std::string_view key, std::string_view value) const {
  const bool is_json = LooksLikeJson(value);
  const bool is_sql = LooksLikeSql(value);
  std::string sanitized(value);
  for (const Database& database : databases_) {
    if (!database.attributes.contains(AbslView(key))) continue;
    if (IsJson(database.kind) && is_json) return MaskJsonValues(value);
  }
  for (const Database& database : databases_) {
    if (!database.attributes.contains(AbslView(key)) || IsJson(database.kind)) continue;
    if (database.kind == Kind::kSql && is_sql) return Masked(Kind::kSql, value, "");
    if (IsRedis(database.kind) && !BeginsWithRedisCommand(sanitized)) continue;
    sanitized = Masked(database.kind, sanitized, "");
  }
  return sanitized;
}

std::optional<std::string> DbSanitizer::SpanName(const otlp::SpanView& span, std::string_view system) const {
  const bool is_of_database = span.kind() == otlp::SpanKind::kClient || span.kind() == otlp::SpanKind::kServer ||
                              span.kind() == otlp::SpanKind::kInternal;
  if (!sanitizes_span_names_ || !is_of_database || system.empty()) return std::nullopt;
  for (const Database& database : databases_) {
    if (!IsOf(database.kind, system)) continue;
    // A name may be any words.
    if (IsRedis(database.kind) && !BeginsWithRedisCommand(span.name())) return std::nullopt;
    std::string name = Masked(database.kind, span.name(), system);
    if (name.empty() || name == span.name()) return std::nullopt;
    return name;
  }
  return std::nullopt;
}

}  // namespace spanloom::pipeline
