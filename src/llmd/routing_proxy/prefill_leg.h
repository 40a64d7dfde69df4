// SPDX-License-Identifier: Apache-2.0
//
// One attempt at a prefill leg: its request, its answer as a whole, and the span about it.

#pragma once

#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "base/status.h"
#include "llmd/routing_proxy/leg.h"
#include "llmd/routing_proxy/proxy_loop.h"
#include "net/http.h"
#include "sdk/tracer.h"

namespace spanloom::llmd::routing_proxy {

inline constexpr size_t kLingeringMax = 1'000;                  // prefill legs of a loop that go on alone; guess
inline constexpr std::chrono::milliseconds kLingerMax{30'000};  // for each; guess

// Sequence-bound: its loop. Destroying it cancels what is not over, and nothing is called afterwards; it may be
// destroyed by its own callback.
class PrefillLeg {
 public:
  // An answer of any status, or why there is none.
  using OnDone = absl::AnyInvocable<void(StatusOr<net::HttpResponse>)>;

  struct About {
    std::string request_id = {};
    size_t attempt = 1;
    bool is_async = false;  // its answer is of no interest
  };

  // Sends `request`. The span is a child of `parent`.
  PrefillLeg(ProxyLoop& loop, const sdk::TraceContext& parent, const Upstream& upstream, net::HttpRequest request,
             const About& about, OnDone on_done);
  ~PrefillLeg();
  PrefillLeg(const PrefillLeg&) = delete;
  PrefillLeg& operator=(const PrefillLeg&) = delete;

  // Lets `leg` go on for a while without its request; nobody is told the end.
  static void Linger(std::shared_ptr<PrefillLeg> leg);

  [[nodiscard]] bool is_over() const { return end_ns_ != 0; }
  [[nodiscard]] int64_t end_ns() const { return end_ns_; }  // steady; 0: not yet
  [[nodiscard]] int64_t duration_ns() const { return end_ns_ - start_ns_; }

  // True if an answer with this status is what was asked for.
  static bool IsSuccess(int status) { return status >= 200 && status < 300; }

 private:
  void End(StatusOr<net::HttpResponse> answer);

  ProxyLoop& loop_;
  const int64_t start_ns_;
  int64_t end_ns_ = 0;
  sdk::Span span_;
  OnDone on_done_;
  net::Timer linger_timer_;
  std::unique_ptr<Leg> leg_;
};

}  // namespace spanloom::llmd::routing_proxy
