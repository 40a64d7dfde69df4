// SPDX-License-Identifier: Apache-2.0

#include "net/testing/net_fixture.h"

#include <absl/strings/numbers.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/rng.h"
#include "base/text.h"

namespace spanloom::net {

ServerOptions EchoOptions() {
  ServerOptions options;
  options.name = "test";
  options.endpoint = "127.0.0.1:0";
  options.grpc[kEchoMethod] = [](GrpcRequest request, GrpcResponder responder) {
    std::move(responder).Respond(std::move(request.message));
  };
  options.http = [](HttpRequest request, HttpResponder responder) {
    HttpResponse response;
    response.headers.Add("x-path", request.path);
    response.headers.Add("x-query", request.query);
    response.body = request.body;
    std::move(responder).Respond(std::move(response));
  };
  return options;
}

std::unique_ptr<Server> StartServer(LoopPool& loops, MetricRegistry& metrics, ServerOptions options) {
  StatusOr<std::unique_ptr<Server>> server = Server::Create(loops, metrics, std::move(options));
  CHECK(server.ok());
  return *std::move(server);
}

TestChannel::TestChannel(Loop& loop, GrpcChannelOptions options) : loop_(loop) {
  StatusOr<std::unique_ptr<GrpcChannel>> channel = GrpcChannel::Create(loop, std::move(options));
  CHECK(channel.ok());
  channel_ = *std::move(channel);
}

TestChannel::~TestChannel() {
  RunOn(loop_, [this] {
    channel_.reset();
    return true;
  });
}

Promise<StatusOr<Bytes>> TestChannel::Start(std::string method, ByteChain message, GrpcCallOptions options) {
  const Promise<StatusOr<Bytes>> promise;
  loop_.Post([this, promise, method = std::move(method), message = std::move(message), options]() mutable {
    channel_->Call(std::move(method), std::move(message), options,
                   [promise](StatusOr<Bytes> answer) { promise.Set(std::move(answer)); });
  });
  return promise;
}

uint64_t TestChannel::StartCancellable() {
  return RunOn(loop_, [this] {
    return channel_->Call(kEchoMethod, ByteChain(), {}, [](const StatusOr<Bytes>& answer) { CHECK(!answer.ok()); });
  });
}

void TestChannel::Cancel(uint64_t call_id) {
  RunOn(loop_, [&] { return channel_->Cancel(call_id), true; });
}

RawPeer::RawPeer(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
  SetPatience();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
}

RawPeer::RawPeer(Accepted accepted) : socket_(accepted.socket) {
  SetPatience();
}

void RawPeer::SetPatience() const {
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  const int on = 1;
  CHECK(setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
  CHECK(setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
  CHECK(setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
}

RawPeer::~RawPeer() {
  close(socket_);
}

bool RawPeer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawPeer::ReadSome() {
  char buffer[4096];
  const ssize_t bytes = recv(socket_, buffer, sizeof(buffer), 0);
  if (bytes > 0) received_.append(buffer, static_cast<size_t>(bytes));
  return bytes > 0;
}

std::string RawPeer::ReadUntil(std::string_view mark) {
  while (received_.find(mark) == std::string::npos && ReadSome()) {
  }
  return std::exchange(received_, {});
}

std::string RawPeer::ReadAll() {
  while (ReadSome()) {
  }
  return std::exchange(received_, {});
}

std::string RawPeer::Read(size_t bytes) {
  while (received_.size() < bytes && ReadSome()) {
  }
  std::string read = received_.substr(0, bytes);
  received_.erase(0, bytes);
  return read;
}

std::string RawPeer::ReadResponse() {
  constexpr std::string_view kLength = "content-length: ";
  size_t head_end = std::string::npos;
  while ((head_end = received_.find("\r\n\r\n")) == std::string::npos && ReadSome()) {
  }
  if (head_end == std::string::npos) return std::exchange(received_, {});
  size_t body_bytes = 0;
  if (const size_t length = received_.find(kLength); length < head_end) {
    const size_t digits = length + kLength.size();
    CHECK(absl::SimpleAtoi(received_.substr(digits, received_.find('\r', digits) - digits), &body_bytes));
  }
  return Read(head_end + 4 + body_bytes);
}

RawListener::RawListener() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  CHECK(bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  CHECK(listen(socket_, 16) == 0);
  CHECK(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
}

RawListener::~RawListener() {
  close(socket_);
}

std::string RawListener::endpoint() const {
  return StrCat("127.0.0.1:", port_);
}

std::unique_ptr<RawPeer> RawListener::Accept() const {
  return std::make_unique<RawPeer>(RawPeer::Accepted{AcceptSocket()});
}

int RawListener::AcceptSocket() const {
  return accept(socket_, nullptr, nullptr);
}

bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

std::string RandomBytes(size_t bytes, uint64_t seed) {
  Rng rng(seed);
  std::string content(bytes, '\0');
  for (char& c : content) c = static_cast<char>(rng.Next());
  return content;
}

std::string Repetitive(size_t bytes) {
  std::string content;
  content.reserve(bytes + 64);
  while (content.size() < bytes) StrAppend(content, "span ", content.size() % 97, " gen_ai.request.model=llama ");
  content.resize(bytes);
  return content;
}

}  // namespace spanloom::net
