// SPDX-License-Identifier: Apache-2.0
//
//   grpc_cpp_interop server
//   grpc_cpp_interop client HOST:PORT CASE

#include "grpc_cpp_interop.h"

#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "server") {
    spanloom::interop::Serve();
    return 0;
  }
  if (argc != 4) return 2;
  const std::string fault = spanloom::interop::RunCase(argv[2], argv[3]);
  if (!fault.empty()) std::printf("%s: %s\n", argv[3], fault.c_str());
  return fault.empty() ? 0 : 1;
}
