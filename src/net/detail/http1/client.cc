// SPDX-License-Identifier: Apache-2.0
//
// HttpClient: a queue of requests and a few connections that each take the next one when they have answered the last.

#include "net/client.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "net/compression.h"
#include "net/detail/backoff.h"
#include "net/detail/connect.h"
#include "net/detail/http1/message.h"
#include "net/detail/http_rules.h"

namespace spanloom::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr uint32_t kHeaderBytesMax = 64 << 10;  // of an answer; guess
constexpr size_t kReadBytes = 64 << 10;         // what Beast reads at most in one go

// One connection of the client. Sequence-bound: the loop.
struct ClientConnection {
  std::optional<Transport> socket;  // once it is connected
  beast::flat_buffer buffer{kHeaderBytesMax + kReadBytes};
  uint64_t request_id = 0;  // under way; 0: none

  void Close() {
    if (socket.has_value()) socket->Close();
  }
};

struct PendingRequest {
  HttpRequest request;
  absl::AnyInvocable<void(StatusOr<HttpResponse>)> done;
  std::chrono::milliseconds deadline;
  Timer timer;
};

// What came back, and whether the connection may be used again.
struct Exchanged {
  StatusOr<HttpResponse> response = absl::UnavailableError("no answer");
  bool keep_alive = false;
};

Status FailureOf(const error_code& error, size_t body_bytes_max) {
  if (error == http::error::body_limit) {
    return absl::ResourceExhaustedError(StrCat("the answer is larger than ", body_bytes_max, " bytes"));
  }
  if (error == http::error::end_of_stream || error == asio::error::eof) {
    return absl::UnavailableError("the peer closed the connection before it answered");
  }
  return absl::UnavailableError(error.message());
}

// Undoes the answer's Content-Encoding.
StatusOr<HttpResponse> Decoded(HttpResponse response, size_t body_bytes_max) {
  ASSIGN_OR_RETURN(const Compression compression, ParseCompression(response.headers.Get("content-encoding")));
  if (compression == Compression::kNone || response.body.empty()) return response;
  ASSIGN_OR_RETURN(response.body, Decompress(compression, response.body.view(), body_bytes_max));
  return response;
}

}  // namespace

// Sequence-bound: the loop.
class HttpClient::State final : public std::enable_shared_from_this<State> {
 public:
  State(Loop& loop, HttpClientOptions options, Target target, std::unique_ptr<TlsCredentials> tls)
      : loop_(loop),
        options_(std::move(options)),
        target_(std::move(target)),
        tls_(std::move(tls)),
        backoff_(Rng::SystemSeed()) {}

  [[nodiscard]] Loop& loop() { return loop_; }
  void Add(PendingRequest request);
  void Shutdown();

 private:
  using ConnectionPtr = std::shared_ptr<ClientConnection>;  // shared with its coroutine

  static asio::awaitable<void> Run(std::shared_ptr<State> self, ConnectionPtr connection);
  asio::awaitable<bool> Open(const ConnectionPtr& connection);
  asio::awaitable<bool> ServeNext(const ConnectionPtr& connection);
  asio::awaitable<bool> AwaitWork(const ConnectionPtr& connection);
  asio::awaitable<Exchanged> Exchange(const ConnectionPtr& connection, const HttpRequest& request);
  asio::awaitable<error_code> Write(const ConnectionPtr& connection, const HttpRequest& request);

  void FindConnection();
  void StartConnection();
  void OnDeadline(uint64_t request_id);
  void EndSoon(uint64_t request_id, Status reason);
  void End(uint64_t request_id, StatusOr<HttpResponse> response);
  void FailWaiting(const Status& reason);

  Loop& loop_;
  const HttpClientOptions options_;
  const Target target_;
  const std::unique_ptr<TlsCredentials> tls_;  // null: cleartext
  Backoff backoff_;
  absl::flat_hash_map<uint64_t, PendingRequest> requests_;  // by id
  std::deque<uint64_t> waiting_;                            // ids of requests without a connection, in order
  std::vector<ConnectionPtr> connections_;                  // connecting, idle or busy
  std::vector<ConnectionPtr> idle_;                         // of connections_; the last used is the next to be used
  size_t connecting_ = 0;                                   // of connections_
  uint64_t next_request_id_ = 1;
  bool is_shut_down_ = false;
};

