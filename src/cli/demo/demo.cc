// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/demo.h"

#include <absl/strings/str_format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/console/interrupt.h"
#include "cli/demo/child_process.h"
#include "cli/demo/fleet.h"
#include "cli/demo/options.h"
#include "cli/demo/probe.h"
#include "cli/demo/traffic.h"
#include "net/loop.h"

namespace spanloom::cli::demo {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kReadyMax{20'000};    // from the start to the last part's first answer; guess
constexpr milliseconds kProbePatience{500};  // of one question
constexpr milliseconds kWatchInterval{50};   // between two looks at the parts
constexpr milliseconds kReportInterval{2'000};
constexpr milliseconds kStopGrace{5'000};  // to drain; what still runs then is killed. guess
constexpr size_t kLastLines = 12;

// A folder for logs that goes with the object, unless something went wrong.
class LogFolder {
 public:
  LogFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "spanloom-demo-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~LogFolder() {
    std::error_code ignored;  // what can't be removed stays in the folder for temporary files
    if (!path_.empty() && !keeps_) std::filesystem::remove_all(path_, ignored);
  }
  LogFolder(const LogFolder&) = delete;
  LogFolder& operator=(const LogFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }  // "" if there is none
  void Keep() { keeps_ = true; }

 private:
  std::string path_;
  bool keeps_ = false;
};

// The processes of one demo. Bound to the thread that makes it.
class Fleet {
 public:
  Status Start(std::vector<Command> commands) {
    for (Command& command : commands) {
      ASSIGN_OR_RETURN(ChildProcess child, ChildProcess::Start(std::move(command)));
      children_.push_back(std::move(child));
    }
    return absl::OkStatus();
  }

  // An error names the part that has ended, and says its last words.
  Status Look() {
    for (ChildProcess& child : children_) {
      const auto end = child.Ended();
      if (!end) continue;
      const Command& command = child.command();
      return absl::UnavailableError(AbslView(StrCat(command.name, " ended (", *end, "). Its log, ", command.log_file,
                                                    ", ends with:\n", LastLines(command.log_file, kLastLines))));
    }
    return absl::OkStatus();
  }

  // Those who send first, `serve` last, so that it has their last spans.
  void Stop() {
    const auto deadline = steady_clock::now() + kStopGrace;
    const auto left = [deadline] {
      return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()));
    };
    for (size_t i = 1; i < children_.size(); ++i) children_[i].AskToEnd();
    for (size_t i = 1; i < children_.size(); ++i) children_[i].AwaitEnd(left());
    if (children_.empty()) return;
    children_[0].AskToEnd();
    children_[0].AwaitEnd(left());
    children_.clear();
  }

 private:
  std::vector<ChildProcess> children_;  // `serve` first
};

std::vector<std::string> Endpoints(const std::vector<uint16_t>& ports) {
  std::vector<std::string> endpoints;
  for (const uint16_t port : ports) endpoints.push_back(StrCat("127.0.0.1:", port));
  return endpoints;
}

// One run of the command.
class Demo {
 public:
  Demo(DemoOptions options, std::stop_token stop) : options_(std::move(options)), stop_(std::move(stop)) {}

  Status Run() {
    if (logs_.path().empty()) return absl::UnavailableError("no folder for temporary files can be made");
    const Status status = RunParts();
    if (!status.ok()) logs_.Keep();
    fleet_.Stop();
    return status;
  }

 private:
  Status RunParts() {
    ASSIGN_OR_RETURN(ports_, PickPorts(options_));
    const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
    RETURN_IF_ERROR(fleet_.Start(FleetCommands(options_, ports_, program, logs_.path())));
    net::LoopPool loops(1);
    RETURN_IF_ERROR(AwaitReady(loops.At(0)));
    if (stop_.stop_requested()) return absl::OkStatus();
    PrintAddresses();
    ASSIGN_OR_RETURN(const std::unique_ptr<Traffic> traffic, Traffic::Start(loops.At(0), Clock::System(),
                                                                            {.proxies = Endpoints(ports_.proxy),
                                                                             .prefills = Endpoints(ports_.prefill),
                                                                             .model = kModel,
                                                                             .rate = options_.rate,
                                                                             .seed = options_.seed}));
    return Watch(*traffic);
  }

