// SPDX-License-Identifier: Apache-2.0
//
// Whole runs against a server in this process that accepts, refuses or keeps silent. The server counts what it really
// took: the report has to say the same.

#include "cli/tracegen/tracegen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/text.h"
#include "net/server.h"
#include "otlp/validate.h"
#include "otlp/views.h"
#include "otlp/wire/writer.h"

namespace spanloom::cli::tracegen {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

constexpr char kExportMethod[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

// What the server does with a request: a status, and for OK how many spans it leaves out.
struct Verdict {
  Status status;
  uint64_t rejected_spans = 0;
};

std::string ResponseWire(uint64_t rejected_spans) {
  std::string wire;
  if (rejected_spans == 0) return wire;
  otlp::wire::Writer writer(wire);
  const auto mark = writer.Begin(1);
  writer.Varint(1, rejected_spans);
  writer.Bytes(2, "not these");
  writer.End(mark);
  return wire;
}

// An OTLP receiver over gRPC and HTTP on one port. Decides by request number, from 0. Thread-safe.
class Receiver {
 public:
  using Deciding = std::function<std::optional<Verdict>(size_t number)>;  // nullopt: no answer, ever

  explicit Receiver(Deciding deciding) : deciding_(std::move(deciding)) {
    net::ServerOptions options;
    options.name = "test";
    options.endpoint = "127.0.0.1:0";
    options.grpc[kExportMethod] = [this](net::GrpcRequest request, net::GrpcResponder responder) {
      const auto verdict = Take(request.message);
      if (!verdict) return Hold(std::move(responder));
      if (!verdict->status.ok()) return std::move(responder).Respond(verdict->status);
      std::move(responder).Respond(Bytes(ResponseWire(verdict->rejected_spans)));
    };
    options.http = [this](const net::HttpRequest& request, net::HttpResponder responder) {
      EXPECT_EQ(request.path, "/v1/traces");
      EXPECT_EQ(request.headers.Get("content-type"), "application/x-protobuf");
      const auto verdict = Take(request.body);
      if (!verdict->status.ok())
        return std::move(responder).Respond(net::TextResponse(503, verdict->status.message().data()));
      net::HttpResponse response;
      response.headers.Add("content-type", "application/x-protobuf");
      response.body = Bytes(ResponseWire(verdict->rejected_spans));
      std::move(responder).Respond(std::move(response));
    };
    auto server = net::Server::Create(loops_, metrics_, std::move(options));
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  [[nodiscard]] const std::string& endpoint() const { return server_->endpoint(); }
  void Stop() { server_->Stop(std::chrono::milliseconds(0)); }

  [[nodiscard]] uint64_t taken_spans() const {
    const MutexLock lock(mutex_);
    return taken_spans_;
  }
  [[nodiscard]] size_t requests() const {
    const MutexLock lock(mutex_);
    return bodies_.size();
  }
  // All request bodies, sorted.
  [[nodiscard]] std::vector<std::string> bodies() const {
    const MutexLock lock(mutex_);
    std::vector<std::string> sorted = bodies_;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }
  void WaitForRequests(size_t count) const {
    const MutexLock lock(mutex_);
    const auto has_come = [this, count] { return bodies_.size() >= count; };
    mutex_.Await(has_come);
  }

 private:
  std::optional<Verdict> Take(const Bytes& body) {
    const auto stats = otlp::ValidateTraces(body.view());
    EXPECT_TRUE(stats.ok()) << stats.status();
    const MutexLock lock(mutex_);
    const std::optional<Verdict> verdict = deciding_(bodies_.size());
    bodies_.emplace_back(body.view());
    if (verdict && verdict->status.ok()) taken_spans_ += stats->spans - verdict->rejected_spans;
    return verdict;
  }

  void Hold(net::GrpcResponder responder) {
    const MutexLock lock(mutex_);
    held_.push_back(std::move(responder));
  }

  const Deciding deciding_;
  mutable Mutex mutex_;
  std::vector<std::string> bodies_ ABSL_GUARDED_BY(mutex_);
  uint64_t taken_spans_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<net::GrpcResponder> held_ ABSL_GUARDED_BY(mutex_);
  MetricRegistry metrics_;
  net::LoopPool loops_{1};
  std::unique_ptr<net::Server> server_;
};

std::optional<Verdict> Accept(size_t) {
  return Verdict{};
}

TracegenOptions OptionsFor(const Receiver& receiver) {
  TracegenOptions options;
  options.endpoint = receiver.endpoint();
  options.seed = 99;
  options.traces = 200;
  options.spans_per_request = 100;
  options.progress = ProgressMode::kNever;
  return options;
}

RunReport RunWith(const TracegenOptions& options, std::stop_token stop = {}) {
  std::ostringstream progress;
  const RunEnvironment environment = {.clock = Clock::System(),
                                      .progress_out = progress,
                                      .stop = std::move(stop),
                                      .sender = {.backoff_first = std::chrono::milliseconds(1)}};
  auto report = RunTracegen(options, environment);
  EXPECT_TRUE(report.ok()) << report.status();
  return *std::move(report);
}

// Every span is in one sum, and what is called acknowledged is what the receiver took.
void ExpectTruth(const RunReport& report, const Receiver& receiver) {
  EXPECT_EQ(report.delivery.acknowledged_spans, receiver.taken_spans());
  EXPECT_EQ(report.delivery.acknowledged_spans + report.delivery.lost_spans() + report.unsent_spans, report.spans);
  EXPECT_EQ(report.delivery.attempts, receiver.requests());
}

struct Way {
  const char* name;
  Protocol protocol;
  net::Compression compression;
};

class TracegenRun : public testing::TestWithParam<Way> {
 protected:
  static TracegenOptions Options(const Receiver& receiver) {
    TracegenOptions options = OptionsFor(receiver);
    options.protocol = GetParam().protocol;
    options.compression = GetParam().compression;
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Ways, TracegenRun,
                         testing::Values(Way{"grpc", Protocol::kGrpc, net::Compression::kNone},
                                         Way{"grpc_gzip", Protocol::kGrpc, net::Compression::kGzip},
                                         Way{"http", Protocol::kHttp, net::Compression::kNone},
                                         Way{"http_gzip", Protocol::kHttp, net::Compression::kGzip}),
                         [](const auto& way) { return std::string(way.param.name); });

// Scenario: a receiver that takes everything.
// Guarantees: everything arrives once and is reported as acknowledged.
TEST_P(TracegenRun, DeliversEverySpan) {
  const Receiver receiver(Accept);
  const RunReport report = RunWith(Options(receiver));
  EXPECT_EQ(report.traces, 200u);
  EXPECT_GT(report.spans, 2'000u);
  EXPECT_EQ(report.delivery.acknowledged_spans, report.spans);
  EXPECT_TRUE(report.IsComplete());
  ExpectTruth(report, receiver);
  EXPECT_EQ(report.delivery.wire_bytes < report.delivery.plain_bytes,
            GetParam().compression == net::Compression::kGzip);
}

// Scenario: every third answer is "unavailable", every fifth leaves spans out.
// Guarantees: the unavailable ones are sent again until they are taken, the rejected spans are counted.
TEST_P(TracegenRun, SurvivesAMoodyReceiver) {
  const Receiver receiver([](size_t number) -> std::optional<Verdict> {
    if (number % 3 == 0) return Verdict{.status = absl::UnavailableError("busy")};
    return Verdict{.status = absl::OkStatus(), .rejected_spans = number % 5 == 0 ? 1u : 0u};
  });
  TracegenOptions options = Options(receiver);
  options.retries = 50;
  const RunReport report = RunWith(options);
  EXPECT_GT(report.delivery.attempts, report.delivery.requests);
  EXPECT_GT(report.delivery.rejected_spans, 0u);
  EXPECT_EQ(report.delivery.rejected_reason, "not these");
  EXPECT_EQ(report.delivery.lost_spans(), report.delivery.rejected_spans);
  ExpectTruth(report, receiver);
}

// Scenario: a run with a seed and a start time, twice.
// Guarantees: the receiver gets the same bytes.
TEST_P(TracegenRun, IsRepeatableByteForByte) {
  const Receiver first(Accept);
  const Receiver second(Accept);
  TracegenOptions options = Options(first);
  options.start_unix_ns = 1'767'225'600'000'000'000;
  RunWith(options);
  options.endpoint = second.endpoint();
  RunWith(options);
  EXPECT_EQ(first.bodies(), second.bodies());
}

// Scenario: a receiver that finds every request malformed.
// Guarantees: nothing is repeated, nothing acknowledged, and the report gives code and message.
TEST(Tracegen, ReportsRefusals) {
  const Receiver receiver([](size_t) { return Verdict{.status = absl::InvalidArgumentError("field 9")}; });
  const TracegenOptions options = OptionsFor(receiver);
  const RunReport report = RunWith(options);
  EXPECT_FALSE(report.IsComplete());
  EXPECT_EQ(SumSpans(report.delivery.refused), report.spans);
  EXPECT_EQ(report.delivery.attempts, report.delivery.requests);
  EXPECT_THAT(FormatReport(report, options), ContainsRegex("INVALID_ARGUMENT: .*field 9"));
  ExpectTruth(report, receiver);
}

// Scenario: a receiver that takes requests and never answers.
// Guarantees: the run ends after its time-outs and counts everything as lost.
TEST(Tracegen, ReportsSilence) {
  const Receiver receiver([](size_t) { return std::nullopt; });
  TracegenOptions options = OptionsFor(receiver);
  options.traces = 5;
  options.timeout = std::chrono::milliseconds(30);
  options.retries = 1;
  const RunReport report = RunWith(options);
  EXPECT_EQ(report.delivery.acknowledged_spans, 0u);
  EXPECT_EQ(SumSpans(report.delivery.exhausted), report.spans);
  EXPECT_TRUE(report.delivery.exhausted.contains("DEADLINE_EXCEEDED"));
  EXPECT_EQ(report.delivery.attempts, 2 * report.delivery.requests);
}

// Scenario: nobody listens.
// Guarantees: everything is lost, as UNAVAILABLE.
TEST(Tracegen, ReportsAClosedPort) {
  Receiver receiver(Accept);
  TracegenOptions options = OptionsFor(receiver);
  receiver.Stop();
  options.traces = 5;
  options.retries = 1;
  const RunReport report = RunWith(options);
  EXPECT_EQ(SumSpans(report.delivery.exhausted), report.spans);
  EXPECT_TRUE(report.delivery.exhausted.contains("UNAVAILABLE"));
}

// Scenario: the user interrupts an endless run at a rate while the receiver takes everything.
// Guarantees: the run ends, what was sent is acknowledged, the rest is called unsent, not lost.
TEST(Tracegen, AnInterruptEndsTheRun) {
  const Receiver receiver(Accept);
  TracegenOptions options = OptionsFor(receiver);
  options.traces = 1'000'000'000;
  options.rate = 20'000;
  std::stop_source stop;
  std::thread user([&] {
    receiver.WaitForRequests(5);
    stop.request_stop();
  });
  const RunReport report = RunWith(options, stop.get_token());
  user.join();
  EXPECT_TRUE(report.was_interrupted);
  EXPECT_TRUE(report.IsComplete());
  EXPECT_LT(report.traces, options.traces);
  EXPECT_GT(report.unsent_spans, 0u);
  EXPECT_GT(report.delivery.acknowledged_spans, 0u);
  ExpectTruth(report, receiver);
}

// Scenario: twenty traces at 200 a second.
// Guarantees: not sent earlier than the rate allows, and they end now.
TEST(Tracegen, KeepsToTheRate) {
  const Receiver receiver(Accept);
  TracegenOptions options = OptionsFor(receiver);
  options.traces = 20;
  options.rate = 200;
  const int64_t start_ns = Clock::System().SteadyNs();
  const int64_t start_unix_ns = Clock::System().UnixNs();
  const RunReport report = RunWith(options);
  EXPECT_GE(Clock::System().SteadyNs() - start_ns, 95'000'000);
  EXPECT_EQ(report.delivery.acknowledged_spans, report.spans);
  uint64_t latest_unix_ns = 0;
  for (const std::string& body : receiver.bodies()) {
    for (otlp::ResourceSpansView resource_spans : otlp::TracesView(body).resource_spans()) {
      for (otlp::ScopeSpansView scope_spans : resource_spans.scope_spans()) {
        for (otlp::SpanView span : scope_spans.spans()) latest_unix_ns = std::max(latest_unix_ns, span.end_unix_ns());
      }
    }
  }
  EXPECT_GE(latest_unix_ns, static_cast<uint64_t>(start_unix_ns) + 95'000'000);
  EXPECT_LE(latest_unix_ns, static_cast<uint64_t>(Clock::System().UnixNs()));
}

// Scenario: traces at a slow rate, batches that are never full.
// Guarantees: what has waited for a second is sent while the run goes on.
TEST(Tracegen, SendsBeforeABatchIsFull) {
  const Receiver receiver(Accept);
  TracegenOptions options = OptionsFor(receiver);
  options.spans_per_request = 60'000;
  options.rate = 100;
  options.traces = 1'000'000;
  std::stop_source stop;
  std::thread user([&] {
    receiver.WaitForRequests(1);
    stop.request_stop();
  });
  const RunReport report = RunWith(options, stop.get_token());
  user.join();
  EXPECT_GE(report.delivery.requests, 1u);
  EXPECT_TRUE(report.IsComplete());
}

TEST(Tracegen, RefusesAnEndpointWithoutPort) {
  std::ostringstream progress;
  TracegenOptions options;
  options.endpoint = "localhost";
  const auto report = RunTracegen(options, {.clock = Clock::System(), .progress_out = progress, .stop = {}});
  EXPECT_EQ(report.status().code(), absl::StatusCode::kInvalidArgument);
}

int RunCommand(std::vector<const char*> arguments, std::string& out) {
  arguments.insert(arguments.begin(), "tracegen");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int exit_status = Run(static_cast<int>(arguments.size()), arguments.data());
  out = StrCat(testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr());
  return exit_status;
}

// Scenario: the command itself: served, refused, wrongly called, asked for help.
// Guarantees: the exit status says which.
TEST(TracegenCommand, ExitStatusTellsTheTruth) {
  const Receiver willing(Accept);
  const Receiver unwilling([](size_t) { return Verdict{.status = absl::PermissionDeniedError("no")}; });
  std::string out;
  EXPECT_EQ(RunCommand({"--endpoint", willing.endpoint().c_str(), "--traces", "3"}, out), kExitAcknowledged);
  EXPECT_THAT(out, HasSubstr("acknowledged"));
  EXPECT_EQ(RunCommand({"--endpoint", unwilling.endpoint().c_str(), "--traces", "3", "--report", "json"}, out),
            kExitLost);
  EXPECT_THAT(out, HasSubstr("PERMISSION_DENIED"));
  EXPECT_EQ(RunCommand({"--shape", "square"}, out), kExitUsage);
  EXPECT_THAT(out, HasSubstr("--help"));
  EXPECT_EQ(RunCommand({"--help"}, out), kExitAcknowledged);
}

}  // namespace
}  // namespace spanloom::cli::tracegen
