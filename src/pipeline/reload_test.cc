// SPDX-License-Identifier: Apache-2.0
//
// A running engine goes over to another configuration.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/text.h"
#include "pipeline/testing/fake_backend.h"
#include "pipeline/testing/pipeline_fixture.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr char kConfig[] = R"(
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
processors: {filter: {traces: {span: ['name == "noise"']}}, batch: {timeout: 1h}}
exporters: {spanloom_store: , debug: , otlp_grpc: {endpoint: BACKEND, tls: {insecure: true}}}
connectors: {forward: }
extensions: {health_check: {endpoint: "127.0.0.1:0"}}
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], processors: [filter], exporters: [spanloom_store]}
)";

class ReloadTest : public testing::Test, protected PipelineFixture {
 protected:
  [[nodiscard]] std::vector<std::string> WithBackend(std::vector<std::string> settings) const {
    settings.push_back(StrCat("exporters.otlp_grpc.endpoint=\"", backend.endpoint(), "\""));
    return settings;
  }
  void Start(const std::vector<std::string>& settings = {}) {
    Build(kConfig, WithBackend(settings));
    const Status status = engine->Start();
    ASSERT_TRUE(status.ok()) << status;
  }
  StatusOr<ReloadReport> Reload(const std::vector<std::string>& settings) {
    return engine->Reload(Parse(kConfig, WithBackend(settings)), 20s);
  }
  // An address that nobody listens on.
  std::string FreeAddress() { return FreeEndpoint(loops, metrics); }
  static std::string GrpcAt(const std::string& address) {
    return StrCat("receivers.otlp.protocols.grpc.endpoint=\"", address, "\"");
  }

  FakeBackend backend{loops, metrics};
};

// Scenario: a filter gets another condition.
// Guarantees: only the filter is exchanged; the receiver keeps its port, and the new condition holds at once.
TEST_F(ReloadTest, ExchangesWhatHasChanged) {
  Start();
  const std::string address = Address("OTLP/gRPC");
  EXPECT_TRUE(Send(BatchOf({"a", "noise", "scrape"})).ok());
  const auto report = Reload({"processors.filter.traces.span=['name == \"scrape\"']"});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->started, ElementsAre("processor \"filter\" of traces"));
  EXPECT_THAT(report->stopped, ElementsAre("processor \"filter\" of traces"));
  EXPECT_THAT(report->kept,
              UnorderedElementsAre("extension \"health_check\"", "exporter \"spanloom_store\"", "receiver \"otlp\""));
  EXPECT_EQ(Address("OTLP/gRPC"), address);
  EXPECT_TRUE(Send(BatchOf({"b", "noise", "scrape"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("a", "scrape", "b", "noise"));
}

// Scenario: nothing has changed.
// Guarantees: nothing is exchanged.
TEST_F(ReloadTest, KeepsEverythingIfNothingHasChanged) {
  Start();
  const auto report = Reload({});
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->started, IsEmpty());
  EXPECT_THAT(report->stopped, IsEmpty());
  EXPECT_TRUE(Send(BatchOf({"a"})).ok());
}

// Scenario: the queue of an exporter holds spans for a backend that is away, while a filter is exchanged.
// Guarantees: the queue keeps them and delivers them later, once.
TEST_F(ReloadTest, AQueueKeepsWhatItHolds) {
  const std::vector<std::string> forward = {"exporters.otlp_grpc.retry_on_failure={initial_interval: 1ms}",
                                            "service.pipelines.traces.exporters=[otlp_grpc]"};
  Start(forward);
  backend.AnswerWith(absl::UnavailableError("away"));
  EXPECT_TRUE(Send(BatchOf({"a"})).ok());
  ASSERT_TRUE(backend.AwaitRequests(1));
  std::vector<std::string> changed = forward;
  changed.emplace_back("processors.filter.traces.span=[]");
  const auto report = Reload(changed);
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->kept, Contains("exporter \"otlp_grpc\""));
  EXPECT_EQ(metrics.SumGauges("spanloom_exporter_held_spans"), 1);
  backend.AnswerWith(std::string());
  ASSERT_TRUE(backend.AwaitSpans(1));
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_THAT(backend.names(), ElementsAre("a"));
}

