// SPDX-License-Identifier: Apache-2.0
//
// A load generator that checks every answer:
//   load grpc|http1 PORT PATH BODY-FILE REQUESTS CONNECTIONS IN-FLIGHT [CONTENT-TYPE [PLACEHOLDER [REQUESTS-A-SECOND]]]
// Prints one line of JSON; ends with 1 if a request failed.

#include "load.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "socket.h"

namespace spanloom::bench {
namespace {

constexpr int kArgumentsMin = 8;

int Run(int argc, char** argv) {
  if (argc < kArgumentsMin)
    Die("usage: load grpc|http1 PORT PATH BODY REQUESTS CONNECTIONS IN-FLIGHT [TYPE [PLACEHOLDER [RATE]]]");
  const std::string_view protocol = argv[1];
  const LoadOptions options{.port = static_cast<uint16_t>(std::stoi(argv[2])),
                            .requests = std::stoull(argv[5]),
                            .connections = std::stoi(argv[6]),
                            .in_flight = std::stoi(argv[7]),
                            .rate = argc > 10 ? std::stod(argv[10]) : 0,
                            .path = argv[3],
                            .content_type = argc > 8 ? argv[8] : "application/x-protobuf"};
  if (options.rate > 0 && protocol != "grpc") Die("a rate is for grpc alone");
  RequestBody body(argv[4], argc > 9 ? argv[9] : "");
  const auto begin = LoadResult::Clock::now();
  LoadResult result = protocol == "grpc" ? RunGrpc(options, body) : RunHttp1(options, body);
  result.Print(std::chrono::duration<double>(LoadResult::Clock::now() - begin).count());
  return result.failed() == 0 ? 0 : 1;
}

}  // namespace

void LoadResult::Print(double seconds) {
  std::sort(latencies_us_.begin(), latencies_us_.end());
  const auto quantile = [this](double share) {
    if (latencies_us_.empty()) return 0.0F;
    return latencies_us_[std::min(latencies_us_.size() - 1, static_cast<size_t>(share * latencies_us_.size()))];
  };
  std::printf(
      "{\"answered\": %llu, \"failed\": %llu, \"reason\": \"%s\", \"seconds\": %.4f, "
      "\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
      static_cast<unsigned long long>(answered_), static_cast<unsigned long long>(failed_), reason_.c_str(), seconds,
      quantile(0.5), quantile(0.99), quantile(1));
}

}  // namespace spanloom::bench

int main(int argc, char** argv) {
  return spanloom::bench::Run(argc, argv);
}
