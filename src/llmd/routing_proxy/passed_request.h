// SPDX-License-Identifier: Apache-2.0
//
// A request that this pod's model server answers alone: it is passed on as it arrives, unread.

#pragma once

#include "llmd/routing_proxy/proxied_request.h"

namespace spanloom::llmd::routing_proxy {

class PassedRequest final : public ProxiedRequest {
 public:
  using ProxiedRequest::ProxiedRequest;

 private:
  void Begin() override;
  void OnFinish(bool) override {}
};

}  // namespace spanloom::llmd::routing_proxy
