// SPDX-License-Identifier: Apache-2.0
//
// Batches into requests that their destination takes: encoded, compressed, and none larger than the destination is
// known to take.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/byte_chain.h"
#include "base/status.h"
#include "net/compression.h"
#include "otlp/batch.h"
#include "otlp/request_origin.h"

namespace spanloom::pipeline {

struct ExportRequest {
  ByteChain message;  // encoded and compressed, once
  size_t spans = 0;
  size_t encoded_bytes = 0;  // before compression
  // What is known of where all of it came from; not null. Shared with slices and attempts.
  std::shared_ptr<const otlp::RequestOrigin> origin = std::make_shared<const otlp::RequestOrigin>();
};

enum class RequestEncoding : uint8_t { kProtobuf, kJson };

// How the message of a request was made.
struct RequestForm {
  otlp::Signal signal = otlp::Signal::kTraces;
  RequestEncoding encoding = RequestEncoding::kProtobuf;
  net::Compression compression = net::Compression::kNone;
  friend bool operator==(const RequestForm&, const RequestForm&) = default;
};

// What an OTLP receiver takes unless it is told otherwise: gRPC's 4 MiB, which counts after decompression too.
inline constexpr size_t kRequestBytesMax = 4 << 20;
// What a refusal must name at least, to be believed: smaller numbers in its text mean something else; guess.
inline constexpr size_t kRequestBytesMin = 64 << 10;

// Thread-safe.
class RequestEncoder {
 public:
  // `level` is one that the compression has (net::CheckLevel).
  explicit RequestEncoder(net::Compression compression, RequestEncoding encoding = RequestEncoding::kProtobuf,
                          otlp::Signal signal = otlp::Signal::kTraces, int level = net::kDefaultLevel)
      : compression_(compression), encoding_(encoding), signal_(signal), level_(level) {}

  [[nodiscard]] RequestForm form() const {
    return {.signal = signal_, .encoding = encoding_, .compression = compression_};
  }

  // `request`, which was made in `made` form, perhaps by an earlier version of its exporter, in that of this one.
  // kDataLoss if it can't be read.
  [[nodiscard]] StatusOr<ExportRequest> Adopt(ExportRequest request, const RequestForm& made) const;

  // The spans of `batch`, in order, in as few requests as keep within the limit; a span that alone is larger is a
  // request of its own. Never empty if there are spans.
  [[nodiscard]] std::vector<ExportRequest> Encode(otlp::Batch batch) const;

  // The spans of `request`, which this made, within the limit as it is now, and in two requests at least. Empty if it
  // has one span alone. Takes as long as decompressing and compressing it.
  [[nodiscard]] std::vector<ExportRequest> Split(const ExportRequest& request) const;

  // The first span of `request`, for the log: its name and its trace; "" of metrics and logs.
  struct SpanName {
    std::string name;
    std::string trace_id;  // hexadecimal
  };
  [[nodiscard]] SpanName FirstSpan(const ExportRequest& request) const;

  // True if `refusal` says that `request` is larger than the destination takes. Then the limit is lowered to what it
  // names, or if that is no number below the request's size, to half of that size.
  bool LearnLimit(const Status& refusal, const ExportRequest& request);

  // Before compression.
  [[nodiscard]] size_t request_bytes_max() const { return request_bytes_max_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] ByteChain EncodeContent(const otlp::Batch& batch) const;
  [[nodiscard]] ExportRequest Finish(const otlp::Batch& batch, const ByteChain& content) const;
  [[nodiscard]] otlp::Batch Decode(const ExportRequest& request) const;
  // Appends `batch` in `parts` requests or more.
  void EncodeInParts(otlp::Batch batch, size_t parts, std::vector<ExportRequest>& requests) const;

  const net::Compression compression_;
  const RequestEncoding encoding_;
  const otlp::Signal signal_;
  const int level_;
  std::atomic<size_t> request_bytes_max_ = kRequestBytesMax;
};

}  // namespace spanloom::pipeline
