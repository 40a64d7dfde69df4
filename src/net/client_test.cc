// SPDX-License-Identifier: Apache-2.0
//
// gRPC from end to end: our channel against our server over loopback.

#include "net/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/text.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

class Grpc : public testing::Test {
 protected:
  void Start(ServerOptions options = EchoOptions()) { server_ = StartServer(loops_, metrics_, std::move(options)); }

  [[nodiscard]] GrpcChannelOptions ChannelOptions() const {
    GrpcChannelOptions options;
    options.endpoint = server_->endpoint();
    options.user_agent = "net-test/1";
    return options;
  }

  [[nodiscard]] std::unique_ptr<TestChannel> Open() {
    return std::make_unique<TestChannel>(loops_.At(0), ChannelOptions());
  }

  [[nodiscard]] uint64_t Refused(const std::string& cause) const {
    return metrics_.Sum("spanloom_net_refused", {{"cause", cause}});
  }

  // Connections that servers have.
  [[nodiscard]] int Connections() const {
    const std::string page = metrics_.Render();
    int connections = 0;
    for (size_t at = page.find("\nspanloom_net_connections{"); at != std::string::npos;
         at = page.find("\nspanloom_net_connections{", at + 1)) {
      connections += std::stoi(page.substr(page.find("} ", at) + 2));
    }
    return connections;
  }

  // An address that nobody listens on.
  std::string DeadEndpoint() {
    ServerOptions options = EchoOptions();
    options.name = "dead";
    return StartServer(loops_, metrics_, std::move(options))->endpoint();
  }

  LoopPool loops_{2};
  MetricRegistry metrics_;
  std::unique_ptr<Server> server_;
};

TEST_F(Grpc, EchoesSmallAndEmptyMessages) {
  Start();
  const auto channel = Open();
  EXPECT_EQ(channel->Call(kEchoMethod, Bytes::CopyOf("hello"))->view(), "hello");
  EXPECT_EQ(channel->Call(kEchoMethod, Bytes())->view(), "");
}

// Scenario: 3 MiB there and back, three times the window of a stream.
// Guarantees: flow control opens its windows again; no byte is lost or moved.
TEST_F(Grpc, EchoesMessagesLargerThanTheFlowControlWindow) {
  Start();
  const auto channel = Open();
  const std::string message = RandomBytes(3 << 20, 1);
  const StatusOr<Bytes> answer = channel->Call(kEchoMethod, Bytes::CopyOf(message));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->view() == message);
}

// Scenario: a message in pieces of one byte, a frame, more than the window of a stream, and one byte.
// Guarantees: it arrives as one message, the pieces in order.
TEST_F(Grpc, SendsAMessageFromWhereItsPiecesLie) {
  Start();
  const auto channel = Open();
  ByteChain message;
  for (const size_t bytes : {size_t{1}, size_t{16} << 10, size_t{1} << 20, size_t{1}}) {
    message.Append(Bytes(RandomBytes(bytes, bytes)));
  }
  const StatusOr<Bytes> answer = channel->Call(kEchoMethod, message);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->view() == message.Joined().view());
}

// Scenario: the request is compressed; the client says that it takes compressed answers.
// Guarantees: the handler sees the message itself, and the caller gets the answer itself.
TEST_F(Grpc, CompressesBothWays) {
  Start();
  const auto channel = Open();
  const std::string message = Repetitive(500'000);
  for (const Compression coding : kGrpcCompressions) {
    GrpcCallOptions options;
    options.message_compression = coding;
    const StatusOr<Bytes> answer = channel->Call(kEchoMethod, Compress(coding, message), options);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_TRUE(answer->view() == message);
  }
}

TEST_F(Grpc, PassesMetadataAndPeer) {
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Describe"] = [](GrpcRequest request, GrpcResponder responder) {
    const std::string text = StrCat(request.method, " ", request.metadata.Get("x-tenant"), " ",
                                    request.metadata.Get("user-agent"), " ", request.peer.substr(0, 10));
    std::move(responder).Respond(Bytes(text));
  };
  Start(std::move(options));
  const auto channel = Open();
  GrpcCallOptions call;
  call.metadata.Add("x-tenant", "blue");
  EXPECT_EQ(channel->Call("/test.Echo/Describe", Bytes(), call)->view(),
            "/test.Echo/Describe blue net-test/1 grpc-spanloom 127.0.0.1:");
}

