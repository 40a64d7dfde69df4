// SPDX-License-Identifier: Apache-2.0
//
// Deadlines, cancellation and streams over HTTP/2, with frames written by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "base/text.h"
#include "net/detail/http2/connection.h"
#include "net/grpc/framing.h"
#include "net/testing/frames.h"
#include "net/testing/net_fixture.h"
#include "net/testing/stream_handlers.h"

namespace spanloom::net::http2 {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string Headers(uint32_t stream_id, const std::string& path, const Fields& more = {}) {
  Fields fields = {{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "x"}, {"te", "trailers"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream_id, HeaderBlock(fields));
}

std::string GrpcHeaders(uint32_t stream_id, const std::string& method, Fields more = {}) {
  more.emplace_back("content-type", "application/grpc");
  return Headers(stream_id, method, more);
}

std::string Message(std::string_view content) {
  return StrCat(grpc::MessagePrefix(false, content.size()), content);
}

std::string Part(uint32_t stream_id, std::string_view content) {
  return Encode(NGHTTP2_DATA, 0, stream_id, content);
}

std::string LastPart(uint32_t stream_id, std::string_view content) {
  return Encode(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, stream_id, content);
}

std::string Reset(uint32_t stream_id) {
  return Encode(NGHTTP2_RST_STREAM, 0, stream_id, std::string("\0\0\0\x08", 4));  // CANCEL
}

class Http2Streams : public testing::Test {
 protected:
  void Start(ServerOptions options) {
    server_ = StartServer(loops_, metrics_, std::move(options));
    client_ = std::make_unique<FramePeer>(std::make_unique<RawPeer>(server_->port()));
    client_->Send(StrCat(kPreface, Settings()));
  }

  [[nodiscard]] uint64_t Refused(const std::string& cause) const {
    return metrics_.Sum("spanloom_net_refused", {{"cause", cause}});
  }

