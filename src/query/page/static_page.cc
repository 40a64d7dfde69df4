// SPDX-License-Identifier: Apache-2.0

#include "query/page/static_page.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <string>

#include "base/text.h"
#include "net/compression.h"
#include "query/accept_encoding.h"

namespace spanloom::query::page {
namespace {

constexpr std::string_view kIndexPath = "/index.html";
constexpr std::string_view kAssetsPrefix = "/assets/";
constexpr size_t kHashCharacters = 8;         // Vite's default
constexpr size_t kAssetBytesMax = 64U << 20;  // inflated; guess

bool IsHashCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
}

bool HasHashedName(std::string_view path) {
  if (!path.starts_with(kAssetsPrefix)) return false;
  const std::string_view stem = path.substr(0, path.find('.', path.rfind('/')));
  if (stem.size() < kHashCharacters + 1 || stem[stem.size() - kHashCharacters - 1] != '-') return false;
  const std::string_view hash = stem.substr(stem.size() - kHashCharacters);
  return std::all_of(hash.begin(), hash.end(), IsHashCharacter);
}

// True if one of the tags of an If-None-Match field is `etag`; RFC 9110, 13.1.2 (weak comparison).
bool IsCached(std::string_view if_none_match, std::string_view etag) {
  for (absl::string_view element : absl::StrSplit(AbslView(if_none_match), ',')) {
    std::string_view tag = StdView(absl::StripAsciiWhitespace(element));
    if (tag == "*") return true;
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag.size() == etag.size() + 2 && tag.front() == '"' && tag.back() == '"' &&
        tag.substr(1, etag.size()) == etag) {
      return true;
    }
  }
  return false;
}

// Puts the content into `response`, as the client takes it.
void AddBody(const StaticAsset& asset, bool accepts_gzip, net::HttpResponse& response) {
  if (accepts_gzip) {
    response.headers.Add("content-encoding", "gzip");
    response.body = Bytes(nullptr, asset.gzip);  // lives as long as the program
    return;
  }
  auto content = net::Decompress(net::Compression::kGzip, asset.gzip, kAssetBytesMax);
  if (content.ok()) {
    response.body = *std::move(content);
  } else {
    response = net::TextResponse(500, StrCat("can't inflate ", asset.path, ": ", StdView(content.status().message())));
  }
}

net::HttpResponse Serve(const StaticAsset& asset, const net::HttpRequest& request) {
  net::HttpResponse response;
  // Weak, since the same tag stands for the content with and without compression.
  response.headers.Add("etag", StrCat("W/\"", asset.etag, "\""));
  response.headers.Add("vary", "accept-encoding");
  response.headers.Add("cache-control", HasHashedName(asset.path) ? "public, max-age=31536000, immutable" : "no-cache");
  if (IsCached(request.headers.Get("if-none-match"), asset.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.Add("content-type", std::string(asset.content_type));
  AddBody(asset, AcceptsGzip(request.headers.Get("accept-encoding")), response);
  return response;
}

}  // namespace

StaticPage::StaticPage(const std::vector<StaticAsset>& assets) {
  for (const StaticAsset& asset : assets) assets_.emplace(asset.path, asset);
}

const StaticAsset* StaticPage::Find(std::string_view path) const {
  const auto asset = assets_.find(path);
  return asset == assets_.end() ? nullptr : &asset->second;
}

net::HttpResponse StaticPage::Handle(const net::HttpRequest& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    net::HttpResponse response = net::TextResponse(405, "only GET and HEAD are allowed here");
    response.headers.Add("allow", "GET, HEAD");
    return response;
  }
  const std::string path = net::PercentDecode(request.path);
  if (const StaticAsset* asset = Find(path)) return Serve(*asset, request);
  const StaticAsset* index = path.starts_with(kAssetsPrefix) ? nullptr : Find(kIndexPath);
  if (index == nullptr) return net::TextResponse(404, "not found");
  return Serve(*index, request);
}

void AddSecurityHeaders(net::HttpHeaders& headers) {
  headers.Add("content-security-policy",
              "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
              "frame-ancestors 'none'; base-uri 'self'; form-action 'self'");
  headers.Add("x-content-type-options", "nosniff");
  headers.Add("referrer-policy", "no-referrer");
}

}  // namespace spanloom::query::page
