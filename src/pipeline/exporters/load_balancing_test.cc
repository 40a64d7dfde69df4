// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/load_balancing.h"

#include <absl/algorithm/container.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/text.h"
#include "config/yaml.h"
#include "kube/testing/fake_api_server.h"
#include "net/testing/certificates.h"
#include "pipeline/testing/fake_backend.h"
#include "pipeline/testing/traces.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSubsetOf;

constexpr uint8_t kTraces = 60;

// The addresses of a name, as they are told to it. Thread-safe.
class FakeNames {
 public:
  void Set(std::vector<std::string> addresses) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    addresses_ = std::move(addresses);
  }
  DnsWatch::LookUp look_up() {
    return [this](const std::string&, net::LookedUp done) {
      std::vector<std::string> addresses;
      {
        MutexLock lock(mutex_);
        addresses = addresses_;
      }
      if (addresses.empty()) return std::move(done)(absl::UnavailableError("no such name"));
      std::move(done)(addresses);
    };
  }

 private:
  Mutex mutex_;
  std::vector<std::string> addresses_ ABSL_GUARDED_BY(mutex_);
};

class LoadBalancingTest : public testing::Test {
 protected:
  LoadBalancingOptions Static(const std::vector<std::string>& endpoints) {
    LoadBalancingOptions options;
    options.protocol.otlp.tls.insecure = true;
    options.resolver.fixed = StaticResolverOptions{.hostnames = endpoints};
    return options;
  }
  LoadBalancingExporter& Start(const LoadBalancingOptions& options) {
    exporter_ =
        std::make_unique<LoadBalancingExporter>(ComponentId{"load_balancing", ""}, options, context_, names_.look_up());
    EXPECT_TRUE(exporter_->Start().ok());
    return *exporter_;
  }
  // A span for each of kTraces traces, named "FIRST-TRACE".
  static otlp::Batch ManyTraces(const std::string& first) {
    std::vector<std::pair<uint8_t, std::string>> spans;
    for (uint8_t trace = 1; trace <= kTraces; ++trace) spans.emplace_back(trace, StrCat(first, "-", int{trace}));
    return TracesOf(spans);
  }
  // What of `names` begins with `first`, without that.
  static std::vector<std::string> TracesIn(const FakeBackend& backend, const std::string& first) {
    std::vector<std::string> traces;
    for (const std::string& name : backend.names()) {
      if (name.starts_with(first + "-")) traces.push_back(name.substr(first.size() + 1));
    }
    absl::c_sort(traces);
    return traces;
  }
  double Backends() { return metrics_.SumGauges("otelcol_loadbalancer_num_backends"); }
  // Waits until the exporter has seen as many changes of its backends.
  void AwaitUpdates(uint64_t count) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (metrics_.Sum("otelcol_loadbalancer_num_backend_updates") < count) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }

  net::LoopPool loops_{2};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System(), .seed = 1};
  FakeBackend first_{loops_, metrics_};
  const std::string port_ = first_.endpoint().substr(first_.endpoint().rfind(':') + 1);
  FakeBackend second_{loops_, metrics_, StrCat("127.0.0.2:", port_)};  // since a name says addresses without ports
  FakeNames names_;
  std::unique_ptr<LoadBalancingExporter> exporter_;
};