void HttpClient::State::Add(PendingRequest request) {
  const uint64_t request_id = next_request_id_++;
  request.timer = loop_.PostAfter(request.deadline, [weak_self = weak_from_this(), request_id] {
    if (const auto self = weak_self.lock(); self != nullptr) self->OnDeadline(request_id);
  });
  requests_.emplace(request_id, std::move(request));
  const Status status = backoff_.Check(std::chrono::steady_clock::now());
  if (!status.ok() && connections_.size() == connecting_) return EndSoon(request_id, status);
  waiting_.push_back(request_id);
  FindConnection();
}

// Wakes an idle connection, or makes a further one, for the requests that wait.
void HttpClient::State::FindConnection() {
  if (!idle_.empty()) {
    const ConnectionPtr connection = std::move(idle_.back());
    idle_.pop_back();
    connection->socket->Cancel();
    return;
  }
  if (connecting_ >= waiting_.size() || connections_.size() >= options_.connections_max) return;
  const Status status = backoff_.Check(std::chrono::steady_clock::now());
  if (status.ok()) return StartConnection();
  if (connections_.empty()) FailWaiting(status);
}

void HttpClient::State::StartConnection() {
  auto connection = std::make_shared<ClientConnection>();
  connections_.push_back(connection);
  ++connecting_;
  Spawn(loop_, Run(shared_from_this(), std::move(connection)));
}

asio::awaitable<void> HttpClient::State::Run(std::shared_ptr<State> self, ConnectionPtr connection) {
  bool goes_on = co_await self->Open(connection);
  while (goes_on && !self->is_shut_down_) goes_on = co_await self->ServeNext(connection);
  std::erase(self->connections_, connection);
  std::erase(self->idle_, connection);
  if (!self->is_shut_down_ && !self->waiting_.empty()) self->FindConnection();
}

asio::awaitable<bool> HttpClient::State::Open(const ConnectionPtr& connection) {
  Connected connected;
  const Resolved resolved = co_await Resolve(loop_, target_);
  connected.status = resolved.status;
  if (resolved.status.ok()) {
    connected = co_await net::Connect(loop_, target_, resolved.endpoints, tls_.get(), kConnectTimeout);
  }
  --connecting_;
  if (connected.status.ok()) {
    backoff_.OnSuccess();
    connection->socket = std::move(connected.transport);
    co_return true;
  }
  if (is_shut_down_) co_return false;
  backoff_.OnFailure(std::chrono::steady_clock::now(), connected.status);
  if (connections_.size() == connecting_ + 1) FailWaiting(connected.status);
  co_return false;
}

asio::awaitable<bool> HttpClient::State::ServeNext(const ConnectionPtr& connection) {
  if (waiting_.empty()) {
    const bool is_alive = co_await AwaitWork(connection);
    if (!is_alive || waiting_.empty()) co_return is_alive;
  }
  const uint64_t request_id = waiting_.front();
  waiting_.pop_front();
  connection->request_id = request_id;
  const HttpRequest request = std::move(requests_.at(request_id).request);
  Exchanged exchanged = co_await Exchange(connection, request);
  connection->request_id = 0;
  End(request_id, std::move(exchanged.response));
  co_return exchanged.keep_alive;
}

// Idle until there is work. False if the peer closes the connection meanwhile, or says something unasked.
asio::awaitable<bool> HttpClient::State::AwaitWork(const ConnectionPtr& connection) {
  idle_.push_back(connection);
  error_code error;
  co_await connection->socket->WaitRead(Into(error));
  const bool was_woken = std::find(idle_.begin(), idle_.end(), connection) == idle_.end();
  std::erase(idle_, connection);
  co_return was_woken&& error == asio::error::operation_aborted && connection->socket->is_open();
}

