// SPDX-License-Identifier: Apache-2.0
//
// How an export request reaches its receiver, and what the receiver's answer means: OTLP/gRPC and OTLP/HTTP with
// protobuf bodies (opentelemetry-proto, docs/specification.md, "OTLP/gRPC", "OTLP/HTTP").

#pragma once

#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "net/compression.h"
#include "net/http.h"
#include "net/loop.h"

namespace spanloom::cli::tracegen {

enum class Protocol { kGrpc, kHttp };

// What became of one attempt to deliver a request.
struct ExportAnswer {
  // OK: the receiver took the request, perhaps less `rejected_spans`. Otherwise it took nothing that we know of;
  // whether to send again is IsRetryable(status).
  Status status;
  std::string code;             // "OK", "UNAVAILABLE", "HTTP 429": what the receiver said, or why it could not
  uint64_t rejected_spans = 0;  // of an OK answer: partial success
  std::string rejected_reason;
};

// Bound to a loop: made, called and destroyed on its thread.
class Transport {
 public:
  virtual ~Transport() = default;

  // Sends `body`, which is compressed already as the transport was told. `done` is called once, on the loop, never from
  // inside Export.
  virtual void Export(Bytes body, absl::AnyInvocable<void(ExportAnswer)> done) = 0;
};

struct TransportOptions {
  Protocol protocol = Protocol::kGrpc;
  std::string endpoint;  // "host:port"
  net::Compression compression = net::Compression::kNone;
  std::chrono::milliseconds timeout{10'000};  // of one attempt
  size_t concurrency = 4;                     // requests under way at most
};

// kInvalidArgument if the endpoint has no port. `loop` must outlive the transport.
StatusOr<std::unique_ptr<Transport>> MakeTransport(net::Loop& loop, const TransportOptions& options);

// Reads an ExportTraceServiceResponse. kInternal if it is none: then nothing is known to be accepted.
ExportAnswer ReadExportResponse(std::string_view wire);

// What an answer over HTTP means. An answer of 200 counts as accepted only if it speaks OTLP: empty, or protobuf.
ExportAnswer ReadHttpAnswer(const net::HttpResponse& response);

}  // namespace spanloom::cli::tracegen
