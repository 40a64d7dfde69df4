// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/server_connection.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "net/detail/http2/call.h"
#include "net/detail/http2/grpc_call.h"
#include "net/detail/http2/http_call.h"
#include "net/grpc/call_rules.h"

namespace spanloom::net::http2 {
namespace {

constexpr size_t kHeaderOverheadBytes = 32;  // RFC 9113, 6.5.2: what a field counts beyond its text
constexpr std::chrono::seconds kHearing{1};  // after it, an announcement of GOAWAY counts as heard; guess
// Of idleness, then pages are given back. To touch them again takes about as long as an answer; guess.
constexpr std::chrono::seconds kReleaseAfter{1};

SessionLimits LimitsOf(const ServerLimits& limits) {
  return {.streams_max = limits.streams_max,
          .header_bytes_max = static_cast<uint32_t>(std::min<size_t>(limits.header_bytes_max, UINT32_MAX)),
          .write_max = limits.write_max};
}

// The pseudo headers, and the place of the others.
void StoreHeader(std::string_view name, std::string_view value, HttpRequest& request) {
  if (!name.starts_with(':')) {
    request.headers.Add(std::string(name), std::string(value));
  } else if (name == ":method") {
    request.method = value;
  } else if (name == ":path") {
    const size_t question_mark = value.find('?');
    request.path = value.substr(0, question_mark);
    if (question_mark != std::string_view::npos) request.query = value.substr(question_mark + 1);
  } else if (name == ":authority") {
    request.headers.Add("host", std::string(value));
  }
}

std::chrono::milliseconds HeaderMax(const ServerLimits& limits) {
  return std::min(limits.header_max, limits.request_max);
}

bool EndsStream(const nghttp2_frame& frame) {
  return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

}  // namespace

void ServerConnection::Serve(Loop& loop, Transport socket, std::string first_bytes, std::string peer,
                             ConnectionSlot slot, std::shared_ptr<ConnectionSet> connections) {
  std::shared_ptr<ServerConnection> connection(
      new ServerConnection(loop, std::move(socket), std::move(peer), std::move(slot), connections));
  connections->Add(connection);
  connection->release_at_ = connection->last_read() + kReleaseAfter;
  connection->deadline_.Set(connection->NextCheck());
  connection->Start(std::move(first_bytes));
}

ServerConnection::ServerConnection(Loop& loop, Transport socket, std::string peer, ConnectionSlot slot,
                                   std::shared_ptr<ConnectionSet> connections)
    : Connection(loop, std::move(socket), Role::kServer, LimitsOf(slot.context().options.limits)),
      context_(slot.context()),
      slot_(std::move(slot)),
      connections_(std::move(connections)),
      peer_(std::move(peer)),
      peer_certificate_(peer_certificate()),
      pings_(context_.options.keepalive),
      lifecycle_(context_.options.keepalive_parameters, last_read(), context_.NextJitter()),
      deadline_(loop, [this] { OnDeadline(); }) {}

void ServerConnection::Drain() {
  SendAway("server is shutting down");
}

size_t ServerConnection::Close() {
  CloseSocket();
  deadline_.Clear();
  const size_t requests_cut = streams_.size();
  TellCallsGone(absl::UnavailableError("the server is shutting down"));
  return requests_cut;
}

void ServerConnection::OnClosed(const Status& reason) {
  deadline_.Clear();
  TellCallsGone(reason);
  connections_->Remove(*this);
}

void ServerConnection::TellCallsGone(const Status& reason) {
  const auto streams = std::exchange(streams_, {});
  for (const auto& [stream_id, stream] : streams) {
    if (stream->call != nullptr && !stream->call->ended()) stream->call->OnGone(reason);
  }
}

ServerConnection::Stream* ServerConnection::Find(int32_t stream_id) {
  const auto found = streams_.find(stream_id);
  return found == streams_.end() ? nullptr : found->second.get();
}

// GOAWAY that is about to be written excludes streams that come meanwhile: their client sends them elsewhere, so nobody
// here may see them.
void ServerConnection::OnRequestBegin(int32_t stream_id) {
  if (has_said_last_stream_) return ResetStream(stream_id, NGHTTP2_REFUSED_STREAM);
  auto stream = std::make_unique<Stream>();
  stream->request.peer = peer_;
  stream->request.peer_certificate = peer_certificate_;
  stream->latest_end = last_read() + HeaderMax(context_.options.limits);
  deadline_.SetNoLater(stream->latest_end);
  lifecycle_.OnBusy();
  release_at_ = TimePoint::max();
  streams_.emplace(stream_id, std::move(stream));
}

void ServerConnection::OnHeader(int32_t stream_id, std::string_view name, std::string_view value) {
  Stream* stream = Find(stream_id);
  if (stream == nullptr || stream->is_refused || stream->headers_are_complete) return;  // request trailers are ignored
  stream->header_bytes += name.size() + value.size() + kHeaderOverheadBytes;
  if (stream->header_bytes > context_.options.limits.header_bytes_max) {
    context_.refusals.Count(Refusal::kHeaderTooLarge);
    stream->is_refused = true;
    ResetStream(stream_id, NGHTTP2_REFUSED_STREAM);
    return;
  }
  StoreHeader(name, value, stream->request);
}

void ServerConnection::OnFrame(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_PING) return OnPing(frame);
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
  const int32_t stream_id = frame.hd.stream_id;
  Stream* stream = Find(stream_id);
  if (stream == nullptr) return;
  stream->is_complete = EndsStream(frame);
  if (!stream->headers_are_complete && !stream->is_refused) OnHeadersComplete(stream_id, *stream);
  const std::shared_ptr<Call> call = stream->call;
  if (stream->is_complete && call != nullptr && !call->ended()) call->OnRequestEnd();
}

void ServerConnection::OnPing(const nghttp2_frame& frame) {
  if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) {
    if (away_at_ != TimePoint::max()) FinishSendingAway();
    return;
  }
  if (pings_.Allows(last_read(), !streams_.empty())) return;
  context_.refusals.Count(Refusal::kTooManyPings);
  GoAwayAndClose(NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
}

void ServerConnection::OnHeadersComplete(int32_t stream_id, Stream& stream) {
  stream.headers_are_complete = true;
  stream.latest_end += context_.options.limits.request_max - HeaderMax(context_.options.limits);
  if (grpc::IsGrpcContentType(stream.request.headers.Get("content-type"))) {
    stream.call = GrpcCall::Begin(*this, stream_id, stream.request);
  } else {
    stream.call = HttpCall::Begin(*this, stream_id, stream.request);
  }
  stream.is_refused = stream.call == nullptr;
  if (stream.is_refused) return;
  deadline_.SetNoLater(EndOf(stream));
  const std::shared_ptr<Call> call = stream.call;
  call->OnBegun();
}

void ServerConnection::OnBody(int32_t stream_id, std::string_view piece) {
  const Stream* stream = Find(stream_id);
  if (stream != nullptr && stream->call != nullptr && !stream->call->ended()) {
    const std::shared_ptr<Call> call = stream->call;
    return call->OnBody(piece);
  }
  ConsumeOnConnection(piece.size());
}

void ServerConnection::OnBodyDrained(int32_t stream_id) {
  const Stream* stream = Find(stream_id);
  if (stream == nullptr || stream->call == nullptr) return;
  const std::shared_ptr<Call> call = stream->call;
  call->OnDrained();
}

void ServerConnection::OnStreamClosed(int32_t stream_id, uint32_t error_code) {
  auto stream = streams_.extract(stream_id);
  if (streams_.empty()) {
    lifecycle_.OnIdle(last_read());
    release_at_ = last_read() + kReleaseAfter;
    deadline_.Set(NextCheck());
  }
  if (stream.empty()) return;
  const std::shared_ptr<Call> call = stream.mapped()->call;
  if (call == nullptr || call->ended()) return;
  call->OnGone(absl::CancelledError(nghttp2_http2_strerror(error_code)));
}

void ServerConnection::ReleaseSoon() {
  release_at_ = last_read() + kReleaseAfter;
  deadline_.SetNoLater(release_at_);
}

void ServerConnection::OnFrameSent(const nghttp2_frame& frame) {
  if (streams_.empty()) ReleaseSoon();
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
      pings_.OnAnswerSent();
      if (EndsStream(frame)) OnAnswerEnded(frame.hd.stream_id);
      break;
    case NGHTTP2_RST_STREAM:
      CountError(frame.rst_stream.error_code);
      break;
    case NGHTTP2_GOAWAY:
      CountError(frame.goaway.error_code);
      if (away_at_ != TimePoint::max()) SendPing();  // after the announcement: nghttp2 sends pings first
      break;
    default:
      break;
  }
}

