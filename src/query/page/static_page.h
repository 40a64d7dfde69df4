// SPDX-License-Identifier: Apache-2.0
//
// Serves the page: a fixed table of files that are part of the program. A single-page application, so that any address
// in it can be opened directly.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace spanloom::query::page {

// One file. Views live as long as the program.
struct StaticAsset {
  std::string_view path;          // "/index.html", "/assets/index-BkX3j2aQ.js"
  std::string_view content_type;  // "text/html; charset=utf-8"
  std::string_view gzip;          // the content, compressed
  std::string_view etag;          // of the content, without quotes
};

// Immutable, so thread-safe. Answers GET and HEAD:
//
// * a file by its path, compressed as it is kept, or inflated for a client that does not take gzip; 304 if it has it
// already;
// * "/assets/..." that is not in the table: 404;
// * any other path: /index.html, so that the page can show it; 404 if there is none.
//
// A file with a hash in its name ("name-XXXXXXXX.ext" below /assets/) may be cached for ever, anything else must be
// asked for again (with its ETag).
class StaticPage {
 public:
  explicit StaticPage(const std::vector<StaticAsset>& assets);

  [[nodiscard]] net::HttpResponse Handle(const net::HttpRequest& request) const;

 private:
  [[nodiscard]] const StaticAsset* Find(std::string_view path) const;

  absl::flat_hash_map<std::string_view, StaticAsset, std::hash<std::string_view>> assets_;  // by path
};

// What every answer carries so that a browser trusts it with no more than the page needs.
void AddSecurityHeaders(net::HttpHeaders& headers);

}  // namespace spanloom::query::page
