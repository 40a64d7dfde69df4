// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/simulator.h"

#include <utility>

#include "base/mutex.h"
#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr size_t kConnectionsMax = 65'536;  // ten thousand streams and more

Rng SeedOf(const SimulatorOptions& options) {
  return Rng(options.seed ? *options.seed : Rng::SystemSeed());
}

// As vLLM without PYTHONHASHSEED: hashes that no other process has.
std::string HashSeed(const SimulatorOptions& options) {
  return options.hash_seed.empty() ? StrCat(Rng::SystemSeed()) : options.hash_seed;
}

std::vector<std::string> ServedNames(const SimulatorOptions& options) {
  return options.served_names.empty() ? std::vector{options.model} : options.served_names;
}

std::vector<Adapter> Adapters(const SimulatorOptions& options) {
  std::vector<Adapter> adapters;
  for (const std::string& name : options.lora_names) adapters.push_back({.name = name});
  return adapters;
}

}  // namespace

Simulator::Simulator(SimulatorOptions options, net::LoopPool& loops, MetricRegistry& metrics, const Clock& clock,
                     const sdk::Tracer& tracer, KvEventSink* events)
    : options_(std::move(options)),
      engine_metrics_(metrics, {.model_name = ServedNames(options_).front(),
                                .blocks = options_.engine.blocks,
                                .block_tokens = options_.engine.block_tokens,
                                .finds_blocks = options_.engine.finds_blocks}),
      hasher_(options_.hash_algorithm, options_.engine.block_tokens, HashSeed(options_)),
      names_(ServedNames(options_), Adapters(options_), options_.loras_max),
      engine_(options_.engine, SeedOf(options_), loops, clock, engine_metrics_, events),
      serving_{options_, clock, tracer, hasher_, engine_, engine_metrics_, names_, request_count_, loops},
      api_(serving_, metrics) {}

StatusOr<std::unique_ptr<Simulator>> Simulator::Create(SimulatorOptions options, net::LoopPool& loops,
                                                       MetricRegistry& metrics, const Clock& clock,
                                                       const sdk::Tracer& tracer, KvEventSink* events) {
  RETURN_IF_ERROR(Validate(options));
  if (options.engine_id.empty()) {
    Rng rng(SeedOf(options));
    options.engine_id = StrCat("spanloom-", absl::Hex(rng.Next(), absl::kZeroPad16));
  }
  std::unique_ptr<Simulator> simulator(new Simulator(std::move(options), loops, metrics, clock, tracer, events));
  RETURN_IF_ERROR(simulator->OpenSideChannel(loops, metrics));
  net::ServerOptions server;
  server.name = "simulator";
  server.endpoint = simulator->options_.endpoint;
  server.tls = simulator->options_.tls;
  server.limits.connections_max = kConnectionsMax;
  server.http = [api = &simulator->api_](net::HttpRequest request, net::HttpResponder responder) {
    api->Handle(std::move(request), std::move(responder));
  };
  ASSIGN_OR_RETURN(simulator->server_, net::Server::Create(loops, metrics, std::move(server)));
  return simulator;
}

// Prefill listens, and everybody may ask.
Status Simulator::OpenSideChannel(net::LoopPool& loops, MetricRegistry& metrics) {
  if (!options_.side_channel_port) return absl::OkStatus();
  const bool listens = options_.role != Role::kDecode;
  const std::string endpoint = listens ? StrCat(options_.side_channel_host, ":", *options_.side_channel_port) : "";
  ASSIGN_OR_RETURN(side_channel_, SideChannel::Create(endpoint, loops, metrics, engine_));
  serving_.side_channel = side_channel_.get();
  return absl::OkStatus();
}

void Simulator::SettleLoops() {
  for (size_t i = 0; i < serving_.loops.size(); ++i) {
    Notification done;
    serving_.loops.At(i).Post([&done] { done.Notify(); });
    done.Wait();
  }
}

// A request that is cut off ends by way of both sides: its abort goes to the engine, whose news come back, and may make
// it abort the rest of its sequences.
Simulator::~Simulator() {
  if (server_ != nullptr) server_->Stop(std::chrono::milliseconds(0));
  SettleLoops();
  side_channel_.reset();
  for (int way = 0; way < 2; ++way) {
    SettleLoops();
    engine_.Settle();
  }
  SettleLoops();
}

}  // namespace spanloom::llmd::simulator
