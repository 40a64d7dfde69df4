// SPDX-License-Identifier: Apache-2.0
//
// The url_sanitizer of the redaction processor: URLs and names of HTTP spans without what varies from one request to
// the next.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "config/options.h"
#include "otlp/views.h"

namespace spanloom::pipeline {

struct UrlSanitizerOptions {
  bool enabled = false;
  std::vector<std::string> attributes = {};
  bool sanitize_span_name = true;
  void Declare(config::OptionsReader& r);
};

// Immutable; thread-safe.
class UrlSanitizer {
 public:
  explicit UrlSanitizer(const UrlSanitizerOptions& options);

  // Whether values of the attribute `key` are URLs.
  [[nodiscard]] bool Covers(std::string_view key) const { return attributes_.contains(AbslView(key)); }

  // `url`, or a text that ends with one ("GET /a/1"), with a * for each segment of its path that looks made up (digits
  // but for the second character, other signs than -, _ and ., six consonants in a row, more than 48 characters).
  // Query, fragment and user are cut off, and so is what is behind the tenth slash of the path. Scheme, host and port
  // stay. Never longer than `url`.
  [[nodiscard]] static std::string Sanitized(std::string_view url);

  // The new name of a client's or server's span that has a slash in its name or attributes of HTTP; nullopt to leave
  // it, also where nothing but * would be left.
  [[nodiscard]] std::optional<std::string> SpanName(const otlp::SpanView& span) const;

 private:
  absl::flat_hash_set<std::string> attributes_;
  bool sanitizes_span_names_;
};

}  // namespace spanloom::pipeline
