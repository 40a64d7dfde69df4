// SPDX-License-Identifier: Apache-2.0
//
// Streamed calls of a GrpcChannel: against our server, and against peers whose frames are written by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <thread>

#include "base/text.h"
#include "net/client.h"
#include "net/detail/http2/connection.h"
#include "net/grpc/framing.h"
#include "net/testing/fake_grpc_peer.h"
#include "net/testing/frames.h"
#include "net/testing/net_fixture.h"
#include "net/testing/stream_handlers.h"

namespace spanloom::net {
namespace {

using http2::Encode;
using http2::FakeGrpcPeer;
using http2::Frame;
using http2::FramePeer;
using http2::HeaderBlock;
using testing::HasSubstr;

using Outcome = StatusOr<std::optional<GrpcMessage>>;
constexpr int kWhole = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM;
constexpr char kStreamMethod[] = "/test.Echo/Stream";

// A streamed call that may be used from the test's thread.
class TestStream {
 public:
  TestStream(Loop& loop, GrpcChannelOptions options) : loop_(loop) {
    channel_ = RunOn(loop, [&] { return *GrpcChannel::Create(loop, std::move(options)); });
  }
  ~TestStream() {
    RunOn(loop_, [this] { return Cancel(), channel_.reset(), true; });
  }

  void Open(const std::string& method, GrpcCallOptions options = {}) {
    RunOn(loop_, [&] { return stream_ = channel_->Open(method, options), true; });
  }
  void OpenWith(const std::string& method, std::string_view message, GrpcCallOptions options = {}) {
    RunOn(loop_, [&] { return stream_ = channel_->Open(method, Bytes::CopyOf(message), options), true; });
  }

  [[nodiscard]] Promise<Outcome> StartRead() {
    const Promise<Outcome> promise;
    loop_.Post([this, promise] { stream_->Read([promise](Outcome outcome) { promise.Set(std::move(outcome)); }); });
    return promise;
  }
  Outcome Read() { return StartRead().Get(); }
  // The text of the next message; what else came, in words.
  std::string ReadText() {
    const Outcome outcome = Read();
    if (!outcome.ok()) return StrCat("(", outcome.status().ToString(), ")");
    return outcome->has_value() ? std::string((*outcome)->bytes.view()) : "(end)";
  }

  [[nodiscard]] Promise<Status> StartWrite(std::string message) {
    const Promise<Status> promise;
    loop_.Post([this, promise, message = Bytes(std::move(message))]() mutable {
      stream_->Write(std::move(message), [promise](Status status) { promise.Set(std::move(status)); });
    });
    return promise;
  }
  Status Write(std::string message) { return StartWrite(std::move(message)).Get(); }
  void Finish() {
    RunOn(loop_, [this] { return stream_->Finish(), true; });
  }
  HttpHeaders InitialMetadata() {
    return RunOn(loop_, [this] { return stream_->initial_metadata(); });
  }
  HttpHeaders TrailingMetadata() {
    return RunOn(loop_, [this] { return stream_->trailing_metadata(); });
  }
  void Cancel() { stream_.reset(); }
  void CancelNow() {
    RunOn(loop_, [this] { return Cancel(), true; });
  }
  void DestroyChannel() {
    RunOn(loop_, [this] { return channel_.reset(), true; });
  }

  // A unary call on the same channel.
  StatusOr<Bytes> Call(const std::string& method, std::string_view message) {
    const Promise<StatusOr<Bytes>> promise;
    loop_.Post([this, method, promise, message = Bytes::CopyOf(message)]() mutable {
      channel_->Call(method, ByteChain(std::move(message)), {},
                     [promise](StatusOr<Bytes> answer) { promise.Set(answer); });
    });
    return promise.Get();
  }

 private:
  Loop& loop_;
  std::unique_ptr<GrpcChannel> channel_;
  std::unique_ptr<GrpcStream> stream_;
};

GrpcCallOptions Forever() {
  return {.deadline = std::chrono::milliseconds::max(), .metadata = {}};
}

class StreamedCall : public testing::Test {
 protected:
  void Start(ServerOptions options) {
    server_ = StartServer(loops_, metrics_, std::move(options));
    GrpcChannelOptions channel_options;
    channel_options.endpoint = server_->endpoint();
    channel_options.calls_max = 1;
    stream_ = std::make_unique<TestStream>(loops_.At(0), channel_options);
  }

