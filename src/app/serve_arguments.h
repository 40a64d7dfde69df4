// SPDX-License-Identifier: Apache-2.0
//
// The command line of `spanloom serve`.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/drain_argument.h"
#include "base/log.h"

namespace CLI {
class App;
}  // namespace CLI

namespace spanloom::app {

enum class ServeVerb : uint8_t { kRun, kPrintConfig, kValidate };

struct ServeArguments {
  std::vector<std::string> config_files;  // merged in order over the built-in configuration
  std::vector<std::string> settings;      // "a.b.c=value", over the files
  std::string data_dir;                   // "": as the files say; without any, DefaultDataDir()
  bool in_memory = false;                 // instead
  std::string listen_host = "127.0.0.1";
  bool append_store = true;
  std::string log_format;  // "" leaves it to service.telemetry.logs
  std::string log_level;
  std::chrono::milliseconds drain_timeout = kDrainTimeout;
  ServeVerb verb = ServeVerb::kRun;
};

// Declares the options of `serve` on `command`; parsing fills `arguments`, which must outlive it.
void DeclareServeArguments(CLI::App& command, ServeArguments& arguments);

}  // namespace spanloom::app
