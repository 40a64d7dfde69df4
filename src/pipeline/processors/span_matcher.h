// SPDX-License-Identifier: Apache-2.0
//
// Which spans a processor is about: the Collector's `include` and `exclude`, which name services, span names, kinds,
// attributes, resources and libraries.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/options.h"
#include "otlp/batch.h"
#include "pipeline/processors/attribute_value.h"
#include "pipeline/processors/pattern.h"

namespace spanloom::pipeline {

// Texts, either as they are or as regular expressions that match anywhere. Immutable; thread-safe.
class TextFilter {
 public:
  enum class Type : uint8_t { kStrict, kRegexp };

  // Of kRegexp, `texts` have passed CheckPattern.
  TextFilter(Type type, const std::vector<std::string>& texts);

  // True if `text` is, or matches, one of the texts.
  [[nodiscard]] bool Matches(std::string_view text) const;

 private:
  std::vector<std::string> texts_;  // of kStrict
  PatternList patterns_;            // of kRegexp
};

struct AttributeMatchOptions {
  std::string key;
  std::optional<config::Node> value;  // without it, any will do
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct LibraryMatchOptions {
  std::string name;
  std::optional<config::Node> version;  // a text; without it, any will do
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// What the Collector's cache of matches takes.
struct MatchCacheOptions {
  bool cacheenabled = false;
  int64_t cachemaxnumentries = 0;
  void Declare(config::OptionsReader& r);
};

struct SpanMatchOptions {
  std::string match_type;  // "strict" or "regexp"
  MatchCacheOptions regexp;
  std::vector<std::string> services;
  std::vector<std::string> span_names;
  std::vector<std::string> span_kinds;
  std::vector<AttributeMatchOptions> attributes;
  std::vector<AttributeMatchOptions> resources;
  std::vector<LibraryMatchOptions> libraries;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Immutable; thread-safe.
class SpanMatcher {
 public:
  // `options` have passed Validate.
  explicit SpanMatcher(const SpanMatchOptions& options);

  // True if every kind of thing that the options name matches: of services, names, kinds and libraries one of the list,
  // of attributes and resources all.
  [[nodiscard]] bool Matches(const otlp::SpanContext& span) const;

 private:
  struct AttributeMatch {
    std::string key;
    std::optional<ConfiguredValue> value;  // strict
    std::optional<TextFilter> text;        // regexp
  };
  struct LibraryMatch {
    TextFilter name;
    std::optional<TextFilter> version;
  };

  static std::vector<AttributeMatch> CompiledAttributes(TextFilter::Type type,
                                                        const std::vector<AttributeMatchOptions>& options);
  template <typename Attributes>
  static bool MatchAll(const std::vector<AttributeMatch>& matches, const Attributes& attributes);
  [[nodiscard]] bool MatchesLibrary(const otlp::ScopeView& scope) const;

  std::optional<TextFilter> services_;
  std::optional<TextFilter> span_names_;
  std::optional<TextFilter> span_kinds_;
  std::vector<AttributeMatch> attributes_;
  std::vector<AttributeMatch> resources_;
  std::vector<LibraryMatch> libraries_;
};

// The keys `include` and `exclude` of a processor, which holds them among its own.
struct SpanSelectionOptions {
  std::optional<SpanMatchOptions> include;
  std::optional<SpanMatchOptions> exclude;
  void Declare(config::OptionsReader& r);
};

// Immutable; thread-safe.
class SpanSelection {
 public:
  explicit SpanSelection(const SpanSelectionOptions& options);

  // True if a span is included, or nothing says which are, and not excluded.
  [[nodiscard]] bool Selects(otlp::SpanEditContext& span) const;

 private:
  std::optional<SpanMatcher> include_;
  std::optional<SpanMatcher> exclude_;
};

}  // namespace spanloom::pipeline
