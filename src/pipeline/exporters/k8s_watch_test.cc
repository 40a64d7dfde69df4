// SPDX-License-Identifier: Apache-2.0
//
// The watch on an API server in this process.

#include "pipeline/exporters/k8s_watch.h"

#include <absl/strings/str_join.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/yaml.h"
#include "kube/testing/fake_api_server.h"
#include "net/testing/certificates.h"
#include "net/testing/net_fixture.h"

namespace spanloom::pipeline {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr char kSlices[] = "/apis/discovery.k8s.io/v1/endpointslices";

class K8sWatchTest : public testing::Test {
 protected:
  K8sWatchTest() : kubeconfig_(folder_.Write("kubeconfig", server_.Kubeconfig())) {}

  // A slice whose endpoints are `endpoints`: objects of JSON.
  void Put(const std::string& name, const std::string& endpoints, const std::string& type = "IPv4") {
    server_.Put(
        kSlices, "mon", name,
        StrCat(R"({"metadata":{"name":")", name, R"("},"addressType":")", type, R"(","endpoints":[)", endpoints, "]}"));
  }
  static std::string Ready(const std::string& address, const std::string& hostname = "") {
    return StrCat(R"({"addresses":[")", address, R"("])",
                  hostname.empty() ? "" : StrCat(R"(,"hostname":")", hostname, "\""), "}");
  }
  Status Start(K8sResolverOptions options) {
    if (options.service.empty()) options.service = "samplers.mon";
    kube::Surroundings surroundings{.variable = [this](const std::string& name) {
      return name == "KUBECONFIG" && !kubeconfig_.empty() ? std::optional(kubeconfig_) : std::nullopt;
    }};
    surroundings.service_account_folder = folder_.PathOf("none");
    watch_ =
        std::make_unique<K8sWatch>(std::move(options), std::move(surroundings), context_, [this](const auto& told) {
          const MutexLock lock(mutex_);
          last_ = told.ok() ? absl::StrJoin(*told, " ") : std::string(told.status().message());
        });
    return watch_->Start();
  }
  // What was told last.
  std::string Told() {
    const MutexLock lock(mutex_);
    return last_;
  }

  net::LoopPool loops_{2};
  MetricRegistry metrics_;
  kube::FakeApiServer server_{loops_};
  net::TestFolder folder_;
  std::string kubeconfig_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System(), .seed = 1};
  Mutex mutex_;
  std::string last_ ABSL_GUARDED_BY(mutex_) = "nothing";
  std::unique_ptr<K8sWatch> watch_;
};

// Scenario: a Service in two slices, an endpoint of which is not ready; then slices that change, come and go.
// Guarantees: the first outcome is there when it has started; each change is told; the cluster is asked for this
// Service alone.
TEST_F(K8sWatchTest, FollowsTheService) {
  Put("a", Ready("10.0.0.8") + "," + Ready("10.0.0.7"));
  Put("b", Ready("10.0.0.9") + R"(,{"addresses":["10.0.0.10"],"conditions":{"ready":false}})");
  ASSERT_EQ(Start({.ports = *config::ParseYaml("[4317, 14317]", "f"), .timeout = std::chrono::seconds(20)}),
            absl::OkStatus());
  EXPECT_EQ(Told(), "10.0.0.7:14317 10.0.0.7:4317 10.0.0.8:14317 10.0.0.8:4317 10.0.0.9:14317 10.0.0.9:4317");
  EXPECT_THAT(server_.queries(kSlices), Contains(HasSubstr("kubernetes.io%2Fservice-name%3Dsamplers")));
  ASSERT_TRUE(net::Eventually([&] { return server_.watches(kSlices) == 1; }));
  server_.Delete(kSlices, "mon", "a");
  EXPECT_TRUE(net::Eventually([&] { return Told() == "10.0.0.9:14317 10.0.0.9:4317"; })) << Told();
  Put("b", "");
  EXPECT_TRUE(net::Eventually([&] { return Told().empty(); })) << Told();
  watch_->Stop();
  Put("b", Ready("10.0.0.9"));
  EXPECT_EQ(Told(), "");
}

// Scenario: pods with addresses of both families; then one family alone.
// Guarantees: a pod is one backend.
TEST_F(K8sWatchTest, TakesOneFamily) {
  Put("four", Ready("10.0.0.7"));
  Put("six", Ready("fd00::7"), "IPv6");
  ASSERT_EQ(Start({.timeout = std::chrono::seconds(20)}), absl::OkStatus());
  EXPECT_EQ(Told(), "10.0.0.7:4317");
  server_.Delete(kSlices, "mon", "four");
  EXPECT_TRUE(net::Eventually([&] { return Told() == "[fd00::7]:4317"; })) << Told();
}

// Scenario: names in place of addresses; then an endpoint without a name.
// Guarantees: names as they are resolved within the cluster; an error that says what is missing.
TEST_F(K8sWatchTest, CallsBackendsByName) {
  Put("a", Ready("10.0.0.7", "samplers-0"));
  ASSERT_EQ(Start({.timeout = std::chrono::seconds(20), .return_hostnames = true}), absl::OkStatus());
  EXPECT_EQ(Told(), "samplers-0.samplers.mon:4317");
  Put("b", Ready("10.0.0.8"));
  EXPECT_TRUE(net::Eventually([&] { return Told().find("10.0.0.8") != std::string::npos; })) << Told();
  EXPECT_THAT(Told(), HasSubstr("StatefulSet"));
}

// Scenario: an API server that refuses, and then does not.
// Guarantees: the start does not fail; the rule that is missing is told; then the addresses are.
TEST_F(K8sWatchTest, SaysWhatItMayNot) {
  Put("a", Ready("10.0.0.7"));
  server_.Refuse(kSlices, 403, R"({"kind":"Status","message":"no"})");
  ASSERT_EQ(Start({.timeout = std::chrono::seconds(20)}), absl::OkStatus());
  EXPECT_THAT(Told(), HasSubstr(R"(resources: ["endpointslices"])"));
  server_.Allow(kSlices);
  EXPECT_TRUE(net::Eventually([&] { return Told() == "10.0.0.7:4317"; })) << Told();
}

// Guarantees: outside of a cluster, and without a file that leads into one, the start says so.
TEST_F(K8sWatchTest, NeedsAWayIntoTheCluster) {
  kubeconfig_ = "";
  EXPECT_EQ(Start({}).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace spanloom::pipeline
