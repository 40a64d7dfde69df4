// SPDX-License-Identifier: Apache-2.0
//
// The db_sanitizer of the redaction processor: queries and commands of databases without the values in them.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "config/options.h"
#include "otlp/views.h"

namespace spanloom::pipeline {

// Of one kind of database.
struct DbSystemOptions {
  bool enabled = false;
  std::vector<std::string> attributes = {};
  void Declare(config::OptionsReader& r);
};

struct DbSanitizerOptions {
  DbSystemOptions sql = {};
  DbSystemOptions redis = {};
  DbSystemOptions valkey = {};
  DbSystemOptions memcached = {};
  DbSystemOptions mongo = {};
  DbSystemOptions opensearch = {};
  DbSystemOptions es = {};
  bool sanitize_span_name = true;
  bool allow_fallback_without_system = false;
  void Declare(config::OptionsReader& r);
};

// Immutable; thread-safe.
class DbSanitizer {
 public:
  explicit DbSanitizer(const DbSanitizerOptions& options);

  [[nodiscard]] bool empty() const { return databases_.empty(); }

  // The database that a message's attributes name (db.system.name, or the older db.system), in lower case; "" if none.
  template <typename Attributes>
  [[nodiscard]] static std::string SystemOf(const Attributes& attributes) {
    std::string system = TextOf(otlp::FindAttribute(attributes, kSystemKeys[0]));
    return system.empty() ? TextOf(otlp::FindAttribute(attributes, kSystemKeys[1])) : system;
  }

  // `value` of the attribute `key` without values, or as it is: if the key is not one of those that the options name
  // for `system`. Where "" is the system and the options allow it, every kind of database that names the key is taken
  // into account: JSON as JSON, the rest as what the others know, one after the other.
  [[nodiscard]] std::string Sanitized(std::string_view key, std::string_view value, std::string_view system) const;
  // Whether Sanitized would look at the value.
  [[nodiscard]] bool Covers(std::string_view key) const { return keys_.contains(AbslView(key)); }

  // The new name of a client's, server's or internal span of `system`; nullopt to leave it.
  [[nodiscard]] std::optional<std::string> SpanName(const otlp::SpanView& span, std::string_view system) const;

 private:
  enum class Kind : uint8_t { kSql, kRedis, kValkey, kMemcached, kMongo, kOpenSearch, kElasticsearch };
  struct Database {
    Kind kind;
    absl::flat_hash_set<std::string> attributes;
  };

  static constexpr std::string_view kSystemKeys[] = {"db.system.name", "db.system"};

  static std::string TextOf(const std::optional<otlp::ValueView>& value);
  static bool IsJson(Kind kind) {
    return kind == Kind::kMongo || kind == Kind::kOpenSearch || kind == Kind::kElasticsearch;
  }
  static bool IsRedis(Kind kind) { return kind == Kind::kRedis || kind == Kind::kValkey; }
  static bool IsOf(Kind kind, std::string_view system);
  static std::string Masked(Kind kind, std::string_view value, std::string_view system);
  void Add(Kind kind, const DbSystemOptions& options);
  [[nodiscard]] std::string SanitizedByLooks(std::string_view key, std::string_view value) const;

  std::vector<Database> databases_;        // those that are enabled
  absl::flat_hash_set<std::string> keys_;  // of all of them
  bool sanitizes_span_names_;
  bool allows_fallback_;
};

}  // namespace spanloom::pipeline
