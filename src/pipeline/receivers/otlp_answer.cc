// SPDX-License-Identifier: Apache-2.0

#include "pipeline/receivers/otlp_answer.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "otlp/wire/writer.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kProtobufType = "application/x-protobuf";
constexpr std::string_view kJsonType = "application/json";

// The Collector's table (receiver/otlpreceiver, errors); OTLP 1.x asks for the retryable ones to be 429 or 503.
int HttpStatusOf(const Status& status) {
  if (absl::IsResourceExhausted(status)) return 429;
  if (IsRetryable(status)) return 503;
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kUnimplemented:
      return 404;
    default:
      return 500;
  }
}

// google.rpc.Status: code = 1, message = 2.
std::string StatusMessage(const Status& status, OtlpEncoding encoding) {
  std::string body;
  if (encoding == OtlpEncoding::kJson) {
    JsonWriter json(body);
    json.BeginObject();
    json.Field("code", static_cast<int>(status.code()));
    json.Field("message", StdView(status.message()));
    json.EndObject();
  } else {
    otlp::wire::Writer writer(body);
    writer.Varint(1, static_cast<uint64_t>(status.code()));
    writer.Bytes(2, StdView(status.message()));
  }
  return body;
}

void AddRetryAfter(const Status& status, net::HttpResponse& response) {
  const auto delay = RetryDelay(status);
  if (!delay || (response.status != 429 && response.status != 503)) return;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*delay).count();
  response.headers.Add("retry-after", StrCat(std::max<int64_t>(1, seconds)));
}

}  // namespace

std::optional<OtlpEncoding> EncodingOf(std::string_view content_type) {
  const absl::string_view type = absl::StripAsciiWhitespace(AbslView(content_type.substr(0, content_type.find(';'))));
  if (absl::EqualsIgnoreCase(type, AbslView(kProtobufType))) return OtlpEncoding::kProtobuf;
  if (absl::EqualsIgnoreCase(type, AbslView(kJsonType))) return OtlpEncoding::kJson;
  return std::nullopt;
}

Bytes SuccessMessage() {
  return Bytes::CopyOf(std::string_view("\x0a\x00", 2));
}

net::HttpResponse OtlpResponse(const Status& status, OtlpEncoding encoding) {
  const bool json = encoding == OtlpEncoding::kJson;
  net::HttpResponse response;
  response.headers.Add("content-type", std::string(json ? kJsonType : kProtobufType));
  if (status.ok()) {
    response.body = json ? Bytes::CopyOf(R"({"partialSuccess":{}})") : SuccessMessage();
    return response;
  }
  response.status = HttpStatusOf(status);
  AddRetryAfter(status, response);
  response.body = Bytes(StatusMessage(status, encoding));
  return response;
}

net::HttpResponse PlainResponse(int status, std::string_view text) {
  net::HttpResponse response;
  response.status = status;
  response.headers.Add("content-type", "text/plain");
  response.body = Bytes::CopyOf(text);
  return response;
}

net::HttpResponse NotFound() {
  net::HttpResponse response = net::TextResponse(404, "404 page not found\n");
  response.headers.Add("x-content-type-options", "nosniff");
  return response;
}

net::HttpResponse Redirect(std::string path, std::string_view query) {
  net::HttpResponse response;
  response.status = 307;
  if (!query.empty()) StrAppend(path, "?", query);
  response.headers.Add("location", std::move(path));
  return response;
}

std::string ShortestPath(std::string_view path) {
  std::vector<std::string_view> segments;
  std::string_view last;
  for (const absl::string_view part : absl::StrSplit(AbslView(path), '/')) {
    last = StdView(part);
    if (last == ".." && !segments.empty()) segments.pop_back();
    if (!last.empty() && last != "." && last != "..") segments.push_back(last);
  }
  std::string shortest;
  for (const std::string_view segment : segments) StrAppend(shortest, "/", segment);
  if (shortest.empty() || last.empty()) shortest += '/';
  return shortest;
}

}  // namespace spanloom::pipeline
