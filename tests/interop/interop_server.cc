// SPDX-License-Identifier: Apache-2.0
//
// Serves grpc.testing.TestService on a free port of loopback, which it prints, until SIGTERM; then drains, and
// says how many unary calls came, over how many connections, and how many calls were cut off.
//   interop_server [MILLISECONDS]     how old a connection may become; for ever if not given

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "base/check.h"
#include "net/server.h"
#include "tests/interop/test_service.h"

namespace spanloom::interop {
namespace {

constexpr std::chrono::seconds kGrace{10};

int Run(std::chrono::milliseconds age_max) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before the loops, so that only sigwait sees it
  net::LoopPool loops(2);
  MetricRegistry metrics;
  net::ServerOptions options;
  options.name = "interop";
  options.endpoint = "127.0.0.1:0";
  options.limits.streams_max = 1'000;
  options.keepalive_parameters.age_max = age_max;
  const auto visitors = std::make_shared<Visitors>();
  options.grpc = TestService(visitors);
  const auto server = net::Server::Create(loops, metrics, std::move(options));
  CHECK(server.ok());
  std::printf("%u\n", (*server)->port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  const size_t cut_off = (*server)->Stop(kGrace);
  std::printf("unary calls %zu connections %zu cut off %zu\n", visitors->calls(), visitors->connections(), cut_off);
  return cut_off == 0 ? 0 : 1;
}

}  // namespace
}  // namespace spanloom::interop

int main(int argc, char** argv) {
  return spanloom::interop::Run(std::chrono::milliseconds(argc > 1 ? std::stoi(argv[1]) : 0));
}
