// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/options.h"

#include <absl/time/time.h>

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace spanloom::cli::demo {
namespace {

constexpr double kRateMin = 0.01;
constexpr double kRateMax = 10'000;  // more than one machine serves; guess
constexpr int kSimulatorsMax = 32;   // processes; guess

StatusOr<std::chrono::milliseconds> ParseDuration(const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        AbslView(StrCat("--duration: \"", text, "\" is not a duration such as 30s or 10m")));
  }
  return absl::ToChronoMilliseconds(duration);
}

constexpr const char* kWords = "A small llm-d cluster on this machine, with live traffic and its traces";
constexpr const char* kName = "spanloom demo";
constexpr const char* kDefaultDuration = "0s";

void DeclareOptions(CLI::App& app, DemoOptions& options, std::string& duration) {
  app.add_option("--rate", options.rate, "Requests a second, on average")
      ->check(CLI::Range(kRateMin, kRateMax))
      ->capture_default_str();
  app.add_option("--prefill", options.prefill_count, "Simulators that only prefill")
      ->check(CLI::Range(1, kSimulatorsMax))
      ->capture_default_str();
  app.add_option("--decode", options.decode_count, "Simulators that only decode, each behind a routing proxy")
      ->check(CLI::Range(1, kSimulatorsMax))
      ->capture_default_str();
  app.add_option("--data-dir", options.data_dir, "Keep the traces here, on disk; else they are lost at the end")
      ->type_name("DIR");
  app.add_option("--listen", options.listen_host, "Host on which the page and the OTLP ports are open")
      ->type_name("HOST")
      ->capture_default_str();
  app.add_flag(
      "--free-ports", options.free_ports,
      "Take whatever ports are free, for the page and OTLP too, in place of 16686, 4317, 4318, 13133 and 8888");
  app.add_option("--duration", duration, "Ends by itself after this time; 0s: at Ctrl-C")->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of prompts, lengths and arrivals")->capture_default_str();
}

}  // namespace

reference::CommandDoc Describe() {
  CLI::App app(kWords, kName);
  DemoOptions options;
  std::string duration = kDefaultDuration;
  DeclareOptions(app, options, duration);
  return reference::ReadCommand(app);
}

StatusOr<std::variant<DemoOptions, HelpText>> ParseOptions(int argc, const char* const* argv) {
  DemoOptions options;
  std::string duration = kDefaultDuration;
  CLI::App app(kWords, kName);
  DeclareOptions(app, options, duration);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return HelpText{app.help()};
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  ASSIGN_OR_RETURN(options.duration, ParseDuration(duration));
  return options;
}

}  // namespace spanloom::cli::demo
