// SPDX-License-Identifier: Apache-2.0
//
// The receiver over real sockets on free ports, with recorded requests of real senders.

#include "pipeline/receivers/otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/text.h"
#include "config/yaml.h"
#include "otlp/testing/recorded_requests.h"
#include "pipeline/signal_switch.h"
#include "pipeline/testing/blocking_client.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Everything that comes back on a connection of its own until the other end closes it.
std::string AnswerUntilClosed(const std::string& address, const std::string& request) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  peer.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  CHECK(connect(connection, reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)) == 0);
  CHECK(write(connection, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
  std::string answer;
  std::array<char, 4096> piece;
  ssize_t bytes = 0;
  while ((bytes = read(connection, piece.data(), piece.size())) > 0) answer.append(piece.data(), bytes);
  EXPECT_EQ(bytes, 0) << "it was not closed";
  close(connection);
  return answer;
}

class OtlpReceiverTest : public testing::Test {
 protected:
  static constexpr std::string_view kBothProtocols =
      "protocols: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.1:0'}}";

  void Start(std::string_view yaml = kBothProtocols) { StartBefore(next_, yaml); }
  void StartBefore(Consumer& next, std::string_view yaml = kBothProtocols) {
    config::Problems problems;
    auto options = config::ReadOptions<OtlpReceiverOptions>(*config::ParseYaml(yaml, "f"), "receivers::otlp", problems);
    ASSERT_TRUE(problems.empty()) << problems.ToStatus();
    receiver_ = std::make_unique<OtlpReceiver>(ComponentId{"otlp", ""}, std::move(options), context_, next);
    ASSERT_TRUE(receiver_->Start().ok());
  }
  void TearDown() override {
    if (receiver_ != nullptr) receiver_->Stop(0ms);
  }
  std::string Address(std::string_view serves) const {
    for (const Endpoint& endpoint : receiver_->endpoints()) {
      if (endpoint.serves == serves) return endpoint.address;
    }
    return "";
  }
  StatusOr<Bytes> Grpc(Bytes message) { return CallGrpc(loops_.At(0), Address("OTLP/gRPC"), std::move(message)); }
  net::HttpResponse Http(net::HttpRequest request) {
    const auto response = SendHttp(loops_.At(0), Address("OTLP/HTTP"), std::move(request));
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : net::HttpResponse{.status = 0, .headers = {}, .body = {}};
  }
  uint64_t Spans(const std::string& outcome, const std::string& transport) const {
    return metrics_.Sum("otelcol_receiver_" + outcome + "_spans", {{"receiver", "otlp"}, {"transport", transport}});
  }
  uint64_t Refused(const std::string& cause) const {
    return metrics_.Sum("spanloom_receiver_refused_requests", {{"cause", cause}});
  }

  net::LoopPool loops_{2};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
  FakeConsumer next_;
  std::unique_ptr<OtlpReceiver> receiver_;
};

// Scenario: every recorded protobuf request over gRPC, every JSON one over HTTP.
// Guarantees: all are taken with all their spans, and counted.
TEST_F(OtlpReceiverTest, TakesEverythingThatRealSendersSent) {
  Start();
  uint64_t spans = 0;
  for (const otlp::RecordedRequest& request : otlp::ReadRecordedRequests(".pb")) {
    const auto answer = Grpc(Bytes(request.body));
    ASSERT_TRUE(answer.ok()) << request.name << ": " << answer.status();
    EXPECT_EQ(answer->view(), std::string_view("\x0a\x00", 2));
    spans += request.spans;
  }
  EXPECT_EQ(next_.names().size(), spans);
  EXPECT_EQ(Spans("accepted", "grpc"), spans);
  uint64_t json_spans = 0;
  for (const otlp::RecordedRequest& request : otlp::ReadRecordedRequests(".json")) {
    EXPECT_EQ(Http(PostTraces(request.body, "application/json")).status, 200) << request.name;
    json_spans += request.spans;
  }
  EXPECT_EQ(Spans("accepted", "http"), json_spans);
  EXPECT_EQ(next_.names().size(), spans + json_spans);
}

// Scenario: requests without spans.
// Guarantees: success, and nothing is passed on.
TEST_F(OtlpReceiverTest, AnswersEmptyRequestsAtOnce) {
  Start();
  EXPECT_TRUE(Grpc(Bytes()).ok());
  EXPECT_EQ(Http(PostTraces("")).body.view(), std::string_view("\x0a\x00", 2));
  EXPECT_EQ(Http(PostTraces("{}", "application/json; charset=utf-8")).body.view(), R"({"partialSuccess":{}})");
  EXPECT_EQ(next_.offers(), 0u);
}

// Scenario: bytes that are no request, over each transport.
// Guarantees: the Collector's codes, final for the client, counted.
TEST_F(OtlpReceiverTest, RefusesMalformedRequests) {
  Start();
  const auto grpc = Grpc(Bytes::CopyOf("\xff\xff\xff"));
  EXPECT_EQ(grpc.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(grpc.status().message()), HasSubstr("grpc: error unmarshalling request: "));
  EXPECT_EQ(Http(PostTraces("\xff\xff\xff")).status, 400);
  const net::HttpResponse json = Http(PostTraces("{", "application/json"));
  EXPECT_EQ(json.status, 400);
  EXPECT_EQ(json.headers.Get("content-type"), "application/json");
  EXPECT_THAT(std::string(json.body.view()), StartsWith(R"({"code":3,"message":)"));
  EXPECT_EQ(Http(PostTraces("", "application/json")).status, 400);
  EXPECT_EQ(Refused("malformed"), 4u);
  EXPECT_EQ(next_.offers(), 0u);
}

// Scenario: the wrong method, media type and path.
// Guarantees: the Collector's answers, word for word.
TEST_F(OtlpReceiverTest, RefusesWhatIsNoExport) {
  Start();
  net::HttpRequest get = PostTraces("");
  get.method = "GET";
  const net::HttpResponse method = Http(get);
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.body.view(), "405 method not allowed, supported: [POST]");
  const net::HttpResponse media_type = Http(PostTraces("", "application/protobuf"));
  EXPECT_EQ(method.headers.Get("content-type"), "text/plain");
  EXPECT_EQ(media_type.status, 415);
  EXPECT_EQ(media_type.body.view(),
            "415 unsupported media type, supported: [application/json, application/x-protobuf]");
  net::HttpRequest slash = PostTraces("");
  slash.path = "/v1/traces/";
  EXPECT_EQ(Http(slash).status, 404);
  EXPECT_EQ(Http(slash).headers.Get("x-content-type-options"), "nosniff");
  EXPECT_EQ(Refused("method"), 1u);
  EXPECT_EQ(Refused("media_type"), 1u);
}

