// SPDX-License-Identifier: Apache-2.0

#include "app/metrics_pusher.h"

#include <gtest/gtest.h>

#include "net/server.h"
#include "net/testing/net_fixture.h"
#include "otlp/export_service.h"
#include "otlp/metrics_views.h"

namespace spanloom::app {
namespace {

using namespace std::chrono_literals;

// The value of the counter "sent" in a request; -1 if it is not there.
double SentOf(std::string_view request) {
  for (const otlp::ResourceMetricsView resource : otlp::MetricsView(request).resource_metrics()) {
    for (const otlp::ScopeMetricsView scope : resource.scope_metrics()) {
      for (const otlp::MetricView metric : scope.metrics()) {
        if (metric.name() == "sent") return (*metric.number_points().begin()).value();
      }
    }
  }
  return -1;
}

class MetricsPusherTest : public testing::Test {
 protected:
  // A backend whose answers to metrics are `answer_`, or are kept back while `keeps_` is set.
  void StartBackend() {
    net::ServerOptions options;
    options.name = "backend";
    options.endpoint = "127.0.0.1:0";
    options.grpc.emplace(otlp::ExportMethod(otlp::Signal::kMetrics),
                         [this](net::GrpcRequest request, net::GrpcResponder responder) {
                           const MutexLock lock(mutex_);
                           sent_.push_back(SentOf(request.message.view()));
                           if (keeps_) return kept_.push_back(std::move(responder));
                           std::move(responder).Respond(answer_);
                         });
    server_ = net::StartServer(loops_, metrics_, std::move(options));
  }

  std::unique_ptr<MetricsPusher> Push(std::chrono::milliseconds interval) {
    pipeline::MetricsPush push{.interval = interval, .timeout = 10s};
    push.destination.emplace();
    push.destination->signal = otlp::Signal::kMetrics;
    push.destination->endpoint = server_ == nullptr ? "127.0.0.1:1" : server_->endpoint();
    return *MetricsPusher::Create(push, {}, "", 1, loops_, Clock::System(), metrics_);
  }

  std::vector<double> sent() {
    const MutexLock lock(mutex_);
    return sent_;
  }
  uint64_t Failed(const std::string& cause) {
    return metrics_.Sum("spanloom_own_metric_reports_failed", {{"cause", cause}});
  }

  MetricRegistry metrics_;
  net::LoopPool loops_{2};
  Mutex mutex_;
  std::vector<double> sent_;
  std::vector<net::GrpcResponder> kept_;
  bool keeps_ = false;
  StatusOr<Bytes> answer_ = Bytes();
  std::unique_ptr<net::Server> server_;
};

// Scenario: a counter that grows between reports, and once more before the stop.
// Guarantees: reports come by themselves; the last one has what came last, and is answered before Stop returns.
TEST_F(MetricsPusherTest, ReportsNowAndThenAndAtTheEnd) {
  StartBackend();
  Counter& counter = metrics_.GetCounter("sent", "Sent.");
  const auto pusher = Push(5ms);
  ASSERT_TRUE(net::Eventually([&] { return sent().size() >= 3; }));
  counter.Add(7);
  pusher->Stop(10s);
  EXPECT_EQ(sent().back(), 7);
  EXPECT_GT(metrics_.Sum("spanloom_own_metric_points_exported"), 0u);
  const size_t reports = sent().size();
  pusher->Stop(10s);
  EXPECT_EQ(sent().size(), reports);
}

// Scenario: an interval of an hour, and a stop.
// Guarantees: one report, the last one.
TEST_F(MetricsPusherTest, ReportsOnceAtTheEnd) {
  StartBackend();
  metrics_.GetCounter("sent", "Sent.").Add(2);
  Push(1h)->Stop(10s);
  EXPECT_EQ(sent(), std::vector<double>{2});
}

// Scenario: a backend that does not answer while reports are due.
// Guarantees: one at a time; what is left out is counted; the stop does not wait longer than it may.
TEST_F(MetricsPusherTest, IsBoundedByOneReport) {
  keeps_ = true;
  StartBackend();
  const auto pusher = Push(5ms);
  ASSERT_TRUE(net::Eventually([&] { return Failed("busy") >= 3; }));
  EXPECT_EQ(sent().size(), 1u);
  pusher->Stop(10ms);
}

// Scenario: a backend that refuses for good, and one that is not there.
// Guarantees: both are counted by cause.
TEST_F(MetricsPusherTest, CountsWhatIsNotDelivered) {
  const auto away = Push(5ms);
  ASSERT_TRUE(net::Eventually([&] { return Failed("unreachable") >= 1; }));
  answer_ = absl::InvalidArgumentError("no");
  StartBackend();
  const auto refused = Push(5ms);
  ASSERT_TRUE(net::Eventually([&] { return Failed("refused") >= 1; }));
  EXPECT_EQ(metrics_.Sum("spanloom_own_metric_points_exported"), 0u);
}

}  // namespace
}  // namespace spanloom::app