  LoopPool loops_{1};
  MetricRegistry metrics_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<FramePeer> client_;
};

// Options whose method Keep keeps the responder, and says when its request is cancelled.
ServerOptions KeepingOptions(const Promise<GrpcResponder>& kept, const Promise<bool>& cancelled) {
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [kept, cancelled](GrpcRequest, GrpcResponder responder) {
    responder.cancel_signal().OnCancel([cancelled] { cancelled.Set(true); });
    kept.Set(std::move(responder));
  };
  return options;
}

TEST_F(Http2Streams, HandlersSeeTheDeadline) {
  using std::chrono::steady_clock;
  const Promise<steady_clock::time_point> with;
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Deadline"] = [with](GrpcRequest request, GrpcResponder responder) {
    with.Set(request.deadline);
    std::move(responder).Respond(Bytes());
  };
  Start(std::move(options));
  const auto before = steady_clock::now();
  client_->Send(StrCat(GrpcHeaders(1, "/test.Echo/Deadline", {{"grpc-timeout", "1H"}}), LastPart(1, Message(""))));
  const auto deadline = with.Get();
  EXPECT_GE(deadline, before + std::chrono::hours(1));
  EXPECT_LE(deadline, steady_clock::now() + std::chrono::hours(1));
}

TEST_F(Http2Streams, RefusesAMalformedTimeout) {
  Start(EchoOptions());
  client_->Send(StrCat(GrpcHeaders(1, kEchoMethod, {{"grpc-timeout", "soon"}}), LastPart(1, Message(""))));
  EXPECT_THAT(client_->Answer(1), HasSubstr("grpc-status: 13\ngrpc-message: malformed grpc-timeout: \"soon\"\n"));
  EXPECT_EQ(Refused("bad_request"), 1U);
}

TEST_F(Http2Streams, RefusesMetadataThatIsNotBase64) {
  Start(EchoOptions());
  client_->Send(StrCat(GrpcHeaders(1, kEchoMethod, {{"x-bin", "?"}}), LastPart(1, Message(""))));
  EXPECT_THAT(client_->Answer(1), HasSubstr("grpc-status: 13\n"));
  EXPECT_EQ(Refused("bad_request"), 1U);
}

// Scenario: a handler keeps a call whose deadline is 5 ms, and answers when it has been cancelled.
// Guarantees: the client gets DEADLINE_EXCEEDED, once, counted; the handler is told; its answer is dropped.
TEST_F(Http2Streams, AnswersForAHandlerThatIsLate) {
  const Promise<GrpcResponder> kept;
  const Promise<bool> cancelled;
  Start(KeepingOptions(kept, cancelled));
  client_->Send(StrCat(GrpcHeaders(1, "/test.Echo/Keep", {{"grpc-timeout", "5m"}}), LastPart(1, Message(""))));
  EXPECT_THAT(client_->Answer(1), HasSubstr("grpc-status: 4\n"));
  EXPECT_TRUE(cancelled.Get());
  GrpcResponder responder = kept.Get();
  EXPECT_TRUE(responder.cancel_signal().is_cancelled());
  std::move(responder).Respond(Bytes());
  EXPECT_EQ(Refused("deadline"), 1U);
  client_->Send(StrCat(GrpcHeaders(3, kEchoMethod), LastPart(3, Message("on"))));
  EXPECT_THAT(client_->Answer(3), EndsWith(Message("on")));
}

// Scenario: a deadline passes before the request's message has arrived.
// Guarantees: DEADLINE_EXCEEDED too.
TEST_F(Http2Streams, AnswersForAClientThatIsLate) {
  Start(EchoOptions());
  client_->Send(GrpcHeaders(1, kEchoMethod, {{"grpc-timeout", "1m"}}));
  EXPECT_THAT(client_->Answer(1), HasSubstr("grpc-status: 4\n"));
}

TEST_F(Http2Streams, CancelsWhenTheClientResets) {
  const Promise<GrpcResponder> kept;
  const Promise<bool> cancelled;
  Start(KeepingOptions(kept, cancelled));
  client_->Send(StrCat(GrpcHeaders(1, "/test.Echo/Keep"), LastPart(1, Message(""))));
  const GrpcResponder responder = kept.Get();
  EXPECT_FALSE(responder.cancel_signal().is_cancelled());
  client_->Send(Reset(1));
  EXPECT_TRUE(cancelled.Get());
}

TEST_F(Http2Streams, CancelsWhenTheConnectionEnds) {
  const Promise<GrpcResponder> kept;
  const Promise<bool> cancelled;
  Start(KeepingOptions(kept, cancelled));
  client_->Send(StrCat(GrpcHeaders(1, "/test.Echo/Keep"), LastPart(1, Message(""))));
  const GrpcResponder responder = kept.Get();
  client_.reset();
  EXPECT_TRUE(cancelled.Get());
}

// Scenario: one message in, a thousand out, each written when the one before was taken; then an error.
// Guarantees: all arrive, in order, before the status; the first one before the handler is through.
TEST_F(Http2Streams, ServerStreamsInOrder) {
  struct Counter : std::enable_shared_from_this<Counter> {
    explicit Counter(GrpcWriter w) : writer(std::move(w)) {}
    void Next() {
      if (next == 1000) return std::move(writer).Finish(absl::DataLossError("all gone"));
      writer.Write(Bytes(StrCat(next++)), [self = shared_from_this()](const Status& status) {
        if (status.ok()) self->Next();
      });
    }
    GrpcWriter writer;
    int next = 0;
  };
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Count"] = [](GrpcRequest, GrpcWriter writer) {
    std::make_shared<Counter>(std::move(writer))->Next();
  };
  Start(std::move(options));
  client_->Send(StrCat(GrpcHeaders(1, "/test.Echo/Count"), LastPart(1, Message("go"))));
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += Message(StrCat(i));
  const std::string answer = client_->Answer(1);
  EXPECT_THAT(answer, HasSubstr("grpc-status: 15\ngrpc-message: all gone\n"));
  EXPECT_TRUE(answer.ends_with(expected)) << answer.size();
}