// Scenario: paths that are longer than they need to be, escaped, without a slash in the configuration, and below one
// that ends with a slash. Guarantees: the answers of Go's mux.
TEST_F(OtlpReceiverTest, FindsItsPathsAsTheCollectorDoes) {
  Start("protocols: {http: {endpoint: '127.0.0.1:0', logs_url_path: /l/, metrics_url_path: m}}");
  const auto post = [&](std::string path, std::string query = "") {
    net::HttpRequest request = PostTraces("");
    request.path = std::move(path);
    request.query = std::move(query);
    const net::HttpResponse response = Http(request);
    return StrCat(response.status, response.headers.Get("location"));
  };
  EXPECT_EQ(post("//v1/traces", "a=b"), "307/v1/traces?a=b");
  EXPECT_EQ(post("/v1/../v1/./traces"), "307/v1/traces");
  EXPECT_EQ(post("//nope/"), "307/nope/");
  EXPECT_EQ(post("/v1/trace%73"), "200");
  EXPECT_EQ(post("/m"), "200");
  EXPECT_EQ(post("/l/"), "200");
  EXPECT_EQ(post("/l/x/y"), "200");
  EXPECT_EQ(post("/l"), "307/l/");
  EXPECT_EQ(post("/v1/logs"), "404");
}

