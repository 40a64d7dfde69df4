// SPDX-License-Identifier: Apache-2.0
//
// The processor on an API server in this process.

#include "pipeline/processors/k8s_attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/text.h"
#include "config/yaml.h"
#include "kube/testing/fake_api_server.h"
#include "net/testing/certificates.h"
#include "net/testing/net_fixture.h"
#include "pipeline/testing/attributed_spans.h"

namespace spanloom::pipeline {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr char kPods[] = "/api/v1/pods";

// A pod of the Deployment "decode".
std::string DecodePod(std::string_view name, std::string_view ip) {
  return StrCat(R"({"metadata":{"name":")", name, R"(","namespace":"llm","uid":"uid-)", name,
                R"(","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"llm-d.ai/role":"decode"},
    "ownerReferences":[{"kind":"ReplicaSet","name":"decode-6c45f8d6f6","uid":"rs-1","controller":true}]},
    "spec":{"nodeName":"gpu-1","containers":[{"name":"vllm","image":"vllm/vllm-openai:v0.11"},
                                             {"name":"proxy","image":"ghcr.io/llm-d/sidecar:1"}]},
    "status":{"podIP":")",
                ip, R"(","startTime":"2026-01-01T00:00:05Z","containerStatuses":[
      {"name":"vllm","containerID":"containerd://c-vllm","restartCount":1},
      {"name":"proxy","containerID":"containerd://c-proxy","restartCount":0}]}})");
}

class K8sAttributesTest : public testing::Test {
 protected:
  K8sAttributesTest() {
    folder_.Write("kubeconfig", server_.Kubeconfig());
    server_.Put(kPods, "llm", "decode-1", DecodePod("decode-1", "10.0.0.7"));
    server_.Put("/apis/apps/v1/replicasets", "llm", "decode-6c45f8d6f6",
                R"({"metadata":{"name":"decode-6c45f8d6f6","uid":"rs-1","ownerReferences":[
                    {"kind":"Deployment","name":"decode","uid":"d-1","controller":true}]}})");
  }

  // Makes a processor with `options` beside those that lead to the server.
  Status Start(const std::string& options, bool waits = true) {
    config::Problems problems;
    const std::string yaml =
        StrCat("{auth_type: kubeConfig, kube_config_path: '", folder_.PathOf("kubeconfig"), "'",
               waits ? ", wait_for_metadata: true" : "", options.empty() ? "" : ", ", options, "}");
    auto read = config::ReadOptions<K8sAttributesOptions>(*config::ParseYaml(yaml, "f"), "k8s", problems);
    EXPECT_THAT(problems.lines(), IsEmpty());
    processor_ = std::make_unique<K8sAttributesProcessor>(ComponentId{"k8s_attributes", ""}, read, context_);
    return processor_->Start();
  }

  // The attributes of a resource that came from `peer_address`, afterwards.
  std::vector<std::string> AfterwardsOf(WriteAttributes attributes, const std::string& peer_address = "10.0.0.7") {
    otlp::Batch batch = BatchOfSpan({.resource_attributes = attributes});
    batch.slices()[0].set_origin(
        std::make_shared<const otlp::RequestOrigin>(otlp::RequestOrigin{.peer_address = peer_address}));
    EXPECT_TRUE(processor_->Process(batch).ok());
    return ShownSpans(batch)[0].resource_attributes;
  }
  std::vector<std::string> Afterwards(const std::string& peer_address = "10.0.0.7") {
    return AfterwardsOf(otlp::WriteNoAttributes, peer_address);
  }

  [[nodiscard]] uint64_t Counted(const std::string& name) const {
    return metrics_.Sum(StrCat("otelcol_otelsvc_k8s_", name));
  }

  net::LoopPool loops_{2};
  MetricRegistry metrics_;
  StatusBoard board_{Clock::System()};
  kube::FakeApiServer server_{loops_};
  net::TestFolder folder_;
  BuildContext context_{.loops = loops_,
                        .metrics = metrics_,
                        .clock = Clock::System(),
                        .seed = 1,
                        .status = board_.Add(ComponentKind::kProcessor, "k8s_attributes", "traces")};
  std::unique_ptr<K8sAttributesProcessor> processor_;
};