TEST_F(Http2Streams, AWriterThatIsDroppedAnswersInternal) {
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Drop"] = [](GrpcRequest, GrpcWriter) {};
  Start(std::move(options));
  client_->Send(StrCat(GrpcHeaders(1, "/test.Echo/Drop"), LastPart(1, Message(""))));
  EXPECT_THAT(client_->Answer(1), HasSubstr("grpc-status: 13\n"));
}

// Scenario: messages sent one at a time, each answered before the next is sent; cut in the middle, and two in one
// frame. Guarantees: each comes back at once; the end of the client's stream ends the call with OK.
TEST_F(Http2Streams, StreamsBothWaysAtOnce) {
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Stream"] = &GrpcEchoStream::Start;
  Start(std::move(options));
  client_->Send(GrpcHeaders(1, "/test.Echo/Stream"));
  client_->Send(Part(1, Message("one")));
  EXPECT_EQ(client_->Await(NGHTTP2_DATA).payload, Message("one"));
  const std::string two = Message("two");
  client_->Send(StrCat(Part(1, two.substr(0, 6)), Part(1, two.substr(6))));
  EXPECT_EQ(client_->Await(NGHTTP2_DATA).payload, two);
  client_->Send(StrCat(Part(1, StrCat(Message(""), Message("four"))), LastPart(1, "")));
  EXPECT_THAT(client_->Answer(1), AllOf(HasSubstr("grpc-status: 0\n"), EndsWith(Message("") + Message("four"))));
}

TEST_F(Http2Streams, RefusesABrokenMessageInAStream) {
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Stream"] = &GrpcEchoStream::Start;
  Start(std::move(options));
  client_->Send(StrCat(GrpcHeaders(1, "/test.Echo/Stream"), Part(1, "\x09\x01\x01\x01\x01")));
  EXPECT_THAT(client_->Answer(1), HasSubstr("grpc-status: 13\n"));
  client_->Send(StrCat(GrpcHeaders(3, "/test.Echo/Stream"), LastPart(3, Message("cut").substr(0, 7))));
  EXPECT_THAT(client_->Answer(3), HasSubstr("grpc-status: 13\n"));
  EXPECT_EQ(Refused("bad_message"), 2U);
}