asio::awaitable<error_code> HttpClient::State::Write(const ConnectionPtr& connection, const HttpRequest& request) {
  const std::string head = http1::RequestHead(request, AuthorityOf(target_, options_.endpoint));
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head),
                                                     asio::const_buffer(request.body.data(), request.body.size())};
  error_code error;
  co_await asio::async_write(*connection->socket, buffers, Into(error));
  co_return error;
}

asio::awaitable<Exchanged> HttpClient::State::Exchange(const ConnectionPtr& connection, const HttpRequest& request) {
  const bool is_head = request.method == "HEAD";
  Exchanged exchanged;
  error_code error = co_await Write(connection, request);
  while (!error) {
    http::response_parser<http::string_body> parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(options_.body_bytes_max);
    parser.skip(is_head);
    co_await http::async_read(*connection->socket, connection->buffer, parser, Into(error));
    if (error) break;
    if (parser.get().result_int() / 100 == 1) continue;  // an interim answer
    exchanged.keep_alive = parser.keep_alive();
    exchanged.response = Decoded(http1::TakeResponse(parser.release()), options_.body_bytes_max);
    co_return exchanged;
  }
  exchanged.response = FailureOf(error, options_.body_bytes_max);
  co_return exchanged;
}

// A request under way takes its connection with it: the answer could come at any time.
void HttpClient::State::OnDeadline(uint64_t request_id) {
  const auto found = requests_.find(request_id);
  if (found == requests_.end()) return;
  const auto deadline_ms = found->second.deadline.count();
  for (const ConnectionPtr& connection : connections_) {
    if (connection->request_id == request_id) connection->Close();
  }
  End(request_id, absl::DeadlineExceededError(StrCat("no answer within ", deadline_ms, " ms")));
}

void HttpClient::State::EndSoon(uint64_t request_id, Status reason) {
  loop_.Post([self = shared_from_this(), request_id, reason = std::move(reason)] { self->End(request_id, reason); });
}

void HttpClient::State::End(uint64_t request_id, StatusOr<HttpResponse> response) {
  auto request = requests_.extract(request_id);
  if (request.empty()) return;
  std::erase(waiting_, request_id);
  if (!response.ok()) response = Annotate(response.status(), options_.endpoint);
  request.mapped().done(std::move(response));
}

void HttpClient::State::FailWaiting(const Status& reason) {
  const auto waiting = std::exchange(waiting_, {});
  for (const uint64_t request_id : waiting) End(request_id, reason);
}

void HttpClient::State::Shutdown() {
  const auto self = shared_from_this();
  is_shut_down_ = true;
  waiting_.clear();
  for (const ConnectionPtr& connection : connections_) connection->Close();
  auto requests = std::exchange(requests_, {});
  for (auto& [request_id, request] : requests) {
    request.done(absl::CancelledError(StrCat(options_.endpoint, ": the client was closed")));
  }
}

StatusOr<std::unique_ptr<HttpClient>> HttpClient::Create(Loop& loop, HttpClientOptions options) {
  ASSIGN_OR_RETURN(Target target, ParseTarget(options.endpoint));
  std::unique_ptr<TlsCredentials> tls;
  if (options.tls.has_value()) {
    ASSIGN_OR_RETURN(tls, TlsCredentials::ForClient(*options.tls, ClientProtocol::kHttp1, options.endpoint));
  }
  auto state = std::make_shared<State>(loop, std::move(options), std::move(target), std::move(tls));
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(state)));
}

HttpClient::HttpClient(std::shared_ptr<State> state) : state_(std::move(state)) {}

HttpClient::~HttpClient() {
  Loop& loop = state_->loop();
  if (loop.IsCurrent()) {
    state_->Shutdown();
  } else {
    loop.Post([state = std::move(state_)] { state->Shutdown(); });
  }
}

void HttpClient::Send(HttpRequest request, std::chrono::milliseconds deadline,
                      absl::AnyInvocable<void(StatusOr<HttpResponse>)> done) {
  PendingRequest pending;
  pending.request = std::move(request);
  pending.done = std::move(done);
  pending.deadline = deadline;
  state_->Add(std::move(pending));
}

}  // namespace spanloom::net