TEST_F(K8sAttributesTest, AddsWhatIsKnownOfThePod) {
  ASSERT_EQ(Start(""), absl::OkStatus());
  EXPECT_THAT(Afterwards(), ElementsAre(R"(k8s.pod.name="decode-1")", R"(k8s.namespace.name="llm")",
                                        R"(k8s.pod.start_time="2026-01-01T00:00:00Z")", R"(k8s.pod.uid="uid-decode-1")",
                                        R"(k8s.node.name="gpu-1")", R"(k8s.deployment.name="decode")"));
  EXPECT_EQ(Counted("pod_added"), 1u);
  EXPECT_EQ(Counted("replicaset_added"), 1u);
  EXPECT_EQ(metrics_.SumGauges("otelcol_otelsvc_k8s_pod_table_size"), 1);
}

TEST_F(K8sAttributesTest, LeavesWhatIsThere) {
  ASSERT_EQ(Start("extract: {metadata: [k8s.pod.name, k8s.namespace.name, k8s.node.name]}"), absl::OkStatus());
  EXPECT_THAT(AfterwardsOf([](otlp::AttributeWriter& writer) {
                writer.String("k8s.pod.name", "mine").String("k8s.node.name", "").Int("k8s.namespace.name", 1);
              }),
              ElementsAre(R"(k8s.pod.name="mine")", R"(k8s.node.name="gpu-1")", "k8s.namespace.name=1"));
}

TEST_F(K8sAttributesTest, AddsNothingToWhatItDoesNotKnow) {
  ASSERT_EQ(Start(""), absl::OkStatus());
  EXPECT_THAT(Afterwards("10.9.9.9"), IsEmpty());
  EXPECT_EQ(Counted("ip_lookup_miss"), 1u);
  EXPECT_THAT(Afterwards(""), IsEmpty());
  EXPECT_EQ(Counted("ip_lookup_miss"), 1u);
}

// Scenario: two requests of different senders travel in one batch.
// Guarantees: each gets the attributes of its own pod.
TEST_F(K8sAttributesTest, AsksForEachSliceItsOwnOrigin) {
  server_.Put(kPods, "llm", "decode-2", DecodePod("decode-2", "10.0.0.8"));
  ASSERT_EQ(Start("extract: {metadata: [k8s.pod.name]}"), absl::OkStatus());
  otlp::Batch batch;
  for (const char* address : {"10.0.0.8", "10.0.0.7"}) {
    otlp::Batch one = BatchOfSpan({});
    one.slices()[0].set_origin(
        std::make_shared<const otlp::RequestOrigin>(otlp::RequestOrigin{.peer_address = address}));
    batch.Add(std::move(one));
  }
  ASSERT_TRUE(processor_->Process(batch).ok());
  const std::vector<ShownSpan> spans = ShownSpans(batch);
  EXPECT_THAT(spans[0].resource_attributes, ElementsAre(R"(k8s.pod.name="decode-2")"));
  EXPECT_THAT(spans[1].resource_attributes, ElementsAre(R"(k8s.pod.name="decode-1")"));
}

TEST_F(K8sAttributesTest, FollowsTheCluster) {
  ASSERT_EQ(Start("extract: {metadata: [k8s.pod.name]}, pod_delete_grace_period: 20ms"), absl::OkStatus());
  ASSERT_TRUE(net::Eventually([&] { return server_.watches(kPods) == 1; }));
  server_.Put(kPods, "llm", "decode-2", DecodePod("decode-2", "10.0.0.8"));
  EXPECT_TRUE(net::Eventually([&] { return !Afterwards("10.0.0.8").empty(); }));
  server_.Put(kPods, "llm", "decode-2", DecodePod("decode-2", "10.0.0.9"));
  EXPECT_TRUE(net::Eventually([&] { return !Afterwards("10.0.0.9").empty() && Afterwards("10.0.0.8").empty(); }));
  server_.Delete(kPods, "llm", "decode-2");
  EXPECT_TRUE(net::Eventually([&] { return Afterwards("10.0.0.9").empty(); }));
  EXPECT_EQ(Counted("pod_added"), 2u);
  EXPECT_EQ(Counted("pod_updated"), 1u);
  EXPECT_EQ(Counted("pod_deleted"), 1u);
}

