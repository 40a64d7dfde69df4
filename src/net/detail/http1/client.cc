// SPDX-License-Identifier: Apache-2.0
//
// HttpClient: a queue of exchanges and a few connections that each take the next one when they are done with the last.

#include "net/client.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "net/compression.h"
#include "net/detail/backoff.h"
#include "net/detail/connect.h"
#include "net/detail/http1/client_exchange.h"

namespace spanloom::net {
namespace {

using http1::ClientConnection;

// Undoes the answer's Content-Encoding.
StatusOr<HttpResponse> Decoded(HttpResponse response, size_t body_bytes_max) {
  ASSIGN_OR_RETURN(const Compression compression, ParseCompression(response.headers.Get("content-encoding")));
  if (compression == Compression::kNone || response.body.empty()) return response;
  ASSIGN_OR_RETURN(response.body, Decompress(compression, response.body.view(), body_bytes_max));
  return response;
}

// Makes `request` one for a proxy, which is told its target in full (RFC 9112, 3.2.2).
void NameTarget(std::string_view authority, const Proxy& proxy, HttpRequest& request) {
  request.path = StrCat("http://", authority, request.path);
  if (!proxy.authorization.empty()) request.headers.Set("proxy-authorization", proxy.authorization);
}

// Puts the answer of one exchange together. Kept alive by the exchange's callbacks.
class Collector : public std::enable_shared_from_this<Collector> {
 public:
  Collector(const HttpClientOptions& options, absl::AnyInvocable<void(StatusOr<HttpResponse>)> done)
      : name_(options.endpoint), body_bytes_max_(options.body_bytes_max), done_(std::move(done)) {}

  void Collect(std::weak_ptr<HttpExchange::State> exchange) { exchange_ = std::move(exchange); }

  void OnHead(StatusOr<HttpResponseHead> head) {
    if (!head.ok()) return done_(head.status());
    response_.status = head->status;
    response_.headers = std::move(head->headers);
    ReadOn();
  }

 private:
  void ReadOn() {
    const auto exchange = exchange_.lock();
    if (exchange == nullptr) return;
    exchange->Read([self = shared_from_this()](const StatusOr<Bytes>& piece) { self->OnPiece(piece); });
  }

  void OnPiece(const StatusOr<Bytes>& piece) {
    if (!piece.ok()) return done_(piece.status());
    if (piece->empty()) {
      response_.body = Bytes(std::move(body_));
      return done_(Decoded(std::move(response_), body_bytes_max_));
    }
    if (piece->size() > body_bytes_max_ - body_.size()) {
      if (const auto exchange = exchange_.lock()) exchange->Abandon();
      return done_(
          absl::ResourceExhaustedError(StrCat(name_, ": the answer is larger than ", body_bytes_max_, " bytes")));
    }
    body_.append(piece->view());
    ReadOn();
  }

  const std::string name_;
  const size_t body_bytes_max_;
  absl::AnyInvocable<void(StatusOr<HttpResponse>)> done_;
  std::weak_ptr<HttpExchange::State> exchange_;  // lives as long as its connection or its place in the queue
  HttpResponse response_;
  std::string body_;
};

}  // namespace

// Sequence-bound: the loop.
class HttpClient::State final : public std::enable_shared_from_this<State> {
 public:
  using ExchangePtr = std::shared_ptr<HttpExchange::State>;  // shared with its owner and its connection

  State(Loop& loop, HttpClientOptions options, Target target, std::shared_ptr<TlsCredentials> tls,
        std::optional<ProxyRoute> route)
      : loop_(loop),
        options_(std::move(options)),
        target_(std::move(target)),
        tls_(std::move(tls)),
        route_(std::move(route)),
        backoff_(Rng::SystemSeed()) {}

  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] const HttpClientOptions& options() const { return options_; }
  ExchangePtr Open(HttpRequest request, HttpStreamOptions options, HttpExchange::State::OnHead on_head);
  void Shutdown();

 private:
  using ConnectionPtr = std::shared_ptr<ClientConnection>;  // shared with its coroutine

