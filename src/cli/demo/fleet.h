// SPDX-License-Identifier: Apache-2.0
//
// Who takes part in a demo: the processes, the ports they meet at, and what each is told.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/demo/child_process.h"
#include "cli/demo/options.h"

namespace spanloom::cli::demo {

inline constexpr char kModel[] = "meta-llama/Llama-3.1-8B-Instruct";

// Where requests go, on loopback; those of `serve` are the standard ones.
struct FleetPorts {
  uint16_t page = 16686;
  uint16_t otlp_grpc = 4317;
  uint16_t otlp_http = 4318;
  uint16_t health = 13133;
  uint16_t metrics = 8888;
  std::vector<uint16_t> prefill = {};       // simulators
  std::vector<uint16_t> decode = {};        // simulators
  std::vector<uint16_t> side_channel = {};  // of all simulators, those of prefill first: where blocks are fetched
  std::vector<uint16_t> proxy = {};         // in front of decode, by index
};

// As many ports as `options` need that nobody listens on now. kUnavailable if the kernel gives none.
StatusOr<FleetPorts> PickPorts(const DemoOptions& options);

// `serve` first, then who sends to it. `program` is the path of this binary; logs go to `log_folder`.
std::vector<Command> FleetCommands(const DemoOptions& options, const FleetPorts& ports, const std::string& program,
                                   const std::string& log_folder);

}  // namespace spanloom::cli::demo
