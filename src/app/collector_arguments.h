// SPDX-License-Identifier: Apache-2.0
//
// The command line of `spanloom collector`, which is the OpenTelemetry Collector's.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "app/drain_argument.h"
#include "config/print.h"

namespace CLI {
class App;
}  // namespace CLI

namespace spanloom::app {

enum class CollectorVerb : uint8_t { kRun, kValidate, kComponents, kPrintConfig };
enum class ConfigFormat : uint8_t { kYaml, kJson };

struct CollectorArguments {
  std::vector<std::string> locations;      // config/location.h; merged in order
  std::vector<std::string> settings;       // "a.b.c=value", over them
  std::vector<std::string> feature_gates;  // as written, "a,-b"; they have no meaning here
  std::chrono::milliseconds drain_timeout = kDrainTimeout;
  CollectorVerb verb = CollectorVerb::kRun;
  // Of kPrintConfig.
  ConfigFormat format = ConfigFormat::kYaml;
  config::Secrets secrets = config::Secrets::kRedacted;
  bool validates = true;
};

// Declares the options and verbs on `command`; parsing fills `arguments`, which must outlive it.
void DeclareCollectorArguments(CLI::App& command, CollectorArguments& arguments);

// The arguments as the parser takes them: flags are long with one dash too (-config), as in Go. `arguments` without the
// command's name.
std::vector<std::string> WithTwoDashes(std::vector<std::string> arguments);

}  // namespace spanloom::app