// Scenario: a batch that waits for a far timeout is taken out, with the exporter behind it.
// Guarantees: what it holds is delivered first.
TEST_F(ReloadTest, WhatIsGonePassesOnWhatItHolds) {
  Start({"service.pipelines.traces.processors=[batch]", "service.pipelines.traces.exporters=[otlp_grpc]"});
  EXPECT_TRUE(Send(BatchOf({"a", "b"})).ok());
  EXPECT_THAT(backend.names(), IsEmpty());
  const auto report = Reload({});
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->stopped, ElementsAre("exporter \"otlp_grpc\"", "processor \"batch\" of traces"));
  EXPECT_EQ(report->undelivered_spans, 0u);
  EXPECT_THAT(backend.names(), ElementsAre("a", "b"));
}

// Scenario: an exporter is taken out whose backend is away, and the process is told to stop meanwhile.
// Guarantees: the reload does not wait for the end of its grace, and says what was lost.
TEST_F(ReloadTest, AHurryEndsTheGraceOfWhatIsGone) {
  Start({"exporters.otlp_grpc.retry_on_failure={initial_interval: 1ms}", "service.pipelines.traces.processors=[batch]",
         "service.pipelines.traces.exporters=[otlp_grpc]"});
  backend.AnswerWith(absl::UnavailableError("away"));
  EXPECT_TRUE(Send(BatchOf({"a", "b"})).ok());
  std::stop_source hurry;
  // It drains when the backend is asked.
  std::thread stopper([&] {
    EXPECT_TRUE(backend.AwaitRequests(1));
    hurry.request_stop();
  });
  const auto report = engine->Reload(Parse(kConfig, WithBackend({})), 1h, hurry.get_token());
  stopper.join();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->undelivered_spans, 2u);
  EXPECT_TRUE(Send(BatchOf({"c"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("c"));
}

// Scenario: a request has no answer yet when the exporter in front of which it waits is taken out, and there is a
// hurry. Guarantees: the reload does not wait for the answer; the answer still comes.
TEST_F(ReloadTest, AHurryWaitsForNoAnswer) {
  Start({"service.pipelines.traces.exporters=[spanloom_store, debug]"});
  store.Hold();
  Status first;
  std::thread client([&] { first = Send(BatchOf({"a"})); });
  ASSERT_TRUE(store.AwaitHeld(1));
  std::stop_source hurry;
  hurry.request_stop();
  EXPECT_TRUE(engine->Reload(Parse(kConfig, WithBackend({})), 1h, hurry.get_token()).ok());
  store.Release();
  client.join();
  EXPECT_TRUE(first.ok());
}

// Scenario: the store has not answered a request yet when the exporter beside it is taken out.
// Guarantees: the reload waits for the answer; the exporter gets the spans before it stops.
TEST_F(ReloadTest, WhatIsUnderWayIsAnsweredTheOldWay) {
  Start({"service.pipelines.traces.exporters=[spanloom_store, otlp_grpc]"});
  const std::string address = Address("OTLP/gRPC");
  const std::string second = FreeAddress();
  store.Hold();
  Status first;
  std::thread client([&] { first = CallGrpc(loops.At(0), address, BatchOf({"a"}).Encode()).status(); });
  ASSERT_TRUE(store.AwaitHeld(1));
  // The store goes on when the new configuration takes requests.
  std::thread releaser([&] {
    while (!CallGrpc(loops.At(1), second, BatchOf({"b"}).Encode()).ok()) {
    }
    store.Release();
  });
  const auto report = Reload({StrCat("receivers.otlp/second={protocols: {grpc: {endpoint: '", second, "'}}}"),
                              "service.pipelines.traces/second={receivers: [otlp/second], exporters: [debug]}"});
  client.join();
  releaser.join();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(first.ok());
  EXPECT_THAT(store.names(), ElementsAre("a"));
  EXPECT_THAT(backend.names(), ElementsAre("a"));
  EXPECT_EQ(metrics.Sum("spanloom_pipeline_dropped_spans"), 0u);
}

// Scenario: a second receiver is added on a port that another process has.
// Guarantees: the reload fails and names it; the old configuration goes on as if nothing had been.
TEST_F(ReloadTest, WhatCannotStartChangesNothing) {
  Start();
  const std::string taken = backend.endpoint();
  const auto report =
      Reload({StrCat("receivers.otlp/second={protocols: {grpc: {endpoint: '", taken, "'}}}"),
              "service.pipelines.traces.receivers=[otlp, otlp/second]", "processors.filter.traces.span=[]"});
  EXPECT_THAT(std::string(report.status().message()),
              AllOf(HasSubstr("cannot start receiver \"otlp/second\""), HasSubstr(taken)));
  EXPECT_TRUE(Send(BatchOf({"a", "noise"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("a"));
  EXPECT_TRUE(Reload({"processors.filter.traces.span=[]"}).ok());
}

// Scenario: a receiver gets another limit but keeps its port.
// Guarantees: the old one stops before the new one starts on the same address.
TEST_F(ReloadTest, AReceiverFollowsOnItsOwnPort) {
  const std::string address = FreeAddress();
  Start({GrpcAt(address)});
  EXPECT_TRUE(Send(BatchOf({"a"})).ok());
  const auto report = Reload({GrpcAt(address), "receivers.otlp.protocols.grpc.max_recv_msg_size_mib=1"});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->started, ElementsAre("receiver \"otlp\""));
  EXPECT_EQ(Address("OTLP/gRPC"), address);
  EXPECT_EQ(Send(BatchOf({std::string(2 << 20, 'x')})).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Send(BatchOf({"b"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("a", "b"));
}

// Scenario: a receiver that keeps its port gets a second one, which is taken.
// Guarantees: the reload fails, and the receiver that had stopped for it listens again on its old port.
TEST_F(ReloadTest, AReceiverThatHadToStopComesBack) {
  const std::string address = FreeAddress();
  Start({GrpcAt(address)});
  const auto report =
      Reload({GrpcAt(address), StrCat("receivers.otlp.protocols.http.endpoint=\"", backend.endpoint(), "\"")});
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(Address("OTLP/gRPC"), address);
  EXPECT_TRUE(Send(BatchOf({"a"})).ok());
  EXPECT_THAT(store.names(), ElementsAre("a"));
  EXPECT_TRUE(Reload({GrpcAt(address), "processors.filter.traces.span=[]"}).ok());
  EXPECT_TRUE(Send(BatchOf({"noise"})).ok());
}

// Scenario: health is asked while a reload exchanges everything else.
// Guarantees: the status board knows who runs, and only them.
TEST_F(ReloadTest, TheStatusBoardFollows) {
  Start();
  ASSERT_TRUE(Reload({"service.pipelines.traces.exporters=[debug]", "service.pipelines.traces.processors=[]"}).ok());
  std::vector<std::string> names;
  for (const ComponentStatus& status : engine->statuses()) {
    EXPECT_EQ(status.state, ComponentState::kOk) << status.id;
    names.push_back(StrCat(KindText(status.kind), " ", status.id));
  }
  EXPECT_THAT(names, UnorderedElementsAre("extension health_check", "receiver otlp", "exporter debug"));
}

// Clients that send all the time, each span with a name of its own.
class Load {
 public:
  Load(PipelineFixture& pipeline, size_t clients) {
    const std::string address = pipeline.Address("OTLP/gRPC");
    for (size_t client = 0; client < clients; ++client) {
      threads_.emplace_back([this, &pipeline, address, client] { Run(pipeline, address, client); });
    }
  }
  ~Load() { Stop(); }

  // Waits until that many further requests were answered.
  void Await(uint64_t requests) {
    const auto there = [this, wanted = Answered() + requests]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return acknowledged_.size() + refusals_.size() >= wanted;
    };
    MutexLock lock(mutex_);
    ASSERT_TRUE(mutex_.AwaitFor(there, kPatience));
  }
  void Stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  // After Stop.
  std::vector<std::string> acknowledged() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return acknowledged_; }
  std::vector<std::string> refusals() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return refusals_; }

 private:
  uint64_t Answered() {
    MutexLock lock(mutex_);
    return acknowledged_.size() + refusals_.size();
  }
  void Run(PipelineFixture& pipeline, const std::string& address, size_t client) {
    for (int request = 0; !stopping_; ++request) {
      const std::string name = StrCat("c", client, "-", request);
      const Status status =
          CallGrpc(pipeline.loops.At(client % 2), address, BatchOf({name, "noise"}).Encode()).status();
      MutexLock lock(mutex_);
      status.ok() ? acknowledged_.push_back(name) : refusals_.push_back(status.ToString());
    }
  }

  std::atomic<bool> stopping_ = false;
  Mutex mutex_;
  std::vector<std::string> acknowledged_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> refusals_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

// Spans whose names match go another way than the others, both into the store.
std::string RoutesBy(const std::string& pattern) {
  return StrCat(
      "connectors.routing={default_pipelines: [traces/rest], table: [{context: span, condition: "
      "'IsMatch(name, \"",
      pattern, "\")', pipelines: [traces/some]}]}");
}
constexpr char kRoutedPipelines[] =
    "service.pipelines={traces: {receivers: [otlp], processors: [filter], exporters: [routing]}, traces/some: "
    "{receivers: [routing], exporters: [spanloom_store]}, traces/rest: {receivers: [routing], exporters: "
    "[spanloom_store, debug]}}";

// Scenario: clients send all the while, and the configuration changes under them fourteen times: processors and
// exporters come and go, pipelines are joined by a connector, or chosen by one whose routes change, a second receiver
// comes and goes.
// Guarantees: no request fails, and each span that was acknowledged is in the store exactly once.
TEST_F(ReloadTest, LosesAndRefusesNothingUnderLoad) {
  const std::vector<std::vector<std::string>> configurations = {
      {"service.pipelines.traces.processors=[filter, batch]",
       "service.pipelines.traces.exporters=[debug, spanloom_store]"},
      {"service.pipelines={traces/in: {receivers: [otlp], processors: [filter], exporters: [forward]}, traces: "
       "{receivers: [forward], processors: [], exporters: [spanloom_store]}}"},
      {"receivers.otlp/second={protocols: {http: {endpoint: '127.0.0.1:0'}}}",
       "service.pipelines.traces.receivers=[otlp, otlp/second]",
       "processors.filter.traces.span=['name == \"noise\"', 'name == \"x\"']"},
      {},
      {RoutesBy("^c[01]-"), kRoutedPipelines},
      {RoutesBy("[02468]$"), kRoutedPipelines},
      {"processors.batch.timeout=1ms", "service.pipelines.traces.processors=[batch, filter]",
       "service.pipelines.traces.exporters=[spanloom_store, otlp_grpc]"},
  };
  Start();
  Load load(*this, 3);
  for (int round = 0; round < 2; ++round) {
    for (const auto& settings : configurations) {
      load.Await(5);
      const auto report = Reload(settings);
      ASSERT_TRUE(report.ok()) << report.status();
      EXPECT_EQ(report->undelivered_spans, 0u);
    }
  }
  load.Await(5);
  load.Stop();
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_THAT(load.refusals(), IsEmpty());
  std::vector<std::string> stored = store.names();
  std::vector<std::string> acknowledged = load.acknowledged();
  std::sort(stored.begin(), stored.end());
  std::sort(acknowledged.begin(), acknowledged.end());
  EXPECT_THAT(stored, ElementsAreArray(acknowledged));
}

}  // namespace
}  // namespace spanloom::pipeline