  static asio::awaitable<void> Run(std::shared_ptr<State> self, ConnectionPtr connection);
  asio::awaitable<bool> Open(const ConnectionPtr& connection);
  asio::awaitable<bool> ServeNext(const ConnectionPtr& connection);
  asio::awaitable<bool> AwaitWork(const ConnectionPtr& connection);
  static bool SaysNothing(ClientConnection& connection);

  void Queue(const ExchangePtr& exchange);
  [[nodiscard]] Status CheckBackoff() const;
  void FindConnection();
  void StartConnection();
  void FailSoon(const ExchangePtr& exchange, Status reason);
  void FailWaiting(const Status& reason);
  void ForgetWhatIsOver();

  Loop& loop_;
  const HttpClientOptions options_;
  const Target target_;
  const std::shared_ptr<TlsCredentials> tls_;  // null: cleartext; of other clients too, if they share it
  const std::optional<ProxyRoute> route_;      // unset: directly
  Backoff backoff_;
  std::deque<ExchangePtr> waiting_;         // exchanges without a connection, in order
  std::vector<ConnectionPtr> connections_;  // connecting, idle or busy
  std::vector<ConnectionPtr> idle_;         // of connections_; the last used is the next to be used
  size_t connecting_ = 0;                   // of connections_
  bool is_shut_down_ = false;
};

HttpClient::State::ExchangePtr HttpClient::State::Open(HttpRequest request, HttpStreamOptions options,
                                                       HttpExchange::State::OnHead on_head) {
  std::string authority(AuthorityOf(target_, options_.endpoint));
  if (route_.has_value() && tls_ == nullptr) NameTarget(authority, *options_.proxy, request);
  auto exchange = std::make_shared<HttpExchange::State>(loop_, std::move(request), options, std::move(on_head),
                                                        std::move(authority), options_.endpoint);
  exchange->Begin();
  Queue(exchange);
  return exchange;
}

void HttpClient::State::Queue(const ExchangePtr& exchange) {
  const Status status = CheckBackoff();
  if (!status.ok() && connections_.size() == connecting_) return FailSoon(exchange, status);
  ForgetWhatIsOver();
  if (waiting_.size() >= options_.waiting_max) {
    const std::string text = StrCat("more than ", options_.waiting_max, " requests wait for a connection");
    return FailSoon(exchange, absl::ResourceExhaustedError(text));
  }
  waiting_.push_back(exchange);
  FindConnection();
}

// OK if a connection may be tried now.
Status HttpClient::State::CheckBackoff() const {
  return options_.backs_off ? backoff_.Check(std::chrono::steady_clock::now()) : absl::OkStatus();
}

// Wakes an idle connection, or makes a further one, for the exchanges that wait.
void HttpClient::State::FindConnection() {
  if (!idle_.empty()) {
    const ConnectionPtr connection = std::move(idle_.back());
    idle_.pop_back();
    connection->socket->Cancel();
    return;
  }
  if (connecting_ >= waiting_.size() || connections_.size() >= options_.connections_max) return;
  const Status status = CheckBackoff();
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
  connection->Close();
  std::erase(self->connections_, connection);
  std::erase(self->idle_, connection);
  self->ForgetWhatIsOver();
  if (!self->is_shut_down_ && !self->waiting_.empty()) self->FindConnection();
}

