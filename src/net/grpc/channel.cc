// SPDX-License-Identifier: Apache-2.0
//
// GrpcChannel: makes its connection when there is a call for it, holds calls until it is ready, and watches their
// deadlines.

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "net/client.h"
#include "net/detail/backoff.h"
#include "net/detail/connect.h"
#include "net/detail/http2/client_connection.h"
#include "net/detail/http_rules.h"
#include "net/grpc/call_rules.h"
#include "net/grpc/framing.h"

namespace spanloom::net {
namespace {

constexpr std::chrono::seconds kReadyTimeout{20};  // for the peer's SETTINGS once connected; as for connecting
constexpr int64_t kTimeoutDigitsMax = 99'999'999;  // grpc-timeout has at most eight digits

// "5000m": the value of grpc-timeout.
std::string TimeoutText(std::chrono::milliseconds deadline) {
  if (deadline.count() <= kTimeoutDigitsMax) return StrCat(std::max<int64_t>(deadline.count(), 1), "m");
  return StrCat(std::min<int64_t>(deadline.count() / 1000, kTimeoutDigitsMax), "S");
}

struct PendingCall {
  std::string method;
  Bytes message;
  GrpcCallOptions options;
  std::vector<std::pair<std::string, std::string>> metadata;  // as HTTP/2 wants it
  std::chrono::steady_clock::time_point deadline;
  absl::AnyInvocable<void(StatusOr<Bytes>)> done;
  Timer timer;
  std::shared_ptr<http2::ClientConnection> connection;  // set once it was sent; shared with the connection's coroutine
  bool was_sent_again = false;
};

}  // namespace

// Sequence-bound: the loop.
class GrpcChannel::State final : public http2::ClientOwner, public std::enable_shared_from_this<State> {
 public:
  State(Loop& loop, GrpcChannelOptions options, Target target, std::unique_ptr<TlsCredentials> tls)
      : loop_(loop),
        options_(std::move(options)),
        target_(std::move(target)),
        tls_(std::move(tls)),
        backoff_(Rng::SystemSeed()) {}

  [[nodiscard]] Loop& loop() { return loop_; }

  void Add(PendingCall call);
  void Shutdown();

  void OnReady(http2::ClientConnection& connection) override;
  void OnRetired(http2::ClientConnection& connection) override;
  void OnLost(http2::ClientConnection& connection, const Status& reason) override;
  void OnCallEnded(uint64_t call_id, StatusOr<Bytes> answer) override;
  void OnCallUnprocessed(uint64_t call_id) override;

 private:
  enum class Phase { kIdle, kConnecting, kReady };

  void Dispatch(uint64_t call_id);
  Status Send(uint64_t call_id, PendingCall& call);
  void FailSoon(uint64_t call_id, Status reason);
  void OnDeadline(uint64_t call_id);
  static asio::awaitable<void> Connect(std::shared_ptr<State> self);
  void OnReadyTimeout();
  void OnConnectFailed(const Status& reason);
  std::vector<uint64_t> TakeWaiting() { return std::exchange(waiting_, {}); }

