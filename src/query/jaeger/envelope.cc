// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/envelope.h"

#include <utility>

#include "base/text.h"

namespace spanloom::query::jaeger {
namespace {

constexpr size_t kIndent = 4;  // spaces; as Jaeger

void WriteError(const ApiError& error, JsonWriter& json) {
  json.BeginObject();
  if (error.code != 0) json.Field("code", error.code);
  json.Field("msg", error.message);
  if (!error.trace_id.empty()) json.Field("traceID", error.trace_id);
  json.EndObject();
}

void WriteErrors(const std::vector<ApiError>& errors, JsonWriter& json) {
  if (errors.empty()) return json.Null();
  json.BeginArray();
  for (const ApiError& error : errors) WriteError(error, json);
  json.EndArray();
}

net::HttpResponse JsonResponse(int status, std::string body) {
  net::HttpResponse response = {.status = status, .headers = {}, .body = Bytes(std::move(body))};
  response.headers.Add("content-type", "application/json");
  return response;
}

int HttpStatusOf(const Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
      return 413;
    case absl::StatusCode::kCancelled:
      return kClientGone;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

// Past the string that begins at `at`.
size_t EndOfString(std::string_view json, size_t at) {
  for (++at; json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

void BreakLine(size_t depth, std::string& out) {
  out += '\n';
  out.append(depth * kIndent, ' ');
}

}  // namespace

DataResponse::DataResponse() {
  json_.BeginObject();
  json_.Key("data");
}

net::HttpResponse DataResponse::Finish(size_t total, const std::vector<ApiError>& errors) {
  json_.Field("total", static_cast<uint64_t>(total));
  json_.Field("limit", 0);
  json_.Field("offset", 0);
  json_.Key("errors");
  WriteErrors(errors, json_);
  json_.EndObject();
  return JsonResponse(200, std::move(body_));
}

net::HttpResponse ErrorResponse(int http_status, std::string_view message) {
  DataResponse response;
  response.data().Null();
  net::HttpResponse answer =
      response.Finish(0, {{.code = http_status, .message = std::string(message), .trace_id = {}}});
  answer.status = http_status;
  return answer;
}

net::HttpResponse ErrorResponse(const Status& status) {
  return ErrorResponse(HttpStatusOf(status), StdView(status.message()));
}

std::string IndentJson(std::string_view json) {
  std::string out;
  size_t depth = 0;
  for (size_t at = 0; at < json.size();) {
    const char c = json[at];
    const bool is_empty = (c == '[' || c == '{') && (json[at + 1] == ']' || json[at + 1] == '}');
    if (is_empty) {
      out.append(json.substr(at, 2));
      at += 2;
      continue;
    }
    if (c == '"') {
      const size_t end = EndOfString(json, at);
      out.append(json.substr(at, end - at));
      at = end;
      continue;
    }
    if (c == ']' || c == '}') BreakLine(--depth, out);
    out += c;
    if (c == '[' || c == '{') BreakLine(++depth, out);
    if (c == ',') BreakLine(depth, out);
    if (c == ':') out += ' ';
    ++at;
  }
  return out;
}

}  // namespace spanloom::query::jaeger
