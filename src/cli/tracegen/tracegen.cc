// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/tracegen.h"

#include <unistd.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/console/interrupt.h"
#include "cli/tracegen/pacer.h"
#include "cli/tracegen/run_progress.h"
#include "cli/tracegen/trace_batcher.h"
#include "net/loop.h"

namespace spanloom::cli::tracegen {
namespace {

constexpr int64_t kBatchAgeMaxNs =
    1'000'000'000;  // at a rate; SDKs wait 5 s, but a user who watches wants to see traces

// When traces end: trace number i of n at start + i * step.
struct Schedule {
  int64_t start_unix_ns = 0;
  double step_ns = 0;
  [[nodiscard]] int64_t EndOf(uint64_t index) const {
    return start_unix_ns + static_cast<int64_t>(static_cast<double>(index) * step_ns);
  }
};

Schedule MakeSchedule(const TracegenOptions& options, const Clock& clock) {
  if (options.rate) return {options.start_unix_ns.value_or(clock.UnixNs()), 1e9 / *options.rate};
  const int64_t spread_ns = options.spread.count();
  const uint64_t steps = options.traces > 1 ? options.traces - 1 : 1;
  return {options.start_unix_ns.value_or(clock.UnixNs() - spread_ns),
          static_cast<double>(spread_ns) / static_cast<double>(steps)};
}

// Generates the traces of a run and hands them to the sender. Lives for one run.
class Generation {
 public:
  Generation(const TracegenOptions& options, const Clock& clock, std::stop_token stop, Sender& sender)
      : options_(options),
        shape_(MakeTraceShape(options.shape, options.seed)),
        schedule_(MakeSchedule(options, clock)),
        pacer_(clock, schedule_.start_unix_ns, stop),
        stop_(std::move(stop)),
        sender_(sender),
        batcher_(shape_->emitters(), {.spans_max = options.spans_per_request,
                                      .age_max_ns = options.rate ? std::optional(kBatchAgeMaxNs) : std::nullopt,
                                      .whole_traces = shape_->ArrivesWhole()}) {}

  // Returns when the last request is submitted, or the run was stopped.
  void Run() {
    for (uint64_t index = 0; index < options_.traces && !stop_.stop_requested(); ++index) {
      const int64_t end_unix_ns = schedule_.EndOf(index);
      if (options_.rate && !FlushUntil(end_unix_ns)) break;
      shape_->Generate(index, end_unix_ns, trace_);
      traces_.fetch_add(1, std::memory_order_relaxed);
      spans_ += trace_.spans.size();
      batcher_.Add(trace_, end_unix_ns, Emit());
    }
    if (!stop_.stop_requested()) batcher_.FlushAll(Emit());
    unsent_spans_ += batcher_.pending_spans();
  }

  [[nodiscard]] uint64_t traces() const { return traces_.load(std::memory_order_relaxed); }  // thread-safe
  [[nodiscard]] uint64_t spans() const { return spans_; }
  [[nodiscard]] uint64_t unsent_spans() const { return unsent_spans_; }

 private:
  // Lets time pass until `unix_ns` and sends what comes of age on the way. False if the run was stopped.
  bool FlushUntil(int64_t unix_ns) {
    for (auto due = batcher_.NextDueUnixNs(); due && *due <= unix_ns; due = batcher_.NextDueUnixNs()) {
      if (!pacer_.WaitUntil(*due)) return false;
      batcher_.FlushDue(*due, Emit());
    }
    return pacer_.WaitUntil(unix_ns);
  }

  // What the batcher calls with a batch.
  [[nodiscard]] TraceBatcher::Emit Emit() { return emit_; }

