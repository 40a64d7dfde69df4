// SPDX-License-Identifier: Apache-2.0
//
// The command line of `spanloom routing-proxy`: that of llm-d's routing sidecar, with the names of v0.6 and those of
// the router that took its place, and what is ours.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/drain_argument.h"
#include "base/log.h"
#include "base/status.h"
#include "llmd/routing_proxy/proxy_options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace spanloom::app {

// As it is written; what is "" was not.
struct RoutingProxyFlags {
  std::string listen_host = {};
  uint16_t port = 8000;
  uint16_t decoder_port = 8001;
  std::string connector = "nixlv2";
  size_t data_parallel_size = 1;

  bool is_secure = true;
  std::string cert_path = {};
  bool prefiller_tls = false;
  bool decoder_tls = false;
  bool prefiller_skip_verify = false;
  bool decoder_skip_verify = false;
  std::vector<std::string> tls_stages = {};
  std::vector<std::string> skip_verify_stages = {};

  bool protects_from_ssrf = false;
  std::vector<std::string> allowed_prefillers = {};
  std::string pool = {};  // "namespace/name" or "name"
  std::string pool_namespace = {};
  std::string pool_name = {};
  std::string pool_group = "inference.networking.k8s.io";
  bool samples_prefillers = false;

  size_t prefill_retries_max = 0;
  std::chrono::milliseconds retry_backoff{200};
  bool falls_back = true;
  std::chrono::milliseconds prefill_max{0};
  uint16_t mooncake_bootstrap_port = 8998;
  uint16_t sglang_bootstrap_port = 8998;
  size_t body_bytes_max = llmd::routing_proxy::ProxyOptions().body_bytes_max;

  bool is_tracing = true;
  std::string service_suffix = {};
  std::string metrics_host = {};  // perhaps with a port, which then holds
  uint16_t metrics_port = 0;      // 0: no metrics
  std::chrono::milliseconds drain_timeout{60'000};
  std::string log_level = "info";
  std::string log_format = "text";
  std::string pod_ip = {};
};

// Declares the flags on `command`; parsing fills `flags`, which must outlive it.
void DeclareRoutingProxyFlags(CLI::App& command, RoutingProxyFlags& flags);

// Which hosts may be asked for prefill.
struct PrefillRules {
  std::vector<std::string> hosts = {};  // beside those of the pool
  struct Pool {
    std::string group;
    std::string name_space;
    std::string name;
  };
  std::optional<Pool> pool = {};
  [[nodiscard]] bool allows_all() const { return hosts.empty() && !pool.has_value(); }
};

// kInvalidArgument names the flag, and what it may be.
StatusOr<llmd::routing_proxy::ProxyOptions> ProxyOptionsOf(const RoutingProxyFlags& flags);
StatusOr<PrefillRules> PrefillRulesOf(const RoutingProxyFlags& flags);

// Where /metrics listens; "" if there is to be none.
[[nodiscard]] std::string MetricsEndpoint(const RoutingProxyFlags& flags);

// "routing-proxy", or "routing-proxy-SUFFIX".
[[nodiscard]] std::string WithSuffix(const std::string& name, const std::string& suffix);

}  // namespace spanloom::app
