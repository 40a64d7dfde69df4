// SPDX-License-Identifier: Apache-2.0
//
// GrpcChannel: finds the addresses of its name, gives each call to a connection that has room, holds calls until there
// is one, and watches their deadlines.

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "net/client.h"
#include "net/detail/connect.h"
#include "net/detail/http2/client_connection.h"
#include "net/grpc/call_rules.h"
#include "net/grpc/client_call.h"
#include "net/grpc/stream_call.h"
#include "net/grpc/subchannel.h"

namespace spanloom::net {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

constexpr int64_t kTimeoutDigitsMax = 99'999'999;  // grpc-timeout has at most eight digits

// "5000m": the value of grpc-timeout; "" for a call without a deadline.
std::string TimeoutText(TimePoint call_deadline) {
  if (call_deadline == TimePoint::max()) return {};
  const auto deadline = std::chrono::ceil<std::chrono::milliseconds>(call_deadline - std::chrono::steady_clock::now());
  if (deadline.count() <= kTimeoutDigitsMax) return StrCat(std::max<int64_t>(deadline.count(), 1), "m");
  return StrCat(std::min<int64_t>(deadline.count() / 1000, kTimeoutDigitsMax), "S");
}

// What a resolver of the channel's owner says.
Resolved ResolvedBy(const StatusOr<std::vector<std::string>>& addresses) {
  Resolved resolved;
  resolved.status = addresses.status();
  if (!addresses.ok()) return resolved;
  for (const std::string& address : *addresses) {
    const StatusOr<Target> target = ParseTarget(address);
    error_code error;
    const auto host = target.ok() ? asio::ip::make_address(target->host, error) : asio::ip::address();
    if (!target.ok() || error) {
      resolved.status = absl::UnavailableError(StrCat("the resolver named \"", address, "\", which is no address"));
      return resolved;
    }
    resolved.endpoints.emplace_back(tcp::endpoint(host, target->port));
  }
  if (resolved.endpoints.empty()) resolved.status = absl::UnavailableError("the resolver knows no address");
  return resolved;
}

}  // namespace

// Sequence-bound: the loop.
class GrpcChannel::State final : public SubchannelOwner,
                                 public ClientCallOwner,
                                 public std::enable_shared_from_this<State> {
 public:
  explicit State(std::shared_ptr<const ChannelContext> context) : context_(std::move(context)) {}

  [[nodiscard]] Loop& loop() const { return context_->loop; }
  [[nodiscard]] const GrpcChannelOptions& options() const { return context_->options; }

  uint64_t Add(std::shared_ptr<ClientCall> call);
  void Shutdown();

  void OnRoom() override;
  void OnSubchannelFailed(const Status& reason) override;
  void OnCallEnded(uint64_t call_id, Status status, HttpHeaders trailers) override;
  void OnCallUnprocessed(uint64_t call_id) override;
  void CancelCall(uint64_t call_id) override;

 private:
  using SubchannelPtr = std::shared_ptr<Subchannel>;  // shared with its coroutines
  using CallPtr = std::shared_ptr<ClientCall>;        // shared with its connection and the caller's object

  [[nodiscard]] Timer DeadlineTimer(const ClientCall& call, uint64_t call_id);
  void Dispatch(uint64_t call_id);
  void DispatchWaiting();
  std::shared_ptr<http2::ClientConnection> Pick();
  Status Send(const std::shared_ptr<http2::ClientConnection>& connection, ClientCall& call);
  void FailSoon(uint64_t call_id, Status reason);
  void OnDeadline(uint64_t call_id);

  void MakeProgress();
  [[nodiscard]] bool IsConnected() const;
  [[nodiscard]] Status Outlook() const;
  void FailWhatWontWait(const Status& reason);
  void RetryLater();

  void ResolveIfDue();
  static asio::awaitable<void> RunResolve(std::shared_ptr<State> self);
  void OnResolved(const Resolved& resolved);
  void SetAddresses(const std::vector<Endpoint>& endpoints);
  SubchannelPtr SubchannelOf(const std::vector<Endpoint>& endpoints);

  const std::shared_ptr<const ChannelContext> context_;
  std::vector<SubchannelPtr> subchannels_;  // one for each address, or one for all
  size_t next_ = 0;                         // of subchannels_, whose turn it is
  Backoff resolve_backoff_{Rng::SystemSeed()};
  bool is_resolving_ = false;
  bool resolve_is_due_ = true;
  TimePoint resolved_at_;
  Timer retry_timer_;                             // for calls that wait for ready
  absl::flat_hash_map<uint64_t, CallPtr> calls_;  // by id
  std::vector<uint64_t> waiting_;                 // ids of calls that wait for a connection, in order
  uint64_t next_call_id_ = 1;
  bool is_shut_down_ = false;
};

