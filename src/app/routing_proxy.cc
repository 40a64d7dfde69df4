// SPDX-License-Identifier: Apache-2.0

#include "app/routing_proxy.h"

#include <absl/algorithm/container.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "app/metrics_page.h"
#include "app/process_metrics.h"
#include "app/routing_proxy_flags.h"
#include "app/signals.h"
#include "app/version.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/process_cores.h"
#include "base/process_memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "kube/cluster_access.h"
#include "llmd/routing_proxy/pool_allow_list.h"
#include "llmd/routing_proxy/routing_proxy.h"
#include "net/loop.h"
#include "net/self_signed.h"
#include "sdk/environment.h"
#include "sdk/resource.h"
#include "sdk/tracing.h"

namespace spanloom::app {
namespace {

using llmd::routing_proxy::AllowAll;
using llmd::routing_proxy::AllowList;
using llmd::routing_proxy::PoolAllowList;
using llmd::routing_proxy::PoolName;
using llmd::routing_proxy::ProxyOptions;
using llmd::routing_proxy::RoutingProxy;

constexpr int kError = 1;
constexpr const char* kName = "spanloom routing-proxy";
constexpr const char* kWords = "Sidecar of a decode pod in llm-d: prefill elsewhere, decode here";
constexpr int kUsageError = 2;
constexpr char kServiceName[] = "routing-proxy";
constexpr std::chrono::milliseconds kSpansMax{2'000};     // for the last spans; guess
constexpr std::chrono::seconds kCertificateInterval{10};  // at which its files are looked at; guess

StatusOr<net::TlsServerOptions> ServerTls(const std::string& cert_path) {
  net::TlsServerOptions tls;
  if (!cert_path.empty()) {
    tls.cert_file = StrCat(cert_path, "/tls.crt");
    tls.key_file = StrCat(cert_path, "/tls.key");
    tls.reload_interval = kCertificateInterval;
    return tls;
  }
  ASSIGN_OR_RETURN(const net::SelfSigned made, net::MakeSelfSigned(kServiceName));
  tls.cert_pem = made.certificate;
  tls.key_pem = made.key;
  Log(LogLevel::kWarn,
      "serving with a certificate that nobody vouches for; provide one by --cert-path, or --secure-proxy=false");
  return tls;
}

StatusOr<kube::ClusterAccess> FindCluster() {
  const kube::Surroundings surroundings = kube::Surroundings::OfThisProcess();
  if (!surroundings.variable("KUBECONFIG").value_or("").empty()) return kube::KubeconfigAccess("", "", surroundings);
  return kube::InClusterAccess(surroundings);
}

// Everything that runs between start and stop, in order of construction.
class ProxyProcess {
 public:
  ProxyProcess(const RoutingProxyFlags& flags, int64_t begin_ns)
      : flags_(flags), begin_ns_(begin_ns), loops_(FindUsableCores().count) {}

  Status Start() {
    ASSIGN_OR_RETURN(ProxyOptions options, ProxyOptionsOf(flags_));
    ASSIGN_OR_RETURN(const PrefillRules rules, PrefillRulesOf(flags_));
    if (flags_.is_secure) {
      ASSIGN_OR_RETURN(options.tls, ServerTls(flags_.cert_path));
    }
    RETURN_IF_ERROR(StartTracing());
    RETURN_IF_ERROR(StartProtection(rules));
    process_metrics_.emplace(metrics_, Clock::System(), begin_ns_, MetricLabels{{"service_name", service_name_}});
    ASSIGN_OR_RETURN(proxy_, RoutingProxy::Create(std::move(options), {.loops = loops_,
                                                                       .metrics = metrics_,
                                                                       .clock = Clock::System(),
                                                                       .tracer = tracing_->tracer(),
                                                                       .allow_list = *allow_list_}));
    if (const std::string endpoint = MetricsEndpoint(flags_); !endpoint.empty()) {
      ASSIGN_OR_RETURN(metrics_server_, ServeMetrics(loops_, metrics_, {.has_type_suffix = true}, {}, endpoint));
    }
    const int64_t start_ms = (Clock::System().SteadyNs() - begin_ns_) / 1'000'000;
    Log(LogLevel::kInfo, "the routing proxy is ready",
        {{"version", Version()},
         {"kv_connector", flags_.connector},
         {"service", service_name_},
         {"start_ms", start_ms}});
    return absl::OkStatus();
  }

  // Returns false if requests were cut off.
  bool Stop() {
    Log(LogLevel::kInfo, "stopping: no more connections, requests under way go on",
        {{"at_most_s", static_cast<int64_t>(flags_.drain_timeout.count() / 1'000)}});
    const size_t cut = proxy_->Stop(flags_.drain_timeout);
    proxy_.reset();
    if (cut > 0) Log(LogLevel::kError, "requests were cut off at the stop", {{"requests", static_cast<int64_t>(cut)}});
    tracing_->Stop(kSpansMax);
    metrics_server_.reset();
    Log(LogLevel::kInfo, "stopped");
    return cut == 0;
  }

 private:
  Status StartTracing() {
    Rng rng(Rng::SystemSeed());
    const sdk::ServiceIdentity identity{.name = WithSuffix(kServiceName, flags_.service_suffix),
                                        .version = Version(),
                                        .instance_id = sdk::NewInstanceId(rng)};
    ASSIGN_OR_RETURN(sdk::EnvironmentReading environment, sdk::ReadEnvironment(identity, sdk::LookUpProcessVariable));
    for (const std::string& warning : environment.warnings) Log(LogLevel::kWarn, warning);
    if (!flags_.is_tracing) environment.tracing.is_on = false;
    for (const auto& [name, value] : environment.resource) {
      if (name == "service.name") service_name_ = value;
    }
    ASSIGN_OR_RETURN(tracing_, sdk::Tracing::Create(environment.tracing, sdk::EncodeResource(environment.resource),
                                                    {{.name = "llm-d-inference-scheduler", .version = Version()}},
                                                    loops_, Clock::System(), metrics_));
    return absl::OkStatus();
  }

  Status StartProtection(const PrefillRules& rules) {
    if (rules.allows_all()) {
      allow_list_ = std::make_unique<AllowAll>();
      return absl::OkStatus();
    }
    std::optional<PoolName> pool;
    std::optional<kube::ClusterAccess> access;
    if (rules.pool.has_value()) {
      pool = PoolName{.group = rules.pool->group, .name_space = rules.pool->name_space, .name = rules.pool->name};
      StatusOr<kube::ClusterAccess> found = FindCluster();
      RETURN_IF_ERROR(Annotate(found.status(), "--enable-ssrf-protection needs the Kubernetes API server"));
      access = *std::move(found);
    }
    ASSIGN_OR_RETURN(allow_list_,
                     PoolAllowList::Create(rules.hosts, std::move(pool), std::move(access), loops_, Clock::System()));
    return absl::OkStatus();
  }

  const RoutingProxyFlags& flags_;
  const int64_t begin_ns_;
  std::string service_name_;
  MetricRegistry metrics_;
  net::LoopPool loops_;
  std::unique_ptr<sdk::Tracing> tracing_;
  std::unique_ptr<AllowList> allow_list_;
  std::optional<ProcessMetrics> process_metrics_;
  std::unique_ptr<RoutingProxy> proxy_;
  std::unique_ptr<net::Server> metrics_server_;  // null without a port
};

int Fail(std::string_view what, int code) {
  std::fputs(StrCat("Error: ", what, "\n").c_str(), stderr);
  return code;
}

// By the command line; log options are the last thing that can be wrong with it.
Status SetUpProxyLog(const RoutingProxyFlags& flags) {
  ASSIGN_OR_RETURN(const LogFormat format, ParseLogFormat(flags.log_format));
  ASSIGN_OR_RETURN(const LogLevel level, ParseLogLevel(flags.log_level));
  ConfigureLog(format, level);
  return absl::OkStatus();
}

int Run(const RoutingProxyFlags& flags, int64_t begin_ns) {
  const sigset_t signals = BlockSignals();
  ProxyProcess process(flags, begin_ns);
  if (const Status started = process.Start(); !started.ok()) {
    Log(LogLevel::kError, StrCat("cannot start: ", StdView(started.message())));
    return absl::IsInvalidArgument(started) ? kUsageError : kError;
  }
  GiveBackProgramPages();
  WaitForStop(signals, [](const std::stop_token&) { ReopenLog(); });
  LetNextSignalKill(signals);
  return process.Stop() ? 0 : kError;
}

void Declare(CLI::App& command, RoutingProxyFlags& flags) {
  command.set_version_flag("--version", VersionText());
  DeclareRoutingProxyFlags(command, flags);
}

}  // namespace

cli::reference::CommandDoc DescribeRoutingProxy() {
  CLI::App command(kWords, kName);
  RoutingProxyFlags flags;
  Declare(command, flags);
  return cli::reference::ReadCommand(command);
}

int RunRoutingProxy(const std::vector<std::string>& arguments) {
  const int64_t begin_ns = Clock::System().SteadyNs();
  CLI::App command(kWords, kName);
  RoutingProxyFlags flags;
  Declare(command, flags);
  try {
    std::vector<std::string> reversed = arguments;  // as CLI11 takes them
    absl::c_reverse(reversed);
    command.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return command.exit(error);
    return Fail(error.what(), kUsageError);
  }
  if (const Status status = SetUpProxyLog(flags); !status.ok()) return Fail(StdView(status.message()), kUsageError);
  return Run(flags, begin_ns);
}

}  // namespace spanloom::app
