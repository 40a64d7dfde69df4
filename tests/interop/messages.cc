// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/messages.h"

#include "otlp/wire/cursor.h"
#include "otlp/wire/writer.h"

namespace spanloom::interop {
namespace {

using otlp::wire::Cursor;
using otlp::wire::Type;
using otlp::wire::Writer;

// Fields of SimpleRequest.
enum Field : uint32_t {
  kResponseSize = 2,
  kPayload = 3,
  kResponseCompressed = 6,
  kResponseStatus = 7,
  kExpectCompressed = 8
};

// Fields of StreamingOutputCallRequest and of its ResponseParameters.
enum OutputField : uint32_t { kResponseParameters = 2, kOutputStatus = 7 };
constexpr uint32_t kParametersSize = 1;

// Fields of StreamingInputCallRequest.
enum InputField : uint32_t { kInputPayload = 1, kInputCompressed = 2 };

constexpr uint32_t kAggregatedSize = 1;  // of StreamingInputCallResponse
constexpr uint32_t kPayloadBody = 2;     // of Payload
constexpr uint32_t kBoolValue = 1;       // of BoolValue
constexpr uint32_t kStatusCode = 1;      // of EchoStatus
constexpr uint32_t kStatusMessage = 2;

Status Malformed() {
  return absl::InvalidArgumentError("the message is malformed");
}

// The last field `number` of a message: bytes of a nested one, or a number.
struct Found {
  std::string_view bytes;
  uint64_t scalar = 0;
};
StatusOr<Found> Find(std::string_view wire, uint32_t number) {
  Found found;
  Cursor cursor(wire);
  while (cursor.Next()) {
    if (cursor.field() != number) continue;
    if (cursor.type() == Type::kBytes) {
      found.bytes = cursor.bytes();
    } else {
      found.scalar = cursor.scalar();
    }
  }
  if (!cursor.ok()) return Malformed();
  return found;
}

void WriteBool(Writer& writer, uint32_t field, bool value) {
  const Writer::Mark mark = writer.Begin(field);
  if (value) writer.Varint(kBoolValue, 1);
  writer.End(mark);
}

StatusOr<bool> ParseBool(std::string_view wire) {
  ASSIGN_OR_RETURN(const Found found, Find(wire, kBoolValue));
  return found.scalar != 0;
}

void WritePayload(Writer& writer, uint32_t field, std::string_view body) {
  if (body.empty()) return;
  const Writer::Mark mark = writer.Begin(field);
  writer.Bytes(kPayloadBody, body);
  writer.End(mark);
}

void WriteStatus(Writer& writer, uint32_t field, const std::optional<EchoStatus>& status) {
  if (!status.has_value()) return;
  const Writer::Mark mark = writer.Begin(field);
  writer.Varint(kStatusCode, static_cast<uint64_t>(status->code));
  writer.Bytes(kStatusMessage, status->message);
  writer.End(mark);
}

StatusOr<EchoStatus> ParseStatus(std::string_view wire) {
  ASSIGN_OR_RETURN(const Found code, Find(wire, kStatusCode));
  ASSIGN_OR_RETURN(const Found message, Find(wire, kStatusMessage));
  return EchoStatus{.code = static_cast<int32_t>(code.scalar), .message = std::string(message.bytes)};
}

Status TakeField(const Cursor& cursor, SimpleRequest& request) {
  if (cursor.field() == kResponseSize && cursor.type() == Type::kVarint) {
    request.response_size = static_cast<uint32_t>(cursor.scalar());
  }
  if (cursor.type() != Type::kBytes) return absl::OkStatus();
  switch (cursor.field()) {
    case kPayload: {
      ASSIGN_OR_RETURN(const Found body, Find(cursor.bytes(), kPayloadBody));
      request.payload = body.bytes;
      break;
    }
    case kResponseCompressed: {
      ASSIGN_OR_RETURN(request.wants_compressed_answer, ParseBool(cursor.bytes()));
      break;
    }
    case kResponseStatus: {
      ASSIGN_OR_RETURN(request.status, ParseStatus(cursor.bytes()));
      break;
    }
    case kExpectCompressed: {
      ASSIGN_OR_RETURN(request.is_compressed, ParseBool(cursor.bytes()));
      break;
    }
    default:
      break;
  }
  return absl::OkStatus();
}

}  // namespace

std::string SimpleRequest::Encode() const {
  std::string wire;
  Writer writer(wire);
  if (response_size > 0) writer.Varint(kResponseSize, response_size);
  WritePayload(writer, kPayload, payload);
  if (wants_compressed_answer.has_value()) WriteBool(writer, kResponseCompressed, *wants_compressed_answer);
  WriteStatus(writer, kResponseStatus, status);
  if (is_compressed.has_value()) WriteBool(writer, kExpectCompressed, *is_compressed);
  return wire;
}

StatusOr<SimpleRequest> SimpleRequest::Parse(std::string_view wire) {
  SimpleRequest request;
  Cursor cursor(wire);
  while (cursor.Next()) RETURN_IF_ERROR(TakeField(cursor, request));
  if (!cursor.ok()) return Malformed();
  return request;
}

std::string StreamingOutputRequest::Encode() const {
  std::string wire;
  Writer writer(wire);
  for (const uint32_t size : response_sizes) {
    const Writer::Mark mark = writer.Begin(kResponseParameters);
    writer.Varint(kParametersSize, size);
    writer.End(mark);
  }
  WritePayload(writer, kPayload, payload);
  WriteStatus(writer, kOutputStatus, status);
  return wire;
}

StatusOr<StreamingOutputRequest> StreamingOutputRequest::Parse(std::string_view wire) {
  StreamingOutputRequest request;
  Cursor cursor(wire);
  while (cursor.Next()) {
    if (cursor.type() != Type::kBytes) continue;
    if (cursor.field() == kResponseParameters) {
      ASSIGN_OR_RETURN(const Found size, Find(cursor.bytes(), kParametersSize));
      request.response_sizes.push_back(static_cast<uint32_t>(size.scalar));
    } else if (cursor.field() == kOutputStatus) {
      ASSIGN_OR_RETURN(request.status, ParseStatus(cursor.bytes()));
    }
  }
  if (!cursor.ok()) return Malformed();
  return request;
}

std::string StreamingInputRequest::Encode() const {
  std::string wire;
  Writer writer(wire);
  WritePayload(writer, kInputPayload, payload);
  if (is_compressed.has_value()) WriteBool(writer, kInputCompressed, *is_compressed);
  return wire;
}

StatusOr<StreamingInputRequest> StreamingInputRequest::Parse(std::string_view wire) {
  StreamingInputRequest request;
  ASSIGN_OR_RETURN(request.payload, ParsePayload(wire));
  Cursor cursor(wire);
  while (cursor.Next()) {
    if (cursor.field() != kInputCompressed || cursor.type() != Type::kBytes) continue;
    ASSIGN_OR_RETURN(request.is_compressed, ParseBool(cursor.bytes()));
  }
  if (!cursor.ok()) return Malformed();
  return request;
}

StatusOr<size_t> ParseAggregatedSize(std::string_view wire) {
  ASSIGN_OR_RETURN(const Found size, Find(wire, kAggregatedSize));
  return static_cast<size_t>(size.scalar);
}

std::string EncodeAggregatedSize(size_t bytes) {
  std::string wire;
  Writer(wire).Varint(kAggregatedSize, bytes);
  return wire;
}

std::string EncodePayload(std::string_view body) {
  std::string wire;
  Writer writer(wire);
  const Writer::Mark mark = writer.Begin(1);
  writer.Bytes(kPayloadBody, body);
  writer.End(mark);
  return wire;
}

StatusOr<std::string> ParsePayload(std::string_view wire) {
  ASSIGN_OR_RETURN(const Found payload, Find(wire, 1));
  ASSIGN_OR_RETURN(const Found body, Find(payload.bytes, kPayloadBody));
  return std::string(body.bytes);
}

}  // namespace spanloom::interop