uint64_t GrpcChannel::State::Add(CallPtr call) {
  const uint64_t call_id = next_call_id_++;
  const bool is_full = calls_.size() >= options().calls_max;
  call->Adopt(call_id, weak_from_this(), DeadlineTimer(*call, call_id));
  const Status metadata = call->metadata().status();
  calls_.emplace(call_id, std::move(call));
  if (is_full) {
    FailSoon(call_id, absl::ResourceExhaustedError(StrCat("more than ", options().calls_max, " calls to ",
                                                          options().endpoint, " are under way")));
  } else if (!metadata.ok()) {
    FailSoon(call_id, metadata);
  } else {
    Dispatch(call_id);
  }
  return call_id;
}

Timer GrpcChannel::State::DeadlineTimer(const ClientCall& call, uint64_t call_id) {
  if (call.deadline() == TimePoint::max()) return {};
  return loop().PostAfter(call.deadline() - std::chrono::steady_clock::now(), [weak_self = weak_from_this(), call_id] {
    if (const auto self = weak_self.lock(); self != nullptr) self->OnDeadline(call_id);
  });
}

// Sends the call, or lets it wait for a connection, if there is one to wait for.
void GrpcChannel::State::Dispatch(uint64_t call_id) {
  ResolveIfDue();
  const CallPtr call = calls_.at(call_id);
  while (const auto connection = Pick()) {
    if (Send(connection, *call).ok()) return;
    for (const auto& subchannel : subchannels_) subchannel->Forget(*connection);
  }
  MakeProgress();
  const Status outlook = Outlook();
  if (!outlook.ok() && !call->options().wait_for_ready) return FailSoon(call_id, outlook);
  waiting_.push_back(call_id);
  if (!outlook.ok()) RetryLater();
}

std::shared_ptr<http2::ClientConnection> GrpcChannel::State::Pick() {
  for (size_t i = 0; i < subchannels_.size(); ++i) {
    const size_t index = (next_ + i) % subchannels_.size();
    if (auto connection = subchannels_[index]->Pick(); connection != nullptr) {
      next_ = index + 1;
      return connection;
    }
  }
  return nullptr;
}

Status GrpcChannel::State::Send(const std::shared_ptr<http2::ClientConnection>& connection, ClientCall& call) {
  const std::string timeout = TimeoutText(call.deadline());
  const std::string& product = options().user_agent;
  const std::string user_agent = StrCat(product, product.empty() ? "" : " ", "grpc-spanloom");
  const std::string_view authority =
      options().authority.empty() ? AuthorityOf(context_->target, options().endpoint) : options().authority;
  std::vector<http2::Header> headers = {
      {":method", "POST"},        {":scheme", context_->tls == nullptr ? "http" : "https"},
      {":path", call.method()},   {":authority", authority},
      {"te", "trailers"},         {"content-type", "application/grpc"},
      {"user-agent", user_agent}, {"grpc-accept-encoding", grpc::kAcceptedEncodings}};
  if (!timeout.empty()) headers.push_back({"grpc-timeout", timeout});
  const Compression compression = call.options().message_compression;
  if (compression != Compression::kNone) headers.push_back({"grpc-encoding", grpc::EncodingName(compression)});
  for (const auto& [name, value] : *call.metadata()) headers.push_back({name, value});
  return call.Send(connection, headers);
}

void GrpcChannel::State::OnRoom() {
  DispatchWaiting();
}

void GrpcChannel::State::DispatchWaiting() {
  if (waiting_.empty()) return;
  const auto waiting = std::exchange(waiting_, {});
  for (const uint64_t call_id : waiting) {
    if (calls_.contains(call_id)) Dispatch(call_id);
  }
}

// Makes connections, if that is what is missing.
void GrpcChannel::State::MakeProgress() {
  for (const SubchannelPtr& subchannel : subchannels_) subchannel->ConnectIfWanted();
}

bool GrpcChannel::State::IsConnected() const {
  return std::any_of(subchannels_.begin(), subchannels_.end(), [](const auto& s) { return s->is_connected(); });
}

// OK if a connection is there or on its way; else why not.
Status GrpcChannel::State::Outlook() const {
  const bool is_under_way = is_resolving_ || std::any_of(subchannels_.begin(), subchannels_.end(), [](const auto& s) {
                              return s->is_connecting() || s->is_connected();
                            });
  if (is_under_way) return absl::OkStatus();
  if (subchannels_.empty()) return resolve_backoff_.Check(std::chrono::steady_clock::now());
  return subchannels_.front()->CheckBackoff();
}

