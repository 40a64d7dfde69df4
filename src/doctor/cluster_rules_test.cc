// SPDX-License-Identifier: Apache-2.0

#include "doctor/cluster_rules.h"

#include <absl/strings/ascii.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/text.h"
#include "config/yaml.h"
#include "doctor/document.h"

namespace spanloom::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kSender = R"(
kind: Deployment
metadata: {name: vllm-decode, namespace: llm}
spec:
  replicas: 1
  template: {spec: {containers: [{
    name: vllm, image: "ghcr.io/llm-d/llm-d-cuda:v0.5.0", command: [vllm, serve, m],
    args: ["--otlp-traces-endpoint", "http://otel-collector:4317"],
    env: [{name: OTEL_SERVICE_NAME, value: vllm-decode}, {name: OTEL_RESOURCE_ATTRIBUTES, value: k8s.pod.name=a}]}]}}
status: {replicas: 1, updatedReplicas: 1})";
constexpr std::string_view kService = R"(
kind: Service
metadata: {name: otel-collector, namespace: llm}
spec: {selector: {app: otel-collector}, ports: [{port: 4317}, {port: 4318}]})";
constexpr std::string_view kSlice = R"(
kind: EndpointSlice
metadata: {name: otel-collector-x, namespace: llm, labels: {kubernetes.io/service-name: otel-collector}}
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}])";

ClusterView View(std::initializer_list<std::string_view> objects) {
  ClusterView view{.name_space = "llm"};
  for (const std::string_view text : objects) {
    const auto node = config::ParseYaml(text, "");
    CHECK(node.ok());
    const std::string file =
        StrCat(absl::AsciiStrToLower(AbslView(TextAt(*node, {"kind"}))), "/", TextAt(*node, {"metadata", "name"}));
    view.objects.push_back(node->WithSource({file, 0}));
  }
  return view;
}

std::vector<Finding> Found(const ClusterView& view) {
  Findings findings;
  CheckCluster(view, findings);
  return std::move(findings).Take();
}

// "FILE RULE" of each finding.
std::vector<std::string> RulesIn(const ClusterView& view) {
  std::vector<std::string> rules;
  for (const Finding& finding : Found(view)) rules.push_back(StrCat(finding.where.file, " ", finding.rule));
  return rules;
}

TEST(ClusterRules, AreSilentWhereAllIsWell) {
  EXPECT_THAT(RulesIn(View({kSender, kService, kSlice})), IsEmpty());
}

TEST(ClusterRules, FindAnEndpointWithoutService) {
  const auto found = Found(View({kSender, R"(
kind: Service
metadata: {name: jaeger-collector, namespace: llm}
spec: {ports: [{port: 4317}]})"}));
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].rule, "cluster-no-service");
  EXPECT_EQ(found[0].where.file, "deployment/vllm-decode");
  EXPECT_THAT(found[0].what, HasSubstr("no Service otel-collector in namespace llm; with port 4317 there: jaeger-"));
  EXPECT_EQ(found[0].fix, "--otlp-traces-endpoint: \"http://jaeger-collector:4317\"");
}

TEST(ClusterRules, FindAPortThatTheServiceHasNot) {
  EXPECT_THAT(RulesIn(View({kSender, R"(
kind: Service
metadata: {name: otel-collector, namespace: llm}
spec: {ports: [{port: 4318}]})"})),
              ElementsAre("deployment/vllm-decode cluster-service-port"));
}

TEST(ClusterRules, FindAServiceWithoutAReadyPod) {
  const auto found = Found(View({kSender, kService, R"(
kind: EndpointSlice
metadata: {name: x, namespace: llm, labels: {kubernetes.io/service-name: otel-collector}}
endpoints: [{addresses: [10.0.0.1], conditions: {ready: false}}])"}));
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].rule, "cluster-service-no-pod");
  EXPECT_EQ(found[0].fix, "kubectl get pods -n llm -l app=otel-collector");
}

// Scenario: a collector in the namespace sends to a backend in another one, whose Services were read, or could not be.
// Guarantees: it is held against that namespace's, and nothing is said without them.
TEST(ClusterRules, LookIntoOtherNamespaces) {
  constexpr std::string_view kCollector = R"(
kind: ConfigMap
metadata: {name: otel-collector, namespace: llm}
data:
  config.yaml: |
    receivers: {otlp: {protocols: {grpc: {endpoint: 0.0.0.0:4317}}}}
    processors: {batch: {}}
    exporters: {otlp/tempo: {endpoint: "tempo.monitoring.svc.cluster.local:4317", tls: {insecure: true}}}
    service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp/tempo]}}})";
  ClusterView view = View({kCollector});
  const std::vector<NamedService> named = ServicesNamedIn(view);
  ASSERT_EQ(named.size(), 1);
  EXPECT_EQ(named[0].name, "tempo");
  EXPECT_EQ(named[0].name_space, "monitoring");
  EXPECT_THAT(RulesIn(view), ElementsAre("configmap/otel-collector cluster-no-service"));
  view.unread_namespaces.insert("monitoring");
  EXPECT_THAT(RulesIn(view), IsEmpty());
}

