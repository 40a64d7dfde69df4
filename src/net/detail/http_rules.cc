// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http_rules.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "net/compression.h"
#include "net/detail/held_bytes.h"

namespace spanloom::net {
namespace {

constexpr int kInvalidArgument = 3;  // google.rpc.Code
constexpr std::string_view kProtobufType = "application/x-protobuf";

std::string StatusJson(std::string_view message) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Field("code", kInvalidArgument);
  json.Field("message", message);
  json.EndObject();
  return body;
}

// code = 1, message = 2.
std::string StatusProtobuf(std::string_view message) {
  constexpr size_t kSevenBits = 0x80;
  std::string body("\x08\x03\x12");
  size_t size = message.size();
  for (; size >= kSevenBits; size /= kSevenBits) body += static_cast<char>(size % kSevenBits | kSevenBits);
  body += static_cast<char>(size);
  body += message;
  return body;
}

// A google.rpc.Status, which is what OTLP answers carry, in the encoding of the request.
HttpResponse BadEncoding(const HttpRequest& request, std::string_view message) {
  const bool is_protobuf = ToLower(request.headers.Get("content-type")).starts_with(kProtobufType);
  HttpResponse response;
  response.status = 400;
  response.headers.Add("content-type", is_protobuf ? std::string(kProtobufType) : "application/json");
  response.body = Bytes(is_protobuf ? StatusProtobuf(message) : StatusJson(message));
  return response;
}

bool IsAllowed(Compression compression, const std::vector<Compression>& allowed) {
  return allowed.empty() || std::find(allowed.begin(), allowed.end(), compression) != allowed.end();
}

}  // namespace

Decoding UndoContentEncoding(HttpRequest& request, DecodeWhere where, const ServerOptions& options,
                             Refusals& refusals) {
  const size_t bytes_max = options.limits.body_bytes_max;
  const std::string encoding = ToLower(request.headers.Get("content-encoding"));
  const StatusOr<Compression> compression = ParseCompression(encoding);
  if (encoding.empty() && request.body.empty()) return {};  // nothing is in no coding
  if (!compression.ok() || !IsAllowed(*compression, options.content_codings)) {
    refusals.Count(Refusal::kBadEncoding);
    return {.refusal = BadEncoding(request, StrCat("unsupported Content-Encoding: ", encoding))};
  }
  if (*compression == Compression::kNone) return {};
  std::optional<StatusOr<Bytes>> decoded;
  if (where == DecodeWhere::kLoop) {
    decoded = DecompressOnLoop(*compression, request.body.view(), bytes_max);
    if (!decoded.has_value()) return {.is_done = false};
  } else {
    decoded = Decompress(*compression, request.body.view(), bytes_max);
  }
  if (decoded->ok()) {
    request.body = **std::move(decoded);
    return {};
  }
  if (absl::IsResourceExhausted(decoded->status())) {
    refusals.Count(Refusal::kBodyTooLarge);
    return {.refusal = BodyTooLarge(bytes_max)};
  }
  refusals.Count(Refusal::kBadEncoding);
  return {.refusal = BadEncoding(request, StdView(decoded->status().message()))};
}

HttpResponse ComeAgain(std::string_view why) {
  constexpr auto kDelay = std::chrono::duration_cast<std::chrono::seconds>(kBudgetRetryDelay);
  HttpResponse response = TextResponse(503, StrCat("503 ", why, "; send again later"));
  response.headers.Add("retry-after", StrCat(kDelay.count()));
  return response;
}

HttpResponse BodyTooLarge(size_t bytes_max) {
  return TextResponse(413, StrCat("413 the request's body is larger than ", bytes_max, " bytes; send less at once"));
}

bool MayHaveBody(int status) {
  return status >= 200 && status != 204 && status != 304;
}

bool IsConnectionHeader(std::string_view name) {
  return name == "connection" || name == "keep-alive" || name == "proxy-connection" || name == "transfer-encoding" ||
         name == "upgrade" || name == "content-length";
}

std::string CleanHeaderValue(std::string value) {
  std::replace_if(
      value.begin(), value.end(), [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f; }, ' ');
  return value;
}

std::string ToLower(std::string_view text) {
  return absl::AsciiStrToLower(AbslView(text));
}

}  // namespace spanloom::net
