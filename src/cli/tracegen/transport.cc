// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/transport.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "net/client.h"
#include "otlp/export_service.h"
#include "otlp/http_answer.h"
#include "otlp/wire/cursor.h"

namespace spanloom::cli::tracegen {
namespace {

constexpr std::string_view kUserAgent = "spanloom-tracegen";
constexpr std::string_view kProtobufType = "application/x-protobuf";
constexpr size_t kMessageShown = 300;  // bytes of a receiver's message that are kept

// opentelemetry/proto/collector/trace/v1/trace_service.proto.
constexpr uint32_t kResponsePartialSuccess = 1;
constexpr uint32_t kPartialRejectedSpans = 1, kPartialErrorMessage = 2;

// What a receiver wrote, fit for a terminal: no control characters, not longer than needed.
std::string Printable(std::string_view text) {
  std::string printable(text.substr(0, kMessageShown));
  std::replace_if(
      printable.begin(), printable.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return printable;
}

ExportAnswer FailedAnswer(Status status, std::string code) {
  return {.status = std::move(status), .code = std::move(code), .rejected_reason = {}};
}

ExportAnswer NotAnAnswer(std::string_view what) {
  return FailedAnswer(absl::InternalError(AbslView(what)), "INTERNAL");
}

// False if `wire` is malformed.
bool ReadPartialSuccess(std::string_view wire, ExportAnswer& answer) {
  otlp::wire::Cursor cursor(wire);
  while (cursor.Next()) {
    if (cursor.field() == kPartialRejectedSpans && cursor.type() == otlp::wire::Type::kVarint) {
      answer.rejected_spans = static_cast<uint64_t>(std::max<int64_t>(static_cast<int64_t>(cursor.scalar()), 0));
    } else if (cursor.field() == kPartialErrorMessage && cursor.type() == otlp::wire::Type::kBytes) {
      answer.rejected_reason = Printable(cursor.bytes());
    }
  }
  return cursor.ok();
}

ExportAnswer AnswerOf(const Status& error) {
  return FailedAnswer(absl::Status(error), absl::StatusCodeToString(error.code()));
}

class GrpcTransport final : public Transport {
 public:
  GrpcTransport(std::unique_ptr<net::GrpcChannel> channel, const TransportOptions& options)
      : channel_(std::move(channel)),
        call_options_{.deadline = options.timeout, .metadata = {}, .message_compression = options.compression} {}

  void Export(Bytes body, absl::AnyInvocable<void(ExportAnswer)> done) override {
    channel_->Call(std::string(otlp::kTracesMethod), ByteChain(std::move(body)), call_options_,
                   [done = std::move(done)](StatusOr<Bytes> answer) mutable {
                     done(answer.ok() ? ReadExportResponse(answer->view()) : AnswerOf(answer.status()));
                   });
  }

 private:
  std::unique_ptr<net::GrpcChannel> channel_;
  net::GrpcCallOptions call_options_;
};

class HttpTransport final : public Transport {
 public:
  HttpTransport(std::unique_ptr<net::HttpClient> client, const TransportOptions& options)
      : client_(std::move(client)), timeout_(options.timeout) {
    request_.method = "POST";
    request_.path = std::string(otlp::kTracesPath);
    request_.headers.Add("host", options.endpoint);
    request_.headers.Add("content-type", std::string(kProtobufType));
    request_.headers.Add("user-agent", std::string(kUserAgent));
    if (options.compression == net::Compression::kGzip) request_.headers.Add("content-encoding", "gzip");
  }

  void Export(Bytes body, absl::AnyInvocable<void(ExportAnswer)> done) override {
    net::HttpRequest request = request_;
    request.body = std::move(body);
    client_->Send(std::move(request), timeout_, [done = std::move(done)](StatusOr<net::HttpResponse> answer) mutable {
      done(answer.ok() ? ReadHttpAnswer(*answer) : AnswerOf(answer.status()));
    });
  }

 private:
  std::unique_ptr<net::HttpClient> client_;
  std::chrono::milliseconds timeout_;
  net::HttpRequest request_;  // what every request has in common
};

}  // namespace

StatusOr<std::unique_ptr<Transport>> MakeTransport(net::Loop& loop, const TransportOptions& options) {
  if (options.protocol == Protocol::kGrpc) {
    net::GrpcChannelOptions channel_options;
    channel_options.endpoint = options.endpoint;
    channel_options.user_agent = std::string(kUserAgent);
    channel_options.calls_max = options.concurrency;
    ASSIGN_OR_RETURN(auto channel, net::GrpcChannel::Create(loop, std::move(channel_options)));
    return std::make_unique<GrpcTransport>(std::move(channel), options);
  }
  net::HttpClientOptions client_options;
  client_options.endpoint = options.endpoint;
  client_options.connections_max = options.concurrency;
  ASSIGN_OR_RETURN(auto client, net::HttpClient::Create(loop, std::move(client_options)));
  return std::make_unique<HttpTransport>(std::move(client), options);
}

ExportAnswer ReadExportResponse(std::string_view wire) {
  ExportAnswer answer = {.status = absl::OkStatus(), .code = "OK", .rejected_reason = {}};
  otlp::wire::Cursor cursor(wire);
  bool is_valid = true;
  while (is_valid && cursor.Next()) {
    if (cursor.field() != kResponsePartialSuccess) continue;
    is_valid = cursor.type() == otlp::wire::Type::kBytes && ReadPartialSuccess(cursor.bytes(), answer);
  }
  if (!is_valid || !cursor.ok()) return NotAnAnswer("the answer is not an ExportTraceServiceResponse");
  return answer;
}

ExportAnswer ReadHttpAnswer(const net::HttpResponse& response) {
  if (response.status == 200) {
    const std::string_view type = response.headers.Get("content-type");
    if (response.body.empty() || type.starts_with(kProtobufType)) return ReadExportResponse(response.body.view());
    return NotAnAnswer(StrCat("HTTP 200 with content-type \"", Printable(type), "\" is not an answer of OTLP/HTTP"));
  }
  std::string code = StrCat("HTTP ", response.status);
  return FailedAnswer(otlp::StatusOfHttpAnswer(otlp::HttpAnswerOf(response), Clock::System().UnixNs()),
                      std::move(code));
}

}  // namespace spanloom::cli::tracegen