TEST_F(K8sAttributesTest, AddsWhatIsKnownOfTheContainer) {
  ASSERT_EQ(Start("extract: {metadata: [k8s.container.name, container.id, container.image.name, container.image.tag, "
                  "container.image.tags, service.instance.id, service.version]}"),
            absl::OkStatus());
  EXPECT_THAT(Afterwards(), IsEmpty());  // there are two
  EXPECT_THAT(AfterwardsOf([](otlp::AttributeWriter& writer) { writer.String("k8s.container.name", "vllm"); }),
              UnorderedElementsAre(R"(k8s.container.name="vllm")", R"(container.id="c-vllm")",
                                   R"(container.image.name="vllm/vllm-openai")", R"(container.image.tag="v0.11")",
                                   R"(container.image.tags=["v0.11"])", R"(service.instance.id="llm.decode-1.vllm")",
                                   R"(service.version="v0.11")"));
  EXPECT_THAT(AfterwardsOf([](otlp::AttributeWriter& writer) { writer.String("container.id", "c-proxy"); }),
              Contains(R"(k8s.container.name="proxy")"));
  const auto of_run = [&](int64_t count) {
    return AfterwardsOf([count](otlp::AttributeWriter& writer) {
      writer.String("k8s.container.name", "vllm").Int("k8s.container.restart_count", count);
    });
  };
  EXPECT_THAT(of_run(1), Contains(R"(container.id="c-vllm")"));
  EXPECT_THAT(of_run(0), Not(Contains(R"(container.id="c-vllm")")));
}

TEST_F(K8sAttributesTest, AddsWhatStandsAroundThePod) {
  server_.Put("/api/v1/namespaces", "", "llm", R"({"metadata":{"name":"llm","uid":"n-1","labels":{"team":"blue"}}})");
  server_.Put("/api/v1/namespaces", "", "kube-system", R"({"metadata":{"name":"kube-system","uid":"cluster-1"}})");
  server_.Put("/api/v1/nodes", "", "gpu-1", R"({"metadata":{"name":"gpu-1","uid":"node-1","labels":{"gpu":"h100"}}})");
  server_.Put("/apis/apps/v1/deployments", "llm", "decode",
              R"({"metadata":{"name":"decode","uid":"d-1","annotations":{"rev":"7"}}})");
  ASSERT_EQ(Start("extract: {metadata: [k8s.cluster.uid, k8s.node.uid, k8s.deployment.uid, service.namespace], "
                  "labels: [{tag_name: team, key: team, from: namespace}, {key: gpu, from: node}, "
                  "{tag_name: role, key: llm-d.ai/role}], annotations: [{key: rev, from: deployment}]}"),
            absl::OkStatus());
  EXPECT_THAT(Afterwards(), UnorderedElementsAre(R"(k8s.cluster.uid="cluster-1")", R"(k8s.node.uid="node-1")",
                                                 R"(k8s.deployment.uid="d-1")", R"(service.namespace="llm")",
                                                 R"(team="blue")", R"(k8s.node.labels.gpu="h100")", R"(role="decode")",
                                                 R"(k8s.deployment.annotation.rev="7")"));
  // A resource that names what it belongs to needs no pod.
  EXPECT_THAT(AfterwardsOf([](otlp::AttributeWriter& writer) { writer.String("k8s.namespace.name", "llm"); }, ""),
              Contains(R"(team="blue")"));
}

TEST_F(K8sAttributesTest, AddsTheAddressOfTheConnection) {
  ASSERT_EQ(Start("extract: {metadata: [k8s.pod.ip]}, pod_association: [{sources: [{from: resource_attribute, name: "
                  "k8s.pod.uid}]}, {sources: [{from: connection}]}]"),
            absl::OkStatus());
  EXPECT_THAT(Afterwards("10.9.9.9"), ElementsAre(R"(k8s.pod.ip="10.9.9.9")"));
  EXPECT_THAT(
      AfterwardsOf([](otlp::AttributeWriter& writer) { writer.String("k8s.pod.uid", "uid-decode-1"); }, "10.9.9.9"),
      Contains(R"(k8s.pod.ip="10.0.0.7")"));
}