// Scenario: a pipeline whose destination says INVALID_ARGUMENT and UNIMPLEMENTED.
// Guarantees: clients are told that, as by the Collector, and not that their request could not be read or nobody wants
// its signal; counted as refused, as the Collector does.
TEST_F(OtlpReceiverTest, PassesOnTheCodesOfDestinations) {
  Start();
  const std::string request = otlp::ReadRecordedRequests(".pb").front().body;
  for (const auto& [code, http_status] :
       {std::pair(absl::StatusCode::kInvalidArgument, 400), {absl::StatusCode::kUnimplemented, 404}}) {
    next_.AnswerWith(Status(code, "backend: no"));
    EXPECT_EQ(Grpc(Bytes(request)).status(), Annotate(Status(code, "backend: no"), Address("OTLP/gRPC")));
    const net::HttpResponse http = Http(PostTraces(request));
    EXPECT_EQ(http.status, http_status);
    EXPECT_THAT(std::string(http.body.view()), HasSubstr("backend: no"));
  }
  EXPECT_GT(Spans("refused", "grpc"), 0u);
  EXPECT_EQ(Refused("malformed") + Refused("signal"), 0u);
}

// Scenario: a signal that no pipeline takes, with items, with none, and as bytes that are no request.
// Guarantees: the answers of the Collector, which has no such service and no such path.
TEST_F(OtlpReceiverTest, HasNoServiceForASignalThatNobodyTakes) {
  SignalSwitch nowhere({});
  StartBefore(nowhere);
  for (const std::string& body :
       {std::string(otlp::ReadRecordedRequests(".pb").front().body), std::string(), std::string("\xff")}) {
    const StatusOr<Bytes> grpc = Grpc(Bytes(body));
    EXPECT_TRUE(absl::IsUnimplemented(grpc.status()));
    EXPECT_THAT(std::string(grpc.status().message()),
                HasSubstr("unknown service opentelemetry.proto.collector.trace.v1.TraceService"));
    const net::HttpResponse http = Http(PostTraces(body));
    EXPECT_EQ(http.status, 404);
    EXPECT_EQ(http.body.view(), "404 page not found\n");
  }
  EXPECT_EQ(Refused("signal"), 6u);
  EXPECT_EQ(Refused("malformed"), 0u);
}

// Scenario: the pipeline is full, then refuses for good.
// Guarantees: clients are told when to come back, or not to; both count as refused, as in the Collector.
TEST_F(OtlpReceiverTest, PassesOnWhatThePipelineSays) {
  Start();
  const std::string request(BatchOf({"a", "b"}).Encode().view());
  next_.AnswerWith(WithRetryDelay(absl::UnavailableError("full"), 1500ms));
  const auto grpc = Grpc(Bytes::CopyOf(request));
  EXPECT_EQ(grpc.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RetryDelay(grpc.status()), 1500ms);
  const net::HttpResponse http = Http(PostTraces(request));
  EXPECT_EQ(http.status, 503);
  EXPECT_EQ(http.headers.Get("retry-after"), "2");
  next_.AnswerWith(absl::InternalError("broken"));
  EXPECT_EQ(Http(PostTraces(request)).status, 500);
  EXPECT_EQ(Spans("refused", "grpc"), 2u);
  EXPECT_EQ(Spans("refused", "http"), 4u);
  EXPECT_EQ(Spans("failed", "http"), 0u);
  EXPECT_EQ(Spans("accepted", "grpc"), 0u);
}