// Scenario: a handler that reads nothing, and a client that sends until its window is used up.
// Guarantees: the window is the stream's own and is not opened again, so memory stays bounded by it; other streams of
// the connection go on.
TEST_F(Http2Streams, HoldsAClientBackThatIsNotRead) {
  const Promise<GrpcReader> kept;
  const Promise<GrpcWriter> kept_writer;
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Deaf"] = [kept, kept_writer](GrpcRequest, GrpcReader reader, GrpcWriter writer) {
    kept.Set(std::move(reader));
    kept_writer.Set(std::move(writer));
  };
  Start(std::move(options));
  client_->Await(NGHTTP2_SETTINGS);
  client_->Send(StrCat(Encode(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, ""), GrpcHeaders(1, "/test.Echo/Deaf")));
  const std::string frame = Part(1, Message(std::string(16'000, 'x')));
  for (size_t sent = 0; sent + frame.size() < kStreamWindowBytes; sent += frame.size()) client_->Send(frame);
  client_->Send(StrCat(GrpcHeaders(3, kEchoMethod), LastPart(3, Message("still there?"))));
  size_t stream_updates = 0;
  Frame read = client_->ReadFrame();
  while (!read.closed() && read.stream_id != 3) {
    read = client_->ReadFrame();
    if (read.type == NGHTTP2_WINDOW_UPDATE && read.stream_id == 1) ++stream_updates;
  }
  EXPECT_EQ(read.stream_id, 3U);
  EXPECT_EQ(stream_updates, 0U);
}

TEST_F(Http2Streams, HttpBodiesStreamBothWays) {
  ServerOptions options = EchoOptions();
  options.http_stream = &HttpEchoStream::Start;
  options.is_streamed = [](const HttpRequest& head) { return head.path == "/stream"; };
  Start(std::move(options));
  client_->Send(StrCat(Headers(1, "/stream"), Part(1, "first")));
  EXPECT_EQ(client_->Await(NGHTTP2_DATA).payload, "first");
  client_->Send(LastPart(1, "last"));
  const std::string answer = client_->Answer(1);
  EXPECT_THAT(answer, EndsWith("last"));
  client_->Send(StrCat(Headers(3, "/whole"), LastPart(3, "whole")));
  EXPECT_THAT(client_->Answer(3), AllOf(HasSubstr("content-length: 5\n"), HasSubstr("date: "), EndsWith("whole")));
}

TEST_F(Http2Streams, AnAbortedBodyResetsTheStream) {
  ServerOptions options = EchoOptions();
  options.http = [](HttpRequest, HttpResponder responder) {
    const HttpBodyWriter writer = std::move(responder).Stream({});
  };
  Start(std::move(options));
  client_->Send(StrCat(Headers(1, "/"), LastPart(1, "")));
  EXPECT_THAT(client_->Answer(1), HasSubstr("(reset 2)"));
}

// Scenario: a client that grants no window for an answer, but pings.
// Guarantees: it is closed after write_max, counted.
TEST_F(Http2Streams, ClosesAClientThatTakesNothing) {
  ServerOptions options = EchoOptions();
  options.limits.write_max = std::chrono::milliseconds(50);
  options.keepalive = {.min_time = std::chrono::milliseconds(0), .permit_without_stream = true};
  Start(std::move(options));
  std::string setting("\0\x04\0\0\0\0", 6);  // INITIAL_WINDOW_SIZE = 0
  client_->Send(Encode(NGHTTP2_SETTINGS, 0, 0, setting));
  client_->Send(StrCat(GrpcHeaders(1, kEchoMethod), LastPart(1, Message("never read"))));
  while (client_->Send(Encode(NGHTTP2_PING, 0, 0, "12345678")) && !client_->ReadFrame().closed()) {
  }
  EXPECT_EQ(Refused("slow_reader"), 1U);
}

// Scenario: the server stops while a request is on its way that the client sent before it heard of it.
// Guarantees: the first GOAWAY excludes no stream; after the ping has come back the second names the last one served.
TEST_F(Http2Streams, StopServesWhatWasOnItsWay) {
  Start(EchoOptions());
  client_->Await(NGHTTP2_SETTINGS);
  std::thread stopper([&] { EXPECT_EQ(server_->Stop(std::chrono::seconds(20)), 0U); });
  EXPECT_EQ(client_->Await(NGHTTP2_GOAWAY).payload.substr(0, 4), "\x7f\xff\xff\xff");
  const Frame ping = client_->Await(NGHTTP2_PING);
  client_->Send(StrCat(GrpcHeaders(1, kEchoMethod), LastPart(1, Message("late"))));
  EXPECT_THAT(client_->Answer(1), EndsWith(Message("late")));
  client_->Send(Encode(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, ping.payload));
  EXPECT_THAT(client_->Await(NGHTTP2_GOAWAY).payload, testing::StartsWith(std::string("\0\0\0\x01\0\0\0\0server", 14)));
  stopper.join();
}

// Scenario: a request comes right behind the ping that ends the announcement, before the second GOAWAY can be written.
// Guarantees: GOAWAY excludes it, so the client will send it elsewhere; therefore no handler sees it.
TEST_F(Http2Streams, StopHandlesNothingThatGoAwayExcludes) {
  std::atomic<int> calls = 0;
  ServerOptions options = EchoOptions();
  options.grpc[kEchoMethod] = [&](GrpcRequest, GrpcResponder responder) {
    ++calls;
    std::move(responder).Respond(Bytes());
  };
  const Promise<GrpcResponder> kept;
  options.grpc["/test.Echo/Keep"] = [kept](GrpcRequest, GrpcResponder responder) { kept.Set(std::move(responder)); };
  Start(std::move(options));
  client_->Await(NGHTTP2_SETTINGS);
  client_->Send(StrCat(GrpcHeaders(1, "/test.Echo/Keep"), LastPart(1, Message(""))));
  GrpcResponder responder = kept.Get();
  std::thread stopper([&] { EXPECT_EQ(server_->Stop(std::chrono::seconds(20)), 0U); });
  client_->Await(NGHTTP2_GOAWAY);
  const Frame ping = client_->Await(NGHTTP2_PING);
  client_->Send(StrCat(Encode(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, ping.payload), GrpcHeaders(3, kEchoMethod),
                       LastPart(3, Message("late"))));
  EXPECT_EQ(client_->Await(NGHTTP2_GOAWAY).payload.substr(0, 4), std::string("\0\0\0\x01", 4));
  std::move(responder).Respond(Bytes());
  client_->raw().ReadAll();
  stopper.join();
  EXPECT_EQ(calls, 0);
}

TEST_F(Http2Streams, PingsASilentClientAndGivesItUp) {
  ServerOptions options = EchoOptions();
  options.keepalive_parameters.time = std::chrono::milliseconds(20);
  options.keepalive_parameters.timeout = std::chrono::milliseconds(20);
  Start(std::move(options));
  const Frame ping = client_->Await(NGHTTP2_PING);
  EXPECT_FALSE(ping.closed());
  EXPECT_THAT(client_->raw().ReadAll(), Not(HasSubstr("never")));
  EXPECT_EQ(Refused("ping_timeout"), 1U);
}

// Scenario: a client falls silent, its connection open, as if its machine had lost its power: in a request that
// streams, and while another waits for its answer.
// Guarantees: pings find out; the handlers are told, and the connection is closed and counted.
TEST_F(Http2Streams, CancelsTheCallsOfAClientThatVanishes) {
  const Promise<GrpcResponder> kept;
  const Promise<bool> cancelled;
  const Promise<Status> read_end;
  ServerOptions options = KeepingOptions(kept, cancelled);
  options.keepalive_parameters.time = std::chrono::milliseconds(20);
  options.keepalive_parameters.timeout = std::chrono::milliseconds(20);
  const auto reader = std::make_shared<std::optional<GrpcReader>>();
  const auto writer = std::make_shared<std::optional<GrpcWriter>>();
  options.grpc["/test.Echo/Read"] = [=](GrpcRequest, GrpcReader given, GrpcWriter given_writer) {
    writer->emplace(std::move(given_writer));
    reader->emplace(std::move(given));
    (*reader)->Read([read_end](const auto& message) { read_end.Set(message.status()); });
  };
  Start(std::move(options));
  client_->Send(StrCat(GrpcHeaders(1, "/test.Echo/Keep"), LastPart(1, Message(""))));
  client_->Send(StrCat(GrpcHeaders(3, "/test.Echo/Read"), Part(3, Message("half of it").substr(0, 8))));
  const GrpcResponder responder = kept.Get();
  EXPECT_TRUE(cancelled.Get());
  EXPECT_TRUE(absl::IsCancelled(read_end.Get()));
  EXPECT_EQ(Refused("ping_timeout"), 1U);
  EXPECT_TRUE(Eventually(
      [&] { return metrics_.Render().find("spanloom_net_connections{server=\"test\"} 0\n") != std::string::npos; }));
  RunOn(loops_.At(0), [&] { return reader->reset(), writer->reset(), true; });
}

TEST_F(Http2Streams, SendsAnOldConnectionAway) {
  ServerOptions options = EchoOptions();
  options.keepalive_parameters.age_max = std::chrono::milliseconds(20);
  options.keepalive_parameters.age_grace = std::chrono::milliseconds(20);
  Start(std::move(options));
  EXPECT_EQ(client_->Await(NGHTTP2_GOAWAY).type, NGHTTP2_GOAWAY);
  client_->raw().ReadAll();
  EXPECT_EQ(Refused("age"), 1U);
}

}  // namespace
}  // namespace spanloom::net::http2
