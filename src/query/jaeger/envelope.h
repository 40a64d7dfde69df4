// SPDX-License-Identifier: Apache-2.0
//
// What every answer of Jaeger's v1 API is wrapped in: {"data", "total", "limit", "offset", "errors"}. `limit` and
// `offset` are always 0: Jaeger has them and never used them.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"
#include "net/http.h"

namespace spanloom::query::jaeger {

struct ApiError {
  int code = 0;  // HTTP status; left out if 0
  std::string message;
  std::string trace_id;  // left out if empty
};

// Builds an answer with status 200: write one JSON value to data(), then Finish. Thread-compatible; used once.
class DataResponse {
 public:
  DataResponse();
  DataResponse(const DataResponse&) = delete;
  DataResponse& operator=(const DataResponse&) = delete;

  [[nodiscard]] JsonWriter& data() { return json_; }
  // Bytes written so far.
  [[nodiscard]] size_t size() const { return body_.size(); }

  // `errors` are those that do not fail the whole answer.
  [[nodiscard]] net::HttpResponse Finish(size_t total, const std::vector<ApiError>& errors = {});

 private:
  std::string body_;
  JsonWriter json_{body_};
};

inline constexpr int kClientGone = 499;  // nobody reads it; as in nginx's logs

// An answer that is an error: data null, one element in errors.
net::HttpResponse ErrorResponse(int http_status, std::string_view message);

// The same for a Status that is not OK: 400 kInvalidArgument, 404 kNotFound, 413 kResourceExhausted, kClientGone
// kCancelled, 503 kUnavailable, 504 kDeadlineExceeded, else 500.
net::HttpResponse ErrorResponse(const Status& status);

// The same JSON over several lines, four spaces a level. `json` must be valid.
[[nodiscard]] std::string IndentJson(std::string_view json);

}  // namespace spanloom::query::jaeger
