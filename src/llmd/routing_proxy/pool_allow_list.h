// SPDX-License-Identifier: Apache-2.0
//
// The hosts that may be asked for prefill: those that a flag names, and the pods of an InferencePool, by address and
// name, as the API server says from moment to moment.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "kube/cluster_access.h"
#include "llmd/routing_proxy/allow_list.h"
#include "net/loop.h"

namespace spanloom::llmd::routing_proxy {

inline constexpr std::chrono::milliseconds kPoolWaitMax{10'000};  // for the first list, at start; guess

struct PoolName {
  std::string group;  // "inference.networking.k8s.io", or the older "inference.networking.x-k8s.io"
  std::string name_space;
  std::string name;
};

// Thread-safe; made and destroyed on a thread that is not a loop's. Any port of a host is allowed, as with llm-d's
// sidecar. Nobody is, but `hosts`, until the pods are known; pods that were known stay while the API server is away.
class PoolAllowList final : public AllowList {
 public:
  // Watches `pool` if there is one, and waits for its pods for at most `wait_max`; it goes on without them, with a line
  // in the log. `loops` and `clock` outlive it. Errors: those of kube::ApiClient::Create; reads files, which blocks.
  static StatusOr<std::unique_ptr<PoolAllowList>> Create(std::vector<std::string> hosts, std::optional<PoolName> pool,
                                                         std::optional<kube::ClusterAccess> access,
                                                         net::LoopPool& loops, const Clock& clock,
                                                         std::chrono::milliseconds wait_max = kPoolWaitMax);
  ~PoolAllowList() override;

  [[nodiscard]] bool Allows(std::string_view host) const override;

 private:
  class Watch;
  explicit PoolAllowList(std::vector<std::string> hosts);

  const std::vector<std::string> hosts_;  // sorted
  std::shared_ptr<Watch> watch_;          // null without a pool; shared with tasks on its loop
};

}  // namespace spanloom::llmd::routing_proxy