// Scenario: a body over the configured limit, and a message over the gRPC one.
// Guarantees: 413 and RESOURCE_EXHAUSTED; smaller ones are taken.
TEST_F(OtlpReceiverTest, EnforcesItsSizeLimits) {
  Start(
      "protocols: {grpc: {endpoint: '127.0.0.1:0', max_recv_msg_size_mib: 1}, "
      "http: {endpoint: '127.0.0.1:0', max_request_body_size: 1000}}");
  EXPECT_EQ(Http(PostTraces(std::string(1'001, 'x'))).status, 413);
  const auto grpc = Grpc(Bytes(std::string((1 << 20) + 1, 'x')));
  EXPECT_EQ(grpc.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Http(PostTraces(std::string(BatchOf({"a"}).Encode().view()))).status, 200);
}

// Scenario: both protocols on one endpoint; a traces path of one's own.
// Guarantees: one port answers both.
TEST_F(OtlpReceiverTest, ServesBothProtocolsOnOnePort) {
  const std::string free = FreeEndpoint(loops_, metrics_);
  Start(StrCat("protocols: {grpc: {endpoint: '", free, "'}, http: {endpoint: '", free, "', traces_url_path: otlp}}"));
  EXPECT_EQ(Address("OTLP/gRPC"), Address("OTLP/HTTP"));
  EXPECT_TRUE(Grpc(BatchOf({"a"}).Encode()).ok());
  net::HttpRequest request = PostTraces(std::string(BatchOf({"b"}).Encode().view()));
  request.path = "/otlp";
  EXPECT_EQ(Http(request).status, 200);
  EXPECT_THAT(next_.names(), ElementsAre("a", "b"));
}

// Scenario: `transport: unix` with a path, as the Collector has it.
// Guarantees: the receiver listens there, and says so.
TEST_F(OtlpReceiverTest, ListensOnAUnixSocket) {
  const std::string path = StrCat(testing::TempDir(), "/otlp-", getpid(), ".sock");
  Start(StrCat("protocols: {grpc: {transport: unix, endpoint: '", path, "'}}"));
  EXPECT_EQ(Address("OTLP/gRPC"), StrCat("unix:", path));
  EXPECT_TRUE(Grpc(BatchOf({"a"}).Encode()).ok());
}

// Scenario: a browser asks what it may send, sends, and another page's request fails with 404.
// Guarantees: the preflight is answered, and every answer says what its page may read, with the headers configured.
TEST_F(OtlpReceiverTest, AnswersWebPages) {
  Start(
      "protocols: {http: {endpoint: '127.0.0.1:0', cors: {allowed_origins: ['https://*.example.com']}, "
      "response_headers: {x-served-by: spanloom, Content-Type: text/css}}}");
  net::HttpRequest preflight = PostTraces("");
  preflight.method = "OPTIONS";
  preflight.headers.Add("origin", "https://shop.example.com");
  preflight.headers.Add("access-control-request-method", "POST");
  const net::HttpResponse allowed = Http(preflight);
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.headers.Get("access-control-allow-origin"), "https://shop.example.com");
  EXPECT_EQ(allowed.headers.Get("x-served-by"), "spanloom");
  net::HttpRequest request = PostTraces(std::string(BatchOf({"a"}).Encode().view()));
  request.headers.Add("origin", "https://shop.example.com");
  const net::HttpResponse taken = Http(request);
  EXPECT_EQ(taken.status, 200);
  EXPECT_EQ(taken.headers.Get("access-control-allow-origin"), "https://shop.example.com");
  EXPECT_EQ(taken.headers.Get("x-served-by"), "spanloom");
  EXPECT_EQ(taken.headers.Get("content-type"), "application/x-protobuf") << "an answer's own stands";
  request.path = "/elsewhere";
  EXPECT_EQ(Http(request).headers.Get("access-control-allow-origin"), "https://shop.example.com");
}

TEST_F(OtlpReceiverTest, EndsConnectionsAfterOneRequestWhenToldTo) {
  Start("protocols: {http: {endpoint: '127.0.0.1:0', keep_alives_enabled: false}}");
  const std::string address = Address("OTLP/HTTP");
  const std::string answer = AnswerUntilClosed(address, StrCat("GET /nothing HTTP/1.1\r\nHost: ", address, "\r\n\r\n"));
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 404"));
  EXPECT_THAT(answer, HasSubstr("close"));
}

// Scenario: another receiver has the port.
// Guarantees: the error names the endpoint; the first one goes on.
TEST_F(OtlpReceiverTest, NamesThePortThatIsTaken) {
  Start();
  OtlpReceiverOptions options;
  options.protocols.grpc.emplace().endpoint = Address("OTLP/gRPC");
  OtlpReceiver second(ComponentId{"otlp", "2"}, options, context_, next_);
  const Status status = second.Start();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(Address("OTLP/gRPC")));
  EXPECT_TRUE(Grpc(BatchOf({"a"}).Encode()).ok());
}

// Scenario: a request is under way when the receiver is stopped.
// Guarantees: it is still answered.
TEST_F(OtlpReceiverTest, StopFinishesRequestsUnderWay) {
  Start();
  next_.Hold();
  StatusOr<Bytes> answer = absl::UnknownError("");
  const std::string address = Address("OTLP/gRPC");
  std::thread client([&] { answer = CallGrpc(loops_.At(0), address, BatchOf({"a"}).Encode()); });
  ASSERT_TRUE(next_.AwaitOffers(1));
  std::thread stopper([&] { receiver_->Stop(20s); });
  next_.Release(absl::OkStatus());
  client.join();
  stopper.join();
  EXPECT_TRUE(answer.ok()) << answer.status();
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<OtlpReceiverOptions>(*config::ParseYaml(yaml, "f"), "receivers::otlp", problems);
  return problems.lines();
}

// Scenario: the receiver cases of the Collector's own errors.
// Guarantees: refused in the same sense, with path, key and line.
TEST(OtlpReceiverOptions, RefusesWhatTheCollectorRefuses) {
  EXPECT_THAT(Problems(""),
              ElementsAre("f:1: receivers::otlp: must specify at least one protocol when using the OTLP receiver"));
  EXPECT_THAT(
      Problems("protocols:\n  grpc:\n    endpont: a\n"),
      ElementsAre(StartsWith("f:3: receivers::otlp::protocols::grpc: has invalid keys: endpont (valid: endpoint")));
  EXPECT_THAT(Problems("protocols: {grpc: {max_recv_msg_size_mib: \"4\"}}"),
              ElementsAre("f:1: receivers::otlp::protocols::grpc::max_recv_msg_size_mib: expected type 'int', got "
                          "'string' \"4\""));
  EXPECT_TRUE(Problems("protocols: {grpc: , http: }").empty());
  EXPECT_THAT(Problems("protocols: {grpc: {read_buffer_size: 1048576}}"), ElementsAre(HasSubstr("64 KiB")));
  EXPECT_TRUE(Problems("protocols: {grpc: {read_buffer_size: 524288}}").empty()) << "the default of a Collector";
  EXPECT_TRUE(
      Problems("protocols: {grpc: {keepalive: {server_parameters: {max_connection_age: 10m, time: 1m}}}}").empty());
  EXPECT_TRUE(Problems("protocols: {http: {read_timeout: 10s, read_header_timeout: 5s, write_timeout: 1m}}").empty());
  EXPECT_THAT(Problems("protocols: {grpc: {middlewares: [{id: x}]}, http: {dialer: {timeout: 1s}}}"),
              ElementsAre(HasSubstr("middlewares is not supported"), HasSubstr("dialer is not supported")));
  EXPECT_TRUE(Problems("protocols: {grpc: {middlewares: [], dialer: }, http: {middlewares: , dialer: {}}}").empty());
  EXPECT_THAT(Problems("protocols: {grpc: {tls: {cert_file: x}}}"),
              ElementsAre(HasSubstr("a certificate needs its key")));
  EXPECT_THAT(Problems("protocols: {http: {tls: {cert_file: x, key_file: y, min_version: '1.4'}}}"),
              ElementsAre(HasSubstr("tls::min_version")));
}

}  // namespace
}  // namespace spanloom::pipeline