void GrpcChannel::State::OnSubchannelFailed(const Status& reason) {
  const auto self = shared_from_this();  // a callback may destroy the channel
  resolve_is_due_ = true;
  if (waiting_.empty()) return;
  ResolveIfDue();
  MakeProgress();
  if (Outlook().ok()) return;
  FailWhatWontWait(reason);
  if (!waiting_.empty()) RetryLater();
}

void GrpcChannel::State::FailWhatWontWait(const Status& reason) {
  const auto waiting = std::exchange(waiting_, {});
  for (const uint64_t call_id : waiting) {
    const auto found = calls_.find(call_id);
    if (found == calls_.end()) continue;
    if (found->second->options().wait_for_ready) {
      waiting_.push_back(call_id);
    } else {
      OnCallEnded(call_id, reason, {});
    }
  }
}

// Tries again when the earliest back-off ends.
void GrpcChannel::State::RetryLater() {
  TimePoint retry_at = subchannels_.empty() ? resolve_backoff_.retry_at() : TimePoint::max();
  for (const SubchannelPtr& subchannel : subchannels_) retry_at = std::min(retry_at, subchannel->retry_at());
  retry_timer_ = loop().PostAfter(retry_at - std::chrono::steady_clock::now(), [weak_self = weak_from_this()] {
    if (const auto self = weak_self.lock(); self != nullptr) self->DispatchWaiting();
  });
}

// After a failure while no connection is there, so that the next attempt knows the new addresses; in the background
// when the interval has passed.
void GrpcChannel::State::ResolveIfDue() {
  const TimePoint now = std::chrono::steady_clock::now();
  const auto interval = options().resolve_interval;
  const bool is_overdue = interval.count() > 0 && now - resolved_at_ >= interval;
  const bool is_backed_off = !resolve_backoff_.Check(now).ok() || (!subchannels_.empty() && !Outlook().ok());
  const bool may_be_needed = resolve_is_due_ && !IsConnected();
  if (is_resolving_ || is_shut_down_ || !(is_overdue || may_be_needed) || is_backed_off) return;
  is_resolving_ = true;
  resolve_is_due_ = false;
  Spawn(loop(), RunResolve(shared_from_this()));
}

asio::awaitable<void> GrpcChannel::State::RunResolve(std::shared_ptr<State> self) {
  const std::shared_ptr<const ChannelContext> context = self->context_;
  Resolved resolved;
  if (context->options.resolver) {
    resolved = ResolvedBy(context->options.resolver());
  } else {
    resolved = co_await Resolve(context->loop, context->target, context->way());
  }
  if (!self->is_shut_down_) self->OnResolved(resolved);
}

void GrpcChannel::State::OnResolved(const Resolved& resolved) {
  is_resolving_ = false;
  resolved_at_ = std::chrono::steady_clock::now();
  if (resolved.status.ok()) {
    resolve_backoff_.OnSuccess();
    SetAddresses(resolved.endpoints);
    return DispatchWaiting();
  }
  resolve_backoff_.OnFailure(resolved_at_, resolved.status);
  if (subchannels_.empty()) return OnSubchannelFailed(resolved.status);
  DispatchWaiting();  // what was known before may still be right
}

void GrpcChannel::State::SetAddresses(const std::vector<Endpoint>& endpoints) {
  if (options().balancing == GrpcBalancing::kPickFirst) {
    if (subchannels_.empty()) subchannels_.push_back(SubchannelOf(endpoints));
    return subchannels_.front()->SetEndpoints(endpoints);
  }
  std::vector<SubchannelPtr> subchannels;
  for (const Endpoint& endpoint : endpoints) subchannels.push_back(SubchannelOf({endpoint}));
  const auto before = std::exchange(subchannels_, std::move(subchannels));
  for (const SubchannelPtr& subchannel : before) {
    if (std::find(subchannels_.begin(), subchannels_.end(), subchannel) == subchannels_.end()) subchannel->Retire();
  }
}

// The one that there is, or a new one.
GrpcChannel::State::SubchannelPtr GrpcChannel::State::SubchannelOf(const std::vector<Endpoint>& endpoints) {
  const auto found = std::find_if(subchannels_.begin(), subchannels_.end(),
                                  [&](const SubchannelPtr& s) { return s->endpoints() == endpoints; });
  if (found != subchannels_.end()) return *found;
  return std::make_shared<Subchannel>(context_, endpoints, weak_from_this());
}

