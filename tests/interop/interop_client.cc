// SPDX-License-Identifier: Apache-2.0
//
// Runs cases against a server of grpc.testing.TestService, all over one connection:
//   interop_client HOST:PORT CASE...
// Prints what failed; ends with 1 if a case did.

#include <cstdio>
#include <string>

#include "tests/interop/cases.h"

namespace spanloom::interop {
namespace {

constexpr size_t kCallsMax = 1'000;

int Run(int argc, char** argv) {
  std::map<std::string, Case> cases = Cases();
  cases.merge(StreamingCases());
  if (argc < 3) {
    for (const auto& [name, run] : cases) std::printf("%s\n", name.c_str());
    return 2;
  }
  net::LoopPool loops(1);
  Caller caller(loops.At(0), argv[1], kCallsMax);
  int failed = 0;
  for (int i = 2; i < argc; ++i) {
    const auto found = cases.find(argv[i]);
    const Status status = found == cases.end() ? absl::NotFoundError("no such case") : found->second(caller);
    if (status.ok()) continue;
    ++failed;
    std::printf("%s: %s\n", argv[i], status.ToString().c_str());
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace spanloom::interop

int main(int argc, char** argv) {
  return spanloom::interop::Run(argc, argv);
}
