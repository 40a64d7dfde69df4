// SPDX-License-Identifier: Apache-2.0
//
// Prefill and decode at once: both are told where and under which number they meet, and the prefill pod's answer is of
// no interest. SGLang's disaggregation, and vLLM's MooncakeConnector, whose engine the prefill pod's bootstrap server
// is asked for before.

#pragma once

#include <memory>
#include <string>

#include "llmd/routing_proxy/disaggregated_request.h"
#include "llmd/routing_proxy/leg.h"

namespace spanloom::llmd::routing_proxy {

class ConcurrentRequest final : public DisaggregatedRequest {
 public:
  using DisaggregatedRequest::DisaggregatedRequest;

 private:
  void OnObject() override;
  void OnPrefillDone(const net::HttpResponse&) override {}
  void OnPrefillFailed(StatusOr<net::HttpResponse> answer) override;
  void OnFinish(bool is_complete) override;

  void StartSglang();
  void FindEngine();
  void AskBootstrap();
  void OnEngines(const StatusOr<net::HttpResponse>& answer);
  void StartMooncake(const MooncakeEngines& engines);
  void StartBoth(Edit prefill, Edit decode, std::string rank);
  // Where the bootstrap server of the prefill pod is: "host:port".
  [[nodiscard]] std::string Bootstrap() const;

  std::unique_ptr<Leg> query_;  // of the bootstrap server
};

}  // namespace spanloom::llmd::routing_proxy