  const TracegenOptions& options_;
  const std::unique_ptr<TraceShape> shape_;
  const Schedule schedule_;
  Pacer pacer_;
  const std::stop_token stop_;
  Sender& sender_;
  TraceBatcher batcher_;
  GeneratedTrace trace_;
  std::atomic<uint64_t> traces_ = 0;
  uint64_t spans_ = 0;
  uint64_t unsent_spans_ = 0;
  std::function<void(ExportRequest)> emit_ = [this](ExportRequest request) {
    const size_t spans = request.spans;
    if (!sender_.Submit(std::move(request))) unsent_spans_ += spans;
  };
};

std::unique_ptr<console::Progress> StartProgress(const TracegenOptions& options, const RunEnvironment& environment,
                                                 const Generation& generation, const Sender& sender) {
  if (options.progress == ProgressMode::kNever) return nullptr;
  const bool is_bar = options.progress == ProgressMode::kAlways || environment.progress_is_terminal;
  const int64_t start_ns = environment.clock.SteadyNs();
  auto snapshot = [&environment, &generation, &sender, total = options.traces, start_ns] {
    const DeliveryStats stats = sender.stats();
    return ProgressOf({.traces = generation.traces(),
                       .traces_total = total,
                       .acknowledged_spans = stats.acknowledged_spans,
                       .lost_spans = stats.lost_spans(),
                       .elapsed_ns = environment.clock.SteadyNs() - start_ns,
                       .last_problem = sender.last_problem()});
  };
  return std::make_unique<console::Progress>(is_bar ? console::ProgressStyle::kBar : console::ProgressStyle::kLines,
                                             std::move(snapshot), environment.progress_out);
}

StatusOr<std::unique_ptr<Sender>> MakeSender(const TracegenOptions& options, const RunEnvironment& environment,
                                             net::Loop& loop) {
  SenderOptions sender_options = environment.sender;
  sender_options.concurrency = options.concurrency;
  sender_options.retries_max = options.retries;
  sender_options.compression = options.compression;
  sender_options.seed = options.seed;
  const TransportOptions transport_options = {.protocol = options.protocol,
                                              .endpoint = options.endpoint,
                                              .compression = options.compression,
                                              .timeout = options.timeout,
                                              .concurrency = options.concurrency};
  return Sender::Create(loop, environment.clock, sender_options, environment.stop,
                        [&](net::Loop& on_loop) { return MakeTransport(on_loop, transport_options); });
}

int PrintUsageError(const Status& status) {
  std::cerr << "spanloom tracegen: " << status.message() << "\nTry: spanloom tracegen --help\n";
  return kExitUsage;
}

}  // namespace

StatusOr<RunReport> RunTracegen(const TracegenOptions& options, const RunEnvironment& environment) {
  net::LoopPool loops(1);
  ASSIGN_OR_RETURN(const std::unique_ptr<Sender> sender, MakeSender(options, environment, loops.At(0)));
  const int64_t start_ns = environment.clock.SteadyNs();
  Generation generation(options, environment.clock, environment.stop, *sender);
  {
    const std::unique_ptr<console::Progress> progress = StartProgress(options, environment, generation, *sender);
    generation.Run();
    sender->Drain();
  }
  return RunReport{.traces = generation.traces(),
                   .spans = generation.spans(),
                   .unsent_spans = generation.unsent_spans(),
                   .delivery = sender->stats(),
                   .wall_ns = environment.clock.SteadyNs() - start_ns,
                   .was_interrupted = environment.stop.stop_requested()};
}

int Run(int argc, const char* const* argv) {
  const auto parsed = ParseOptions(argc, argv);
  if (!parsed.ok()) return PrintUsageError(parsed.status());
  if (const auto* help = std::get_if<HelpText>(&*parsed)) {
    std::cout << help->text;
    return kExitAcknowledged;
  }
  const auto& options = std::get<TracegenOptions>(*parsed);
  const console::InterruptWatch interrupt;
  const RunEnvironment environment = {.clock = Clock::System(),
                                      .progress_out = std::cerr,
                                      .progress_is_terminal = isatty(STDERR_FILENO) == 1,
                                      .stop = interrupt.token()};
  const StatusOr<RunReport> report = RunTracegen(options, environment);
  if (!report.ok()) return PrintUsageError(report.status());
  std::cout << FormatReport(*report, options) << std::flush;
  return report->IsComplete() ? kExitAcknowledged : kExitLost;
}

}  // namespace spanloom::cli::tracegen