// Scenario: a message over the limit, plain and as a gzip bomb.
// Guarantees: both are RESOURCE_EXHAUSTED and counted, and the connection serves the next call.
TEST_F(Grpc, RefusesMessagesOverTheLimit) {
  ServerOptions options = EchoOptions();
  options.limits.message_bytes_max = 1 << 20;
  Start(std::move(options));
  const auto channel = Open();
  const Status plain = channel->Call(kEchoMethod, Bytes(RandomBytes((1 << 20) + 1, 2))).status();
  EXPECT_TRUE(absl::IsResourceExhausted(plain)) << plain;
  EXPECT_NE(plain.message().find("(1048577 vs. 1048576)"), absl::string_view::npos) << plain;
  GrpcCallOptions gzip;
  gzip.message_compression = Compression::kGzip;
  const Bytes bomb = Compress(Compression::kGzip, std::string(64 << 20, '\0'));
  EXPECT_TRUE(absl::IsResourceExhausted(channel->Call(kEchoMethod, bomb, gzip).status()));
  EXPECT_EQ(Refused("message_too_large"), 2U);
  EXPECT_TRUE(channel->Call(kEchoMethod, Bytes(RandomBytes(1 << 20, 3))).ok());
}

TEST_F(Grpc, RefusesAnswersOverTheLimit) {
  Start();
  GrpcChannelOptions options = ChannelOptions();
  options.message_bytes_max = 1000;
  TestChannel channel(loops_.At(0), options);
  EXPECT_TRUE(absl::IsResourceExhausted(channel.Call(kEchoMethod, Bytes(RandomBytes(1001, 4))).status()));
  EXPECT_TRUE(channel.Call(kEchoMethod, Bytes(RandomBytes(1000, 5))).ok());
}

TEST_F(Grpc, AnswersUnimplementedForUnknownMethods) {
  Start();
  const auto channel = Open();
  const auto message_of = [&](const char* method) {
    const Status status = channel->Call(method, Bytes()).status();
    EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
    return std::string(status.message());
  };
  EXPECT_NE(message_of("/test.Other/Echo").find("unknown service test.Other"), std::string::npos);
  EXPECT_NE(message_of("/test.Echo/Other").find("unknown method Other for service test.Echo"), std::string::npos);
  EXPECT_EQ(Refused("unknown_method"), 2U);
}

TEST_F(Grpc, CarriesCodeMessageAndRetryDelay) {
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Fail"] = [](GrpcRequest, GrpcResponder responder) {
    const Status full = absl::UnavailableError("the queue is full: 100 % of 1000 requests\nü");
    std::move(responder).Respond(WithRetryDelay(full, std::chrono::milliseconds(1234)));
  };
  Start(std::move(options));
  const Status status = Open()->Call("/test.Echo/Fail", Bytes()).status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_NE(status.message().find("100 % of 1000 requests\nü"), absl::string_view::npos) << status;
  EXPECT_EQ(RetryDelay(status), std::chrono::milliseconds(1234));
}

TEST_F(Grpc, AnswersInternalWhenTheHandlerDropsTheCall) {
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Drop"] = [](GrpcRequest, GrpcResponder) {};
  Start(std::move(options));
  EXPECT_TRUE(absl::IsInternal(Open()->Call("/test.Echo/Drop", Bytes()).status()));
}

// Scenario: the handler keeps the call; its deadline passes; then the handler answers, from another thread.
// Guarantees: the caller gets DEADLINE_EXCEEDED, the late answer harms nobody, and the connection serves the next call.
TEST_F(Grpc, GivesUpAtTheDeadline) {
  const Promise<GrpcResponder> kept;
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [kept](GrpcRequest, GrpcResponder responder) { kept.Set(std::move(responder)); };
  Start(std::move(options));
  const auto channel = Open();
  GrpcCallOptions call;
  call.deadline = std::chrono::milliseconds(50);
  EXPECT_TRUE(absl::IsDeadlineExceeded(channel->Call("/test.Echo/Keep", Bytes(), call).status()));
  kept.Get().Respond(Bytes::CopyOf("too late"));
  EXPECT_EQ(channel->Call(kEchoMethod, Bytes::CopyOf("next"))->view(), "next");
}

