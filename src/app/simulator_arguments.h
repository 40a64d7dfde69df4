// SPDX-License-Identifier: Apache-2.0
//
// The command line of `spanloom simulator`: the flags of llm-d-inference-sim, and those of vLLM that mean something to
// a server without a model. Manual: docs/simulator.md.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "app/drain_argument.h"
#include "app/simulator_foreign_flags.h"
#include "llmd/simulator/kv_event_publisher.h"
#include "llmd/simulator/options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace spanloom::app {

struct SimulatorArguments {
  llmd::simulator::SimulatorOptions options = {};
  llmd::simulator::KvEventOptions events = {};
  std::string traces_endpoint = {};               // --otlp-traces-endpoint; "": no spans
  std::vector<std::string> detailed_traces = {};  // --collect-detailed-traces, which changes nothing, as in vLLM
  std::string service_suffix = {};
  ForeignFlags foreign = {};
  size_t ranks = 1;  // --data-parallel-size
  std::string log_format = "text";
  std::string log_level = "info";
  std::chrono::milliseconds drain_timeout = kDrainTimeout;

  // As they stand on the command line; CompleteArguments makes options of them.
  struct Words {
    std::string host = "0.0.0.0";
    uint16_t port = 8'000;
    std::string certificate_file = {};
    std::string key_file = {};
    std::string config_file = {};
    std::string engine = {};
    std::string runner = "auto";
    std::string mode = "random";
    std::string dataset_path = {};
    std::string dataset_table = "llmd";
    std::string dataset_url = {};
    std::optional<int> verbosity = {};  // --v
    std::string calculator = {};
    std::string role = {};
    std::string hash_algorithm = "sha256_cbor";
    std::string kv_transfer_config = {};  // JSON, of vLLM
    std::string kv_events_config = {};    // the same
    bool has_event_maps = false;
    std::vector<std::string> lora_modules = {};
    bool has_batched_tokens = false;
    bool is_self_signed = false;
    bool is_mooncake = false;       // by kv_connector
    std::string fake_metrics = {};  // JSON, of llm-d-inference-sim
    size_t body_megabytes_max = 4;
    std::optional<size_t> rank = {};
  } words = {};
};

// Declares every option on `command`; parsing fills `arguments`, which must outlive it.
void DeclareSimulatorArguments(CLI::App& command, SimulatorArguments& arguments);

// What the rank that is `offset` behind the first publishes its events as, in place of arguments.events: its number,
// and endpoints and a topic of its own.
llmd::simulator::KvEventOptions EventsOf(const SimulatorArguments& arguments, size_t offset);

// Makes options of what was parsed. kInvalidArgument names the flag and what is allowed.
Status CompleteArguments(SimulatorArguments& arguments);

}  // namespace spanloom::app