  Loop& loop_;
  const GrpcChannelOptions options_;
  const Target target_;
  const std::unique_ptr<TlsCredentials> tls_;  // null: cleartext
  Backoff backoff_;
  Phase phase_ = Phase::kIdle;
  std::shared_ptr<http2::ClientConnection> connection_;  // that new calls go to; shared with its coroutine
  Timer ready_timer_;
  absl::flat_hash_map<uint64_t, PendingCall> calls_;  // by id
  std::vector<uint64_t> waiting_;                     // ids of calls that wait for the connection, in order
  uint64_t next_call_id_ = 1;
  bool is_shut_down_ = false;
};

void GrpcChannel::State::Add(PendingCall call) {
  const uint64_t call_id = next_call_id_++;
  const bool is_full = calls_.size() >= options_.calls_max;
  std::weak_ptr<State> weak_self = weak_from_this();
  call.timer = loop_.PostAfter(call.options.deadline, [weak_self, call_id] {
    if (const auto self = weak_self.lock(); self != nullptr) self->OnDeadline(call_id);
  });
  calls_.emplace(call_id, std::move(call));
  if (!is_full) return Dispatch(call_id);
  FailSoon(call_id, absl::ResourceExhaustedError(
                        StrCat("more than ", options_.calls_max, " calls to ", options_.endpoint, " are under way")));
}

// Sends the call, or lets it wait for the connection that is being made.
void GrpcChannel::State::Dispatch(uint64_t call_id) {
  const auto now = std::chrono::steady_clock::now();
  if (phase_ == Phase::kReady) {
    if (const Status status = Send(call_id, calls_.at(call_id)); !status.ok()) {
      OnRetired(*connection_);
      FailSoon(call_id, status);
    }
    return;
  }
  if (phase_ == Phase::kIdle) {
    if (const Status status = backoff_.Check(now); !status.ok()) return FailSoon(call_id, status);
    phase_ = Phase::kConnecting;
    Spawn(loop_, Connect(shared_from_this()));
  }
  waiting_.push_back(call_id);
}

Status GrpcChannel::State::Send(uint64_t call_id, PendingCall& call) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(call.deadline - std::chrono::steady_clock::now());
  const std::string timeout = TimeoutText(left);
  const std::string user_agent = StrCat(options_.user_agent, options_.user_agent.empty() ? "" : " ", "grpc-spanloom");
  std::vector<http2::Header> headers = {
      {":method", "POST"},        {":scheme", tls_ == nullptr ? "http" : "https"},
      {":path", call.method},     {":authority", AuthorityOf(target_, options_.endpoint)},
      {"te", "trailers"},         {"content-type", "application/grpc"},
      {"user-agent", user_agent}, {"grpc-accept-encoding", grpc::kAcceptedEncodings},
      {"grpc-timeout", timeout}};
  const Compression compression = call.options.message_compression;
  const bool is_compressed = compression != Compression::kNone;
  if (is_compressed) headers.push_back({"grpc-encoding", grpc::EncodingName(compression)});
  for (const auto& [name, value] : call.metadata) headers.push_back({name, value});
  http2::OutgoingBody body{.prefix = grpc::MessagePrefix(is_compressed, call.message.size()), .content = call.message};
  RETURN_IF_ERROR(connection_->Begin(call_id, headers, std::move(body)));
  call.connection = connection_;
  return absl::OkStatus();
}

void GrpcChannel::State::FailSoon(uint64_t call_id, Status reason) {
  loop_.Post([self = shared_from_this(), call_id, reason = std::move(reason)] { self->OnCallEnded(call_id, reason); });
}

void GrpcChannel::State::OnCallEnded(uint64_t call_id, StatusOr<Bytes> answer) {
  auto call = calls_.extract(call_id);
  if (call.empty()) return;
  std::erase(waiting_, call_id);
  if (!answer.ok()) answer = Annotate(answer.status(), options_.endpoint);
  call.mapped().done(std::move(answer));
}

void GrpcChannel::State::OnDeadline(uint64_t call_id) {
  const auto found = calls_.find(call_id);
  if (found == calls_.end()) return;
  if (found->second.connection != nullptr) found->second.connection->Cancel(call_id);
  const auto deadline_ms = found->second.options.deadline.count();
  OnCallEnded(call_id, absl::DeadlineExceededError(StrCat("no answer within ", deadline_ms, " ms")));
}

// Once, in case the second peer goes away too.
void GrpcChannel::State::OnCallUnprocessed(uint64_t call_id) {
  const auto found = calls_.find(call_id);
  if (found == calls_.end()) return;
  found->second.connection = nullptr;
  if (!std::exchange(found->second.was_sent_again, true)) return Dispatch(call_id);
  OnCallEnded(call_id, absl::UnavailableError("the peer refused the call twice without looking at it"));
}

asio::awaitable<void> GrpcChannel::State::Connect(std::shared_ptr<State> self) {
  Connected connected;
  const Resolved resolved = co_await Resolve(self->loop_, self->target_);
  connected.status = resolved.status;
  if (resolved.status.ok()) {
    connected =
        co_await net::Connect(self->loop_, self->target_, resolved.endpoints, self->tls_.get(), kConnectTimeout);
  }
  if (self->is_shut_down_) co_return;
  if (!connected.status.ok()) {
    self->OnConnectFailed(connected.status);
    co_return;
  }
  self->ready_timer_ = self->loop_.PostAfter(kReadyTimeout, [state = self.get()] { state->OnReadyTimeout(); });
  self->connection_ = http2::ClientConnection::Make(self->loop_, *std::move(connected.transport),
                                                    self->options_.message_bytes_max, self);
}

