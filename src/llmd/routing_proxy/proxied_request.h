// SPDX-License-Identifier: Apache-2.0
//
// One request of a client, from its header to the end of its answer: what every kind of request does. It has the spans
// about it, sends what is to be decoded to the model server of this pod, and passes the answer on, each piece as soon
// as it is there. Whoever derives from it decides what is sent where.

#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "llmd/routing_proxy/api.h"
#include "llmd/routing_proxy/leg.h"
#include "llmd/routing_proxy/proxy_loop.h"
#include "net/client.h"
#include "net/http.h"
#include "net/loop.h"
#include "sdk/tracer.h"

namespace spanloom::llmd::routing_proxy {

// A request as it came.
struct Arrival {
  net::HttpRequest head;
  net::HttpBodyReader reader;
  net::HttpResponder responder;  // taken by the request
  size_t rank = 0;               // of the model server that is to answer
  bool names_rank = false;       // a header said which
  std::optional<Api> api = {};   // nullopt: it is passed through
};

// Sequence-bound: the loop of the client's connection. Keeps itself alive from Start to Finish, which comes when the
// answer is complete, or the client is gone: then every leg is cancelled.
class ProxiedRequest : public std::enable_shared_from_this<ProxiedRequest> {
 public:
  // `loop` outlives it.
  ProxiedRequest(ProxyLoop& loop, Arrival arrival);
  virtual ~ProxiedRequest();
  ProxiedRequest(const ProxiedRequest&) = delete;
  ProxiedRequest& operator=(const ProxiedRequest&) = delete;

  void Start();

 protected:
  using OnHead = absl::AnyInvocable<void(net::HttpResponseHead)>;

  // Begins the work. The spans are there.
  virtual void Begin() = 0;
  // Gives up what is under way besides the decode leg. `is_complete`: the client has its whole answer.
  virtual void OnFinish(bool is_complete) = 0;
  // A streamed answer has begun, and can't be replaced by another: the request's body is of no use any more.
  virtual void OnAnswerBegun() {}

  [[nodiscard]] ProxyLoop& loop() { return loop_; }
  [[nodiscard]] const ProxyShared& shared() const { return loop_.shared; }
  [[nodiscard]] const net::HttpRequest& head() const { return arrival_.head; }
  [[nodiscard]] std::optional<Api> api() const { return arrival_.api; }
  [[nodiscard]] bool is_finished() const { return is_finished_; }
  [[nodiscard]] bool has_begun_answer() const { return !responder_.has_value(); }
  [[nodiscard]] int64_t NowNs() const { return loop_.shared.clock.SteadyNs(); }
  // Of the request span, or what stands in its place.
  [[nodiscard]] const sdk::TraceContext& context() const;
  [[nodiscard]] sdk::Span& request_span() { return request_span_; }
  // The x-request-id of all legs; "": as it came.
  void set_request_id(std::string id) { request_id_ = std::move(id); }
  [[nodiscard]] const std::string& request_id() const { return request_id_; }

  // Reads the body, at most `bytes_max` of it: then calls `on_body`, once. A body that is too large, breaks off or does
  // not go on is answered here.
  void ReadBody(size_t bytes_max, absl::AnyInvocable<void(Bytes)> on_body);

  // The client's request with another body, for any server.
  [[nodiscard]] net::HttpRequest RequestWith(Bytes body) const;

  // Asks the model server, and passes its answer on.
  void Decode(Bytes body);
  // The same with the body as it arrives.
  void DecodeStreamed(std::optional<uint64_t> body_bytes);
  // Asks for another protocol on the connection, without a body; then passes on whatever answer comes, and if the
  // protocol changes, the bytes of both ways until either side ends.
  void DecodeSwitched(std::string_view protocol);
  // As Decode, but `on_head` decides: Relay, or read from decode_leg() and relay or DropDecode then.
  void DecodeWith(Bytes body, OnHead on_head);
  void DropDecode();
  [[nodiscard]] Leg& decode_leg() { return *decode_leg_; }

  // Passes on the answer to decode, of which `begun` was read already; `is_read`: all of it.
  void Relay(net::HttpResponseHead head, Bytes begun = {}, bool is_read = false);