// Scenario: 200 calls at once with a server that takes 16 streams, answered from other threads, in any order.
// Guarantees: the peer's limit is respected, and every caller gets its own answer.
TEST_F(Grpc, ServesManyCallsAtOnce) {
  ServerOptions options = EchoOptions();
  options.limits.streams_max = 16;
  options.grpc["/test.Echo/Thread"] = [](GrpcRequest request, GrpcResponder responder) {
    std::thread([message = request.message, responder = std::move(responder)]() mutable {
      std::move(responder).Respond(message);
    }).detach();
  };
  Start(std::move(options));
  GrpcChannelOptions channel_options = ChannelOptions();
  channel_options.calls_max = 200;
  TestChannel channel(loops_.At(0), channel_options);
  std::vector<Promise<StatusOr<Bytes>>> answers;
  for (int i = 0; i < 200; ++i) answers.push_back(channel.Start("/test.Echo/Thread", Bytes(StrCat("call ", i))));
  for (int i = 0; i < 200; ++i) {
    const StatusOr<Bytes> answer = answers[i].Get();
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->view(), StrCat("call ", i));
  }
  EXPECT_EQ(Refused("streams_max"), 0U);
}

TEST_F(Grpc, RefusesMoreCallsThanTheChannelMayHave) {
  const auto kept = std::make_shared<std::vector<GrpcResponder>>();
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [kept](GrpcRequest, GrpcResponder responder) {
    kept->push_back(std::move(responder));
  };
  Start(std::move(options));
  GrpcChannelOptions channel_options = ChannelOptions();
  channel_options.calls_max = 2;
  TestChannel channel(loops_.At(0), channel_options);
  const auto first = channel.Start("/test.Echo/Keep", Bytes());
  const auto second = channel.Start("/test.Echo/Keep", Bytes());
  EXPECT_TRUE(absl::IsResourceExhausted(channel.Call(kEchoMethod, Bytes()).status()));
  server_.reset();
  EXPECT_TRUE(absl::IsUnavailable(first.Get().status()));
  EXPECT_TRUE(absl::IsUnavailable(second.Get().status()));
  kept->clear();
}

// Scenario: a call is under way when the server is told to stop; it is answered within the grace.
// Guarantees: Stop waits for it, the caller gets its answer, and nothing is counted as cut off.
TEST_F(Grpc, StopWaitsForCallsUnderWay) {
  const Promise<GrpcResponder> kept;
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [kept](GrpcRequest, GrpcResponder responder) { kept.Set(std::move(responder)); };
  Start(std::move(options));
  const auto channel = Open();
  const auto answer = channel->Start("/test.Echo/Keep", Bytes());
  GrpcResponder responder = kept.Get();
  size_t cut = 99;
  std::thread stopper([&] { cut = server_->Stop(std::chrono::seconds(20)); });
  // The server has said GOAWAY once it takes no new connection.
  EXPECT_TRUE(Eventually([&] {
    const Status status = channel->Call(kEchoMethod, Bytes()).status();
    return absl::IsUnavailable(status);
  }));
  std::move(responder).Respond(Bytes::CopyOf("in time"));
  stopper.join();
  EXPECT_EQ(cut, 0U);
  EXPECT_EQ(answer.Get()->view(), "in time");
}

TEST_F(Grpc, StopCutsOffWhatTakesLongerThanTheGrace) {
  const Promise<GrpcResponder> kept;
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [kept](GrpcRequest, GrpcResponder responder) { kept.Set(std::move(responder)); };
  Start(std::move(options));
  const auto channel = Open();
  const auto answer = channel->Start("/test.Echo/Keep", Bytes());
  GrpcResponder responder = kept.Get();
  EXPECT_EQ(server_->Stop(std::chrono::milliseconds(1)), 1U);
  EXPECT_EQ(server_->Stop(std::chrono::milliseconds(1)), 0U);
  EXPECT_TRUE(absl::IsUnavailable(answer.Get().status()));
  server_.reset();
  std::move(responder).Respond(Bytes());
}

// Scenario: the server stops and another one starts on its port.
// Guarantees: the next call connects again, without a back-off, since the lost connection had worked.
TEST_F(Grpc, ConnectsAgainAfterARestart) {
  Start();
  const auto channel = Open();
  EXPECT_TRUE(channel->Call(kEchoMethod, Bytes()).ok());
  ServerOptions options = EchoOptions();
  options.endpoint = server_->endpoint();
  server_->Stop(std::chrono::seconds(20));
  server_.reset();
  Start(std::move(options));
  EXPECT_EQ(channel->Call(kEchoMethod, Bytes::CopyOf("again"))->view(), "again");
}