// Scenario: an agent passes on; it has no access to any cluster.
TEST_F(K8sAttributesTest, PassesAddressesOnWithoutACluster) {
  K8sAttributesOptions options;
  options.passthrough = true;
  processor_ = std::make_unique<K8sAttributesProcessor>(ComponentId{"k8s_attributes", ""}, options, context_);
  ASSERT_EQ(processor_->Start(), absl::OkStatus());
  EXPECT_THAT(Afterwards("10.0.0.7"), ElementsAre(R"(k8s.pod.ip="10.0.0.7")"));
  EXPECT_THAT(Afterwards(""), IsEmpty());
  EXPECT_THAT(server_.queries(kPods), IsEmpty());
}

TEST_F(K8sAttributesTest, AsksForWhatIsFilteredAlone) {
  ASSERT_EQ(Start("filter: {namespace: llm, node: gpu-1, labels: [{key: app, op: exists}]}, "
                  "extract: {metadata: [k8s.node.uid, k8s.cluster.uid, k8s.deployment.name]}"),
            absl::OkStatus());
  EXPECT_THAT(server_.queries(kPods),
              Contains(AllOf(HasSubstr("labelSelector=app"), HasSubstr("fieldSelector=spec.nodeName%3Dgpu-1"))));
  EXPECT_THAT(server_.queries("/api/v1/nodes"), Contains(HasSubstr("fieldSelector=metadata.name%3Dgpu-1")));
  EXPECT_THAT(server_.queries("/api/v1/namespaces"), Contains(HasSubstr("fieldSelector=metadata.name%3Dkube-system")));
}

// Scenario: the account may not see pods, and the start waits for them.
// Guarantees: it fails, and says which rule is missing.
TEST_F(K8sAttributesTest, SaysWhyItDoesNotStart) {
  server_.Refuse(kPods, 403, R"({"message":"pods is forbidden"})");
  const Status status = Start("wait_for_metadata_timeout: 200ms");
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("wait_for_metadata_timeout"), HasSubstr("pods is forbidden"),
                    HasSubstr(R"(resources: ["pods"], verbs: ["get", "list", "watch"])")));
}

// Scenario: the same without waiting; later the rule is there.
// Guarantees: it starts, its state says what is missing, and gets well by itself.
TEST_F(K8sAttributesTest, GetsWellByItself) {
  server_.Refuse(kPods, 403, R"({"message":"pods is forbidden"})");
  ASSERT_EQ(Start("", false), absl::OkStatus());
  ASSERT_TRUE(net::Eventually([&] { return context_.status.state() == ComponentState::kRecoverableError; }));
  EXPECT_THAT(Afterwards(), IsEmpty());
  server_.Allow(kPods);
  EXPECT_TRUE(net::Eventually([&] { return !Afterwards().empty(); }));
  EXPECT_TRUE(net::Eventually([&] { return context_.status.state() == ComponentState::kOk; }));
}

TEST_F(K8sAttributesTest, SaysThatThereIsNoCluster) {
  folder_.Write("kubeconfig", "{}");
  EXPECT_TRUE(absl::IsNotFound(Start("")));
}

// Scenario: it is stopped while a list is under way and events come.
// Guarantees: nothing is counted afterwards, and what is known can still be asked.
TEST_F(K8sAttributesTest, StopsInTheMiddle) {
  for (int i = 0; i < 2'000; ++i) {
    server_.Put(kPods, "llm", StrCat("p", i), DecodePod(StrCat("p", i), StrCat("10.1.", i / 250, ".", i % 250)));
  }
  ASSERT_EQ(Start("extract: {deployment_name_from_replicaset: true}", false), absl::OkStatus());
  ASSERT_TRUE(net::Eventually([&] { return Counted("pod_added") > 0; }));
  processor_->Stop(std::chrono::milliseconds(0));
  const uint64_t counted = Counted("pod_added");
  static_cast<void>(Afterwards());
  EXPECT_EQ(Counted("pod_added"), counted);
}

}  // namespace
}  // namespace spanloom::pipeline