asio::awaitable<bool> HttpClient::State::Open(const ConnectionPtr& connection) {
  Connected connected;
  const ProxyRoute* way = route_.has_value() ? &*route_ : nullptr;
  const Resolved resolved = co_await Resolve(loop_, target_, way);
  connected.status = resolved.status;
  if (resolved.status.ok()) {
    connected = co_await net::Connect(loop_, target_, way, resolved.endpoints, tls_.get(), options_.connect_max);
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
  ForgetWhatIsOver();
  if (waiting_.empty()) {
    const bool is_alive = co_await AwaitWork(connection);
    if (!is_alive || waiting_.empty()) co_return is_alive;
  }
  connection->exchange = std::move(waiting_.front());
  waiting_.pop_front();
  if (connection->exchange->is_over()) co_return true;
  const bool keeps = co_await HttpExchange::State::Run(connection->exchange, connection);
  connection->exchange = nullptr;
  co_return keeps;
}

// Idle until there is work. False if the peer closes the connection meanwhile, or says something unasked.
asio::awaitable<bool> HttpClient::State::AwaitWork(const ConnectionPtr& connection) {
  connection->input.Shrink();
  idle_.push_back(connection);
  connection->idle_timer = loop_.PostAfter(options_.idle_max, [raw = connection.get()] { raw->Close(); });
  bool was_woken = false;
  error_code error;
  do {
    co_await connection->socket->WaitRead(Into(error));
    was_woken = std::find(idle_.begin(), idle_.end(), connection) == idle_.end();
  } while (!was_woken && !error && SaysNothing(*connection));
  connection->idle_timer.Cancel();
  std::erase(idle_, connection);
  co_return was_woken&& error == asio::error::operation_aborted && connection->socket->is_open();
}

// True if what woke an idle connection was TLS's own business.
bool HttpClient::State::SaysNothing(ClientConnection& connection) {
  char byte = 0;
  error_code error;
  connection.socket->ReadSome(asio::buffer(&byte, 1), error);
  return error == asio::error::would_block;
}

void HttpClient::State::FailSoon(const ExchangePtr& exchange, Status reason) {
  loop_.Post([exchange, reason = std::move(reason)] { exchange->Fail(reason); });
}

void HttpClient::State::FailWaiting(const Status& reason) {
  const auto waiting = std::exchange(waiting_, {});
  for (const ExchangePtr& exchange : waiting) exchange->Fail(reason);
}

// Exchanges whose time passed, or whose owner left, while they waited.
void HttpClient::State::ForgetWhatIsOver() {
  std::erase_if(waiting_, [](const ExchangePtr& exchange) { return exchange->is_over(); });
}

void HttpClient::State::Shutdown() {
  const auto self = shared_from_this();
  is_shut_down_ = true;
  const Status reason = absl::CancelledError("the client was closed");
  const auto connections = connections_;
  FailWaiting(reason);
  for (const ConnectionPtr& connection : connections) {
    if (const ExchangePtr exchange = connection->exchange) exchange->Fail(reason);
    connection->Close();
  }
}

StatusOr<std::shared_ptr<TlsCredentials>> ReadHttpClientTls(TlsClientOptions options, std::string name) {
  return TlsCredentials::ForClient(std::move(options), ClientProtocol::kHttp1, std::move(name));
}

StatusOr<std::unique_ptr<HttpClient>> HttpClient::Create(Loop& loop, HttpClientOptions options) {
  ASSIGN_OR_RETURN(Target target, ParseTarget(options.endpoint));
  std::shared_ptr<TlsCredentials> tls = options.shared_tls;
  if (tls == nullptr && options.tls.has_value()) {
    ASSIGN_OR_RETURN(tls, ReadHttpClientTls(*options.tls, options.endpoint));
  }
  std::optional<ProxyRoute> route;
  if (options.proxy.has_value()) {
    ASSIGN_OR_RETURN(route,
                     tls != nullptr ? ProxyRoute::Tunnel(*options.proxy, target) : ProxyRoute::Forward(*options.proxy));
  }
  auto state = std::make_shared<State>(loop, std::move(options), std::move(target), std::move(tls), std::move(route));
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
  request.headers.Set("upgrade", "");
  const auto collector = std::make_shared<Collector>(state_->options(), std::move(done));
  HttpStreamOptions options;
  options.total_max = deadline;
  collector->Collect(state_->Open(std::move(request), options, [collector](StatusOr<HttpResponseHead> head) {
    collector->OnHead(std::move(head));
  }));
}

std::unique_ptr<HttpExchange> HttpClient::Open(HttpRequest request, HttpStreamOptions options,
                                               absl::AnyInvocable<void(StatusOr<HttpResponseHead>)> on_head) {
  return std::make_unique<HttpExchange>(state_->Open(std::move(request), options, std::move(on_head)));
}

}  // namespace spanloom::net
