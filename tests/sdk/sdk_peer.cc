// SPDX-License-Identifier: Apache-2.0
//
//   sdk_peer script    makes the spans that standard input says (script.h), sends them, and prints how many of them
//   were
//                      exported and lost as its last line
//   sdk_peer decide    prints for each trace id on standard input, a line each, whether a root of it is sampled
// All else is said by the OTEL_* variables. What is wrong with them is on standard error; then it ends with 2.

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "sdk/environment.h"
#include "sdk/resource.h"
#include "sdk/tracing.h"
#include "tests/sdk/script.h"

namespace spanloom::sdk {
namespace {

constexpr std::chrono::seconds kGrace{20};

void Decide(const Sampler& sampler) {
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("%d\n", sampler.Samples({}, *otlp::ParseTraceId(line)) ? 1 : 0);
  }
}

uint64_t Lost(MetricRegistry& metrics) {
  uint64_t lost = 0;
  for (const char* cause : {"full", "refused", "unreachable", "shutdown"}) {
    lost += metrics.GetCounter("spanloom_own_spans_dropped", "", {{"cause", cause}}).value();
  }
  return lost;
}

Status RunScript(const EnvironmentReading& environment) {
  net::LoopPool loops(1);
  MetricRegistry metrics;
  ASSIGN_OR_RETURN(const auto tracing,
                   Tracing::Create(environment.tracing, EncodeResource(environment.resource),
                                   {{.name = "peer.scope", .version = "1.5"}}, loops, Clock::System(), metrics));
  Script script(tracing->tracer());
  for (std::string line; std::getline(std::cin, line);) script.Run(line);
  tracing->Stop(kGrace);
  if (!environment.tracing.is_on) return absl::OkStatus();
  std::printf("exported %lu lost %lu\n", metrics.GetCounter("spanloom_own_spans_exported", "").value(), Lost(metrics));
  return absl::OkStatus();
}

int Run(const std::string& mode) {
  StatusOr<EnvironmentReading> environment =
      ReadEnvironment({.name = "sdk-peer", .version = "0.1"}, LookUpProcessVariable);
  Status status = environment.status();
  if (status.ok()) {
    for (const std::string& warning : environment->warnings) Log(LogLevel::kWarn, warning);
    if (mode == "decide") {
      Decide(environment->tracing.sampler);
    } else {
      status = RunScript(*environment);
    }
  }
  if (status.ok()) return 0;
  Log(LogLevel::kError, StdView(status.message()));
  return 2;
}

}  // namespace
}  // namespace spanloom::sdk

int main(int argc, char** argv) {
  CHECK(argc == 2);
  return spanloom::sdk::Run(argv[1]);
}