  // Answers with something of our own, or of another server, and finishes. `error` is for the request span, "": none.
  void Answer(net::HttpResponse response, std::string_view error, std::string_view message);

  // Works on `bytes` of text: at once if they are few, else on a worker thread; then calls `then` on the loop, unless
  // the request is finished. `work` must not touch the request.
  template <typename Work, typename Then>
  void OffLoop(size_t bytes, Work work, Then then);

  // 503: too much is under way.
  void Overloaded();

  void set_prefill_ns(int64_t total_ns, int64_t end_ns) { prefill_ns_ = total_ns, prefill_end_ns_ = end_ns; }
  void set_is_concurrent() { is_concurrent_ = true; }
  void set_streaming(bool is_streaming) { is_streaming_ = is_streaming; }

 private:
  void StartSpans();
  void OnClientGone();
  void OnBodyPiece(StatusOr<Bytes> piece);
  void Upload();
  void OnUpload(const StatusOr<Bytes>& piece);
  void OpenDecode(net::HttpRequest request, net::HttpStreamOptions options, OnHead on_head);
  void DescribeDecode(const Upstream& decoder);
  void OnDecodeHead(StatusOr<net::HttpResponseHead> head, OnHead& on_head);
  void ReadOn();
  void ReadNow();
  void NoteSpeed(size_t bytes);
  void OnPiece(StatusOr<Bytes> piece);
  void PassOn(Bytes piece);
  void OnRelayed(const Status& written);
  void EndRelay();
  void EndDecode(std::string_view failure);
  void Fail(std::string_view error, std::string_view message);
  void Finish(bool is_complete);
  void EndSpans(int64_t now_ns);
  [[nodiscard]] bool HoldBytes(size_t bytes);
  void ReleaseBytes();

  ProxyLoop& loop_;
  Arrival arrival_;
  std::optional<net::HttpResponder> responder_;  // until the answer begins
  std::shared_ptr<ProxiedRequest> self_;         // keeps itself alive until it is finished
  bool is_finished_ = false;
  const int64_t arrival_ns_;  // steady, as all times here
  std::string request_id_;

  sdk::TraceContext parent_;  // of the client
  sdk::Span server_span_;
  sdk::Span request_span_;
  sdk::Span decode_span_;

  std::string body_;  // while it is read
  size_t body_bytes_max_ = 0;
  size_t held_bytes_ = 0;  // counted by the metrics
  absl::AnyInvocable<void(Bytes)> on_body_;

  std::unique_ptr<Leg> decode_leg_;
  std::optional<net::HttpResponse> whole_;  // an answer that is passed on in one piece; its body grows in whole_body_
  std::string whole_body_;
  std::optional<net::HttpBodyWriter> writer_;  // while the answer is passed on
  bool is_answer_read_ = false;                // decode's, to its end
  int burst_pieces_ = 0;                       // that came quickly, in a row
  int64_t last_piece_ns_ = 0;                  // or the end of a pause after it
  net::Timer pause_;                           // in a burst
  bool is_concurrent_ = false;
  std::optional<bool> is_streaming_;
  int status_ = 0;  // of the answer
  uint64_t answer_bytes_ = 0;
  int64_t decode_start_ns_ = 0;
  int64_t decode_end_ns_ = 0;
  int64_t first_byte_ns_ = 0;
  int64_t prefill_ns_ = 0;
  int64_t prefill_end_ns_ = 0;
};

// A body that is declared and no larger is waited for: what is done with it, is done at once.
inline constexpr uint64_t kSmallBytesMax = 64 << 10;  // guess

inline constexpr size_t kLoopBytesMax = 256 << 10;  // of JSON, looked at on a loop: below 1 ms; guess

template <typename Work, typename Then>
void ProxiedRequest::OffLoop(size_t bytes, Work work, Then then) {
  if (bytes <= kLoopBytesMax) return then(work());
  const bool is_queued = shared().loops.workers().Submit(
      [weak = weak_from_this(), &loop = loop_.loop(), work = std::move(work), then = std::move(then)]() mutable {
        loop.Post([weak, result = work(), then = std::move(then)]() mutable {
          const auto self = weak.lock();
          if (self != nullptr && !self->is_finished()) then(std::move(result));
        });
      });
  if (!is_queued) Overloaded();
}

}  // namespace spanloom::llmd::routing_proxy