// Scenario: nobody listens.
// Guarantees: the first call says so; the next one fails at once, with the reason and the time to wait.
TEST_F(Grpc, BacksOffWhenNobodyListens) {
  Start();
  const GrpcChannelOptions options = ChannelOptions();
  server_.reset();
  TestChannel channel(loops_.At(0), options);
  const Status first = channel.Call(kEchoMethod, Bytes()).status();
  EXPECT_TRUE(absl::IsUnavailable(first));
  EXPECT_NE(first.message().find("refused"), absl::string_view::npos) << first;
  const Status second = channel.Call(kEchoMethod, Bytes()).status();
  EXPECT_TRUE(absl::IsUnavailable(second));
  EXPECT_NE(second.message().find("next attempt in"), absl::string_view::npos) << second;
}

TEST_F(Grpc, DestroyingTheChannelCancelsItsCalls) {
  const Promise<GrpcResponder> kept;
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [kept](GrpcRequest, GrpcResponder responder) { kept.Set(std::move(responder)); };
  Start(std::move(options));
  auto channel = Open();
  const auto answer = channel->Start("/test.Echo/Keep", Bytes());
  GrpcResponder responder = kept.Get();
  channel.reset();
  EXPECT_TRUE(absl::IsCancelled(answer.Get().status()));
  std::move(responder).Respond(Bytes());
}

// Scenario: the first of several callbacks destroys the channel.
// Guarantees: the others are still called, once, with CANCELLED.
TEST_F(Grpc, MayBeDestroyedByItsOwnCallback) {
  const auto kept = std::make_shared<std::vector<GrpcResponder>>();
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [kept](GrpcRequest, GrpcResponder responder) {
    kept->push_back(std::move(responder));
  };
  Start(std::move(options));
  const Promise<StatusOr<Bytes>> kept_answer;
  const Promise<StatusOr<Bytes>> echo_answer;
  auto channel = std::make_shared<std::unique_ptr<GrpcChannel>>();
  Loop& loop = loops_.At(0);
  loop.Post([&, channel] {
    *channel = *GrpcChannel::Create(loop, ChannelOptions());
    (*channel)->Call("/test.Echo/Keep", ByteChain(), {}, [=](StatusOr<Bytes> answer) { kept_answer.Set(answer); });
    (*channel)->Call(kEchoMethod, ByteChain(), {}, [=](StatusOr<Bytes> answer) {
      channel->reset();
      echo_answer.Set(answer);
    });
  });
  EXPECT_TRUE(echo_answer.Get().ok());
  EXPECT_TRUE(absl::IsCancelled(kept_answer.Get().status()));
  server_.reset();
  kept->clear();
}

// Scenario: three addresses, of which the first is dead.
// Guarantees: pick-first stays with the second; round robin uses both that live.
TEST_F(Grpc, BalancesOverAddresses) {
  Start();
  ServerOptions other_options = EchoOptions();
  other_options.name = "other";
  const auto other = StartServer(loops_, metrics_, std::move(other_options));
  GrpcChannelOptions options = ChannelOptions();
  options.endpoint = StrCat("ipv4:", DeadEndpoint(), ",", server_->endpoint(), ",", other->endpoint());
  for (const GrpcBalancing balancing : {GrpcBalancing::kPickFirst, GrpcBalancing::kRoundRobin}) {
    options.balancing = balancing;
    const int wanted = balancing == GrpcBalancing::kPickFirst ? 1 : 2;
    {
      TestChannel channel(loops_.At(0), options);
      EXPECT_TRUE(Eventually([&] { return channel.Call(kEchoMethod, Bytes()).ok() && Connections() == wanted; }));
      for (int i = 0; i < 10; ++i) EXPECT_TRUE(channel.Call(kEchoMethod, Bytes()).ok());
      EXPECT_EQ(Connections(), wanted);
    }
    EXPECT_TRUE(Eventually([&] { return Connections() == 0; }));
  }
}

