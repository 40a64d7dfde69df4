// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/rank.h"

#include <utility>

#include "base/mutex.h"
#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr size_t kConnectionsMax = 65'536;  // ten thousand streams and more

// The times of ranks differ, also with one seed.
Rng SeedOf(const SimulatorOptions& options) {
  return Rng(options.seed ? *options.seed + options.rank : Rng::SystemSeed());
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

// vLLM's has its version, and eight digits of what tells two of them apart.
std::string FingerprintOf(const SimulatorOptions& options) {
  uint32_t hash = 0;
  for (const char c : options.model) hash = static_cast<uint32_t>(Rng(hash ^ static_cast<uint8_t>(c)).Next());
  return StrCat("vllm-", kVllmVersion, "-", absl::Hex(hash, absl::kZeroPad8));
}

EngineFacts Facts(const SimulatorOptions& options, const Clock& clock) {
  return {
      .model_name = ServedNames(options).front(),
      .blocks = options.engine.blocks,
      .block_tokens = options.engine.block_tokens,
      .finds_blocks = options.engine.finds_blocks,
      .rank = options.rank,
      .model_tokens_max = options.model_tokens_max,
      .loras_max = options.engine.loras_max,
      .cache_dtype = options.cache_dtype,
      .hash_algorithm = options.hash_algorithm == wire::BlockHashAlgorithm::kSha256Cbor ? "sha256_cbor" : "xxhash_cbor",
      .clock = &clock};
}

}  // namespace

Rank::Rank(SimulatorOptions options, net::LoopPool& loops, const RankOutlets& outlets, const Clock& clock,
           const sdk::Tracer& tracer)
    : options_(std::move(options)),
      metrics_(*outlets.metrics),
      engine_metrics_(metrics_, Facts(options_, clock)),
      hasher_(options_.hash_algorithm, options_.engine.block_tokens, HashSeed(options_)),
      names_(ServedNames(options_), Adapters(options_)),
      engine_(options_.engine, SeedOf(options_), loops, clock, engine_metrics_, outlets.events),
      serving_{options_,        clock,  tracer,         hasher_, engine_,
               engine_metrics_, names_, request_count_, loops,   FingerprintOf(options_)},
      api_(serving_, metrics_) {}

Rank::~Rank() = default;

Status Rank::Open(std::span<const Serving* const> ranks) {
  RETURN_IF_ERROR(OpenSideChannel());
  api_.SetRanks(ranks);
  net::ServerOptions server;
  server.name = options_.rank == 0 ? "simulator" : StrCat("simulator/", options_.rank);
  server.endpoint = options_.endpoint;
  server.tls = options_.tls;
  server.limits.connections_max = kConnectionsMax;
  server.limits.body_bytes_max = options_.body_bytes_max;
  server.http = [this](net::HttpRequest request, net::HttpResponder responder) {
    api_.Handle(std::move(request), std::move(responder));
  };
  server.grpc = api_.Rpcs();
  ASSIGN_OR_RETURN(server_, net::Server::Create(serving_.loops, metrics_, std::move(server)));
  return absl::OkStatus();
}

// Prefill listens, and everybody may ask.
Status Rank::OpenSideChannel() {
  if (!options_.side_channel_port) return absl::OkStatus();
  const bool listens = options_.role != Role::kDecode;
  const std::string endpoint = listens ? StrCat(options_.side_channel_host, ":", *options_.side_channel_port) : "";
  ASSIGN_OR_RETURN(side_channel_, SideChannel::Create(endpoint, serving_.loops, metrics_, engine_));
  serving_.side_channel = side_channel_.get();
  return absl::OkStatus();
}

size_t Rank::Stop(std::chrono::milliseconds grace) {
  return server_ == nullptr ? 0 : server_->Stop(grace);
}

void SettleLoops(net::LoopPool& loops) {
  for (size_t i = 0; i < loops.size(); ++i) {
    Notification done;
    loops.At(i).Post([&done] { done.Notify(); });
    done.Wait();
  }
}

}  // namespace spanloom::llmd::simulator
