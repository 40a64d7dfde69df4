// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/prefill_leg.h"

#include <utility>

#include "base/text.h"
#include "llmd/wire/span_names.h"

namespace spanloom::llmd::routing_proxy {

namespace key = wire::span_key;

PrefillLeg::PrefillLeg(ProxyLoop& loop, const sdk::TraceContext& parent, const Upstream& upstream,
                       net::HttpRequest request, const About& about, OnDone on_done)
    : loop_(loop), start_ns_(loop.shared.clock.SteadyNs()), on_done_(std::move(on_done)) {
  const ProxyShared& shared = loop.shared;
  span_ = shared.tracer.Start(wire::span_name::kPrefill, otlp::SpanKind::kInternal, parent);
  if (span_.is_recording()) {
    span_.SetString(key::kRequestId, about.request_id);
    span_.SetString(key::kPrefillTarget, upstream.target);
    span_.SetString(key::kConnector, NameOf(shared.options.connector));
    span_.SetInt(key::kPrefillAttempt, static_cast<int64_t>(about.attempt));
    if (about.is_async) span_.SetBool(key::kPrefillAsync, true);
  }
  net::HttpStreamOptions options;
  options.total_max = shared.options.prefill_max;
  const auto on_head = [this](StatusOr<net::HttpResponseHead> head) {
    if (!head.ok()) return End(head.status());
    leg_->ReadAll(*std::move(head), loop_.shared.options.answer_bytes_max,
                  [this](StatusOr<net::HttpResponse> answer) { End(std::move(answer)); });
  };
  const sdk::TraceContext& context = span_.context().IsValid() ? span_.context() : parent;
  leg_ = std::make_unique<Leg>(shared.tracer, context, upstream, std::move(request), options, on_head);
}

PrefillLeg::~PrefillLeg() {
  leg_.reset();  // its span ends first
  if (!is_over()) span_.SetStatus(otlp::StatusCode::kError, "given up");
}

void PrefillLeg::End(StatusOr<net::HttpResponse> answer) {
  const ProxyShared& shared = loop_.shared;
  end_ns_ = shared.clock.SteadyNs();
  shared.metrics.prefill_seconds.AddNs(duration_ns());
  const bool is_success = answer.ok() && IsSuccess(answer->status);
  if (!is_success) shared.metrics.prefill_errors.Add(1);
  if (span_.is_recording()) {
    if (answer.ok()) span_.SetInt(key::kPrefillStatus, answer->status);
    span_.SetDouble(key::kPrefillMs, static_cast<double>(duration_ns()) / 1e6);
    if (!answer.ok()) {
      span_.SetStatus(otlp::StatusCode::kError, StrCat("prefill request failed: ", StdView(answer.status().message())));
    } else if (!is_success) {
      span_.SetStatus(otlp::StatusCode::kError, "prefill request failed");
    }
  }
  span_.End();
  auto on_done = std::exchange(on_done_, nullptr);
  on_done(std::move(answer));  // may destroy this
}

void PrefillLeg::Linger(std::shared_ptr<PrefillLeg> leg) {
  ProxyLoop& loop = leg->loop_;
  if (leg->is_over() || loop.lingering.size() >= kLingeringMax) return;
  loop.lingering.push_front(leg);
  const auto place = loop.lingering.begin();
  leg->on_done_ = [&loop, place](const StatusOr<net::HttpResponse>&) { loop.lingering.erase(place); };
  leg->linger_timer_ = loop.loop().PostAfter(kLingerMax, [&loop, place] { loop.lingering.erase(place); });
}

}  // namespace spanloom::llmd::routing_proxy