// Scenario: sixty traces in one batch, and again in another, over two backends.
// Guarantees: every span arrives once; a trace has the same backend both times; outcomes are counted.
TEST_F(LoadBalancingTest, SendsATraceToOneBackend) {
  LoadBalancingExporter& exporter = Start(Static({first_.endpoint(), second_.endpoint()}));
  EXPECT_TRUE(Deliver(exporter, ManyTraces("a")).ok());
  EXPECT_TRUE(Deliver(exporter, ManyTraces("b")).ok());
  exporter.Stop(20s);
  EXPECT_EQ(first_.names().size() + second_.names().size(), 2u * kTraces);
  EXPECT_EQ(TracesIn(first_, "a"), TracesIn(first_, "b"));
  EXPECT_EQ(TracesIn(second_, "a"), TracesIn(second_, "b"));
  EXPECT_GT(first_.names().size(), 10u);
  EXPECT_GT(second_.names().size(), 10u);
  EXPECT_EQ(metrics_.Sum("otelcol_loadbalancer_backend_outcome", {{"success", "true"}}), 4u);
  EXPECT_EQ(metrics_.Sum("otelcol_loadbalancer_num_resolutions", {{"resolver", "static"}, {"success", "true"}}), 1u);
  EXPECT_EQ(metrics_.Sum("otelcol_loadbalancer_num_backend_updates", {{"resolver", "static"}}), 1u);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans", {{"exporter", "load_balancing"}}), 2u * kTraces);
  EXPECT_EQ(exporter.undelivered_spans(), 0u);
}

// Scenario: a name that has no address at first, then one, then two, then the other one alone.
// Guarantees: what comes early is refused to be sent again; then spans go where the addresses say; an exporter that is
// gone has delivered what it took.
TEST_F(LoadBalancingTest, FollowsAName) {
  LoadBalancingOptions options;
  options.protocol.otlp.tls.insecure = true;
  options.resolver.dns = DnsResolverOptions{.hostname = "samplers", .port = port_, .interval = 1ms};
  LoadBalancingExporter& exporter = Start(options);
  const Status early = Deliver(exporter, ManyTraces("early"));
  EXPECT_EQ(early.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(early).has_value());
  EXPECT_GE(metrics_.Sum("otelcol_loadbalancer_num_resolutions", {{"resolver", "dns"}, {"success", "false"}}), 1u);
  names_.Set({"127.0.0.1"});
  AwaitUpdates(1);
  EXPECT_TRUE(Deliver(exporter, ManyTraces("one")).ok());
  names_.Set({"127.0.0.1", "127.0.0.2"});
  AwaitUpdates(2);
  EXPECT_EQ(Backends(), 2);
  EXPECT_TRUE(Deliver(exporter, ManyTraces("two")).ok());
  names_.Set({"127.0.0.2"});
  AwaitUpdates(3);
  EXPECT_TRUE(Deliver(exporter, ManyTraces("three")).ok());
  exporter.Stop(20s);
  EXPECT_EQ(TracesIn(first_, "one").size(), kTraces);
  EXPECT_EQ(TracesIn(first_, "two").size() + TracesIn(second_, "two").size(), kTraces);
  EXPECT_EQ(TracesIn(second_, "three").size(), kTraces);
  EXPECT_THAT(TracesIn(first_, "two"), IsSubsetOf(TracesIn(first_, "one")));
}

// Scenario: a Service with one endpoint, then another one.
// Guarantees: spans go to both, without a wait for anything but the cluster's word.
TEST_F(LoadBalancingTest, FollowsAService) {
  kube::FakeApiServer server(loops_);
  net::TestFolder folder;
  const std::string kubeconfig = folder.Write("kubeconfig", server.Kubeconfig());
  const kube::Surroundings surroundings{.variable = [&](const std::string& name) {
    return name == "KUBECONFIG" ? std::optional(kubeconfig) : std::nullopt;
  }};
  const auto put = [&](const std::string& name, const std::string& address) {
    server.Put("/apis/discovery.k8s.io/v1/endpointslices", "mon", name,
               StrCat(R"({"metadata":{"name":")", name, R"("},"addressType":"IPv4","endpoints":[{"addresses":[")",
                      address, R"("]}]})"));
  };
  put("one", "127.0.0.1");
  LoadBalancingOptions options;
  options.protocol.otlp.tls.insecure = true;
  options.resolver.k8s = K8sResolverOptions{
      .service = "samplers.mon", .ports = *config::ParseYaml(StrCat("[", port_, "]"), "f"), .timeout = kPatience};
  LoadBalancingExporter exporter(ComponentId{"load_balancing", ""}, options, context_, names_.look_up(), surroundings);
  ASSERT_EQ(exporter.Start(), absl::OkStatus());
  EXPECT_EQ(Backends(), 1);
  EXPECT_TRUE(Deliver(exporter, ManyTraces("one")).ok());
  put("two", "127.0.0.2");
  AwaitUpdates(2);
  EXPECT_TRUE(Deliver(exporter, ManyTraces("two")).ok());
  exporter.Stop(20s);
  EXPECT_EQ(TracesIn(first_, "one").size(), kTraces);
  EXPECT_EQ(TracesIn(first_, "two").size() + TracesIn(second_, "two").size(), kTraces);
  EXPECT_GT(TracesIn(second_, "two").size(), 10u);
  EXPECT_EQ(metrics_.Sum("otelcol_loadbalancer_num_backend_updates", {{"resolver", "k8s"}}), 2u);
}

