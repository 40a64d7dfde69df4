// SPDX-License-Identifier: Apache-2.0

#include "app/simulator.h"

#include <absl/algorithm/container.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "app/config_sources.h"
#include "app/flags_file.h"
#include "app/signals.h"
#include "app/simulator_arguments.h"
#include "app/simulator_tracing.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/process_cores.h"
#include "base/text.h"
#include "llmd/simulator/simulator.h"
#include "net/loop.h"

namespace spanloom::app {
namespace {

using llmd::simulator::KvEventPublisher;
using llmd::simulator::RankOutlets;
using llmd::simulator::Role;
using llmd::simulator::Simulator;

constexpr int kError = 1;
constexpr const char* kName = "spanloom simulator";
constexpr const char* kWords = "A model server without a model: vLLM's API, metrics, KV events and spans";
constexpr int kUsageError = 2;
constexpr std::chrono::milliseconds kSpansMax{2'000};  // to send the last spans; guess

std::string ServiceName(const SimulatorArguments& arguments) {
  const Role role = arguments.options.role;
  const std::string_view name = role == Role::kPrefill  ? "vllm-prefill"
                                : role == Role::kDecode ? "vllm-decode"
                                                        : "vllm";
  return StrCat(name, arguments.service_suffix);
}

void ReadPod(llmd::simulator::SimulatorOptions& options) {
  const auto read = [](const char* name, std::string& target) {
    if (const char* value = std::getenv(name); value != nullptr) target = value;
  };
  read("POD_NAME", options.pod_name);
  read("POD_NAMESPACE", options.pod_namespace);
  read("VLLM_NIXL_SIDE_CHANNEL_HOST", options.side_channel_host);
}

StatusOr<uint16_t> ReadPort(const char* name, int port) {
  const char* const text = std::getenv(name);
  if (text != nullptr && (!absl::SimpleAtoi(text, &port) || port < 0 || port > UINT16_MAX))
    return absl::InvalidArgumentError(StrCat(name, " is \"", text, "\", which is no port"));
  return static_cast<uint16_t>(port);
}

// A pair of prefill and decode talks past the proxy, as NIXL does; one that is alone has nobody to talk to.
Status ReadSideChannel(SimulatorArguments& arguments) {
  if (arguments.words.role.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(arguments.options.side_channel_port, ReadPort("VLLM_NIXL_SIDE_CHANNEL_PORT", 5'600));
  const bool decodes = arguments.options.role == Role::kDecode;
  if (decodes) arguments.options.bootstrap_port.reset();  // it asks at others
  if (!arguments.words.is_mooncake || decodes || arguments.options.bootstrap_port) return absl::OkStatus();
  ASSIGN_OR_RETURN(arguments.options.bootstrap_port, ReadPort("VLLM_MOONCAKE_BOOTSTRAP_PORT", 8'998));
  return absl::OkStatus();
}

// All that runs, in the order in which it is made.
class SimulatorProcess {
 public:
  explicit SimulatorProcess(const SimulatorArguments& arguments)
      : arguments_(arguments), metrics_(arguments.ranks), loops_(FindUsableCores().count) {}

  Status Start() {
    const SimulatorTracingOptions tracing{arguments_.traces_endpoint, ServiceName(arguments_),
                                          arguments_.options.is_faithful,
                                          arguments_.options.startup_duration.count() > 0};
    ASSIGN_OR_RETURN(tracing_, SimulatorTracing::Create(tracing, loops_, Clock::System(), metrics_.front()));
    tracing_->TellStartup(arguments_.options.startup_duration);
    RETURN_IF_ERROR(PublishEvents());
    std::vector<RankOutlets> outlets;
    for (size_t rank = 0; rank < arguments_.ranks; ++rank) outlets.push_back({&metrics_[rank], events_[rank].get()});
    ASSIGN_OR_RETURN(simulator_,
                     Simulator::Create(arguments_.options, loops_, outlets, Clock::System(), tracing_->tracer()));
    TellWhatIsUnheeded();
    if (!arguments_.detailed_traces.empty()) {
      Log(LogLevel::kWarn,
          "--collect-detailed-traces changes no span, as in every vLLM since 0.11: --otlp-traces-endpoint alone gives "
          "them all");
    }
    Log(LogLevel::kInfo, "ready",
        {{"model", arguments_.options.model},
         {"spans", arguments_.traces_endpoint.empty() ? "off" : arguments_.traces_endpoint}});
    return absl::OkStatus();
  }

  void Stop() {
    const size_t cut_off = simulator_->Stop(arguments_.drain_timeout);
    if (cut_off > 0) Log(LogLevel::kWarn, "requests were cut off", {{"requests", static_cast<int64_t>(cut_off)}});
    simulator_.reset();
    tracing_->Stop(kSpansMax);
  }

 private:
  void TellWhatIsUnheeded() const {
    const std::vector<std::string> flags = WithoutEffect(arguments_.foreign);
    if (!flags.empty()) Log(LogLevel::kInfo, "flags without effect here", {{"flags", absl::StrJoin(flags, " ")}});
    const auto& dataset = arguments_.options.dataset;
    if (dataset == nullptr) return;
    Log(LogLevel::kInfo, "answers come from a data set",
        {{"file", arguments_.words.dataset_path}, {"answers", static_cast<int64_t>(dataset->size())}});
  }

  // Each rank publishes for itself.
  Status PublishEvents() {
    for (size_t rank = 0; rank < arguments_.ranks; ++rank) {
      std::unique_ptr<KvEventPublisher>& events = events_.emplace_back();
      if (arguments_.events.endpoint.empty()) continue;
      const llmd::simulator::KvEventOptions options = EventsOf(arguments_, rank);
      ASSIGN_OR_RETURN(events, KvEventPublisher::Create(options, Clock::System(), metrics_[rank]));
      Log(LogLevel::kInfo, "publishing KV events",
          {{"kv_events", events->endpoint()}, {"kv_replay", events->replay_endpoint()}, {"topic", options.topic}});
    }
    return absl::OkStatus();
  }

  const SimulatorArguments& arguments_;
  std::vector<MetricRegistry> metrics_;  // [ranks]
  net::LoopPool loops_;
  std::unique_ptr<SimulatorTracing> tracing_;
  std::vector<std::unique_ptr<KvEventPublisher>> events_;  // [ranks]; null: nothing is published
  std::unique_ptr<Simulator> simulator_;
};

int Run(const SimulatorArguments& arguments) {
  const sigset_t signals = BlockSignals();
  ConfigureLog(*ParseLogFormat(arguments.log_format), *ParseLogLevel(arguments.log_level));
  SimulatorProcess process(arguments);
  if (const Status started = process.Start(); !started.ok()) {
    Log(LogLevel::kError, StrCat("cannot start: ", StdView(started.message())));
    return kError;
  }
  WaitForStop(signals, [](const std::stop_token&) {});
  LetNextSignalKill(signals);
  process.Stop();
  return 0;
}

int Complain(const Status& status) {
  std::fputs(StrCat("Error: ", StdView(status.message()), "\n").c_str(), stderr);
  return kUsageError;
}

// nullopt, or what the process is to end with: after --help, or an error, which was told; one of `file` unless that is
// "".
std::optional<int> Parse(CLI::App& command, std::vector<std::string> arguments, const std::string& file) {
  try {
    absl::c_reverse(arguments);  // as CLI11 takes them
    command.parse(std::move(arguments));
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (!file.empty()) return Complain(absl::InvalidArgumentError(StrCat(file, ": ", error.what())));
    const int code = command.exit(error);
    return code == 0 ? 0 : kUsageError;
  }
}

// The arguments, and in front of them what `file` says besides.
StatusOr<std::vector<std::string>> WithFile(const CLI::App& asked, const std::string& file,
                                            const std::vector<std::string>& arguments) {
  if (file.empty()) return arguments;
  // Blocks of llm-d-inference-sim's files, whose flags may also stand at the top.
  static const std::vector<std::string> groups = {"latencies", "kvcache", "tool-calls", "dataset", "ssl", "lora"};
  ASSIGN_OR_RETURN(const std::string text, ReadConfigurationFile(file));
  ASSIGN_OR_RETURN(std::vector<std::string> all, ReadFlagsFile(text, file, asked, groups));
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

}  // namespace

cli::reference::CommandDoc DescribeSimulator() {
  CLI::App command(kWords, kName);
  SimulatorArguments arguments;
  DeclareSimulatorArguments(command, arguments);
  return cli::reference::ReadCommand(command);
}

int RunSimulator(const std::vector<std::string>& arguments) {
  CLI::App asked(kWords, kName);
  SimulatorArguments from_command;
  DeclareSimulatorArguments(asked, from_command);
  if (const auto code = Parse(asked, arguments, "")) return *code;
  const std::string& file = from_command.words.config_file;
  StatusOr<std::vector<std::string>> all = WithFile(asked, file, arguments);
  if (!all.ok()) return Complain(all.status());
  CLI::App command(kWords, kName);
  SimulatorArguments parsed;
  ReadPod(parsed.options);
  DeclareSimulatorArguments(command, parsed);
  if (const auto code = Parse(command, *std::move(all), file)) return *code;
  Status status = CompleteArguments(parsed);
  if (status.ok()) status = ReadSideChannel(parsed);
  return status.ok() ? Run(parsed) : Complain(status);
}

}  // namespace spanloom::app
