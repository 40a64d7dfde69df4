// SPDX-License-Identifier: Apache-2.0
//
// One request to a model server and its answer, with the CLIENT span about it, which is what the server's own spans
// hang below: its context is the only one that the request carries.

#pragma once

#include <absl/functional/any_invocable.h>

#include <cstddef>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "llmd/routing_proxy/upstreams.h"
#include "net/client.h"
#include "net/http.h"
#include "sdk/tracer.h"

namespace spanloom::llmd::routing_proxy {

// Sequence-bound: the upstream's loop; callbacks are on it, never from inside a function of this class. Destroying it
// cancels what is not over, and nothing is called afterwards; it may be destroyed by its own callbacks.
class Leg {
 public:
  using OnHead = absl::AnyInvocable<void(StatusOr<net::HttpResponseHead>)>;
  using OnPiece = absl::AnyInvocable<void(StatusOr<Bytes>)>;
  using OnAnswer = absl::AnyInvocable<void(StatusOr<net::HttpResponse>)>;

  // Sends `request`. The span is a child of `parent`; if there is none (a tracer that is off), `parent` goes on itself.
  // `on_head` is called once. Errors as of net::HttpClient::Send.
  Leg(const sdk::Tracer& tracer, const sdk::TraceContext& parent, const Upstream& upstream, net::HttpRequest request,
      net::HttpStreamOptions options, OnHead on_head);
  ~Leg();
  Leg(const Leg&) = delete;
  Leg& operator=(const Leg&) = delete;

  // The next piece of the answer, an empty one at its end; as net::HttpExchange::Read.
  void Read(OnPiece on_piece);

  // The head that came and the rest of its body. kResourceExhausted if that is larger than `bytes_max`. Once, in place
  // of Read.
  void ReadAll(net::HttpResponseHead head, size_t bytes_max, OnAnswer on_answer);

  // For the request's body, if it is streamed.
  [[nodiscard]] net::HttpExchange& exchange() { return *exchange_; }

 private:
  void TakeHead(StatusOr<net::HttpResponseHead> head);
  void TakePiece(StatusOr<Bytes> piece);
  void TakeRest(StatusOr<Bytes> piece);
  void Fail(const Status& failure);

  std::shared_ptr<net::HttpClient> client_;  // shared with the loop's upstreams, which may forget it
  std::unique_ptr<net::HttpExchange> exchange_;
  sdk::Span span_;
  OnHead on_head_;
  OnPiece on_piece_;
  OnAnswer on_answer_;
  net::HttpResponse answer_;  // while all of it is read
  std::string body_;
  size_t body_bytes_max_ = 0;
};

}  // namespace spanloom::llmd::routing_proxy
