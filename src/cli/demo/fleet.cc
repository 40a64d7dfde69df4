// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/fleet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace spanloom::cli::demo {
namespace {

using Environment = std::vector<std::pair<std::string, std::string>>;

// Times of an 8B model on one accelerator under light load; guesses, so that a demo looks like what it stands for.
constexpr char kPrefillOverhead[] = "15ms";
constexpr char kPrefillTimePerToken[] = "60us";
constexpr char kInterTokenLatency[] = "12ms";
constexpr char kKvTransferTimePerToken[] = "8us";

// A socket that holds a port of loopback until it is closed.
class HeldPort {
 public:
  HeldPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, generic, size) == 0 && getsockname(socket_, generic, &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
  }
  HeldPort(HeldPort&& other) noexcept : socket_(std::exchange(other.socket_, -1)), port_(other.port_) {}
  HeldPort& operator=(HeldPort&&) = delete;
  ~HeldPort() {
    if (socket_ >= 0) close(socket_);
  }
  [[nodiscard]] uint16_t port() const { return port_; }  // 0 if there is none

 private:
  int socket_;
  uint16_t port_ = 0;
};

std::string Local(uint16_t port) {
  return StrCat("127.0.0.1:", port);
}

// What each component is told about tracing: all of it, and soon, for somebody who watches.
Environment TracingEnvironment(const FleetPorts& ports) {
  return {{"OTEL_EXPORTER_OTLP_ENDPOINT", StrCat("http://", Local(ports.otlp_grpc))},
          {"OTEL_TRACES_EXPORTER", "otlp"},
          {"OTEL_TRACES_SAMPLER", "parentbased_always_on"},
          {"OTEL_BSP_SCHEDULE_DELAY", "500"}};
}

Environment SimulatorEnvironment(const FleetPorts& ports, size_t index) {
  Environment environment = TracingEnvironment(ports);
  environment.emplace_back("VLLM_NIXL_SIDE_CHANNEL_PORT", StrCat(ports.side_channel[index]));
  return environment;
}

// "prefill", or "prefill-2" if there are several.
std::string Numbered(const std::string& name, size_t index, size_t count) {
  return count == 1 ? name : StrCat(name, "-", index + 1);
}

class Commands {
 public:
  Commands(std::string program, std::string log_folder)
      : program_(std::move(program)), log_folder_(std::move(log_folder)) {}

  void Add(const std::string& name, std::vector<std::string> arguments, Environment environment) {
    commands_.push_back({.name = name,
                         .program = program_,
                         .arguments = std::move(arguments),
                         .environment = std::move(environment),
                         .log_file = StrCat(log_folder_, "/", name, ".log")});
  }
  std::vector<Command> Take() && { return std::move(commands_); }

 private:
  const std::string program_;
  const std::string log_folder_;
  std::vector<Command> commands_;
};

std::vector<std::string> ServeArguments(const DemoOptions& options, const FleetPorts& ports) {
  const auto at = [&options](std::string_view key, uint16_t port) {
    return StrCat("--set=", key, "=", options.listen_host, ":", port);
  };
  std::vector<std::string> arguments = {"serve",
                                        "--listen",
                                        options.listen_host,
                                        at("receivers.otlp.protocols.grpc.endpoint", ports.otlp_grpc),
                                        at("receivers.otlp.protocols.http.endpoint", ports.otlp_http),
                                        at("extensions.spanloom_query.endpoint", ports.page),
                                        at("extensions.health_check.endpoint", ports.health),
                                        at("service.telemetry.metrics.address", ports.metrics)};
  if (options.data_dir.empty()) {
    arguments.emplace_back("--in-memory");
  } else {
    arguments.insert(arguments.end(), {"--data-dir", options.data_dir});
  }
  return arguments;
}

std::vector<std::string> SimulatorArguments(uint16_t port, uint16_t otlp_port, const std::string& role, uint64_t seed) {
  return {"simulator",
          "--host",
          "127.0.0.1",
          "--port",
          StrCat(port),
          "--model",
          kModel,
          "--role",
          role,
          "--seed",
          StrCat(seed),
          "--prefill-overhead",
          kPrefillOverhead,
          "--prefill-time-per-token",
          kPrefillTimePerToken,
          "--inter-token-latency",
          kInterTokenLatency,
          "--kv-cache-transfer-time-per-token",
          kKvTransferTimePerToken,
          "--max-num-seqs",
          "64",
          "--max-model-len",
          "8192",
          "--enable-kvcache",
          "--otlp-traces-endpoint",
          StrCat("http://", Local(otlp_port))};
}

}  // namespace

StatusOr<FleetPorts> PickPorts(const DemoOptions& options) {
  std::vector<HeldPort> held;  // all at once, so that none is given twice
  FleetPorts ports;
  const auto pick = [&held](std::vector<uint16_t>& list, int count) {
    for (int i = 0; i < count; ++i) list.push_back(held.emplace_back().port());
  };
  pick(ports.prefill, options.prefill_count);
  pick(ports.decode, options.decode_count);
  pick(ports.side_channel, options.prefill_count + options.decode_count);
  pick(ports.proxy, options.decode_count);
  if (options.free_ports) {
    for (uint16_t* const port : {&ports.page, &ports.otlp_grpc, &ports.otlp_http, &ports.health, &ports.metrics}) {
      *port = held.emplace_back().port();
    }
  }
  for (const HeldPort& each : held) {
    if (each.port() == 0) {
      return absl::UnavailableError(AbslView(StrCat("no free port on 127.0.0.1: ", std::strerror(errno))));
    }
  }
  return ports;
}

std::vector<Command> FleetCommands(const DemoOptions& options, const FleetPorts& ports, const std::string& program,
                                   const std::string& log_folder) {
  Commands commands(program, log_folder);
  commands.Add("serve", ServeArguments(options, ports), {});
  for (size_t i = 0; i < ports.prefill.size(); ++i) {
    commands.Add(Numbered("prefill", i, ports.prefill.size()),
                 SimulatorArguments(ports.prefill[i], ports.otlp_grpc, "prefill", options.seed + i),
                 SimulatorEnvironment(ports, i));
  }
  for (size_t i = 0; i < ports.decode.size(); ++i) {
    commands.Add(
        Numbered("decode", i, ports.decode.size()),
        SimulatorArguments(ports.decode[i], ports.otlp_grpc, "decode", options.seed + ports.prefill.size() + i),
        SimulatorEnvironment(ports, ports.prefill.size() + i));
    commands.Add(Numbered("routing-proxy", i, ports.proxy.size()),
                 {"routing-proxy", "--listen-host", "127.0.0.1", "--port", StrCat(ports.proxy[i]), "--vllm-port",
                  StrCat(ports.decode[i]), "--connector", "nixlv2", "--secure-proxy=false"},
                 TracingEnvironment(ports));
  }
  return std::move(commands).Take();
}

}  // namespace spanloom::cli::demo
