// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/url_sanitizer.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include <algorithm>
#include <cstddef>

namespace spanloom::pipeline {
namespace {

constexpr size_t kSlashesMax = 10;      // the Collector's
constexpr size_t kSegmentBytes = 48;    // of one that is kept. Guess
constexpr size_t kConsonantsInRow = 6;  // what no word has ("fdklsd"). Guess: angstschweiß has 7, html, https 4 and 5

bool IsLetter(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c));
}

bool IsVowel(char c) {
  return std::string_view("aeiouyAEIOUY").find(c) != std::string_view::npos;
}

// Letters, and what stands between words. A digit may be the second character: v1, k6-tests.
bool HasOddCharacter(std::string_view segment) {
  constexpr std::string_view kBetweenWords = "-_. ";
  for (size_t i = 0; i < segment.size(); ++i) {
    const char c = segment[i];
    if (IsLetter(c) || kBetweenWords.find(c) != std::string_view::npos) continue;
    if (i != 1 || !absl::ascii_isdigit(static_cast<unsigned char>(c))) return true;
  }
  return false;
}

bool IsMadeUp(std::string_view segment) {
  if (segment.size() > kSegmentBytes || HasOddCharacter(segment)) return true;
  size_t in_row = 0;
  for (const char c : segment) {
    in_row = IsLetter(c) && !IsVowel(c) ? in_row + 1 : 0;
    if (in_row == kConsonantsInRow) return true;
  }
  return false;
}

// Scheme, host and port, with what stands in front of them; they are taken from `url`, and its user is left out.
std::string TakeAuthority(std::string_view& url) {
  const size_t mark = url.find("://");
  if (mark == std::string_view::npos || mark == 0 || !IsLetter(url[mark - 1]) || url.find_first_of("/?#") < mark)
    return {};
  const size_t begin = mark + 3;
  const size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const std::string_view authority = url.substr(begin, end - begin);
  const size_t user = authority.rfind('@');
  std::string taken(url.substr(0, begin));
  taken += authority.substr(user == std::string_view::npos ? 0 : user + 1);
  url.remove_prefix(end);
  return taken;
}

bool IsNothingButMasks(std::string_view path) {
  return path.find('*') != std::string_view::npos && path.find_first_not_of("/*") == std::string_view::npos;
}

bool HasHttpAttributes(const otlp::SpanView& span) {
  // Of the semantic conventions, the present ones and those before 1.23.
  constexpr std::string_view kKeys[] = {"http.route",
                                        "http.request.method",
                                        "http.request.method_original",
                                        "http.response.status_code",
                                        "url.full",
                                        "http.scheme",
                                        "http.target",
                                        "http.method",
                                        "http.url"};
  for (const otlp::AttributeView attribute : span.attributes()) {
    if (absl::c_linear_search(kKeys, attribute.key())) return true;
  }
  return false;
}

}  // namespace

void UrlSanitizerOptions::Declare(config::OptionsReader& r) {
  r.Field("enabled", enabled, "Whether URLs are sanitized at all.");
  r.Field("attributes", attributes,
          "Keys of attributes whose values are URLs: made-up parts of the path become *, query, fragment and user go.");
  r.Field("sanitize_span_name", sanitize_span_name,
          "Whether names of HTTP spans of clients and servers are sanitized in the same way.");
  r.Unsupported("sanitize_log_body", "remove it; only traces are processed", "true");
}

UrlSanitizer::UrlSanitizer(const UrlSanitizerOptions& options)
    : attributes_(options.attributes.begin(), options.attributes.end()),
      sanitizes_span_names_(options.sanitize_span_name) {}

std::string UrlSanitizer::Sanitized(std::string_view url) {
  std::string out = TakeAuthority(url);
  url = url.substr(0, url.find_first_of("?&#"));
  for (size_t slashes = 0; slashes < kSlashesMax; ++slashes) {
    const size_t size = std::min(url.find('/'), url.size());
    const std::string_view segment = url.substr(0, size);
    if (segment.empty() || !IsMadeUp(segment)) {
      out += segment;
    } else {
      out += '*';
    }
    if (size == url.size()) break;
    if (slashes + 1 < kSlashesMax) out += '/';
    url.remove_prefix(size + 1);
  }
  return out;
}

std::optional<std::string> UrlSanitizer::SpanName(const otlp::SpanView& span) const {
  if (!sanitizes_span_names_) return std::nullopt;
  if (span.kind() != otlp::SpanKind::kClient && span.kind() != otlp::SpanKind::kServer) return std::nullopt;
  const std::string_view name = span.name();
  if (name.find('/') == std::string_view::npos && !HasHttpAttributes(span)) return std::nullopt;
  std::string sanitized = Sanitized(name);
  if (sanitized.empty() || sanitized == name || IsNothingButMasks(sanitized)) return std::nullopt;
  return sanitized;
}

}  // namespace spanloom::pipeline
