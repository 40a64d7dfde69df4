// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/simulator.h"

#include <absl/strings/numbers.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "base/rng.h"
#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

// The endpoint of the rank that is `offset` behind the first: its port is that much higher, if it is one that was
// named.
std::string Shifted(const std::string& endpoint, size_t offset) {
  const size_t colon = endpoint.rfind(':');
  uint32_t port = 0;
  if (!absl::SimpleAtoi(endpoint.substr(colon + 1), &port) || port == 0) return endpoint;
  return StrCat(endpoint.substr(0, colon + 1), port + offset);
}

// What the rank that is `offset` behind the first is told. With several, its engine's name says which it is, as vLLM's.
SimulatorOptions OptionsOf(const SimulatorOptions& options, size_t offset, bool is_one_of_several) {
  SimulatorOptions of_rank = options;
  of_rank.rank = options.rank + offset;
  of_rank.endpoint = Shifted(options.endpoint, offset);
  if (is_one_of_several) StrAppend(of_rank.engine_id, "_dp", of_rank.rank);
  if (options.side_channel_port.value_or(0) != 0) {
    of_rank.side_channel_port = static_cast<uint16_t>(*options.side_channel_port + offset);
  }
  return of_rank;
}

std::string MakeUpEngineId(const SimulatorOptions& options) {
  Rng rng(options.seed ? *options.seed : Rng::SystemSeed());
  return StrCat("spanloom-", absl::Hex(rng.Next(), absl::kZeroPad16));
}

}  // namespace

StatusOr<std::unique_ptr<Simulator>> Simulator::Create(const SimulatorOptions& options, net::LoopPool& loops,
                                                       std::span<const RankOutlets> outlets, const Clock& clock,
                                                       const sdk::Tracer& tracer) {
  RETURN_IF_ERROR(Validate(options));
  SimulatorOptions named = options;
  if (named.engine_id.empty()) named.engine_id = MakeUpEngineId(options);
  std::unique_ptr<Simulator> simulator(new Simulator(loops, clock));
  simulator->live_ = std::make_unique<LiveOptions>(named);
  const bool is_parallel = outlets.size() > 1 || options.rank > 0;
  for (size_t offset = 0; offset < outlets.size(); ++offset) {
    SimulatorOptions of_rank = OptionsOf(named, offset, is_parallel);
    simulator->ranks_.push_back(std::make_unique<Rank>(std::move(of_rank), loops, outlets[offset], clock, tracer));
    simulator->ranks_.back()->SetLiveOptions(*simulator->live_);
    simulator->servings_.push_back(&simulator->ranks_.back()->serving());
  }
  RETURN_IF_ERROR(simulator->OpenBootstrapServer(options));
  for (const auto& rank : simulator->ranks_) RETURN_IF_ERROR(rank->Open(simulator->servings_));
  return simulator;
}

// One for all ranks, as prefill's are.
Status Simulator::OpenBootstrapServer(const SimulatorOptions& options) {
  if (!options.bootstrap_port) return absl::OkStatus();
  std::map<size_t, std::string> engines;
  for (const auto& rank : ranks_) {
    rank->SetMeetings(meetings_);
    const SimulatorOptions& of_rank = rank->serving().options;
    engines.emplace(of_rank.rank, of_rank.engine_id);
  }
  const std::string host = options.endpoint.substr(0, options.endpoint.rfind(':'));
  ASSIGN_OR_RETURN(bootstrap_, BootstrapServer::Create(StrCat(host, ":", *options.bootstrap_port), std::move(engines),
                                                       loops_, ranks_.front()->metrics(), meetings_));
  return absl::OkStatus();
}

// All at once: none is to take requests while it waits for another's to end.
size_t Simulator::Stop(std::chrono::milliseconds grace) {
  std::atomic<size_t> cut_off = 0;
  std::vector<std::thread> waiting;
  for (const auto& rank : ranks_) waiting.emplace_back([&] { cut_off += rank->Stop(grace); });
  for (std::thread& thread : waiting) thread.join();
  return cut_off;
}

// A request that is cut off ends by way of both sides: its abort goes to the engine, whose news come back, and may make
// it abort the rest of its sequences.
Simulator::~Simulator() {
  Stop(std::chrono::milliseconds(0));
  SettleLoops(loops_);
  bootstrap_.reset();
  for (const auto& rank : ranks_) rank->CloseSideChannel();
  for (int way = 0; way < 2; ++way) {
    SettleLoops(loops_);
    for (const auto& rank : ranks_) rank->SettleEngine();
  }
  SettleLoops(loops_);
}

}  // namespace spanloom::llmd::simulator
