// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/dispatch.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "llmd/routing_proxy/concurrent_request.h"
#include "llmd/routing_proxy/error_answer.h"
#include "llmd/routing_proxy/nixl_request.h"
#include "llmd/routing_proxy/passed_request.h"
#include "llmd/routing_proxy/refused_request.h"
#include "llmd/routing_proxy/storage_request.h"
#include "llmd/wire/headers.h"
#include "llmd/wire/span_names.h"
#include "net/host_port.h"
#include "net/server.h"

namespace spanloom::llmd::routing_proxy {
namespace {

constexpr std::chrono::milliseconds kProbeMax{1'000};  // Kubernetes' default timeout of a probe

std::shared_ptr<ProxiedRequest> MakeRequest(ProxyLoop& loop, Arrival arrival, std::vector<std::string> targets) {
  switch (loop.shared.options.connector) {
    case Connector::kNixlV2:
      return std::make_shared<NixlRequest>(loop, std::move(arrival), std::move(targets));
    case Connector::kSharedStorage:
    case Connector::kLmCache:
      return std::make_shared<StorageRequest>(loop, std::move(arrival), std::move(targets));
    case Connector::kSglang:
    case Connector::kMooncake:
      return std::make_shared<ConcurrentRequest>(loop, std::move(arrival), std::move(targets));
  }
  return nullptr;
}

// "[fd00::1]:8000" → "fd00::1".
std::string_view BareHost(std::string_view target) {
  std::string_view host = target.substr(0, target.rfind(':'));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return host;
}

// The rank whose listener `host_port` is; nullopt if it is of none.
std::optional<size_t> RankOf(const ProxyShared& shared, std::string_view host_port) {
  for (size_t rank = 0; rank < shared.options.data_parallel_size; ++rank) {
    const uint16_t port = shared.ports[rank].load(std::memory_order_relaxed);
    if (port != 0 && host_port == net::JoinHostPort(shared.options.pod_ip, port)) return rank;
  }
  return std::nullopt;
}

// Leaves of `targets` those that may be asked. Returns the first that may not though it could be, or "".
std::string KeepAllowed(const AllowList& allow_list, std::vector<std::string>& targets) {
  std::string denied;
  std::erase_if(targets, [&](const std::string& target) {
    if (!wire::IsHostPort(target)) return true;
    if (allow_list.Allows(BareHost(target))) return false;
    if (denied.empty()) denied = target;
    return true;
  });
  return denied;
}

// The prefill pod to ask comes first.
void PutChosenFirst(ProxyLoop& loop, std::vector<std::string>& targets) {
  if (!loop.shared.options.samples_prefillers || targets.size() < 2) return;
  std::rotate(targets.begin(), targets.begin() + static_cast<ptrdiff_t>(loop.rng.Below(targets.size())), targets.end());
}

void Refuse(ProxyLoop& loop, Arrival arrival, RefusedRequest::Refusal refusal) {
  std::make_shared<RefusedRequest>(loop, std::move(arrival), std::move(refusal))->Start();
}

}  // namespace

void Dispatch(ProxyLoop& loop, Arrival arrival) {
  const ProxyOptions& options = loop.shared.options;
  if (!arrival.api.has_value()) return std::make_shared<PassedRequest>(loop, std::move(arrival))->Start();
  const std::string_view rank_header = arrival.head.headers.Get(wire::kDataParallelHeader);
  if (!rank_header.empty() && options.data_parallel_size > 1) {
    const std::optional<size_t> rank = RankOf(loop.shared, rank_header);
    if (!rank.has_value()) {
      const std::string text = StrCat("no data-parallel rank listens at ", rank_header);
      return Refuse(loop, std::move(arrival),
                    {.answer = ErrorAnswer(400, text), .error = "bad_request", .message = text});
    }
    arrival.rank = *rank;
    arrival.names_rank = true;
  }
  std::vector<std::string> targets = wire::PrefillTargets(arrival.head.headers);
  if (targets.empty()) return std::make_shared<PassedRequest>(loop, std::move(arrival))->Start();
  const std::string denied = KeepAllowed(loop.shared.allow_list, targets);
  if (!targets.empty()) {
    PutChosenFirst(loop, targets);
    return MakeRequest(loop, std::move(arrival), std::move(targets))->Start();
  }
  if (denied.empty()) {
    const std::string text = "a prefill target is not host:port";
    return Refuse(loop, std::move(arrival),
                  {.answer = ErrorAnswer(400, text), .error = "bad_prefill_target", .message = text});
  }
  loop.shared.metrics.denied.Add(1);
  Refuse(loop, std::move(arrival),
         {.answer = TargetDenied(),
          .error = "ssrf_protection_denied",
          .message = "SSRF protection: prefill target not in allowlist",
          .denied_target = denied});
}

void AnswerReadiness(ProxyLoop& loop, Arrival arrival, bool is_draining) {
  auto responder = std::make_shared<net::HttpResponder>(std::move(arrival.responder));
  if (is_draining) return std::move(*responder).Respond(net::TextResponse(503, "draining\n"));
  net::HttpRequest probe;
  probe.method = "GET";
  probe.path = "/health";
  const Upstream& decoder = loop.upstreams->Decoder(arrival.rank);
  decoder.client->Send(std::move(probe), kProbeMax, [responder](const StatusOr<net::HttpResponse>& health) {
    const bool is_ready = health.ok() && health->status == 200;
    const std::string why =
        health.ok() ? StrCat("it answered ", health->status) : std::string(health.status().message());
    std::move(*responder)
        .Respond(is_ready ? net::TextResponse(200, "ready\n")
                          : net::TextResponse(503, StrCat("the model server is not ready: ", why, "\n")));
  });
}

}  // namespace spanloom::llmd::routing_proxy