  Status AwaitReady(net::Loop& loop) {
    struct Question {
      std::string endpoint;
      std::string path;
    };
    std::vector<Question> questions = {{StrCat(PageHost(), ":", ports_.page), "/"}};
    for (const auto& ports : {ports_.prefill, ports_.decode, ports_.proxy}) {
      for (const std::string& endpoint : Endpoints(ports)) questions.push_back({endpoint, "/health"});
    }
    const auto deadline = steady_clock::now() + kReadyMax;
    while (!questions.empty() && !stop_.stop_requested()) {
      RETURN_IF_ERROR(fleet_.Look());
      if (Answers(loop, questions.back().endpoint, questions.back().path, kProbePatience)) {
        questions.pop_back();
        continue;
      }
      if (steady_clock::now() > deadline) {
        return absl::DeadlineExceededError(
            AbslView(StrCat("http://", questions.back().endpoint, questions.back().path,
                            " is not answered after 20 s; the logs are in ", logs_.path())));
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
    return absl::OkStatus();
  }

  Status Watch(const Traffic& traffic) {
    const auto begin = steady_clock::now();
    auto next_report = begin + kReportInterval;
    while (!stop_.stop_requested()) {
      RETURN_IF_ERROR(fleet_.Look());
      const auto now = steady_clock::now();
      if (options_.duration.count() > 0 && now - begin >= options_.duration) break;
      if (now >= next_report) {
        Report(traffic.stats());
        next_report = now + kReportInterval;
      }
      std::this_thread::sleep_for(kWatchInterval);
    }
    Report(traffic.stats());
    return absl::OkStatus();
  }

  void PrintAddresses() const {
    std::cout << "page     http://" << PageHost() << ":" << ports_.page << "\n"
              << "OpenAI   http://127.0.0.1:" << ports_.proxy.front() << "/v1  (model " << kModel << ")\n"
              << "OTLP     " << PageHost() << ":" << ports_.otlp_grpc << "\n"
              << "logs     " << logs_.path() << "\n"
              << "Ctrl-C stops everything." << std::endl;
  }

  static void Report(const TrafficStats& stats) {
    std::cerr << absl::StreamFormat(
        "%d requests, %d answered, %d failed, first byte p50 %.0f ms, p99 %.0f ms%s%s\n", stats.sent, stats.answered,
        stats.failed, static_cast<double>(stats.ttft_p50_ns) / 1e6, static_cast<double>(stats.ttft_p99_ns) / 1e6,
        stats.last_problem.empty() ? "" : "; last problem: ", stats.last_problem);
  }

  // What a browser here can open.
  [[nodiscard]] std::string PageHost() const {
    return options_.listen_host == "0.0.0.0" ? "127.0.0.1" : options_.listen_host;
  }

  const DemoOptions options_;
  const std::stop_token stop_;
  LogFolder logs_;
  FleetPorts ports_;
  Fleet fleet_;
};

}  // namespace

int Run(int argc, const char* const* argv) {
  auto parsed = ParseOptions(argc, argv);
  if (!parsed.ok()) {
    std::cerr << "spanloom demo: " << parsed.status().message() << "\nTry: spanloom demo --help\n";
    return kExitUsage;
  }
  if (const auto* help = std::get_if<HelpText>(&*parsed)) {
    std::cout << help->text;
    return kExitEnded;
  }
  const console::InterruptWatch interrupt;
  const Status status = Demo(std::get<DemoOptions>(*std::move(parsed)), interrupt.token()).Run();
  if (status.ok()) return kExitEnded;
  std::cerr << "spanloom demo: " << status.message() << "\n";
  return kExitBroken;
}

}  // namespace spanloom::cli::demo