void GrpcChannel::State::OnReadyTimeout() {
  const auto self = shared_from_this();  // a callback may destroy the channel
  std::exchange(connection_, nullptr)->Close();
  OnConnectFailed(absl::UnavailableError("the peer accepts connections but does not speak HTTP/2"));
}

void GrpcChannel::State::OnConnectFailed(const Status& reason) {
  phase_ = Phase::kIdle;
  backoff_.OnFailure(std::chrono::steady_clock::now(), reason);
  for (const uint64_t call_id : TakeWaiting()) OnCallEnded(call_id, reason);
}

void GrpcChannel::State::OnReady(http2::ClientConnection& connection) {
  if (&connection != connection_.get()) return;
  ready_timer_.Cancel();
  backoff_.OnSuccess();
  phase_ = Phase::kReady;
  for (const uint64_t call_id : TakeWaiting()) Dispatch(call_id);
}

void GrpcChannel::State::OnRetired(http2::ClientConnection& connection) {
  if (&connection != connection_.get()) return;
  const auto retired = std::exchange(connection_, nullptr);
  if (phase_ == Phase::kReady) {
    phase_ = Phase::kIdle;
  } else {
    ready_timer_.Cancel();
    retired->Close();
    OnConnectFailed(absl::UnavailableError("the peer sends new connections away"));
  }
}

void GrpcChannel::State::OnLost(http2::ClientConnection& connection, const Status& reason) {
  if (&connection != connection_.get()) return;
  connection_ = nullptr;
  ready_timer_.Cancel();
  if (phase_ == Phase::kConnecting) return OnConnectFailed(reason);
  phase_ = Phase::kIdle;
}

void GrpcChannel::State::Shutdown() {
  const auto self = shared_from_this();
  is_shut_down_ = true;
  ready_timer_.Cancel();
  if (connection_ != nullptr) connection_->Close();
  waiting_.clear();
  auto calls = std::exchange(calls_, {});
  for (auto& [call_id, call] : calls) {
    if (call.connection != nullptr) call.connection->Close();
    call.done(absl::CancelledError(StrCat(options_.endpoint, ": the channel was closed")));
  }
}

StatusOr<std::unique_ptr<GrpcChannel>> GrpcChannel::Create(Loop& loop, GrpcChannelOptions options) {
  ASSIGN_OR_RETURN(Target target, ParseTarget(options.endpoint));
  std::unique_ptr<TlsCredentials> tls;
  if (options.tls.has_value()) {
    ASSIGN_OR_RETURN(tls, TlsCredentials::ForClient(*options.tls, ClientProtocol::kHttp2, options.endpoint));
  }
  auto state = std::make_shared<State>(loop, std::move(options), std::move(target), std::move(tls));
  return std::unique_ptr<GrpcChannel>(new GrpcChannel(std::move(state)));
}

GrpcChannel::GrpcChannel(std::shared_ptr<State> state) : state_(std::move(state)) {}

GrpcChannel::~GrpcChannel() {
  Loop& loop = state_->loop();
  if (loop.IsCurrent()) {
    state_->Shutdown();
  } else {
    loop.Post([state = std::move(state_)] { state->Shutdown(); });
  }
}

void GrpcChannel::Call(std::string method, Bytes message, GrpcCallOptions options,
                       absl::AnyInvocable<void(StatusOr<Bytes>)> done) {
  PendingCall call;
  call.deadline = std::chrono::steady_clock::now() + options.deadline;
  call.method = std::move(method);
  call.message = std::move(message);
  for (const auto& [name, value] : options.metadata.fields()) {
    call.metadata.emplace_back(ToLower(name), CleanHeaderValue(value));
  }
  call.options = std::move(options);
  call.done = std::move(done);
  state_->Add(std::move(call));
}

}  // namespace spanloom::net
