// SPDX-License-Identifier: Apache-2.0
//
// HTTP requests and responses as values, the same for HTTP/1.1 and HTTP/2. Bodies are whole: a request reaches its
// handler when its last byte has arrived and its Content-Encoding is undone.

#pragma once

#include <absl/functional/any_invocable.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace spanloom::net {

// Names in lower case, in order of arrival; repeated names are kept.
class HttpHeaders {
 public:
  void Add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  // Leaves `value` as the only one of `name` (lower case), or none if it is "".
  void Set(std::string_view name, std::string value);
  // The first value of `name` (lower case), or "" if there is none.
  [[nodiscard]] std::string_view Get(std::string_view name) const {
    for (const auto& [field_name, value] : fields_) {
      if (field_name == name) return value;
    }
    return {};
  }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method;   // as sent: "GET", "POST"
  std::string path;     // before "?", percent-encoding kept
  std::string query;    // after "?", or ""
  HttpHeaders headers;  // HTTP/2's :authority appears as "host"
  Bytes body;           // decoded
  std::string peer;     // "address:port" of the other end
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;  // content-length is added by the server
  Bytes body;
};

// Answers one request, once, from any thread. Destroying it unanswered answers 500. Movable.
class HttpResponder {
 public:
  using Sink = absl::AnyInvocable<void(HttpResponse)>;
  explicit HttpResponder(Sink sink);
  HttpResponder(HttpResponder&&) noexcept;
  HttpResponder& operator=(HttpResponder&&) noexcept;
  ~HttpResponder();
  void Respond(HttpResponse response) &&;

 private:
  Sink sink_;
};

// Called on the loop of the connection. Thread-safe: one handler serves all loops.
using HttpHandler = std::function<void(HttpRequest, HttpResponder)>;

// A response with a text body and Content-Type `text/plain; charset=utf-8`.
HttpResponse TextResponse(int status, std::string_view text);

// Undoes percent-encoding (and "+" for a space if `plus_is_space`). Malformed escapes stay as they are.
std::string PercentDecode(std::string_view text, bool plus_is_space = false);

// The query's parameters in order, decoded.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query);

}  // namespace spanloom::net