TEST(ClusterRules, LeaveHostsOutsideOfTheClusterAlone) {
  for (const std::string endpoint : {"http://10.1.2.3:4317", "https://otlp.example.com:4317", "http://$(HOST_IP):4317",
                                     "http://[::1]:4317", "otel.example.com"}) {
    const auto view = View({StrCat(R"(
kind: Pod
metadata: {name: p, namespace: llm}
spec: {containers: [{name: c, image: x, env: [{name: OTEL_EXPORTER_OTLP_ENDPOINT, value: ")",
                                   endpoint, "\"}]}]}")});
    EXPECT_THAT(ServicesNamedIn(view), IsEmpty()) << endpoint;
  }
}

TEST(ClusterRules, FindAnOperatorThatIsNotThere) {
  constexpr std::string_view kResource = R"(
kind: OpenTelemetryCollector
metadata: {name: otel, namespace: llm}
spec: {mode: deployment})";
  EXPECT_THAT(RulesIn(View({kSender, kService, kSlice, kResource})),
              ElementsAre("opentelemetrycollector/otel cluster-no-operator"));
  EXPECT_THAT(RulesIn(View({kSender, kService, kSlice, kResource, R"(
kind: Deployment
metadata: {name: otel-collector, namespace: llm, ownerReferences: [{kind: OpenTelemetryCollector, name: otel}]})"})),
              IsEmpty());
}

TEST(ClusterRules, SayWhyAPodDoesNotRun) {
  const auto pull = Found(View({kSender, kService, kSlice, R"(
kind: Pod
metadata: {name: p, namespace: llm, ownerReferences: [{kind: ReplicaSet, name: r}]}
status: {containerStatuses: [{name: c, state: {waiting: {reason: ErrImagePull, message: "no such image x:1"}}}]})"}));
  ASSERT_EQ(pull.size(), 1);
  EXPECT_EQ(pull[0].rule, "cluster-pod-waits");
  EXPECT_THAT(pull[0].what, HasSubstr("container c does not run: ErrImagePull: no such image x:1"));

  const auto crash = Found(View({kSender, kService, kSlice, R"(
kind: Pod
metadata: {name: p, namespace: llm}
status: {containerStatuses: [{name: c, state: {waiting: {reason: CrashLoopBackOff}},
  lastState: {terminated: {exitCode: 1, reason: Error}}}]})"}));
  ASSERT_EQ(crash.size(), 1);
  EXPECT_THAT(crash[0].what, HasSubstr("CrashLoopBackOff; it ended with 1 (Error)"));
  EXPECT_EQ(crash[0].fix, "kubectl logs -n llm p -c c --previous");

  const auto unscheduled = Found(View({kSender, kService, kSlice, R"(
kind: Pod
metadata: {name: p, namespace: llm}
status: {conditions: [{type: PodScheduled, status: "False", message: "0/3 nodes have nvidia.com/gpu"}]})"}));
  ASSERT_EQ(unscheduled.size(), 1);
  EXPECT_THAT(unscheduled[0].what, HasSubstr("0/3 nodes have"));

  EXPECT_THAT(RulesIn(View({kSender, kService, kSlice, R"(
kind: Pod
metadata: {name: p, namespace: llm}
status: {containerStatuses: [{name: c, state: {waiting: {reason: ContainerCreating}}}]})"})),
              IsEmpty());
}

// Scenario: a quota refuses pods: a Deployment says so itself, of a StatefulSet only events tell.
// Guarantees: both are found, by what was said last; old words of a StatefulSet that has its pods are not.
TEST(ClusterRules, SayWhyPodsAreNotMade) {
  const auto deployment = Found(View({kSender, kService, kSlice, R"(
kind: Deployment
metadata: {name: d, namespace: llm}
status: {conditions: [{type: ReplicaFailure, status: "True", message: "exceeded quota: q"}]})"}));
  ASSERT_EQ(deployment.size(), 1);
  EXPECT_EQ(deployment[0].rule, "cluster-no-pods");
  EXPECT_THAT(deployment[0].what, HasSubstr("exceeded quota: q"));

  constexpr std::string_view kOld = R"(
kind: Event
metadata: {name: e1, namespace: llm}
reason: FailedCreate
message: old
lastTimestamp: "2026-01-01T00:00:00Z"
involvedObject: {kind: StatefulSet, name: s})";
  constexpr std::string_view kNew = R"(
kind: Event
metadata: {name: e2, namespace: llm}
reason: FailedCreate
message: violates PodSecurity
lastTimestamp: "2026-01-01T00:01:00Z"
involvedObject: {kind: StatefulSet, name: s})";
  const auto stateful_set = [](int made) {
    return StrCat(
        "kind: StatefulSet\nmetadata: {name: s, namespace: llm}\nspec: {replicas: 1}\nstatus: {replicas: ", made, "}");
  };
  const auto refused = Found(View({kSender, kService, kSlice, stateful_set(0), kNew, kOld}));
  ASSERT_EQ(refused.size(), 1);
  EXPECT_THAT(refused[0].what, HasSubstr("violates PodSecurity"));
  EXPECT_THAT(RulesIn(View({kSender, kService, kSlice, stateful_set(1), kNew, kOld})), IsEmpty());
}

// Scenario: a Deployment whose pods, or whose only pod, are yet to be replaced.
// Guarantees: how many are is said, in words for one and for several.
TEST(ClusterRules, FindARolloutThatIsNotDone) {
  const auto words = [](std::string_view status) {
    const auto found = Found(View({kSender, kService, kSlice,
                                   StrCat(R"(
kind: Deployment
metadata: {name: d, namespace: llm}
status: {)",
                                          status, "}")}));
    return found.size() == 1 && found[0].rule == "cluster-rollout" ? found[0].what : "";
  };
  EXPECT_EQ(words("replicas: 3, updatedReplicas: 1"),
            "of 3 pods 1 has what was deployed last; the others run what was there before");
  EXPECT_EQ(words("replicas: 3"), "of 3 pods 0 have what was deployed last; the others run what was there before");
  EXPECT_EQ(words("replicas: 1"), "its pod runs what was there before; what was deployed last has none yet");
}

TEST(ClusterRules, NoteThatNothingIsSent) {
  EXPECT_THAT(RulesIn(View({kService, kSlice})), ElementsAre("llm cluster-no-sender"));
}

// Scenario: a Deployment with a fault of its text, and the ReplicaSet and pod that controllers have made of it.
// Guarantees: the fault is found once.
TEST(ClusterRules, LookAtWhatWasWritten) {
  constexpr std::string_view kSpec = R"(containers: [{name: vllm, image: "vllm/vllm-openai:v0.11.0",
    args: ["--otlp-traces-endpoint", "http://otel-collector:4317"]}])";
  const std::string deployment =
      StrCat("kind: Deployment\nmetadata: {name: d, namespace: llm}\nspec: {template: {spec: {", kSpec, "}}}");
  const std::string pod = StrCat(
      "kind: Pod\nmetadata: {name: p, namespace: llm, ownerReferences: [{kind: ReplicaSet}]}\nspec: {", kSpec, "}");
  EXPECT_THAT(RulesIn(View({deployment, pod, kService, kSlice})), ElementsAre("deployment/d vllm-no-service-name"));
}

}  // namespace
}  // namespace spanloom::doctor
