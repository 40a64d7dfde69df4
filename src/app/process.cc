// SPDX-License-Identifier: Apache-2.0

#include "app/process.h"

#include <absl/functional/function_ref.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "app/components.h"
#include "app/log_pusher.h"
#include "app/metrics_page.h"
#include "app/metrics_pusher.h"
#include "app/own_findings.h"
#include "app/own_resource.h"
#include "app/own_status.h"
#include "app/process_log.h"
#include "app/process_metrics.h"
#include "app/signals.h"
#include "app/start_message.h"
#include "app/store_host.h"
#include "app/version.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/process_cores.h"
#include "base/process_memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "net/loop.h"
#include "net/loop_lag.h"
#include "pipeline/engine.h"
#include "pipeline/service_config.h"
#include "sdk/resource.h"
#include "sdk/tracing.h"

namespace spanloom::app {
namespace {

std::string InstanceId(const config::StringMap& resource) {
  for (const auto& [name, value] : resource) {
    if (name == "service.instance.id") return value;
  }
  return "";
}

// For the spans about this process, before and after the drain.
constexpr std::chrono::milliseconds kOwnSpansMax{1'000};

// For the last report of metrics, to each destination.
constexpr std::chrono::milliseconds kOwnMetricsMax{1'000};

// For the last lines of the log, to each destination.
constexpr std::chrono::milliseconds kOwnLogMax{1'000};

pipeline::SpanloomStoreOptions StoreOptions(const pipeline::ServiceConfig& config) {
  config::Problems problems;
  pipeline::SpanloomStoreOptions options;
  const auto node = config.exporters.find({.type = "spanloom_store", .name = ""});
  if (node != config.exporters.end()) {
    options = config::ReadOptions<pipeline::SpanloomStoreOptions>(node->second, "", problems);
  }
  CHECK(problems.empty());  // checked with the rest of the configuration
  return options;
}

// The options of the store as they were written; null if it has none.
const config::Node& StoreNode(const pipeline::ServiceConfig& config) {
  static const config::Node none;
  const auto node = config.exporters.find({.type = "spanloom_store", .name = ""});
  return node == config.exporters.end() ? none : node->second;
}

// A part of service.telemetry as it was written; null if it was not.
const config::Node& SectionOf(const config::Node& telemetry, std::string_view key) {
  static const config::Node none;
  const config::Node* section = telemetry.Find(key);
  return section == nullptr ? none : *section;
}

// Says which differences between the configuration of the start and `now` a reload does not apply.
void WarnOfRestarts(const pipeline::ServiceConfig& start, const pipeline::ServiceConfig& now) {
  const auto warn = [](std::string_view key) {
    Log(LogLevel::kWarn, "this change takes effect at the next start only", {{"key", key}});
  };
  if (!config::SameContent(StoreNode(start), StoreNode(now))) warn("exporters::spanloom_store");
  if (!config::SameContent(SectionOf(SectionOf(start.telemetry.node, "logs"), "processors"),
                           SectionOf(SectionOf(now.telemetry.node, "logs"), "processors"))) {
    warn("service::telemetry::logs::processors");
  }
  for (const char* key : {"metrics", "traces", "resource"}) {
    if (!config::SameContent(SectionOf(start.telemetry.node, key), SectionOf(now.telemetry.node, key))) {
      warn(StrCat("service::telemetry::", key));
    }
  }
}

// A configuration as it was read, and what was understood of it.
struct CheckedConfig {
  config::Node root;
  pipeline::ServiceConfig parsed;
};

int64_t StartUnixNs(const Clock& clock, int64_t begin_steady_ns) {
  return clock.UnixNs() - (clock.SteadyNs() - begin_steady_ns);
}

// Everything that runs between start and stop, in order of construction.
class Process {
 public:
  Process(int64_t begin_ns, const ProcessPlan& plan) : begin_ns_(begin_ns), plan_(plan) {
    if (plan.has_store) senders_.emplace(Clock::System());
    const pipeline::StoreSource store = [this]() -> store::SpanStore& { return host_->store(); };
    findings_.emplace(metrics_, plan.has_store ? store : nullptr, Clock::System(),
                      OwnFindingsOptions{.listen_host = plan.listen_host, .is_in_pod = RunsInPod()});
    RegisterCollectorComponents(registry_, senders_ ? &*senders_ : nullptr, &*findings_);
    if (!plan.has_store) return;
    const auto store_state = [this]() -> query::StoreState {
      return {.kept = host_->Describe(), .stats = host_->store().Stats(), .retention = host_->retention()};
    };
    status_.emplace(metrics_, *senders_, store_state, Clock::System(), StartUnixNs(Clock::System(), begin_ns));
    RegisterStoreComponents(registry_, store, {.status = &*status_, .findings = &*findings_});
  }

  Status Start() {
    RETURN_IF_ERROR(ReadFirstConfig());
    metrics_.SetDetailed(config_.telemetry.has_detailed_metrics);
    const UsableCores cores = FindUsableCores();
    loops_ = std::make_unique<net::LoopPool>(cores.count, net::LoopRest::kWhenItPays);
    RETURN_IF_ERROR(PushLog());
    // The Collector's words, as others below: scripts wait for them.
    Log(LogLevel::kInfo, "Starting otelcol...", {{"Version", Version()}, {"NumCPU", cores.count}});
    LogLimits(cores);
    if (plan_.has_store) {
      ASSIGN_OR_RETURN(host_, StoreHost::Open(StoreOptions(config_), metrics_, Clock::System()));
    }
    loop_lag_.emplace(*loops_, metrics_);
    log_keeper_.emplace(loops_->Next());
    if (host_) store_control_ = host_->ServeControl(*loops_, metrics_);
    process_metrics_.emplace(metrics_, Clock::System(), begin_ns_, LabelsOf(resource_));
    if (config_.telemetry.traces) {
      ASSIGN_OR_RETURN(own_tracing_, sdk::Tracing::Create(*config_.telemetry.traces, sdk::EncodeResource(resource_),
                                                          {{.name = "spanloom", .version = Version()}}, *loops_,
                                                          Clock::System(), metrics_));
    }
    RETURN_IF_ERROR(PushMetrics());
    const pipeline::BuildContext context{.loops = *loops_,
                                         .metrics = metrics_,
                                         .clock = Clock::System(),
                                         .default_host = plan_.listen_host,
                                         .tracer = own_tracing_ ? own_tracing_->tracer() : sdk::Tracer::None(),
                                         .instance_id = InstanceId(resource_),
                                         .proxies = proxies_,
                                         .build = VersionText()};
    for (const pipeline::PrometheusReaderOptions& page : config_.telemetry.metrics_pages) {
      RETURN_IF_ERROR(ShowMetrics(page, context));
    }
    engine_ = pipeline::Engine::Build(config_, registry_, context);
    RETURN_IF_ERROR(engine_->Start());
    SayReady();
    return absl::OkStatus();
  }

  // Reads the same files and settings again and goes over to what they say now. What can't be read or started changes
  // nothing. On any thread, while no other call is under way.
  void Reload(std::stop_token hurry) {
    Log(LogLevel::kInfo, "reloading", {{"signal", "SIGHUP"}});
    ReopenLog();
    const Status status = TryReload(std::move(hurry));
    if (status.ok()) return;
    Log(LogLevel::kError, StrCat("cannot reload, the old configuration goes on: ", StdView(status.message())));
  }

  // Returns false if something that was acknowledged could not be delivered or kept.
  bool Stop() {
    Log(LogLevel::kInfo, "Starting shutdown...");
    if (own_tracing_) own_tracing_->Flush(kOwnSpansMax);
    const uint64_t undelivered = engine_->Stop(plan_.drain_timeout);
    if (own_tracing_) own_tracing_->Stop(kOwnSpansMax);
    for (const auto& pusher : metrics_pushers_) pusher->Stop(kOwnMetricsMax);
    if (undelivered > 0) {
      Log(LogLevel::kError,
          "stopped with spans that were acknowledged but not delivered; a longer outage needs a durable queue",
          {{"spans", undelivered}});
    }
    metrics_servers_.clear();
    if (store_control_) store_control_->Stop();
    const Status closed = host_ ? host_->Close() : absl::OkStatus();
    if (!closed.ok()) Log(LogLevel::kError, StdView(closed.message()));
    Log(LogLevel::kInfo, "Shutdown complete.");
    if (log_pusher_) log_pusher_->Stop(kOwnLogMax);
    return undelivered == 0 && closed.ok();
  }

 private:
  // `on_parsed` is called before anything is logged of it; its error is the result.
  StatusOr<CheckedConfig> ReadConfig(std::stop_token hurry,
                                     absl::FunctionRef<Status(const pipeline::ServiceConfig&)> on_parsed) {
    ASSIGN_OR_RETURN(ComposedConfig composed, plan_.load_config(std::move(hurry)));
    ASSIGN_OR_RETURN(pipeline::ServiceConfig config, pipeline::ParseServiceConfig(composed.root, registry_));
    RETURN_IF_ERROR(on_parsed(config));
    for (const std::string& warning : config.warnings) Log(LogLevel::kWarn, warning);
    for (const std::string& note : composed.notes) Log(LogLevel::kInfo, note);
    return CheckedConfig{.root = std::move(composed.root), .parsed = std::move(config)};
  }

  // And sets up what tells of the process.
  Status ReadFirstConfig() {
    Rng rng(Rng::SystemSeed());
    ASSIGN_OR_RETURN(CheckedConfig first, ReadConfig({}, [&](const pipeline::ServiceConfig& config) {
                       resource_ = OwnResource(config.telemetry.resource, rng);
                       return SetUpLog(plan_, config.telemetry.log, resource_);
                     }));
    config_ = std::move(first.parsed);
    findings_->SetConfig(std::move(first.root));
    log_ = config_.telemetry.log;
    return absl::OkStatus();
  }

  Status TryReload(std::stop_token hurry) {
    ASSIGN_OR_RETURN(CheckedConfig now,
                     ReadConfig(hurry, [](const pipeline::ServiceConfig&) { return absl::OkStatus(); }));
    const pipeline::ServiceConfig& config = now.parsed;
    RETURN_IF_ERROR(SetUpLog(plan_, config.telemetry.log, resource_));
    WarnOfRestarts(config_, config);
    const Status status = engine_->Reload(config, plan_.drain_timeout, std::move(hurry)).status();
    if (!status.ok()) return RestoreLog(status);
    findings_->SetConfig(std::move(now.root));
    log_ = config.telemetry.log;
    return status;
  }

  // After a reload that failed with `status`, which is returned.
  Status RestoreLog(const Status& status) {
    const Status restored = SetUpLog(plan_, log_, resource_);
    if (!restored.ok()) Log(LogLevel::kError, StdView(restored.message()));
    return status;
  }

  Status PushLog() {
    if (config_.telemetry.log_routes.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(log_pusher_, LogPusher::Create(config_.telemetry.log_routes, sdk::EncodeResource(resource_),
                                                    *loops_, Clock::System(), metrics_));
    return absl::OkStatus();
  }

  Status PushMetrics() {
    for (const pipeline::MetricsPush& push : config_.telemetry.metrics_pushes) {
      ASSIGN_OR_RETURN(std::unique_ptr<MetricsPusher> pusher,
                       MetricsPusher::Create(push, config_.telemetry.metrics_views, sdk::EncodeResource(resource_),
                                             Clock::System().UnixNs(), *loops_, Clock::System(), metrics_));
      metrics_pushers_.push_back(std::move(pusher));
    }
    return absl::OkStatus();
  }

  Status ShowMetrics(const pipeline::PrometheusReaderOptions& page, const pipeline::BuildContext& context) {
    MetricNaming naming{.has_type_suffix = !page.without_type_suffix, .has_unit_suffix = !page.without_units};
    if (page.with_resource_constant_labels) naming.labels = LabelsOf(resource_, *page.with_resource_constant_labels);
    if (!page.without_scope_info) {
      naming.labels.emplace_back("otel_scope_name", "spanloom");
      naming.labels.emplace_back("otel_scope_version", Version());
    }
    StatusOr<std::unique_ptr<net::Server>> server =
        ServeMetrics(*loops_, metrics_, std::move(naming), config_.telemetry.metrics_views,
                     pipeline::ListenEndpoint(page.Endpoint(), context, static_cast<uint16_t>(page.port)));
    if (!server.ok()) return Annotate(server.status(), "cannot serve metrics (service.telemetry.metrics)");
    metrics_servers_.push_back(*std::move(server));
    return absl::OkStatus();
  }

  void SayReady() {
    const int64_t start_ms = (Clock::System().SteadyNs() - begin_ns_) / 1'000'000;
    Log(LogLevel::kInfo, "Everything is ready. Begin running and processing data.",
        {{"version", Version()}, {"start_ms", start_ms}});
    const std::string text =
        StartMessage(engine_->endpoints(), engine_->acks(), host_ ? host_->Describe() : std::string());
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  const int64_t begin_ns_;
  const ProcessPlan& plan_;
  pipeline::Registry registry_;
  pipeline::ServiceConfig config_;  // of the start
  LogOptions log_;                  // as it is configured now
  config::StringMap resource_;
  MetricRegistry metrics_;
  const net::ProxyRules proxies_ = net::ProxyRules::FromEnvironment();
  std::unique_ptr<StoreHost> host_;  // null without a store, as are the next two
  std::optional<pipeline::SenderTable> senders_;
  std::optional<OwnStatus> status_;
  std::optional<OwnFindings> findings_;  // from the constructor on
  std::unique_ptr<net::LoopPool> loops_;
  std::unique_ptr<LogPusher> log_pusher_;  // null if the log is sent nowhere
  std::optional<net::LoopLag> loop_lag_;
  std::optional<LogKeeper> log_keeper_;
  std::optional<ProcessMetrics> process_metrics_;
  std::vector<std::unique_ptr<net::Server>> metrics_servers_;
  std::vector<std::unique_ptr<MetricsPusher>> metrics_pushers_;
  std::unique_ptr<StoreControl> store_control_;  // null if nobody may ask
  std::unique_ptr<sdk::Tracing> own_tracing_;    // null if there are no spans about this process
  std::unique_ptr<pipeline::Engine> engine_;
};

}  // namespace

void SetUpLog(const ProcessPlan& plan) {
  const Status status = SetUpLog(plan, LogOptions(), {});
  CHECK(status.ok());  // standard error can be opened
}

int RunProcess(const ProcessPlan& plan, int64_t begin_ns) {
  const sigset_t signals = BlockSignals();
  Process process(begin_ns, plan);
  if (const Status started = process.Start(); !started.ok()) {
    Log(LogLevel::kError, StrCat("cannot start: ", StdView(started.message())));
    return 1;
  }
  GiveBackProgramPages();
  WaitForStop(signals, [&](std::stop_token hurry) { process.Reload(std::move(hurry)); });
  LetNextSignalKill(signals);
  return process.Stop() ? 0 : 1;
}

}  // namespace spanloom::app
