// SPDX-License-Identifier: Apache-2.0

#include "otlp/http_answer.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/time/time.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/text.h"
#include "otlp/wire/cursor.h"

namespace spanloom::otlp {
namespace {

constexpr std::chrono::seconds kRetryAfterMax{3'600};
constexpr size_t kTextBytesMax = 256;
constexpr uint32_t kRpcStatusMessage = 2;  // google/rpc/status.proto

// The Collector's table.
absl::StatusCode CodeOf(int status) {
  switch (status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kUnimplemented;
    case 429:
      return absl::StatusCode::kResourceExhausted;
    case 502:
    case 503:
    case 504:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kUnknown;
  }
}

std::optional<absl::Time> DateIn(std::string_view text) {
  absl::Time date;
  if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", AbslView(text), &date, nullptr)) return std::nullopt;
  return date;
}

std::optional<std::chrono::milliseconds> DelayOf(const HttpAnswer& answer, int64_t now_unix_ns) {
  std::chrono::milliseconds delay{0};
  int64_t seconds = 0;
  if (absl::SimpleAtoi(AbslView(answer.retry_after), &seconds)) {
    if (seconds < 0) return std::nullopt;
    delay = std::chrono::seconds(std::min<int64_t>(seconds, kRetryAfterMax.count()));
  } else if (const auto date = DateIn(answer.retry_after)) {
    const absl::Time now = DateIn(answer.date).value_or(absl::FromUnixNanos(now_unix_ns));
    delay = std::chrono::milliseconds(absl::ToInt64Milliseconds(*date - now));
  } else {
    return std::nullopt;
  }
  return std::clamp<std::chrono::milliseconds>(delay, std::chrono::milliseconds(0), kRetryAfterMax);
}

std::string Printable(std::string_view text) {
  std::string printable(text.substr(0, kTextBytesMax));
  std::replace_if(
      printable.begin(), printable.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return printable;
}

bool IsJson(std::string_view content_type) {
  return absl::StartsWithIgnoreCase(AbslView(content_type), "application/json");
}

// A number, or a number in a string, as the protobuf JSON mapping has both.
std::optional<uint64_t> NumberIn(simdjson::ondemand::value value) {
  uint64_t number = 0;
  if (value.get_uint64().get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS && absl::SimpleAtoi(AbslView(text), &number)) return number;
  return std::nullopt;
}

// Lenient, as ReadPartialSuccess.
PartialSuccess ReadPartialSuccessJson(std::string_view body) {
  PartialSuccess partial;
  const simdjson::padded_string json(body);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object fields;
  if (parser.iterate(json).get(document) != simdjson::SUCCESS) return partial;
  if (document["partialSuccess"].get_object().get(fields) != simdjson::SUCCESS) return partial;
  for (const char* const name : {"rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"}) {
    simdjson::ondemand::value value;
    if (fields[name].get(value) == simdjson::SUCCESS) partial.rejected_spans = NumberIn(value).value_or(0);
  }
  std::string_view message;
  if (fields["errorMessage"].get_string().get(message) == simdjson::SUCCESS) partial.message = message;
  return partial;
}

}  // namespace

std::string ErrorText(const HttpAnswer& answer) {
  if (!answer.content_type.starts_with("application/x-protobuf")) return Printable(answer.body);
  for (wire::Cursor cursor(answer.body); cursor.Next();) {
    if (cursor.field() == kRpcStatusMessage && cursor.type() == wire::Type::kBytes) return Printable(cursor.bytes());
  }
  return {};
}

Status StatusOfHttpAnswer(const HttpAnswer& answer, int64_t now_unix_ns) {
  std::string text = ErrorText(answer);
  if (text.empty()) text = StrCat("HTTP status ", answer.status);
  if (answer.status == 413 && !absl::StrContains(text, "too large")) text += " (content too large)";
  const Status status(CodeOf(answer.status), text);
  if (absl::IsUnavailable(status)) {
    const auto delay = DelayOf(answer, now_unix_ns);
    return delay ? WithRetryDelay(status, *delay) : status;
  }
  // Without a delay RESOURCE_EXHAUSTED would be final.
  if (!absl::IsResourceExhausted(status)) return status;
  return WithRetryDelay(status, DelayOf(answer, now_unix_ns).value_or(std::chrono::milliseconds(0)));
}

PartialSuccess PartialSuccessOf(const HttpAnswer& answer) {
  return IsJson(answer.content_type) ? ReadPartialSuccessJson(answer.body) : ReadPartialSuccess(answer.body);
}

}  // namespace spanloom::otlp
