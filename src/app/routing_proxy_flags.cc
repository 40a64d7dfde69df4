// SPDX-License-Identifier: Apache-2.0

#include "app/routing_proxy_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "app/duration_option.h"
#include "base/text.h"
#include "net/host_port.h"

namespace spanloom::app {
namespace {

using llmd::routing_proxy::ProxyOptions;

constexpr std::string_view kPoolGroup = "inference.networking.k8s.io";
constexpr std::string_view kOldPoolGroup = "inference.networking.x-k8s.io";

// What llm-d has and this has not. Given as `harmless` it changes nothing there, and is taken.
void AddUnsupported(CLI::App& command, const std::string& name, const std::string& harmless, const std::string& why) {
  command
      .add_option_function<std::string>(
          name,
          [name, harmless, why](const std::string& text) {
            if (text != harmless) throw CLI::ValidationError(name, "is not supported: " + why);
          },
          "Not supported: " + why)
      ->group("");
}

void DeclareServing(CLI::App& command, RoutingProxyFlags& flags) {
  command.add_option("--listen-host", flags.listen_host, "Address to listen at; all of them unless it is given");
  command.add_option("--port", flags.port, "Port to listen at; rank N of several at PORT+N")->capture_default_str();
  command.add_option("--vllm-port,--model-server-port", flags.decoder_port, "Port of the model server on localhost")
      ->capture_default_str();
  command.add_option("--data-parallel-size", flags.data_parallel_size, "Ranks of the model server")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_flag("--secure-proxy,--secure-serving", flags.is_secure, "Serve over TLS")->default_str("true");
  command
      .add_option(
          "--cert-path", flags.cert_path,
          "Directory of tls.crt and tls.key, read again as they change; without it a certificate is made at start")
      ->type_name("DIR");
  command.add_option("--max-body-bytes", flags.body_bytes_max, "Largest body of a request that takes two legs")
      ->capture_default_str();
  AddDuration(command, "--drain-timeout", flags.drain_timeout, "How long a stop may wait for requests under way",
              "60s");
}

void DeclareLegs(CLI::App& command, RoutingProxyFlags& flags) {
  command
      .add_option("--connector,--kv-connector", flags.connector, "nixlv2, shared-storage, lmcache, sglang or mooncake")
      ->capture_default_str();
  command.add_flag("--prefiller-use-tls", flags.prefiller_tls, "Reach prefill pods over TLS");
  command.add_flag("--decoder-use-tls", flags.decoder_tls, "Reach the model server over TLS");
  command.add_flag("--prefiller-tls-insecure-skip-verify", flags.prefiller_skip_verify,
                   "Take any certificate of a prefill pod");
  command.add_flag("--decoder-tls-insecure-skip-verify", flags.decoder_skip_verify,
                   "Take any certificate of the model server");
  command.add_option("--enable-tls", flags.tls_stages, "The same as --X-use-tls: prefiller, decoder")->delimiter(',');
  command
      .add_option("--tls-insecure-skip-verify", flags.skip_verify_stages,
                  "The same as --X-tls-insecure-skip-verify: prefiller, decoder")
      ->delimiter(',');
  command
      .add_flag("--enable-prefiller-sampling", flags.samples_prefillers,
                "Choose by chance among the prefill pods that a header names; else the first")
      ->envname("ENABLE_PREFILLER_SAMPLING");
  command
      .add_option("--prefill-max-retries", flags.prefill_retries_max,
                  "Further attempts after 502, 503, 504 and pods that are not there")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  AddDuration(command, "--prefill-retry-backoff", flags.retry_backoff, "Before each further attempt", "200ms");
  AddDuration(command, "--prefill-timeout", flags.prefill_max, "For each attempt; 0: no limit", "0s");
  command
      .add_flag("--prefill-fallback", flags.falls_back,
                "Leave a prefill that failed to decode; false: answer its error")
      ->default_str("true");
  command.add_option("--mooncake-bootstrap-port", flags.mooncake_bootstrap_port, "Of prefill pods, with mooncake")
      ->envname("MOONCAKE_BOOTSTRAP_PORT")
      ->capture_default_str();
  command.add_option("--sglang-bootstrap-port", flags.sglang_bootstrap_port, "Of prefill pods, with sglang")
      ->envname("SGLANG_BOOTSTRAP_PORT")
      ->capture_default_str();
  command.add_option("--pod-ip", flags.pod_ip, "Address of this pod, in headers that name a rank")->envname("POD_IP");
}

void DeclareProtection(CLI::App& command, RoutingProxyFlags& flags) {
  command.add_flag("--enable-ssrf-protection", flags.protects_from_ssrf,
                   "Ask only the pods of the InferencePool for prefill, and --allowed-prefillers");
  command
      .add_option("--allowed-prefillers", flags.allowed_prefillers,
                  "Hosts that may be asked for prefill: names and addresses")
      ->delimiter(',');
  command.add_option("--inference-pool", flags.pool, "NAMESPACE/NAME or NAME of the InferencePool")
      ->envname("INFERENCE_POOL");
  command.add_option("--inference-pool-namespace", flags.pool_namespace, "Its namespace")
      ->envname("INFERENCE_POOL_NAMESPACE");
  command.add_option("--inference-pool-name", flags.pool_name, "Its name")->envname("INFERENCE_POOL_NAME");
  command
      .add_option("--pool-group", flags.pool_group,
                  "Its API group: inference.networking.k8s.io or the older inference.networking.x-k8s.io")
      ->capture_default_str();
}

void DeclareTelemetry(CLI::App& command, RoutingProxyFlags& flags) {
  command.add_flag("--tracing", flags.is_tracing, "Make spans, as the OTEL_* variables say")->default_str("true");
  command.add_option("--service-suffix", flags.service_suffix,
                     "Of the service's name, for clusters and environments: routing-proxy-SUFFIX");
  command.add_option("--metrics-port", flags.metrics_port, "Port of /metrics; 0: none")->capture_default_str();
  command.add_option("--metrics-host", flags.metrics_host,
                     "Address of /metrics; all of them unless it is given. With a port of its own, as 127.0.0.1:0 for "
                     "a free one, it needs no --metrics-port");
  command.add_option("--log-level,--zap-log-level", flags.log_level, "debug, info, warn or error")
      ->capture_default_str();
  command.add_option("--log-format,--zap-encoder", flags.log_format, "text (console) or json")->capture_default_str();
}

void DeclareUnsupported(CLI::App& command) {
  AddUnsupported(command, "--ec-connector", "", "there is no encoder stage; leave it out");
  AddUnsupported(command, "--decode-chunk-size", "0", "decode answers in one piece; leave it out");
  AddUnsupported(command, "--p2p-connector-port", "7777", "there is no offloading connector; leave it out");
  AddUnsupported(command, "--enable-p2p-pull", "false", "there is no offloading connector; leave it out");
  AddUnsupported(command, "--enable-speculative-prefill", "false",
                 "nothing is sent that no client asked for; leave it out");
  AddUnsupported(command, "--moriio-write-mode", "false", "there is no MoRI-IO connector; leave it out");
  AddUnsupported(command, "--max-idle-conns-per-host", "1024",
                 "connections are kept for 4 s, however many there are; leave it out");
  AddUnsupported(command, "--metrics-cert-dir", "", "metrics are served in cleartext; leave it out");
  AddUnsupported(command, "--configuration", "", "there are flags alone; write them out");
  AddUnsupported(command, "--configuration-file", "", "there are flags alone; write them out");
}

// Which of the stages that have TLS are in a list.
struct Stages {
  bool prefiller = false;
  bool decoder = false;
};

StatusOr<Stages> ReadStages(const std::string& flag, const std::vector<std::string>& names) {
  Stages stages;
  for (const std::string& name : names) {
    if (name == "prefiller") {
      stages.prefiller = true;
    } else if (name == "decoder") {
      stages.decoder = true;
    } else {
      return absl::InvalidArgumentError(StrCat(flag, ": no stage '", name, "'; there are: prefiller, decoder"));
    }
  }
  return stages;
}

std::optional<net::TlsClientOptions> ClientTls(bool is_on, bool skips_verify) {
  if (!is_on) return std::nullopt;
  net::TlsClientOptions tls;
  tls.insecure_skip_verify = skips_verify;
  return tls;
}

StatusOr<PrefillRules::Pool> PoolOf(const RoutingProxyFlags& flags) {
  PrefillRules::Pool pool{.group = flags.pool_group, .name_space = flags.pool_namespace, .name = flags.pool_name};
  if (!flags.pool.empty()) {
    const size_t slash = flags.pool.find('/');
    pool.name_space = slash == std::string::npos ? "default" : flags.pool.substr(0, slash);
    pool.name = slash == std::string::npos ? flags.pool : flags.pool.substr(slash + 1);
  }
  if (pool.group != kPoolGroup && pool.group != kOldPoolGroup) {
    return absl::InvalidArgumentError(
        StrCat("--pool-group: no group '", pool.group, "'; there are: ", kPoolGroup, ", ", kOldPoolGroup));
  }
  if (pool.name.empty() || pool.name_space.empty()) {
    return absl::InvalidArgumentError(
        "--enable-ssrf-protection needs --inference-pool NAMESPACE/NAME (INFERENCE_POOL) or --allowed-prefillers");
  }
  return pool;
}

// An IPv6 address has colons of its own: it needs brackets to have a port.
bool HasPort(std::string_view host) {
  const size_t bracket = host.rfind(']');
  const std::string_view rest = bracket == std::string_view::npos ? host : host.substr(bracket);
  const size_t colon = rest.find(':');
  return colon != std::string_view::npos && colon == rest.rfind(':');
}

}  // namespace

void DeclareRoutingProxyFlags(CLI::App& command, RoutingProxyFlags& flags) {
  DeclareServing(command, flags);
  DeclareLegs(command, flags);
  DeclareProtection(command, flags);
  DeclareTelemetry(command, flags);
  DeclareUnsupported(command);
}

StatusOr<ProxyOptions> ProxyOptionsOf(const RoutingProxyFlags& flags) {
  ProxyOptions options;
  options.listen_host = flags.listen_host;
  options.port = flags.port;
  options.decoder_port = flags.decoder_port;
  options.data_parallel_size = flags.data_parallel_size;
  options.pod_ip = flags.pod_ip;
  if (std::max(flags.port, flags.decoder_port) + flags.data_parallel_size - 1 > 65'535) {
    return absl::InvalidArgumentError("--data-parallel-size: the last rank's port is above 65535");
  }
  ASSIGN_OR_RETURN(options.connector, llmd::routing_proxy::ParseConnector(flags.connector));
  ASSIGN_OR_RETURN(const Stages tls, ReadStages("--enable-tls", flags.tls_stages));
  ASSIGN_OR_RETURN(const Stages skips, ReadStages("--tls-insecure-skip-verify", flags.skip_verify_stages));
  options.prefiller_tls =
      ClientTls(flags.prefiller_tls || tls.prefiller, flags.prefiller_skip_verify || skips.prefiller);
  options.decoder_tls = ClientTls(flags.decoder_tls || tls.decoder, flags.decoder_skip_verify || skips.decoder);
  options.samples_prefillers = flags.samples_prefillers;
  options.prefill_retries_max = flags.prefill_retries_max;
  options.retry_backoff = flags.retry_backoff;
  options.falls_back = flags.falls_back;
  options.prefill_max = flags.prefill_max;
  options.mooncake_bootstrap_port = flags.mooncake_bootstrap_port;
  options.sglang_bootstrap_port = flags.sglang_bootstrap_port;
  options.body_bytes_max = flags.body_bytes_max;
  return options;
}

std::string MetricsEndpoint(const RoutingProxyFlags& flags) {
  const std::string& host = flags.metrics_host;
  if (HasPort(host)) return host;
  if (flags.metrics_port == 0) return "";
  return host.empty() ? StrCat(":", flags.metrics_port) : net::JoinHostPort(host, flags.metrics_port);
}

StatusOr<PrefillRules> PrefillRulesOf(const RoutingProxyFlags& flags) {
  PrefillRules rules{.hosts = flags.allowed_prefillers};
  if (!flags.protects_from_ssrf) return rules;
  const bool names_pool = !flags.pool.empty() || !flags.pool_name.empty();
  if (!names_pool && !rules.hosts.empty()) return rules;
  ASSIGN_OR_RETURN(rules.pool, PoolOf(flags));
  return rules;
}

std::string WithSuffix(const std::string& name, const std::string& suffix) {
  return StrCat(name, suffix);
}

}  // namespace spanloom::app