// Scenario: of two backends one refuses for good; no queues.
// Guarantees: the sender is told; the other has its part; both outcomes are counted.
TEST_F(LoadBalancingTest, AnswersForAllParts) {
  LoadBalancingOptions options = Static({first_.endpoint(), second_.endpoint()});
  options.protocol.otlp.sending_queue.enabled = false;
  LoadBalancingExporter& exporter = Start(options);
  EXPECT_EQ(exporter.ack_grade(), AckGrade::kDelivered);
  second_.AnswerWith(absl::InvalidArgumentError("no"));
  EXPECT_EQ(Deliver(exporter, ManyTraces("a")).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_GT(first_.names().size(), 10u);
  EXPECT_EQ(
      metrics_.Sum("otelcol_loadbalancer_backend_outcome", {{"endpoint", second_.endpoint()}, {"success", "false"}}),
      1u);
  EXPECT_EQ(
      metrics_.Sum("otelcol_loadbalancer_backend_outcome", {{"endpoint", first_.endpoint()}, {"success", "true"}}), 1u);
  exporter.Stop(20s);
}

// Scenario: a queue of the exporter's own in front of backends without one; the only backend's address changes while
// it is down.
// Guarantees: what waited goes to the new one.
TEST_F(LoadBalancingTest, RoutesWhatWaitsAnew) {
  names_.Set({"127.0.0.3"});
  LoadBalancingOptions options;
  options.protocol.otlp.tls.insecure = true;
  options.protocol.otlp.sending_queue.enabled = false;
  options.protocol.otlp.retry_on_failure.enabled = false;
  options.resolver.dns = DnsResolverOptions{.hostname = "samplers", .port = port_, .interval = 1ms};
  options.sending_queue = SendingQueueOptions{};
  options.retry_on_failure = RetryOptions{.initial_interval = 1ms, .max_interval = 10ms};
  LoadBalancingExporter& exporter = Start(options);
  EXPECT_EQ(exporter.ack_grade(), AckGrade::kQueued);
  EXPECT_TRUE(Deliver(exporter, ManyTraces("a")).ok());
  names_.Set({"127.0.0.2"});
  EXPECT_TRUE(second_.AwaitSpans(kTraces));
  exporter.Stop(20s);
  EXPECT_EQ(exporter.undelivered_spans(), 0u);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans", {{"exporter", "load_balancing"}}), size_t{kTraces});
}

// Scenario: nobody listens; the exporter is stopped, and offered a batch afterwards.
// Guarantees: the stop ends; what was queued is counted as undelivered; what comes late is refused.
TEST_F(LoadBalancingTest, CountsWhatItCouldNotDeliver) {
  LoadBalancingExporter& exporter = Start(Static({"127.0.0.1:1", "127.0.0.1:2"}));
  EXPECT_TRUE(Deliver(exporter, ManyTraces("a")).ok());
  exporter.Stop(10ms);
  EXPECT_EQ(exporter.undelivered_spans(), kTraces);
  EXPECT_EQ(Deliver(exporter, ManyTraces("late")).code(), absl::StatusCode::kUnavailable);
}

// Scenario: endpoints with and without a port.
// Guarantees: 4317 is added where there is none.
TEST(WithOtlpPort, AddsThePort) {
  EXPECT_EQ(WithOtlpPort("backend-1"), "backend-1:4317");
  EXPECT_EQ(WithOtlpPort("backend-1:55690"), "backend-1:55690");
  EXPECT_EQ(WithOtlpPort("[fd00::7]"), "[fd00::7]:4317");
  EXPECT_EQ(WithOtlpPort("[fd00::7]:1"), "[fd00::7]:1");
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<LoadBalancingOptions>(*config::ParseYaml(yaml, "f"), "exporters::load_balancing", problems);
  return problems.lines();
}

// Scenario: the options of Collector files, and what can't be.
// Guarantees: the first are taken, the others refused by name.
TEST(LoadBalancingOptions, TakesThoseOfTheCollector) {
  EXPECT_THAT(Problems(R"({routing_key: service, protocol: {otlp: {timeout: 1s, endpoint: x, tls: {insecure: true}}},
                           resolver: {static: {hostnames: [backend-1:4317, backend-2]}}})"),
              IsEmpty());
  EXPECT_THAT(Problems(R"({routing_key: attributes, routing_attributes: [service.name, span.kind], timeout: 3s,
                           sending_queue: {enabled: true}, retry_on_failure: {enabled: true},
                           resolver: {dns: {hostname: samplers, port: '55690', interval: 1s, timeout: 2s}}})"),
              IsEmpty());
  EXPECT_THAT(Problems("{}"), ElementsAre(HasSubstr("no resolver is specified")));
  EXPECT_THAT(Problems("{resolver: {static: {hostnames: [a]}, dns: {hostname: b}}}"),
              ElementsAre(HasSubstr("only one resolver")));
  EXPECT_THAT(Problems("{resolver: {static: {hostnames: []}}}"), ElementsAre(HasSubstr("no backend is given")));
  EXPECT_THAT(Problems("{resolver: {k8s: {service: lb.monitoring, ports: [4317, 14317], timeout: 3s, "
                       "return_hostnames: true}}}"),
              IsEmpty());
  EXPECT_THAT(Problems("{resolver: {k8s: {}}}"), ElementsAre(HasSubstr("no service specified")));
  EXPECT_THAT(Problems("{resolver: {k8s: {service: a.b.svc.cluster.local}}}"),
              ElementsAre(HasSubstr("NAME.NAMESPACE")));
  EXPECT_THAT(Problems("{resolver: {k8s: {service: a.b, ports: [70000]}}}"), ElementsAre(HasSubstr("65535")));
  EXPECT_THAT(Problems("{resolver: {k8s: {service: a.b}, dns: {hostname: b}}}"),
              ElementsAre(HasSubstr("only one resolver")));
  EXPECT_THAT(Problems("{resolver: {aws_cloud_map: {namespace: a}}}"), ElementsAre(HasSubstr("aws_cloud_map")));
  for (const char* key : {"metric", "resource", "streamID"}) {
    EXPECT_THAT(Problems(StrCat("{routing_key: ", key, ", resolver: {static: {hostnames: [a]}}}")),
                ElementsAre(HasSubstr("routing_key")));
  }
  EXPECT_THAT(Problems("{routing_key: attributes, resolver: {static: {hostnames: [a]}}}"),
              ElementsAre(HasSubstr("routing_attributes must be specified")));
  EXPECT_THAT(Problems("{routing_attributes: [a], resolver: {static: {hostnames: [a]}}}"),
              ElementsAre(HasSubstr("can only be used")));
  EXPECT_THAT(Problems("{resolver: {static: {hostnames: [a]}}, protocol: {otlp: {sending_queue: {storage: files}}}}"),
              ElementsAre(HasSubstr("storage")));
}

}  // namespace
}  // namespace spanloom::pipeline