  LoopPool loops_{1};
  MetricRegistry metrics_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<TestStream> stream_;
};

// Writes the numbers from 0 to `count` - 1, then ends with `status`.
class Counting : public std::enable_shared_from_this<Counting> {
 public:
  Counting(GrpcWriter writer, int count, Status status)
      : writer_(std::move(writer)), count_(count), status_(std::move(status)) {}
  void Next() {
    if (next_ == count_) return std::move(writer_).Finish(status_);
    writer_.Write(Bytes(StrCat(next_++)), [self = shared_from_this()](const Status& status) {
      if (status.ok()) self->Next();
    });
  }

 private:
  GrpcWriter writer_;
  int count_;
  Status status_;
  int next_ = 0;
};

ServerOptions CountingOptions(int count, const Status& status) {
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Count"] = [=](GrpcRequest, GrpcWriter writer) {
    std::make_shared<Counting>(std::move(writer), count, status)->Next();
  };
  return options;
}

// Scenario: one message out, a thousand in, then an error with a delay.
// Guarantees: they come in order, one a Read; then the status with its details, again and again.
TEST_F(StreamedCall, ReadsMessagesInOrderAndThenTheStatus) {
  Start(CountingOptions(1000, WithRetryDelay(absl::UnavailableError("all gone"), std::chrono::milliseconds(1234))));
  stream_->OpenWith("/test.Echo/Count", "go");
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(stream_->ReadText(), StrCat(i));
  for (int i = 0; i < 2; ++i) {
    const Status status = stream_->Read().status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_EQ(RetryDelay(status), std::chrono::milliseconds(1234));
  }
  EXPECT_TRUE(stream_->Call(kEchoMethod, "next").ok());
}

TEST_F(StreamedCall, EndsWithoutAMessage) {
  Start(CountingOptions(0, absl::OkStatus()));
  stream_->OpenWith("/test.Echo/Count", "go");
  EXPECT_EQ(stream_->ReadText(), "(end)");
  EXPECT_EQ(stream_->ReadText(), "(end)");
}

// Scenario: each message is written when the answer to the one before was read; the first before there is a connection.
// Guarantees: each comes back at once, and Finish ends the call.
TEST_F(StreamedCall, WritesAndReadsInTurn) {
  ServerOptions options = EchoOptions();
  options.grpc[kStreamMethod] = &GrpcEchoStream::Start;
  Start(std::move(options));
  stream_->Open(kStreamMethod);
  for (const char* const text : {"one", "", "three"}) {
    EXPECT_TRUE(stream_->Write(text).ok());
    EXPECT_EQ(stream_->ReadText(), text);
  }
  stream_->Finish();
  EXPECT_EQ(stream_->ReadText(), "(end)");
}

// Scenario: 20 messages of 1 MiB there and back, larger than any window.
// Guarantees: all arrive whole, in order.
TEST_F(StreamedCall, CarriesMessagesLargerThanTheWindow) {
  ServerOptions options = EchoOptions();
  options.grpc[kStreamMethod] = &GrpcEchoStream::Start;
  Start(std::move(options));
  stream_->Open(kStreamMethod, Forever());
  for (uint64_t i = 0; i < 20; ++i) {
    const std::string message = RandomBytes(1 << 20, i);
    const auto written = stream_->StartWrite(message);
    ASSERT_TRUE(stream_->ReadText() == message) << i;
    EXPECT_TRUE(written.Get().ok());
  }
}

// Scenario: the handler ends the call although the client still writes; then a call on the same channel, which may have
// one at a time.
// Guarantees: the Write that comes too late says so, the Read says why, and nothing is left of the call.
TEST_F(StreamedCall, TheServerMayEndItFirst) {
  ServerOptions options = EchoOptions();
  options.limits.streams_max = 1;
  options.grpc[kStreamMethod] = [](GrpcRequest, GrpcReader, GrpcWriter writer) {
    std::move(writer).Finish(absl::PermissionDeniedError("not you"));
  };
  Start(std::move(options));
  stream_->Open(kStreamMethod);
  EXPECT_TRUE(absl::IsPermissionDenied(stream_->Read().status()));
  EXPECT_TRUE(absl::IsCancelled(stream_->Write("too late")));
  EXPECT_EQ(stream_->Call(kEchoMethod, "next")->view(), "next");
}

TEST_F(StreamedCall, SeesWhetherAMessageWasCompressed) {
  ServerOptions options = EchoOptions();
  options.grpc[kStreamMethod] = &GrpcEchoStream::Start;
  Start(std::move(options));
  stream_->Open(kStreamMethod, {.metadata = {}, .message_compression = Compression::kGzip});
  const std::string large = Repetitive(100'000);
  for (const std::string& text : {std::string("small"), large}) {
    const auto written = stream_->StartWrite(std::string(Compress(Compression::kGzip, text).view()));
    const Outcome outcome = stream_->Read();
    ASSERT_TRUE(outcome.ok() && outcome->has_value()) << outcome.status();
    EXPECT_EQ((*outcome)->bytes.view(), text);
    EXPECT_EQ((*outcome)->was_compressed, text == large);
  }
}

// ------------------------------------------------------------------------------------------------ metadata

using testing::ElementsAre;
using testing::Pair;

const std::string& AllBytes() {
  static const std::string bytes = [] {
    std::string all;
    for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
    return all;
  }();
  return bytes;
}

GrpcCallOptions WithMetadata(const std::vector<std::pair<std::string, std::string>>& metadata) {
  GrpcCallOptions options;
  for (const auto& [name, value] : metadata) options.metadata.Add(name, value);
  return options;
}

// The request's metadata whose names begin with "x-", as they came.
HttpHeaders Custom(const HttpHeaders& metadata) {
  HttpHeaders custom;
  for (const auto& [name, value] : metadata.fields()) {
    if (name.starts_with("x-")) custom.Add(name, value);
  }
  return custom;
}

// Methods that send the request's metadata back: Unary with an answer, Error without, Stream with each.
ServerOptions MetadataOptions() {
  ServerOptions options = EchoOptions();
  options.grpc["/test.Metadata/Unary"] = [](GrpcRequest request, GrpcResponder responder) {
    const HttpHeaders custom = Custom(request.metadata);
    std::move(responder).Respond(std::move(request.message), {.initial_metadata = custom, .trailing_metadata = custom});
  };
  options.grpc["/test.Metadata/Error"] = [](GrpcRequest request, GrpcResponder responder) {
    std::move(responder).Respond(absl::NotFoundError("none"), {.trailing_metadata = Custom(request.metadata)});
  };
  options.grpc["/test.Metadata/Stream"] = [](GrpcRequest request, GrpcWriter writer) {
    const HttpHeaders custom = Custom(request.metadata);
    writer.SendHeaders(custom);
    std::move(writer).Finish(absl::DataLossError("all gone"), custom);
  };
  options.grpc["/test.Metadata/Bad"] = [](GrpcRequest, GrpcResponder responder) {
    HttpHeaders bad;
    bad.Add("grpc-status", "0");
    std::move(responder).Respond(Bytes(), {.initial_metadata = bad});
  };
  return options;
}

// Scenario: text, twice under one name, and every byte there is; sent back with the headers and with the status, of a
// unary call, of a stream, and of a call without a message.
// Guarantees: the handler saw it as it was, and the caller gets it as it was.
TEST_F(StreamedCall, CarriesMetadataBothWays) {
  Start(MetadataOptions());
  const GrpcCallOptions options = WithMetadata({{"X-Text", "one"}, {"x-text", "two"}, {"x-all-bin", AllBytes()}});
  const auto all = ElementsAre(Pair("x-text", "one"), Pair("x-text", "two"), Pair("x-all-bin", AllBytes()));
  stream_->OpenWith("/test.Metadata/Unary", "message", options);
  EXPECT_EQ(stream_->ReadText(), "message");
  EXPECT_THAT(stream_->InitialMetadata().fields(), all);
  EXPECT_EQ(stream_->ReadText(), "(end)");
  EXPECT_THAT(stream_->TrailingMetadata().fields(), all);

  stream_->OpenWith("/test.Metadata/Stream", "", options);
  EXPECT_TRUE(absl::IsDataLoss(stream_->Read().status()));
  EXPECT_THAT(stream_->InitialMetadata().fields(), all);
  EXPECT_THAT(stream_->TrailingMetadata().fields(), all);

  stream_->OpenWith("/test.Metadata/Error", "", options);
  EXPECT_TRUE(absl::IsNotFound(stream_->Read().status()));
  EXPECT_THAT(stream_->InitialMetadata().fields(), ElementsAre());
  EXPECT_THAT(stream_->TrailingMetadata().fields(), all);
}

// Scenario: a caller's metadata under a reserved name, and over the limit; a handler's under a reserved name.
// Guarantees: the first two never leave and say why; the third becomes INTERNAL, whatever the handler meant.
TEST_F(StreamedCall, RefusesMetadataThatMayNotBeSent) {
  Start(MetadataOptions());
  stream_->OpenWith(kEchoMethod, "", WithMetadata({{"grpc-timeout", "1S"}}));
  EXPECT_TRUE(absl::IsInvalidArgument(stream_->Read().status()));
  stream_->OpenWith(kEchoMethod, "", WithMetadata({{"x-a", std::string(40'000, 'a')}}));
  EXPECT_TRUE(absl::IsResourceExhausted(stream_->Read().status()));
  EXPECT_TRUE(absl::IsInternal(stream_->Call("/test.Metadata/Bad", "").status()));
}

// Scenario: answers as the handler wants them: compressed or not, small or large, of a plain and of a compressed call.
// Guarantees: what it says is done, and without a word the answer is as the request was; either side can tell.
TEST_F(StreamedCall, HandlersSayWhetherAnAnswerIsCompressed) {
  static constexpr std::pair<const char*, AnswerCompression> kMethods[] = {
      {"/test.Compression/AsRequest", AnswerCompression::kAsRequest},
      {"/test.Compression/Off", AnswerCompression::kOff},
      {"/test.Compression/On", AnswerCompression::kOn}};
  const auto seen = std::make_shared<Promise<bool>>();
  ServerOptions options = EchoOptions();
  for (const auto& [method, compression] : kMethods) {
    options.grpc[method] = [seen, wanted = compression](GrpcRequest request, GrpcResponder responder) {
      seen->Set(request.was_compressed);
      std::move(responder).Respond(std::move(request.message), {.compression = wanted});
    };
  }
  Start(std::move(options));
  const auto answer_is_compressed = [&](const char* method, const std::string& text, Compression compression) {
    *seen = {};
    GrpcCallOptions call;
    call.message_compression = compression;
    const bool is_plain = compression == Compression::kNone;
    stream_->OpenWith(method, is_plain ? text : Compress(compression, text).view(), call);
    const Outcome outcome = stream_->Read();
    EXPECT_TRUE(outcome.ok() && outcome->has_value()) << outcome.status();
    EXPECT_EQ((*outcome)->bytes.view(), text);
    EXPECT_EQ(seen->Get(), !is_plain);
    EXPECT_EQ(stream_->ReadText(), "(end)");
    return (*outcome)->was_compressed;
  };
  const std::string large = Repetitive(10'000);
  EXPECT_FALSE(answer_is_compressed(kMethods[0].first, large, Compression::kNone));
  EXPECT_TRUE(answer_is_compressed(kMethods[0].first, large, Compression::kDeflate));
  EXPECT_FALSE(answer_is_compressed(kMethods[0].first, "small", Compression::kGzip));
  EXPECT_FALSE(answer_is_compressed(kMethods[1].first, large, Compression::kGzip));
  EXPECT_TRUE(answer_is_compressed(kMethods[2].first, "small", Compression::kNone));
}

// Scenario: the caller lets go of a call whose handler waits; then a call on the same channel.
// Guarantees: the handler is told, the place among the calls is free again.
TEST_F(StreamedCall, CancelsWhenItIsLetGo) {
  const Promise<bool> cancelled;
  const Promise<GrpcWriter> kept;
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [=](GrpcRequest, GrpcWriter writer) {
    writer.cancel_signal().OnCancel([cancelled] { cancelled.Set(true); });
    kept.Set(std::move(writer));
  };
  Start(std::move(options));
  stream_->OpenWith("/test.Echo/Keep", "");
  const GrpcWriter writer = kept.Get();
  EXPECT_TRUE(absl::IsResourceExhausted(stream_->Call(kEchoMethod, "").status()));
  stream_->CancelNow();
  EXPECT_TRUE(cancelled.Get());
  EXPECT_TRUE(stream_->Call(kEchoMethod, "next").ok());
}

TEST_F(StreamedCall, EndsAtItsDeadline) {
  const Promise<GrpcWriter> kept;
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [=](GrpcRequest, GrpcWriter writer) { kept.Set(std::move(writer)); };
  Start(std::move(options));
  stream_->OpenWith("/test.Echo/Keep", "", {.deadline = std::chrono::milliseconds(50), .metadata = {}});
  EXPECT_TRUE(absl::IsDeadlineExceeded(stream_->Read().status()));
  const GrpcWriter writer = kept.Get();
  EXPECT_TRUE(stream_->Call(kEchoMethod, "next").ok());
}

TEST_F(StreamedCall, EndsWithItsChannel) {
  const Promise<GrpcWriter> kept;
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [=](GrpcRequest, GrpcWriter writer) { kept.Set(std::move(writer)); };
  Start(std::move(options));
  stream_->OpenWith("/test.Echo/Keep", "");
  const auto read = stream_->StartRead();
  const GrpcWriter writer = kept.Get();
  stream_->DestroyChannel();
  EXPECT_TRUE(absl::IsCancelled(read.Get().status()));
}

TEST_F(StreamedCall, FailsWhenNobodyListens) {
  Start(EchoOptions());
  server_.reset();
  stream_->Open(kStreamMethod);
  const auto written = stream_->StartWrite("lost");
  EXPECT_TRUE(absl::IsUnavailable(stream_->Read().status()));
  EXPECT_TRUE(absl::IsCancelled(written.Get()));
}

// ------------------------------------------------------------------------------------------------ peers by hand

std::string AnswerHeaders(uint32_t stream_id) {
  return Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream_id,
                HeaderBlock({{":status", "200"}, {"content-type", "application/grpc"}}));
}

std::string Message(std::string_view content) {
  return StrCat(grpc::MessagePrefix(false, content.size()), content);
}

std::string Trailers(uint32_t stream_id, const std::string& code) {
  return Encode(NGHTTP2_HEADERS, kWhole, stream_id, HeaderBlock({{"grpc-status", code}}));
}

class StreamedCallPeer : public testing::Test {
 protected:
  StreamedCallPeer() { Connect(); }

  // A new channel, and so a new connection.
  void Connect(const GrpcKeepalive& keepalive = {}) {
    GrpcChannelOptions options;
    options.keepalive = keepalive;
    options.endpoint = peer_.endpoint();
    options.message_bytes_max = 1 << 20;
    stream_ = std::make_unique<TestStream>(loops_.At(0), options);
  }

  // Opens a call with one message and reads it as the peer.
  std::unique_ptr<FramePeer> Begin() {
    stream_->OpenWith(kStreamMethod, "go", Forever());
    auto connection = peer_.Accept();
    EXPECT_EQ(connection->Await(NGHTTP2_DATA).payload, Message("go"));
    return connection;
  }

  LoopPool loops_{1};
  FakeGrpcPeer peer_;
  std::unique_ptr<TestStream> stream_;
};

// What `connection` is given back of stream 1 before it hears the answer to a ping.
size_t WindowGivenBack(FramePeer& connection) {
  connection.Send(Encode(NGHTTP2_PING, 0, 0, "12345678"));
  size_t bytes = 0;
  for (Frame frame = connection.ReadFrame(); frame.type != NGHTTP2_PING; frame = connection.ReadFrame()) {
    if (frame.closed()) return SIZE_MAX;
    if (frame.type != NGHTTP2_WINDOW_UPDATE || frame.stream_id != 1) continue;
    for (size_t i = 0; i < 4; ++i) bytes |= static_cast<size_t>(static_cast<uint8_t>(frame.payload[i])) << (24 - 8 * i);
  }
  return bytes;
}

// Scenario: the peer sends as many messages as the stream's window takes; none is read; then half of them, one by one.
// Guarantees: nothing is given back before the reader takes a message; the window opens by what it took.
TEST_F(StreamedCallPeer, HoldsAPeerBackThatIsNotRead) {
  const auto connection = Begin();
  connection->Send(Encode(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, ""));
  connection->Send(AnswerHeaders(1));
  const std::string message = Message(std::string(16'000, 'x'));
  const size_t count = http2::kStreamWindowBytes / message.size();
  for (size_t i = 0; i < count; ++i) connection->Send(Encode(NGHTTP2_DATA, 0, 1, message));
  EXPECT_EQ(WindowGivenBack(*connection), 0U);
  size_t taken = 0;
  for (; taken < count / 2 + 1; ++taken) EXPECT_EQ(stream_->ReadText().size(), 16'000U);
  EXPECT_EQ(WindowGivenBack(*connection), taken * message.size());
  connection->Send(Trailers(1, "0"));
  for (; taken < count; ++taken) EXPECT_EQ(stream_->ReadText().size(), 16'000U);
  EXPECT_EQ(stream_->ReadText(), "(end)");
}

// Scenario: a message larger than the window arrives while nobody reads, then a Read waits for it.
// Guarantees: the window opens for it, though no message was complete.
TEST_F(StreamedCallPeer, OpensTheWindowForAMessageThatIsWaitedFor) {
  const auto connection = Begin();
  connection->Send(Encode(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, ""));
  connection->Send(AnswerHeaders(1));
  const std::string message = Message(std::string(300'000, 'y'));
  constexpr size_t kFrameBytes = 16'000;
  size_t sent = 0;
  for (; sent + kFrameBytes < http2::kStreamWindowBytes; sent += kFrameBytes) {
    connection->Send(Encode(NGHTTP2_DATA, 0, 1, message.substr(sent, kFrameBytes)));
  }
  EXPECT_EQ(WindowGivenBack(*connection), 0U);
  const auto read = stream_->StartRead();
  while (WindowGivenBack(*connection) == 0) {
  }
  for (; sent < message.size(); sent += kFrameBytes) {
    connection->Send(Encode(NGHTTP2_DATA, 0, 1, message.substr(sent, kFrameBytes)));
  }
  EXPECT_EQ((*read.Get())->bytes.size(), 300'000U);
}

// Scenario: two messages and the status in one piece, before anybody reads; a message in pieces.
// Guarantees: all are delivered, then the end.
TEST_F(StreamedCallPeer, PutsMessagesTogether) {
  const auto connection = Begin();
  const std::string cut = Message("cut");
  connection->Send(StrCat(AnswerHeaders(1), Encode(NGHTTP2_DATA, 0, 1, StrCat(Message("a"), Message(""), "")),
                          Encode(NGHTTP2_DATA, 0, 1, cut.substr(0, 3)), Encode(NGHTTP2_DATA, 0, 1, cut.substr(3)),
                          Trailers(1, "0")));
  EXPECT_EQ(stream_->ReadText(), "a");
  EXPECT_EQ(stream_->ReadText(), "");
  EXPECT_EQ(stream_->ReadText(), "cut");
  EXPECT_EQ(stream_->ReadText(), "(end)");
}

// Scenario: OK in the middle of a message; a bad "compressed" byte; a message over the limit; one that claims a coding
// that was not named.
// Guarantees: each ends the call with an error, after the message before it; the peer is told unless it had ended.
TEST_F(StreamedCallPeer, RefusesBrokenMessages) {
  const auto outcome_of = [&](std::string_view broken) {
    const auto connection = Begin();
    connection->Send(StrCat(AnswerHeaders(1), Encode(NGHTTP2_DATA, 0, 1, StrCat(Message("whole"), broken))));
    EXPECT_EQ(stream_->ReadText(), "whole");
    const auto read = stream_->StartRead();
    connection->Send(Trailers(1, "0"));
    const Status status = read.Get().status();
    Connect();
    return status;
  };
  EXPECT_TRUE(absl::IsInternal(outcome_of(Message("cut").substr(0, 6))));
  EXPECT_TRUE(absl::IsInternal(outcome_of(std::string_view("\x07\0\0\0\0", 5))));
  EXPECT_TRUE(absl::IsResourceExhausted(outcome_of(std::string_view("\0\x7f\0\0\0", 5))));
  EXPECT_TRUE(absl::IsInternal(outcome_of(std::string_view("\1\0\0\0\1x", 6))));
}

// Scenario: metadata that should be bytes but is not base64, before a message and with the status.
// Guarantees: the call fails, though the peer says OK.
TEST_F(StreamedCallPeer, RefusesMetadataThatIsNotBase64) {
  auto connection = Begin();
  const std::string bad_headers = HeaderBlock({{":status", "200"}, {"x-bin", "?"}});
  connection->Send(StrCat(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, bad_headers),
                          Encode(NGHTTP2_DATA, 0, 1, Message("message"))));
  EXPECT_TRUE(absl::IsInternal(stream_->Read().status()));
  Connect();
  connection = Begin();
  connection->Send(StrCat(AnswerHeaders(1), Encode(NGHTTP2_DATA, 0, 1, Message("message")),
                          Encode(NGHTTP2_HEADERS, kWhole, 1, HeaderBlock({{"grpc-status", "0"}, {"x-bin", "?"}}))));
  EXPECT_EQ(stream_->ReadText(), "message");
  EXPECT_TRUE(absl::IsInternal(stream_->Read().status()));
}

TEST_F(StreamedCallPeer, FailsWhenTheConnectionIsLost) {
  auto connection = Begin();
  connection->Send(StrCat(AnswerHeaders(1), Encode(NGHTTP2_DATA, 0, 1, Message("first"))));
  EXPECT_EQ(stream_->ReadText(), "first");
  connection.reset();
  EXPECT_TRUE(absl::IsUnavailable(stream_->Read().status()));
}

// Scenario: the peer falls silent in the middle of a message, its connection open.
// Guarantees: a ping finds out, and the call ends, though it has no deadline.
TEST_F(StreamedCallPeer, LeavesAPeerThatVanishes) {
  Connect({.time = std::chrono::milliseconds(5), .timeout = std::chrono::milliseconds(50)});
  const auto connection = Begin();
  connection->Send(StrCat(AnswerHeaders(1), Encode(NGHTTP2_DATA, 0, 1, Message("half of it").substr(0, 8))));
  const Status status = stream_->Read().status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("keepalive ping"));
}

TEST_F(StreamedCallPeer, TellsThePeerWhenItIsLetGo) {
  const auto connection = Begin();
  stream_->CancelNow();
  EXPECT_EQ(FramePeer::ErrorCode(connection->Await(NGHTTP2_RST_STREAM).payload), NGHTTP2_CANCEL);
}

// Scenario: a call without a deadline.
// Guarantees: the peer is told none.
TEST_F(StreamedCallPeer, MayHaveNoDeadline) {
  stream_->OpenWith(kStreamMethod, "go", Forever());
  const auto connection = peer_.Accept();
  std::thread canceller([&] { stream_->CancelNow(); });
  EXPECT_THAT(connection->Answer(1), testing::Not(HasSubstr("grpc-timeout")));
  canceller.join();
}

// Scenario: a peer that grants the request no window beyond the first 64 KiB; the caller writes more.
// Guarantees: the Write waits until the peer takes what was written.
TEST_F(StreamedCallPeer, WritesWaitForThePeer) {
  stream_->Open(kStreamMethod, Forever());
  const auto connection = peer_.Accept();
  const auto write = stream_->StartWrite(std::string(200'000, 'z'));
  size_t arrived = 0;
  while (arrived < 65'535) arrived += connection->Await(NGHTTP2_DATA).payload.size();
  EXPECT_EQ(arrived, 65'535U);
  EXPECT_FALSE(write.is_set());
  const std::string more = {0, 1, 0, 0};  // 64 KiB
  for (const uint32_t stream_id : {0, 1}) connection->Send(Encode(NGHTTP2_WINDOW_UPDATE, 0, stream_id, more));
  EXPECT_FALSE(write.is_set());
  for (const uint32_t stream_id : {0, 1}) connection->Send(Encode(NGHTTP2_WINDOW_UPDATE, 0, stream_id, more));
  EXPECT_TRUE(write.Get().ok());
}

// Scenario: the peer goes away without having looked at the call.
// Guarantees: one that sends a single message is sent again; so is one that has written nothing; another is not.
TEST_F(StreamedCallPeer, SendsAgainWhatCanBeSentAgain) {
  const std::string unseen = Encode(NGHTTP2_GOAWAY, 0, 0, http2::GoAwayPayload(0, NGHTTP2_NO_ERROR));
  Begin()->Send(unseen);
  auto second = peer_.Accept();
  EXPECT_EQ(second->Await(NGHTTP2_DATA).payload, Message("go"));
  stream_->Open(kStreamMethod, Forever());
  second->Await(NGHTTP2_HEADERS);
  second->Send(unseen);
  const auto third = peer_.Accept();
  third->Await(NGHTTP2_HEADERS);
  EXPECT_TRUE(stream_->Write("written").ok());
  EXPECT_EQ(third->Await(NGHTTP2_DATA).payload, Message("written"));
  third->Send(unseen);
  EXPECT_TRUE(absl::IsUnavailable(stream_->Read().status()));
}

}  // namespace
}  // namespace spanloom::net
