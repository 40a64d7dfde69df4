// SPDX-License-Identifier: Apache-2.0

#include "sdk/otlp_sender.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/metrics.h"
#include "base/mutex.h"
#include "net/server.h"

namespace spanloom::sdk {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRejectsTwo("\x0a\x02\x08\x02", 4);  // partial_success {rejected_spans: 2}

class OtlpSenderTest : public testing::Test {
 protected:
  void SetUp() override {
    net::ServerOptions options;
    options.name = "backend";
    options.endpoint = "127.0.0.1:0";
    for (const otlp::Signal signal : otlp::kSignals) {
      options.grpc.emplace(otlp::ExportMethod(signal),
                           [this, signal](net::GrpcRequest request, net::GrpcResponder responder) {
                             path_ = otlp::ExportPath(signal);
                             seen_ = request.metadata;
                             body_ = request.message;
                             std::move(responder).Respond(grpc_answer_);
                           });
    }
    options.http = [this](net::HttpRequest request, net::HttpResponder responder) {
      seen_ = request.headers;
      path_ = request.path;
      body_ = request.body;
      std::move(responder).Respond(http_answer_);
    };
    auto server = net::Server::Create(loops_, metrics_, std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  // The destination's answer to "request"; what it saw is in seen_, path_ and body_.
  StatusOr<size_t> Send(OtlpProtocol protocol) { return SendBy({.protocol = protocol, .headers = {{"x-token", "t"}}}); }

  StatusOr<size_t> SendBy(OtlpSenderOptions sender_options) {
    sender_options.endpoint = server_->endpoint();
    sender_options.timeout = 20s;
    std::unique_ptr<OtlpSender> sender;
    StatusOr<size_t> answer = absl::UnknownError("");
    Notification answered;
    loops_.At(0).Post([&] {
      sender = *OtlpSender::Create(loops_.At(0), std::move(sender_options));
      sender->Send(Bytes(std::string("request")), [&](StatusOr<size_t> rejected) {
        answer = std::move(rejected);
        answered.Notify();
      });
    });
    answered.Wait();
    Notification gone;
    loops_.At(0).Post([&] {
      sender.reset();
      gone.Notify();
    });
    gone.Wait();
    return answer;
  }

  MetricRegistry metrics_;
  net::LoopPool loops_{1};
  std::unique_ptr<net::Server> server_;
  // Of the loop, or set before a request.
  StatusOr<Bytes> grpc_answer_ = Bytes();
  net::HttpResponse http_answer_;
  net::HttpHeaders seen_;
  std::string path_;
  Bytes body_;
};

// Scenario: a request over each protocol, taken in whole.
// Guarantees: it arrives with the headers, the mark of own telemetry and the right type.
TEST_F(OtlpSenderTest, SendsOverBothProtocols) {
  for (const OtlpProtocol protocol : {OtlpProtocol::kGrpc, OtlpProtocol::kHttpProtobuf}) {
    const StatusOr<size_t> rejected = Send(protocol);
    ASSERT_TRUE(rejected.ok()) << rejected.status();
    EXPECT_EQ(*rejected, 0u);
    EXPECT_EQ(body_.view(), "request");
    EXPECT_EQ(seen_.Get("x-token"), "t");
    EXPECT_FALSE(seen_.Get(kOwnTelemetryHeader).empty());
  }
  EXPECT_EQ(path_, "/v1/traces");
  EXPECT_EQ(seen_.Get("content-type"), "application/x-protobuf");
}

// Scenario: a request of metrics, compressed, over each protocol; and one to a path of its own.
// Guarantees: it goes to the service of metrics and arrives as it was; over HTTP it says how it is compressed.
TEST_F(OtlpSenderTest, SendsMetricsCompressed) {
  OtlpSenderOptions options{.signal = otlp::Signal::kMetrics, .compression = net::Compression::kGzip};
  for (const OtlpProtocol protocol : {OtlpProtocol::kGrpc, OtlpProtocol::kHttpProtobuf}) {
    options.protocol = protocol;
    body_ = Bytes();
    ASSERT_TRUE(SendBy(options).ok());
    EXPECT_EQ(path_, "/v1/metrics");
    EXPECT_EQ(body_.view(), "request");
  }
  options.path = "/otlp/v1/metrics";
  ASSERT_TRUE(SendBy(options).ok());
  EXPECT_EQ(path_, "/otlp/v1/metrics");
}

// Scenario: a client that wants TLS, in front of a server in cleartext; and one whose authority is no file.
// Guarantees: nothing is sent in cleartext; the file is named before anything is sent.
TEST_F(OtlpSenderTest, KeepsToTls) {
  for (const OtlpProtocol protocol : {OtlpProtocol::kGrpc, OtlpProtocol::kHttpProtobuf}) {
    EXPECT_EQ(SendBy({.protocol = protocol, .tls = net::TlsClientOptions()}).status().code(),
              absl::StatusCode::kUnavailable);
    EXPECT_EQ(body_.size(), 0u);
    net::TlsClientOptions tls;
    tls.ca_file = "/none/ca.pem";
    const Status status =
        OtlpSender::Create(loops_.At(0), {.protocol = protocol, .endpoint = "a:1", .tls = tls}).status();
    EXPECT_NE(status.message().find("/none/ca.pem"), std::string::npos) << status;
  }
}

// Scenario: the destination takes only a part.
// Guarantees: the count of what it refused.
TEST_F(OtlpSenderTest, ReadsAPartialSuccess) {
  grpc_answer_ = Bytes::CopyOf(kRejectsTwo);
  http_answer_.body = Bytes::CopyOf(kRejectsTwo);
  EXPECT_EQ(*Send(OtlpProtocol::kGrpc), 2u);
  EXPECT_EQ(*Send(OtlpProtocol::kHttpProtobuf), 2u);
}

// Scenario: refusals for the moment and for good, over each protocol.
// Guarantees: what may be sent again is what OTLP says, with the delay that was asked for.
TEST_F(OtlpSenderTest, TellsWhatMayBeSentAgain) {
  grpc_answer_ = WithRetryDelay(absl::UnavailableError("busy"), 7ms);
  EXPECT_EQ(RetryDelay(Send(OtlpProtocol::kGrpc).status()), 7ms);
  http_answer_.status = 503;
  http_answer_.headers.Set("retry-after", "3");
  const Status busy = Send(OtlpProtocol::kHttpProtobuf).status();
  EXPECT_TRUE(IsRetryable(busy));
  EXPECT_EQ(RetryDelay(busy), 3s);
  for (const int status : {400, 404, 500}) {
    http_answer_.status = status;
    EXPECT_FALSE(IsRetryable(Send(OtlpProtocol::kHttpProtobuf).status())) << status;
  }
}

// Guarantees: a header that is gRPC's own is refused before anything is sent.
TEST_F(OtlpSenderTest, RefusesHeadersOfTheProtocol) {
  EXPECT_EQ(
      OtlpSender::Create(loops_.At(0), {.endpoint = "tempo:4317", .headers = {{"grpc-timeout", "1S"}}}).status().code(),
      absl::StatusCode::kInvalidArgument);
}

// Guarantees: an endpoint without a port is refused before anything is sent.
TEST_F(OtlpSenderTest, WantsAPort) {
  EXPECT_EQ(OtlpSender::Create(loops_.At(0), {.endpoint = "tempo"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spanloom::sdk
