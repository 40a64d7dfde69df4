// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/request_encoder.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "otlp/json/transcode.h"
#include "otlp/json/write.h"
#include "otlp/request.h"
#include "pipeline/common_origin.h"
#include "pipeline/slice_queue.h"

namespace spanloom::pipeline {
namespace {

constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

// How implementations say that a message is too large: grpc-go and gRPC C++ ("received message larger than max (N vs.
// M)", "after decompression larger than max M"), grpc-java ("exceeds maximum size M: N"), tonic ("message length too
// large: found N bytes, the limit is: M bytes"), the Collector's HTTP receiver ("request body too large"), RFC 9110.
constexpr std::string_view kSizePhrases[] = {"larger than max", "exceeds maximum size", "length too large",
                                             "body too large",  "content too large",    "entity too large"};

bool SpeaksOfSize(const Status& refusal) {
  if (refusal.ok() || RetryDelay(refusal)) return false;
  const std::string text = absl::AsciiStrToLower(refusal.message());
  return absl::c_any_of(kSizePhrases, [&](std::string_view phrase) { return text.find(phrase) != std::string::npos; });
}

// The smallest number in `text` that can be a limit which `bytes` pass: of "(21223024 vs. 4194304)", the second.
std::optional<size_t> LimitIn(std::string_view text, size_t bytes) {
  std::optional<size_t> limit;
  const auto is_no_digit = [](char c) { return !absl::ascii_isdigit(static_cast<unsigned char>(c)); };
  std::string digits(text);
  for (char& c : digits) c = is_no_digit(c) ? ' ' : c;
  for (const absl::string_view word : absl::StrSplit(digits, ' ', absl::SkipEmpty())) {
    size_t number = 0;
    if (!absl::SimpleAtoi(word, &number) || number >= bytes || number < kRequestBytesMin) continue;
    limit = std::min(limit.value_or(number), number);
  }
  return limit;
}

// Of EncodedForms: 0 is the wire form.
int FormKey(net::Compression compression, RequestEncoding encoding, int level = net::kDefaultLevel) {
  constexpr int kCompressionsMax = 16;
  constexpr int kLevelsMax = 32;
  constexpr int kLowestLevel = -2;
  const int form = static_cast<int>(encoding) * kCompressionsMax + static_cast<int>(compression);
  return 1 + form * kLevelsMax + std::clamp(level - kLowestLevel, 0, kLevelsMax - 1);
}

StatusOr<otlp::Batch> DecodeRequest(const ExportRequest& request, const RequestForm& form) {
  ASSIGN_OR_RETURN(Bytes content,
                   net::Decompress(form.compression, request.message.Joined().view(), request.encoded_bytes));
  if (form.encoding == RequestEncoding::kJson) {
    ASSIGN_OR_RETURN(std::string wire, otlp::TranscodeJson(form.signal, content.view()));
    content = Bytes(std::move(wire));
  }
  ASSIGN_OR_RETURN(otlp::Slice slice, otlp::ReadRequest(form.signal, std::move(content)));
  return otlp::Batch(std::move(slice));
}

}  // namespace

ByteChain RequestEncoder::EncodeContent(const otlp::Batch& batch) const {
  if (encoding_ == RequestEncoding::kProtobuf) return batch.EncodeInPieces();
  return batch.EncodeAs(FormKey(net::Compression::kNone, encoding_), [&] {
    std::string json;
    otlp::WriteJson(batch, json);
    return ByteChain(Bytes(std::move(json)));
  });
}

ExportRequest RequestEncoder::Finish(const otlp::Batch& batch, const ByteChain& content) const {
  const auto compress = [&] { return ByteChain(net::Compress(compression_, content.Joined().view(), level_)); };
  ByteChain message = compression_ == net::Compression::kNone
                          ? content
                          : batch.EncodeAs(FormKey(compression_, encoding_, level_), compress);
  return {.message = std::move(message),
          .spans = batch.span_count(),
          .encoded_bytes = content.size(),
          .origin = CommonOrigin(batch)};
}

std::vector<ExportRequest> RequestEncoder::Encode(otlp::Batch batch) const {
  std::vector<ExportRequest> requests;
  if (!batch.empty()) EncodeInParts(std::move(batch), 1, requests);
  return requests;
}

void RequestEncoder::EncodeInParts(otlp::Batch batch, size_t parts, std::vector<ExportRequest>& requests) const {
  const size_t spans = batch.span_count();
  if (parts == 1) {
    const ByteChain content = EncodeContent(batch);
    if (content.size() <= request_bytes_max() || spans == 1) return requests.push_back(Finish(batch, content));
    parts = content.size() / request_bytes_max() + 1;
  }
  SliceQueue rest;
  rest.Push(std::move(batch));
  const size_t spans_a_part = (spans + parts - 1) / parts;
  // At least two parts of those that are too large, so that this ends.
  while (!rest.empty()) EncodeInParts(rest.Take(std::min(spans_a_part, spans - 1), kNoLimit), 1, requests);
}

otlp::Batch RequestEncoder::Decode(const ExportRequest& request) const {
  StatusOr<otlp::Batch> batch = DecodeRequest(request, form());
  CHECK(batch.ok());  // as Finish made it
  return *std::move(batch);
}

StatusOr<ExportRequest> RequestEncoder::Adopt(ExportRequest request, const RequestForm& made) const {
  if (made == form()) return request;
  StatusOr<otlp::Batch> batch = DecodeRequest(request, made);
  if (!batch.ok()) return absl::DataLossError(batch.status().message());
  ExportRequest adopted = Finish(*batch, EncodeContent(*batch));
  adopted.origin = request.origin;
  return adopted;
}

std::vector<ExportRequest> RequestEncoder::Split(const ExportRequest& request) const {
  std::vector<ExportRequest> requests;
  if (request.spans <= 1) return requests;
  EncodeInParts(Decode(request), std::max<size_t>(request.encoded_bytes / request_bytes_max() + 1, 2), requests);
  for (ExportRequest& part : requests) part.origin = request.origin;
  return requests;
}

RequestEncoder::SpanName RequestEncoder::FirstSpan(const ExportRequest& request) const {
  SpanName first;
  if (signal_ != otlp::Signal::kTraces) return first;
  const otlp::Batch batch = Decode(request);
  for (const otlp::Slice& slice : batch.slices()) {
    slice.ForEach([&](const otlp::SpanContext& context) {
      if (!first.trace_id.empty()) return;
      first = {.name = std::string(context.span.name()), .trace_id = context.span.trace_id().Hex()};
    });
  }
  return first;
}

bool RequestEncoder::LearnLimit(const Status& refusal, const ExportRequest& request) {
  if (!SpeaksOfSize(refusal)) return false;
  const size_t limit = LimitIn(StdView(refusal.message()), request.encoded_bytes)
                           .value_or(std::max(request.encoded_bytes / 2, kRequestBytesMin));
  size_t known = request_bytes_max();
  while (limit < known && !request_bytes_max_.compare_exchange_weak(known, limit)) {
  }
  return true;
}

}  // namespace spanloom::pipeline