void GrpcChannel::State::FailSoon(uint64_t call_id, Status reason) {
  loop().Post(
      [self = shared_from_this(), call_id, reason = std::move(reason)] { self->OnCallEnded(call_id, reason, {}); });
}

void GrpcChannel::State::OnCallEnded(uint64_t call_id, Status status, HttpHeaders trailers) {
  const auto call = calls_.extract(call_id);
  if (call.empty()) return;
  std::erase(waiting_, call_id);
  call.mapped()->Withdraw();
  if (!status.ok()) status = Annotate(status, options().endpoint);
  call.mapped()->Finish(std::move(status), std::move(trailers));
}

void GrpcChannel::State::OnDeadline(uint64_t call_id) {
  const auto found = calls_.find(call_id);
  if (found == calls_.end()) return;
  const auto deadline_ms = found->second->options().deadline.count();
  OnCallEnded(call_id, absl::DeadlineExceededError(StrCat("no answer within ", deadline_ms, " ms")), {});
  DispatchWaiting();
}

void GrpcChannel::State::CancelCall(uint64_t call_id) {
  const auto call = calls_.extract(call_id);
  if (call.empty()) return;
  std::erase(waiting_, call_id);
  call.mapped()->Withdraw();
  loop().Post([weak_self = weak_from_this()] {
    if (const auto self = weak_self.lock(); self != nullptr) self->DispatchWaiting();
  });
}

// Once, in case the second peer goes away too.
void GrpcChannel::State::OnCallUnprocessed(uint64_t call_id) {
  const auto found = calls_.find(call_id);
  if (found == calls_.end()) return;
  if (found->second->TakeSecondTry()) return Dispatch(call_id);
  OnCallEnded(call_id, absl::UnavailableError("the peer refused the call without looking at it"), {});
}

void GrpcChannel::State::Shutdown() {
  const auto self = shared_from_this();
  is_shut_down_ = true;
  retry_timer_.Cancel();
  for (const SubchannelPtr& subchannel : subchannels_) subchannel->Close();
  waiting_.clear();
  const auto calls = std::exchange(calls_, {});
  for (const auto& [call_id, call] : calls) {
    if (call->connection() != nullptr) call->connection()->Close();
    call->Withdraw();
  }
  const Status closed = absl::CancelledError(StrCat(options().endpoint, ": the channel was closed"));
  for (const auto& [call_id, call] : calls) call->Finish(closed, {});
}

StatusOr<std::unique_ptr<GrpcChannel>> GrpcChannel::Create(Loop& loop, GrpcChannelOptions options) {
  ASSIGN_OR_RETURN(Target target, ParseTarget(options.endpoint));
  std::unique_ptr<TlsCredentials> tls;
  if (options.tls.has_value()) {
    ASSIGN_OR_RETURN(tls, TlsCredentials::ForClient(*options.tls, ClientProtocol::kHttp2, options.endpoint));
  }
  std::optional<ProxyRoute> route;
  if (options.proxy.has_value()) {
    ASSIGN_OR_RETURN(route, ProxyRoute::Tunnel(*options.proxy, target));
  }
  std::shared_ptr<const ChannelContext> context(
      new ChannelContext{loop, std::move(options), std::move(target), std::move(tls), std::move(route)});
  return std::unique_ptr<GrpcChannel>(new GrpcChannel(std::make_shared<State>(std::move(context))));
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

uint64_t GrpcChannel::Call(std::string method, ByteChain message, GrpcCallOptions options,
                           absl::AnyInvocable<void(StatusOr<Bytes>)> done) {
  return state_->Add(std::make_shared<UnaryCall>(std::move(method), std::move(message), std::move(options),
                                                 state_->options().message_bytes_max, std::move(done)));
}

std::unique_ptr<GrpcStream> GrpcChannel::Open(std::string method, GrpcCallOptions options) {
  return OpenStream(std::move(method), std::nullopt, std::move(options));
}

std::unique_ptr<GrpcStream> GrpcChannel::Open(std::string method, Bytes message, GrpcCallOptions options) {
  return OpenStream(std::move(method), std::move(message), std::move(options));
}

std::unique_ptr<GrpcStream> GrpcChannel::OpenStream(std::string method, std::optional<Bytes> message,
                                                    GrpcCallOptions options) {
  auto call = std::make_shared<GrpcStream::State>(state_->loop(), std::move(method), std::move(message),
                                                  std::move(options), state_->options().message_bytes_max);
  state_->Add(call);
  return std::make_unique<GrpcStream>(std::move(call));
}

void GrpcChannel::Cancel(uint64_t call_id) {
  state_->CancelCall(call_id);
}

}  // namespace spanloom::net
