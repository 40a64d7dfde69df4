// SPDX-License-Identifier: Apache-2.0
//
// Prefill, then decode, by vLLM's NixlConnector: the prefill pod is asked for one token and keeps the blocks; where
// they are stands in `kv_transfer_params` of its answer, which decode is given.

#pragma once

#include "llmd/routing_proxy/disaggregated_request.h"

namespace spanloom::llmd::routing_proxy {

class NixlRequest final : public DisaggregatedRequest {
 public:
  using DisaggregatedRequest::DisaggregatedRequest;

 private:
  void OnObject() override;
  void OnPrefillDone(const net::HttpResponse& answer) override;
};

}  // namespace spanloom::llmd::routing_proxy