// An answer that ends before its request tells the client to stop sending (RFC 9113, 8.1).
void ServerConnection::OnAnswerEnded(int32_t stream_id) {
  const Stream* stream = Find(stream_id);
  if (stream != nullptr && !stream->is_complete) ResetStream(stream_id, NGHTTP2_NO_ERROR);
}

// Counts the errors that nghttp2 finds by itself. Those that are ours were counted where they were found.
void ServerConnection::CountError(uint32_t error_code) {
  switch (error_code) {
    case NGHTTP2_NO_ERROR:
    case NGHTTP2_REFUSED_STREAM:
    case NGHTTP2_CANCEL:
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return;
    case NGHTTP2_INTERNAL_ERROR:  // nghttp2's, when its limit of stream resets is reached
      return context_.refusals.Count(Refusal::kFlood);
    default:
      return context_.refusals.Count(Refusal::kBadRequest);
  }
}

void ServerConnection::OnInvalidFrame(int nghttp2_error) {
  if (nghttp2_error == NGHTTP2_ERR_REFUSED_STREAM) context_.refusals.Count(Refusal::kStreamsMax);
}

void ServerConnection::OnFlood() {
  context_.refusals.Count(Refusal::kFlood);
}

void ServerConnection::OnWriteStuck() {
  context_.refusals.Count(Refusal::kSlowReader);
}

