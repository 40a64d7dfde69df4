// SPDX-License-Identifier: Apache-2.0
//
// Prefill, then decode, where both share a storage of KV blocks: LMCache, or vLLM's shared storage connector. A request
// with `cache_hit_threshold` is given to decode first, which declines it if too little of the prompt is in its cache:
// `finish_reason` is then "cache_threshold".

#pragma once

#include <string>

#include "llmd/routing_proxy/disaggregated_request.h"

namespace spanloom::llmd::routing_proxy {

class StorageRequest final : public DisaggregatedRequest {
 public:
  using DisaggregatedRequest::DisaggregatedRequest;

 private:
  void OnObject() override;
  void OnPrefillDone(const net::HttpResponse& answer) override;
  void TryDecode();
  void OnTriedHead(net::HttpResponseHead answer);
  void ReadTried();
  void OnTriedPiece(const StatusOr<Bytes>& piece);
  void DecideTried(bool is_at_end);
  void PrefillFirst();

  net::HttpResponseHead tried_head_;  // of decode's first answer, while it is looked at
  std::string tried_;
  bool is_declined_ = false;
};

}  // namespace spanloom::llmd::routing_proxy
