// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/status_trailers.h"

#include <absl/strings/cord.h>
#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.h"

namespace spanloom::net::grpc {
namespace {

constexpr size_t kMessageBytesMax = 2048;  // grpc-go and C-core take 8 to 16 KiB of headers; escapes may triple it
constexpr size_t kDetailsBytesMax = 4096;  // a third more in base64
constexpr int kCodeMax = 16;               // UNAUTHENTICATED

// Protobuf field numbers (google/rpc/status.proto, error_details.proto, protobuf/any.proto, protobuf/duration.proto).
constexpr int kStatusCode = 1;
constexpr int kStatusMessage = 2;
constexpr int kStatusDetails = 3;
constexpr int kAnyTypeUrl = 1;
constexpr int kAnyValue = 2;
constexpr int kRetryInfoDelay = 1;
constexpr int kDurationSeconds = 1;
constexpr int kDurationNanos = 2;
constexpr std::string_view kTypePrefix = "type.googleapis.com/";
constexpr std::string_view kRetryInfoType = "type.googleapis.com/google.rpc.RetryInfo";

constexpr int kVarint = 0;
constexpr int kFixed64 = 1;
constexpr int kLengthDelimited = 2;
constexpr int kFixed32 = 5;

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void AppendInteger(int field, uint64_t value, std::string& out) {
  AppendVarint(static_cast<uint64_t>(field) << 3 | kVarint, out);
  AppendVarint(value, out);
}

void AppendBytes(int field, std::string_view value, std::string& out) {
  AppendVarint(static_cast<uint64_t>(field) << 3 | kLengthDelimited, out);
  AppendVarint(value.size(), out);
  out.append(value);
}

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

struct Field {
  int number = 0;
  uint64_t integer = 0;    // of a varint
  std::string_view bytes;  // of a length-delimited field
};

std::optional<std::string_view> TakeBytes(std::string_view& bytes, uint64_t size) {
  if (size > bytes.size()) return std::nullopt;
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

// The value after the key of `field`, by its wire type; false if the bytes are broken.
bool TakeValue(int wire_type, std::string_view& bytes, Field& field) {
  if (wire_type == kFixed64) return TakeBytes(bytes, 8).has_value();
  if (wire_type == kFixed32) return TakeBytes(bytes, 4).has_value();
  if (wire_type != kVarint && wire_type != kLengthDelimited) return false;
  const std::optional<uint64_t> integer = TakeVarint(bytes);
  if (!integer.has_value()) return false;
  field.integer = *integer;
  if (wire_type == kVarint) return true;
  const std::optional<std::string_view> taken = TakeBytes(bytes, *integer);
  field.bytes = taken.value_or(std::string_view());
  return taken.has_value();
}

// Calls `visit` for each field; stops at broken bytes.
template <typename Visit>
void ForEachField(std::string_view bytes, Visit visit) {
  while (!bytes.empty()) {
    const std::optional<uint64_t> key = TakeVarint(bytes);
    if (!key.has_value()) return;
    Field field;
    field.number = static_cast<int>(std::min<uint64_t>(*key >> 3, INT32_MAX));
    if (!TakeValue(static_cast<int>(*key & 7), bytes, field)) return;
    visit(field);
  }
}

std::string EncodeRetryInfo(std::chrono::milliseconds delay) {
  std::string duration;
  AppendInteger(kDurationSeconds, static_cast<uint64_t>(delay.count() / 1000), duration);
  AppendInteger(kDurationNanos, static_cast<uint64_t>(delay.count() % 1000) * 1'000'000, duration);
  std::string retry_info;
  AppendBytes(kRetryInfoDelay, duration, retry_info);
  return retry_info;
}

constexpr int64_t kDurationSecondsMax = 315'576'000'000;  // protobuf/duration.proto: ten thousand years

std::chrono::milliseconds DecodeDuration(std::string_view duration) {
  int64_t seconds = 0;
  int64_t nanos = 0;
  ForEachField(duration, [&](const Field& field) {
    if (field.number == kDurationSeconds) seconds = static_cast<int64_t>(field.integer);
    if (field.number == kDurationNanos) nanos = static_cast<int64_t>(field.integer);
  });
  seconds = std::clamp<int64_t>(seconds, 0, kDurationSecondsMax);
  nanos = std::clamp<int64_t>(nanos, 0, 999'999'999);
  return std::chrono::milliseconds(seconds * 1000 + (nanos + 999'999) / 1'000'000);
}

struct Any {
  std::string_view type;
  std::string_view value;
};

Any DecodeAny(std::string_view bytes) {
  Any any;
  ForEachField(bytes, [&](const Field& field) {
    if (field.number == kAnyTypeUrl) any.type = field.bytes;
    if (field.number == kAnyValue) any.value = field.bytes;
  });
  return any;
}

bool IsRetryInfo(const Any& any) {
  return any.type.ends_with("/google.rpc.RetryInfo");
}

// A RetryInfo without a delay says "at once", and that the same may be sent again.
std::chrono::milliseconds DecodeRetryInfo(std::string_view bytes) {
  std::chrono::milliseconds delay{0};
  ForEachField(bytes, [&](const Field& field) {
    if (field.number == kRetryInfoDelay) delay = DecodeDuration(field.bytes);
  });
  return delay;
}

std::string EncodeAny(std::string_view type, std::string_view value) {
  std::string any;
  AppendBytes(kAnyTypeUrl, type, any);
  AppendBytes(kAnyValue, value, any);
  return any;
}

// The details of `status`, encoded as the repeated field of google.rpc.Status.
std::string EncodeDetails(const Status& status) {
  std::string details;
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    if (!StdView(type).starts_with(kTypePrefix) || details.size() + payload.size() > kDetailsBytesMax) return;
    AppendBytes(kStatusDetails, EncodeAny(StdView(type), std::string(payload)), details);
  });
  if (const auto delay = RetryDelay(status); delay.has_value()) {
    AppendBytes(kStatusDetails, EncodeAny(kRetryInfoType, EncodeRetryInfo(*delay)), details);
  }
  return details;
}

std::string_view Shortened(std::string_view message) {
  return message.substr(0, kMessageBytesMax);
}

bool IsPlain(char c) {
  return c >= 0x20 && c <= 0x7e && c != '%';
}

std::string UnpaddedBase64(std::string_view bytes) {
  std::string encoded = absl::Base64Escape(AbslView(bytes));
  encoded.erase(encoded.find_last_not_of('=') + 1);
  return encoded;
}

}  // namespace

std::string EncodeGrpcMessage(std::string_view message) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(message.size());
  for (const char c : message) {
    if (IsPlain(c)) {
      encoded.push_back(c);
    } else {
      const auto byte = static_cast<uint8_t>(c);
      encoded.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return encoded;
}

std::string EncodeStatusDetails(const Status& status) {
  const std::string details = EncodeDetails(status);
  if (details.empty()) return {};
  std::string encoded;
  AppendInteger(kStatusCode, static_cast<uint64_t>(status.raw_code()), encoded);
  AppendBytes(kStatusMessage, Shortened(StdView(status.message())), encoded);
  return encoded + details;
}

Status WithStatusDetails(Status status, std::string_view details) {
  ForEachField(details, [&](const Field& field) {
    if (field.number != kStatusDetails) return;
    const Any any = DecodeAny(field.bytes);
    if (!IsRetryInfo(any)) {
      if (any.type.starts_with(kTypePrefix)) status.SetPayload(AbslView(any.type), absl::Cord(AbslView(any.value)));
    } else if (!RetryDelay(status).has_value()) {
      status = WithRetryDelay(std::move(status), DecodeRetryInfo(any.value));
    }
  });
  return status;
}

Trailers StatusToTrailers(const Status& status) {
  Trailers trailers;
  trailers.emplace_back("grpc-status", StrCat(status.raw_code()));
  if (!status.message().empty()) {
    trailers.emplace_back("grpc-message", EncodeGrpcMessage(Shortened(StdView(status.message()))));
  }
  if (const std::string details = EncodeStatusDetails(status); !details.empty()) {
    trailers.emplace_back("grpc-status-details-bin", UnpaddedBase64(details));
  }
  return trailers;
}

Status StatusFromTrailers(const HttpHeaders& fields) {
  int code = 0;
  const std::string_view code_text = fields.Get("grpc-status");
  if (!absl::SimpleAtoi(AbslView(code_text), &code) || code < 0 || code > kCodeMax) {
    return absl::UnknownError(StrCat("the peer sent grpc-status \"", Shortened(code_text), "\", which is not a code"));
  }
  const std::string message = PercentDecode(fields.Get("grpc-message"));
  const Status status(static_cast<absl::StatusCode>(code), message);
  std::string details;
  if (!absl::Base64Unescape(AbslView(fields.Get("grpc-status-details-bin")), &details)) return status;
  return WithStatusDetails(status, details);
}

Status StatusFromHttp(int http_status) {
  const std::string message = StrCat("the peer answered HTTP status ", http_status, " without grpc-status");
  switch (http_status) {
    case 400:
    case 431:
      return absl::InternalError(message);
    case 401:
      return absl::UnauthenticatedError(message);
    case 403:
      return absl::PermissionDeniedError(message);
    case 404:
      return absl::UnimplementedError(message);
    case 429:
    case 502:
    case 503:
    case 504:
      return absl::UnavailableError(message);
    default:
      return absl::UnknownError(message);
  }
}

}  // namespace spanloom::net::grpc