// Scenario: nobody listens when the call is made; a server comes later.
// Guarantees: a call that waits for ready is answered; one that does not has failed at once.
TEST_F(Grpc, WaitsForReadyWhenAskedTo) {
  Start();
  const GrpcChannelOptions options = ChannelOptions();
  server_.reset();
  TestChannel channel(loops_.At(0), options);
  GrpcCallOptions patient;
  patient.deadline = kPatience;
  patient.wait_for_ready = true;
  const auto answer = channel.Start(kEchoMethod, Bytes::CopyOf("patience"), patient);
  EXPECT_TRUE(absl::IsUnavailable(channel.Call(kEchoMethod, Bytes()).status()));
  ServerOptions server_options = EchoOptions();
  server_options.endpoint = options.endpoint;
  Start(std::move(server_options));
  EXPECT_EQ(answer.Get()->view(), "patience");
}

// Scenario: the name's only server goes away; when the name is looked at again, it has another one.
// Guarantees: after the failure the name is resolved again, and calls go to the new server; with both ways of
// balancing.
TEST_F(Grpc, ResolvesAgainAfterAFailure) {
  for (const GrpcBalancing balancing : {GrpcBalancing::kPickFirst, GrpcBalancing::kRoundRobin}) {
    Start();
    const auto address = std::make_shared<std::string>(server_->endpoint());
    const auto resolutions = std::make_shared<int>(0);
    GrpcChannelOptions options = ChannelOptions();
    options.endpoint = "moving.example:1";
    options.balancing = balancing;
    options.resolver = [=]() -> StatusOr<std::vector<std::string>> { return ++*resolutions, std::vector{*address}; };
    TestChannel channel(loops_.At(0), options);
    GrpcCallOptions patient;
    patient.deadline = kPatience;
    patient.wait_for_ready = true;
    EXPECT_TRUE(channel.Call(kEchoMethod, Bytes(), patient).ok());
    EXPECT_TRUE(channel.Call(kEchoMethod, Bytes(), patient).ok());
    const auto resolutions_so_far = [&] { return RunOn(loops_.At(0), [=] { return *resolutions; }); };
    EXPECT_EQ(resolutions_so_far(), 1);

    ServerOptions new_options = EchoOptions();
    new_options.name = "moved";
    const auto moved = StartServer(loops_, metrics_, std::move(new_options));
    RunOn(loops_.At(0), [&] { return *address = moved->endpoint(), true; });
    server_.reset();
    // A call that was sent before the client knew of the end may fail with it.
    EXPECT_TRUE(Eventually([&] { return channel.Call(kEchoMethod, Bytes::CopyOf("found"), patient).ok(); }));
    EXPECT_GE(resolutions_so_far(), 2);
  }
}

// Scenario: the resolver fails, names what is no address, or knows none; then it knows one.
// Guarantees: UNAVAILABLE and a back-off, after which a call that waits goes through.
TEST_F(Grpc, SurvivesAResolverThatFails) {
  using Addresses = StatusOr<std::vector<std::string>>;
  Start();
  GrpcCallOptions patient;
  patient.deadline = kPatience;
  patient.wait_for_ready = true;
  std::vector<std::unique_ptr<TestChannel>> channels;
  std::vector<Promise<StatusOr<Bytes>>> answers;
  for (const Addresses& first :
       {Addresses(absl::UnavailableError("no such name")), Addresses(std::vector<std::string>{"nonsense"}),
        Addresses(std::vector<std::string>())}) {
    const auto asked = std::make_shared<bool>(false);
    GrpcChannelOptions options = ChannelOptions();
    options.resolver = [=, endpoint = server_->endpoint()]() -> Addresses {
      if (std::exchange(*asked, true)) return std::vector{endpoint};
      return first;
    };
    channels.push_back(std::make_unique<TestChannel>(loops_.At(0), options));
    EXPECT_TRUE(absl::IsUnavailable(channels.back()->Call(kEchoMethod, Bytes()).status()));
    answers.push_back(channels.back()->Start(kEchoMethod, Bytes(), patient));
  }
  for (const auto& answer : answers) EXPECT_TRUE(answer.Get().ok());
}

TEST_F(Grpc, RefusesAnEndpointWithoutPort) {
  GrpcChannelOptions options;
  options.endpoint = "localhost";
  EXPECT_TRUE(absl::IsInvalidArgument(GrpcChannel::Create(loops_.At(0), options).status()));
}

}  // namespace
}  // namespace spanloom::net