void ServerConnection::SendAway(std::string_view why) {
  if (std::exchange(is_sent_away_, true)) return;
  away_reason_ = why;
  AnnounceGoAway();
  away_at_ = std::chrono::steady_clock::now() + kHearing;
  deadline_.SetNoLater(away_at_);
}

void ServerConnection::FinishSendingAway() {
  away_at_ = TimePoint::max();
  has_said_last_stream_ = true;
  GoAway(NGHTTP2_NO_ERROR, std::exchange(away_reason_, {}));
}

// When something must be done about the stream if it is still there; max: never.
ServerConnection::TimePoint ServerConnection::EndOf(const Stream& stream) {
  if (stream.is_refused) return TimePoint::max();
  if (stream.call == nullptr) return stream.latest_end;
  if (stream.call->ended()) return TimePoint::max();
  const bool is_limited = !stream.is_complete && !stream.call->is_streamed();
  return is_limited ? std::min(stream.latest_end, stream.call->deadline()) : stream.call->deadline();
}

ServerConnection::TimePoint ServerConnection::NextCheck() const {
  TimePoint next = std::min({away_at_, release_at_, lifecycle_.next(last_read())});
  for (const auto& [stream_id, stream] : streams_) next = std::min(next, EndOf(*stream));
  return next;
}

void ServerConnection::OnDeadline() {
  const TimePoint now = std::chrono::steady_clock::now();
  if (now >= away_at_) FinishSendingAway();
  if (now >= release_at_) {
    release_at_ = TimePoint::max();
    if (streams_.empty()) streams_ = {};
    ReleaseMemory();
  }
  CheckStreams(now);
  if (!closed()) CheckLifecycle(now);
  if (!closed()) deadline_.Set(NextCheck());
}

// Answers the calls whose deadline has passed, and resets the requests that took too long to arrive.
void ServerConnection::CheckStreams(TimePoint now) {
  std::vector<int32_t> due;
  for (const auto& [stream_id, stream] : streams_) {
    if (EndOf(*stream) <= now) due.push_back(stream_id);
  }
  for (const int32_t stream_id : due) {
    Stream* stream = Find(stream_id);
    if (stream == nullptr || EndOf(*stream) > now) continue;
    const std::shared_ptr<Call> call = stream->call;
    if (call != nullptr && call->deadline() <= now) {
      call->OnDeadline();
      continue;
    }
    context_.refusals.Count(Refusal::kTimeout);
    stream->is_refused = true;
    ResetStream(stream_id, NGHTTP2_CANCEL);
  }
}

void ServerConnection::CheckLifecycle(TimePoint now) {
  const auto step = lifecycle_.Due(now, last_read());
  if (!step.has_value()) return;
  switch (*step) {
    case Lifecycle::Step::kPing:
      return SendPing();
    case Lifecycle::Step::kDead:
      context_.refusals.Count(Refusal::kPingTimeout);
      return CloseSocket();
    case Lifecycle::Step::kIdle:
      context_.refusals.Count(Refusal::kIdle);
      return SendAway("max_idle");
    case Lifecycle::Step::kAge:
      context_.refusals.Count(Refusal::kAge);
      return SendAway("max_age");
    case Lifecycle::Step::kGrace:
      return CloseSocket();
  }
}

}  // namespace spanloom::net::http2
