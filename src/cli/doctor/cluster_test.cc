// SPDX-License-Identifier: Apache-2.0

#include "cli/doctor/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "kube/testing/fake_api_server.h"

namespace spanloom::cli::doctor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ClusterTest : public testing::Test {
 protected:
  void Put(const std::string& collection, const std::string& name, const std::string& rest,
           const std::string& name_space = "llm") {
    server_.Put(collection, name_space, name,
                StrCat("{\"metadata\":{\"name\":\"", name, "\",\"namespace\":\"", name_space, "\"}", rest, "}"));
  }
  void PutSender(const std::string& endpoint) {
    Put("/apis/apps/v1/deployments", "vllm-decode",
        StrCat(R"(,"spec":{"template":{"spec":{"containers":[{"name":"vllm","image":"vllm/vllm-openai:v0.11.0",)",
               R"("args":["--otlp-traces-endpoint",")", endpoint,
               R"("],"env":[{"name":"OTEL_SERVICE_NAME","value":"vllm-decode"},)",
               R"({"name":"OTEL_RESOURCE_ATTRIBUTES","value":"k8s.pod.name=a"}]}]}}})"));
  }
  void PutTaker(const std::string& name_space) {
    Put("/api/v1/services", "otel-collector", R"(,"spec":{"ports":[{"port":4317}]})", name_space);
    server_.Put("/apis/discovery.k8s.io/v1/endpointslices", name_space, "otel-collector-1",
                StrCat(R"({"metadata":{"name":"otel-collector-1","namespace":")", name_space,
                       R"(","labels":{"kubernetes.io/service-name":"otel-collector"}},)",
                       R"("endpoints":[{"addresses":["10.0.0.1"],"conditions":{"ready":true}}]})"));
  }

  std::vector<std::string> RulesFound() {
    const std::string path = StrCat(testing::TempDir(), "cluster_test_", getpid(), ".kubeconfig");
    std::ofstream(path) << server_.Kubeconfig();
    std::vector<std::string> rules;
    for (const auto& finding : ExamineCluster({.name_space = "llm", .kubeconfig = path, .context = ""})) {
      rules.push_back(StrCat(finding.where.ToString(), " ", finding.rule));
      words_.push_back(finding.what);
    }
    std::filesystem::remove(path);
    return rules;
  }

  net::LoopPool loops_{1};
  kube::FakeApiServer server_{loops_};
  std::vector<std::string> words_;
};

TEST_F(ClusterTest, ReadsANamespaceOverTheApi) {
  PutSender("http://otel-collector:4317");
  EXPECT_THAT(RulesFound(), ElementsAre("deployment/vllm-decode cluster-no-service"));
  PutTaker("llm");
  EXPECT_THAT(RulesFound(), IsEmpty());
}

TEST_F(ClusterTest, ReadsServicesOfOtherNamespaces) {
  PutSender("http://otel-collector.monitoring.svc:4317");
  PutTaker("monitoring");
  EXPECT_THAT(RulesFound(), IsEmpty());
}

// Scenario: 250 ConfigMaps, of which the last one holds a fault.
// Guarantees: all pages are read.
TEST_F(ClusterTest, ReadsAllPages) {
  PutSender("http://otel-collector:4317");
  PutTaker("llm");
  for (int i = 100; i < 350; ++i) {
    Put("/api/v1/configmaps", StrCat("c", i),
        i < 349 ? ""
                : R"(,"data":{"c.yaml":"receivers: {otlp: {}}\nexporters: {debug: {}}\nservice: {pipelines: {}}"})");
  }
  EXPECT_THAT(RulesFound(), Contains(HasSubstr("configmap/c349")));
}

TEST_F(ClusterTest, SaysWhatItMayNotRead) {
  PutSender("http://otel-collector:4317");
  server_.Refuse("/api/v1/services", 403, R"({"kind":"Status","message":"services is forbidden"})");
  EXPECT_THAT(RulesFound(), ElementsAre("llm cluster-unread"));
  EXPECT_THAT(words_[0], HasSubstr(R"(resources: ["services"])"));
}

TEST_F(ClusterTest, SaysThatNobodyAnswers) {
  server_.Stop();
  EXPECT_THAT(RulesFound(), ElementsAre("llm cluster-no-answer"));
  for (const auto& finding : ExamineCluster({.name_space = "", .kubeconfig = "/no/such/file", .context = ""})) {
    EXPECT_EQ(finding.rule, "cluster-no-answer");
    EXPECT_THAT(finding.what, HasSubstr("/no/such/file"));
  }
}

}  // namespace
}  // namespace spanloom::cli::doctor
