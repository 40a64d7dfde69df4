// SPDX-License-Identifier: Apache-2.0
//
// Loops stay free while the store works: receiving, storing and searching in one process, as `spanloom serve` joins
// them. Nothing here is held to a time of the clock: how late a loop is compares with how long a search takes beside
// it, which a busy machine makes longer too. How late loops are in milliseconds is measured by bench/net.py.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <ctime>
#include <thread>

#include "app/query_extension.h"
#include "app/testing/loop_watch.h"
#include "base/text.h"
#include "pipeline/testing/pipeline_fixture.h"
#include "store/conformance/request_builder.h"
#include "store/memory/memory_store.h"

namespace spanloom::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

constexpr nanoseconds kTask{20'000'000};  // of the watch's own test; a search takes about as long
constexpr uint64_t kStoredTraces = 4'000;
constexpr uint64_t kSpansOfTrace = 5;
constexpr uint64_t kAppends = 1'000;
constexpr uint64_t kSpansOfAppend = 100;

constexpr char kYaml[] = R"(
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:0
exporters:
  spanloom_store:
extensions:
  spanloom_query:
    endpoint: 127.0.0.1:0
service:
  extensions: [spanloom_query]
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [spanloom_store]
)";

otlp::Batch TraceOf(uint64_t number, uint64_t spans) {
  store::RequestBuilder request;
  request.FromService("vllm-decode");
  for (uint64_t span = 1; span <= spans; ++span) {
    request.Add({.trace_id = store::MakeTraceId(number),
                 .span_id = store::MakeSpanId(span),
                 .name = "llm_request",
                 .start_unix_ns = number * 1'000'000,
                 .end_unix_ns = number * 1'000'000 + span,
                 .attributes = {{"gen_ai.response.model", "meta-llama/Llama-3.1-70B-Instruct"},
                                {"gen_ai.usage.prompt_tokens", int64_t{1817}},
                                {"gen_ai.latency.e2e", 4.1263}}});
  }
  return request.Build();
}

nanoseconds ThreadCpuTime() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

class LoopLagTest : public testing::Test {
 protected:
  LoopLagTest() {
    server_.registry = pipeline::AllComponents(store_);
    RegisterQueryExtension(server_.registry, [this]() -> store::SpanStore& { return store_; });
    for (uint64_t number = 1; number <= kStoredTraces; ++number) {
      EXPECT_TRUE(store_.AddNow(TraceOf(number, kSpansOfTrace)).ok());
    }
    server_.Build(kYaml);
    EXPECT_TRUE(server_.engine->Start().ok());
  }
  ~LoopLagTest() override { server_.engine->Stop(milliseconds(0)); }

  // Asks what no index knows: every span is looked at. Returns whether the answer is that there is none.
  bool ScanAll() {
    net::HttpRequest request;
    request.method = "GET";
    request.path = "/api/traces";
    request.query = "service=vllm-decode&start=0&limit=20&tags=%7B%22no%22%3A%22such%22%7D";
    const auto answer =
        pipeline::SendHttp(clients_.At(0), server_.Address("page").substr(sizeof("http://") - 1), std::move(request));
    return answer.ok() && answer->status == 200 && answer->body.view().find("\"data\":[]") != std::string_view::npos;
  }

  bool Append(uint64_t number) {
    return pipeline::CallGrpc(clients_.At(1), server_.Address("OTLP/gRPC"), TraceOf(number, kSpansOfAppend).Encode())
        .ok();
  }

  net::LoopPool clients_{2};  // not the ones that are watched
  MetricRegistry metrics_;
  store::memory::MemoryStore store_{{}, metrics_};
  pipeline::PipelineFixture server_;
};

// Scenario: a filled store is searched from end to end again and again, while requests arrive and are stored.
// Guarantees: of the tasks that become due on the loops, nine in ten run long before a search would have ended; were
// searches to run on a loop, or loops to wait for what a search holds, most would wait for one.
TEST_F(LoopLagTest, StaysLowDuringScansAndAppends) {
  LoopWatch first(server_.loops.At(0));
  LoopWatch second(server_.loops.At(1));
  std::atomic<bool> is_over = false;
  int64_t scans = 0;
  const auto begin = Clock::now();
  nanoseconds scanning{0};
  std::thread scanner([&] {
    for (; !is_over || scans == 0; ++scans) EXPECT_TRUE(ScanAll());
    scanning = Clock::now() - begin;
  });
  for (uint64_t i = 1; i <= kAppends; ++i) EXPECT_TRUE(Append(kStoredTraces + i));
  is_over = true;
  scanner.join();

  EXPECT_EQ(store_.Stats().spans, kStoredTraces * kSpansOfTrace + kAppends * kSpansOfAppend);
  for (LoopWatch* watch : {&first, &second}) {
    const std::vector<nanoseconds> lags = watch->Stop();
    ASSERT_GT(lags.size(), 10);
    EXPECT_LT(lags[lags.size() * 9 / 10], scanning / scans / 4);
  }
}

// Scenario: tasks that compute for about as long as a search, one after the other.
// Guarantees: the watch sees each; so the test above can fail.
TEST_F(LoopLagTest, WouldBeSeen) {
  LoopWatch watch(server_.loops.At(0));
  for (int task = 0; task < 5; ++task) {
    net::RunOn(server_.loops.At(0), [] {
      const nanoseconds end = ThreadCpuTime() + kTask;
      while (ThreadCpuTime() < end) {
      }
    });
  }
  const std::vector<nanoseconds> lags = watch.Stop();
  ASSERT_FALSE(lags.empty());
  EXPECT_GT(lags[lags.size() * 9 / 10], kTask / 4);
}

}  // namespace
}  // namespace spanloom::app
