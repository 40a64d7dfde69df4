// SPDX-License-Identifier: Apache-2.0
//
// A request that is generated in two legs: a prefill pod works through the prompt, this pod's model server generates.
// What all connectors share: the body is read whole and edited, prefill is tried again, and what to do when it fails.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llmd/routing_proxy/prefill_leg.h"
#include "llmd/routing_proxy/proxied_request.h"
#include "llmd/wire/json_edit.h"

namespace spanloom::llmd::routing_proxy {

class DisaggregatedRequest : public ProxiedRequest {
 public:
  // `targets`: prefill pods, not none; each was looked at by the allow-list.
  DisaggregatedRequest(ProxyLoop& loop, Arrival arrival, std::vector<std::string> targets);

 protected:
  // Changes a request's body. Called on any thread.
  using Edit = std::function<void(wire::JsonObject&)>;

  // The body is there and is a JSON object.
  virtual void OnObject() = 0;
  // The prefill leg succeeded.
  virtual void OnPrefillDone(const net::HttpResponse& answer) = 0;
  // It failed for good. By default: a refusal of the request is passed on; else decode does all, or the error is passed
  // on.
  virtual void OnPrefillFailed(StatusOr<net::HttpResponse> answer);
  void OnFinish(bool is_complete) override;
  void OnAnswerBegun() override;

  // The body as it came, and its members; until an answer has begun.
  [[nodiscard]] const Bytes& body() const { return body_; }
  [[nodiscard]] const wire::JsonObject& object() const { return *object_; }
  // The prefill pod that is asked, "host:port".
  [[nodiscard]] const std::string& target() const { return targets_[target_index_]; }
  [[nodiscard]] bool is_prefilling() const { return prefill_ != nullptr && !prefill_->is_over(); }

  // Calls `then` with an edited copy of the body.
  void Edited(Edit edit, std::function<void(Bytes)> then);

  // Sends `body` to a prefill pod. `is_async`: without further attempts. `rank_header`: x-data-parallel-rank, "": none.
  void Prefill(Bytes body, bool is_async = false, std::string rank_header = {});
  void DropPrefill();

  // Asks decode for the request as it came.
  void FallBack();
  // The same, as there is nothing that a prefill pod could do for it: `reason` is the span's word for why.
  void DecodeAlone(std::string_view reason);
  [[nodiscard]] bool has_fallen_back() const { return has_fallen_back_; }
  // Answers with what the prefill pod said, or that it said nothing.
  void AnswerWithPrefill(StatusOr<net::HttpResponse> answer);

  // An edit that limits the answer to one token.
  [[nodiscard]] Edit OneToken() const;

 private:
  void Begin() override;
  void TryPrefill();
  void OnPrefillAnswer(StatusOr<net::HttpResponse> answer);
  [[nodiscard]] bool TriesAgain(const StatusOr<net::HttpResponse>& answer) const;

  const std::vector<std::string> targets_;  // not empty
  size_t target_index_ = 0;
  Bytes body_;
  std::unique_ptr<wire::JsonObject> object_;  // views of body_
  Bytes prefill_body_;
  std::string rank_header_;
  bool is_async_ = false;
  bool has_fallen_back_ = false;
  size_t attempts_ = 0;
  int64_t prefill_ns_ = 0;               // of all attempts
  std::shared_ptr<PrefillLeg> prefill_;  // shared with the loop once it lingers
  net::Timer retry_timer_;
};

}  // namespace spanloom::llmd::routing_proxy
