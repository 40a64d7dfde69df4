// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/disaggregated_request.h"

#include <utility>

#include "base/text.h"
#include "llmd/routing_proxy/error_answer.h"
#include "llmd/wire/headers.h"
#include "llmd/wire/span_names.h"
#include "sdk/resource.h"

namespace spanloom::llmd::routing_proxy {
namespace {

namespace key = wire::span_key;

// Statuses by which a pod says that the request is wrong, not the pod; llm-d's range.
bool IsRefusal(int status) {
  return status >= 400 && status <= 451;
}

void LimitTokens(Api api, wire::JsonObject& object) {
  object.Remove("min_tokens");  // it must not be above the limit
  for (const std::string_view limit : TokenLimits(api)) object.Set(limit, "1");
}

}  // namespace

DisaggregatedRequest::DisaggregatedRequest(ProxyLoop& loop, Arrival arrival, std::vector<std::string> targets)
    : ProxiedRequest(loop, std::move(arrival)), targets_(std::move(targets)) {}

void DisaggregatedRequest::Begin() {
  const std::string_view id = head().headers.Get(wire::kRequestIdHeader);
  // A UUID by chance: one by time would tell the world the address of the pod's network card.
  set_request_id(id.empty() ? sdk::NewInstanceId(loop().rng) : std::string(id));
  if (request_span().is_recording()) {
    request_span().SetString(key::kRequestId, request_id());
    request_span().SetBool(key::kDisaggregationUsed, true);
    request_span().SetString(key::kPrefillTarget, target());
    request_span().SetInt(key::kPrefillCandidates, static_cast<int64_t>(targets_.size()));
  }
  ReadBody(shared().options.body_bytes_max, [this](Bytes body) {
    body_ = std::move(body);
    const auto parse = [body = body_]() -> StatusOr<wire::JsonObject> { return wire::JsonObject::Parse(body.view()); };
    OffLoop(body_.size(), parse, [this](StatusOr<wire::JsonObject> object) {
      if (!object.ok()) {
        const std::string text =
            StrCat("the request's body is not a JSON object: ", StdView(object.status().message()));
        return Answer(ErrorAnswer(400, text), "bad_request", text);
      }
      object_ = std::make_unique<wire::JsonObject>(*std::move(object));
      set_streaming(object_->IsTrue("stream"));
      OnObject();
    });
  });
}

void DisaggregatedRequest::Edited(Edit edit, std::function<void(Bytes)> then) {
  const auto work = [body = body_, object = *object_, edit = std::move(edit)]() mutable {
    edit(object);
    return Bytes(object.Text());
  };
  OffLoop(body_.size(), work, [then = std::move(then)](Bytes edited) { then(std::move(edited)); });
}

DisaggregatedRequest::Edit DisaggregatedRequest::OneToken() const {
  const Api which = *api();
  return [which](wire::JsonObject& object) {
    if (which != Api::kGenerate) return LimitTokens(which, object);
    const std::string_view nested = object.Find("sampling_params").value_or("{}");
    StatusOr<wire::JsonObject> parameters = wire::JsonObject::Parse(nested);
    if (!parameters.ok()) return;  // the model server will say that it is no object
    LimitTokens(which, *parameters);
    object.Set("sampling_params", parameters->Text());
  };
}

void DisaggregatedRequest::Prefill(Bytes body, bool is_async, std::string rank_header) {
  prefill_body_ = std::move(body);
  is_async_ = is_async;
  rank_header_ = std::move(rank_header);
  TryPrefill();
}

void DisaggregatedRequest::TryPrefill() {
  if (++attempts_ == 1) shared().metrics.disaggregated.Add(1);
  request_span().SetInt(key::kPrefillAttempts, static_cast<int64_t>(attempts_));
  StatusOr<Upstream> upstream = loop().upstreams->Prefiller(target());
  if (!upstream.ok()) return OnPrefillFailed(upstream.status());
  net::HttpRequest request = RequestWith(prefill_body_);
  request.headers.Set("accept-encoding", "");  // it is read here
  if (!rank_header_.empty()) request.headers.Set(wire::kDataParallelRankHeader, rank_header_);
  prefill_ = std::make_shared<PrefillLeg>(
      loop(), context(), *upstream, std::move(request),
      PrefillLeg::About{.request_id = request_id(), .attempt = attempts_, .is_async = is_async_},
      [this](StatusOr<net::HttpResponse> answer) { OnPrefillAnswer(std::move(answer)); });
}

bool DisaggregatedRequest::TriesAgain(const StatusOr<net::HttpResponse>& answer) const {
  if (is_async_ || attempts_ > shared().options.prefill_retries_max) return false;
  if (!answer.ok()) return !absl::IsDeadlineExceeded(answer.status());
  return answer->status >= 502 && answer->status <= 504;
}

void DisaggregatedRequest::OnPrefillAnswer(StatusOr<net::HttpResponse> answer) {
  const auto keep = shared_from_this();
  prefill_ns_ += prefill_->duration_ns();
  set_prefill_ns(prefill_ns_, prefill_->end_ns());
  if (answer.ok() && PrefillLeg::IsSuccess(answer->status)) {
    prefill_body_ = {};
    return OnPrefillDone(*answer);
  }
  if (!TriesAgain(answer)) return OnPrefillFailed(std::move(answer));
  shared().metrics.retries.Add(1);
  target_index_ = (target_index_ + 1) % targets_.size();
  retry_timer_ = loop().loop().PostAfter(shared().options.retry_backoff, [this] { TryPrefill(); });
}

void DisaggregatedRequest::OnPrefillFailed(StatusOr<net::HttpResponse> answer) {
  const bool is_refused = answer.ok() && IsRefusal(answer->status);
  if (!is_refused && shared().options.falls_back) return FallBack();
  AnswerWithPrefill(std::move(answer));
}

void DisaggregatedRequest::AnswerWithPrefill(StatusOr<net::HttpResponse> answer) {
  if (answer.ok() && !PrefillLeg::IsSuccess(answer->status)) {
    const std::string text = StrCat("the prefill server answered ", answer->status);
    return Answer(*std::move(answer), "prefill_failed", text);
  }
  const std::string text = answer.ok()
                               ? "the prefill server's answer is not what was asked for"
                               : StrCat("the prefill server did not answer: ", StdView(answer.status().message()));
  const int status = absl::IsDeadlineExceeded(answer.status()) ? 504 : 502;
  Answer(ErrorAnswer(status, text), "prefill_failed", text);
}

void DisaggregatedRequest::FallBack() {
  has_fallen_back_ = true;
  shared().metrics.fallbacks.Add(1);
  request_span().SetBool(key::kFallback, true);
  Decode(body_);
}

void DisaggregatedRequest::DecodeAlone(std::string_view reason) {
  request_span().SetBool(key::kDisaggregationUsed, false);
  request_span().SetString(key::kReason, reason);
  Decode(body_);
}

void DisaggregatedRequest::DropPrefill() {
  retry_timer_.Cancel();
  prefill_.reset();
}

void DisaggregatedRequest::OnAnswerBegun() {
  object_.reset();
  body_ = {};
  if (is_prefilling()) return;
  prefill_body_ = {};
  prefill_.reset();
}

void DisaggregatedRequest::OnFinish(bool is_complete) {
  retry_timer_.Cancel();
  if (is_complete && is_async_ && is_prefilling()) PrefillLeg::Linger(std::move(prefill_));
  prefill_.reset();
}

}  // namespace spanloom::llmd::routing_proxy
