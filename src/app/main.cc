// SPDX-License-Identifier: Apache-2.0
//
// The `spanloom` command: one binary, a subcommand for each job.

#include <malloc.h>

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/collector.h"
#include "app/config_reference.h"
#include "app/routing_proxy.h"
#include "app/serve.h"
#include "app/serve_arguments.h"
#include "app/simulator.h"
#include "app/version.h"
#include "base/open_files.h"
#include "cli/demo/demo.h"
#include "cli/doctor/doctor_command.h"
#include "cli/store/store_command.h"
#include "cli/tracegen/tracegen.h"

namespace {

constexpr int kUsageError = 2;

// Free memory at the end of each of glibc's arenas, one a thread, that is kept for the next request; without it every
// request of some 100 KB gives its pages back and faults them in again, a third of the time OTLP/JSON takes
// (`./dev bench net`; 2 MiB did as well as 16). What is above goes back but for the pad: without one all but 128 KiB of
// it, which cost `./dev bench collector` a third of its time; 4, 8 and 16 MiB took 0.60, 0.53 and 0.53 µs a span
// with gzip.
constexpr int kKeptBytesMax = 4 << 20;
constexpr int kPadBytes = 8 << 20;
constexpr int kMappedBytesMin = 4 << 20;  // larger blocks are mapped, and unmapped when they are freed; guess

// What every server does before it starts.
void Prepare() {
  spanloom::RaiseOpenFilesLimit();
  mallopt(M_TRIM_THRESHOLD, kKeptBytesMax);
  mallopt(M_TOP_PAD, kPadBytes);
  mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
}

}  // namespace

int main(int argc, char** argv) {
  // These read their own command lines.
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "tracegen") return spanloom::cli::tracegen::Run(argc - 1, argv + 1);
  if (command == "demo") return spanloom::cli::demo::Run(argc - 1, argv + 1);
  if (command == "doctor") return spanloom::cli::doctor::Run(argc - 1, argv + 1);
  if (command == "store") return spanloom::cli::store::Run(argc - 1, argv + 1);
  if (command == "simulator") {
    Prepare();
    return spanloom::app::RunSimulator({argv + 2, argv + argc});
  }
  if (command == "collector") {
    Prepare();
    return spanloom::app::RunCollector({argv + 2, argv + argc});
  }

  if (command == "routing-proxy") {
    Prepare();
    return spanloom::app::RunRoutingProxy({argv + 2, argv + argc});
  }

  CLI::App app("Distributed tracing for LLM inference", "spanloom");
  app.set_version_flag("--version", spanloom::app::VersionText());
  app.require_subcommand(1);
  spanloom::app::ServeArguments arguments;
  CLI::App* serve = app.add_subcommand("serve", "Collector, store, query API and page in one process");
  spanloom::app::DeclareServeArguments(*serve, arguments);
  CLI::App* reference = app.add_subcommand("config-reference", "Print the reference of the configuration, as Markdown");
  std::string reference_directory;
  reference->add_option("--out", reference_directory, "Write a page per component into this directory instead")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  app.add_subcommand("collector", "Run a configuration of the OpenTelemetry Collector, for traces");
  app.add_subcommand("demo", "A small llm-d cluster on this machine, with live traffic and its traces");
  app.add_subcommand("doctor", "Read values files, manifests and configurations, and say why traces are missing");
  app.add_subcommand("routing-proxy", "Sidecar of a decode pod in llm-d: prefill elsewhere, decode here");
  app.add_subcommand("simulator", "A model server without a model: vLLM's API, metrics, KV events and spans");
  app.add_subcommand("store", "Look into a store, copy it, put it in order");
  app.add_subcommand("tracegen", "Send llm-d shaped or plain traces over OTLP");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kUsageError;
  }
  if (reference->parsed()) return spanloom::app::PrintConfigReference(reference_directory);
  Prepare();
  return spanloom::app::Serve(arguments);
}
