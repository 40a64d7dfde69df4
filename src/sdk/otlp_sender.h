// SPDX-License-Identifier: Apache-2.0
//
// Sends requests of our own spans, or metrics, to an OTLP destination, over gRPC or HTTP with protobuf, in cleartext or
// over TLS.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/status.h"
#include "net/client.h"
#include "net/compression.h"
#include "net/loop.h"
#include "net/tls.h"
#include "otlp/export_service.h"
#include "sdk/batch_exporter.h"

namespace spanloom::sdk {

// Sent with every request of our own telemetry. Whoever of us receives a request with it makes no span about it:
// otherwise each request would cause the next one.
inline constexpr std::string_view kOwnTelemetryHeader = "x-spanloom-own-telemetry";

enum class OtlpProtocol : uint8_t { kGrpc, kHttpProtobuf };  // "grpc", "http/protobuf" of OTEL_EXPORTER_OTLP_PROTOCOL

struct OtlpSenderOptions {
  otlp::Signal signal = otlp::Signal::kTraces;
  OtlpProtocol protocol = OtlpProtocol::kGrpc;
  std::string endpoint = {};                                      // "host:port"
  std::string path = {};                                          // of HTTP; "": that of the signal
  std::optional<net::TlsClientOptions> tls = {};                  // unset: cleartext
  net::Compression compression = net::Compression::kNone;         // kGzip; of requests, on the loop
  std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case
  std::chrono::milliseconds timeout{10'000};                      // of one attempt; OTEL_EXPORTER_OTLP_TIMEOUT
  const Clock* clock = &Clock::System();                          // never null; what a date of Retry-After counts from
};

// Bound to one loop, its destructor too; destroying it fails what is under way.
class OtlpSender {
 public:
  // Connects at the first request. kInvalidArgument if the endpoint has no port, a header may not be sent, or for TLS
  // options and files that can't be used; reads the files, which blocks.
  static StatusOr<std::unique_ptr<OtlpSender>> Create(net::Loop& loop, OtlpSenderOptions options);

  // `done` is called on the loop, never from inside the call, with the count that partial_success says was rejected. An
  // HTTP status becomes the code that OTLP gives it: 429, 502, 503 and 504 may be sent again (Retry-After becomes the
  // retry delay), others not.
  void Send(const Bytes& request, SendDone done);

 private:
  explicit OtlpSender(OtlpSenderOptions options) : options_(std::move(options)) {}
  void SendGrpc(const Bytes& request, SendDone done);
  void SendHttp(const Bytes& request, SendDone done);
  [[nodiscard]] net::HttpHeaders Headers() const;

  const OtlpSenderOptions options_;
  std::unique_ptr<net::GrpcChannel> channel_;  // one of these two
  std::unique_ptr<net::HttpClient> client_;
};

}  // namespace spanloom::sdk
