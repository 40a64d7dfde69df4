// SPDX-License-Identifier: Apache-2.0
//
// What becomes of objects by rules: k8s_rules.h, k8s_records.h.

#include "pipeline/processors/k8s_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/yaml.h"
#include "kube/json.h"

namespace spanloom::pipeline {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

std::shared_ptr<const K8sRules> Rules(std::string_view extract) {
  config::Problems problems;
  const auto options =
      config::ReadOptions<K8sAttributesOptions>(*config::ParseYaml(StrCat("extract: ", extract), "f"), "k8s", problems);
  EXPECT_THAT(problems.lines(), IsEmpty());
  return std::make_shared<const K8sRules>(options);
}

std::vector<std::string> Shown(const PackedTexts& texts) {
  std::vector<std::string> shown;
  texts.ForEach([&](std::string_view key, std::string_view text) { shown.push_back(StrCat(key, "=", text)); });
  return shown;
}

class K8sRecordsTest : public testing::Test {
 protected:
  K8sPodRecord Pod(const K8sRules& rules, std::string_view json) {
    const auto parsed = reader_.Read(json);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    return K8sPodRecordOf(kube::ReadPod(*parsed), rules, objects_);
  }

  // The attributes of a pod whose metadata is `metadata`.
  std::vector<std::string> AttributesOf(std::string_view extract, std::string_view metadata) {
    return Shown(Pod(*Rules(extract), StrCat(R"({"metadata":)", metadata, "}")).attributes);
  }

  // Lets the mirror of `source` know an object.
  void Know(const std::shared_ptr<const K8sRules>& rules, K8sSource source, std::string_view json) {
    auto& mirror = objects_[static_cast<size_t>(source)];
    mirror = std::make_shared<K8sObjectMirror>(K8sObjectDecoder(rules, source));
    mirror->Apply(kube::ReflectorSink::Change::kAdded, *reader_.Read(json));
  }

  kube::JsonReader reader_;
  K8sObjects objects_;
};

TEST_F(K8sRecordsTest, APodBecomesTheDefaultAttributes) {
  const auto rules = Rules("{}");
  Know(
      rules, K8sSource::kReplicaSet,
      R"({"metadata":{"uid":"rs1","ownerReferences":[{"kind":"Deployment","name":"decode","uid":"d1","controller":true}]}})");
  const K8sPodRecord pod = Pod(*rules, R"({
    "metadata": {"name": "decode-7d9f-x", "namespace": "llm", "uid": "u1", "creationTimestamp": "2026-01-01T00:00:00Z",
                 "ownerReferences": [{"kind": "ReplicaSet", "name": "decode-7d9f", "uid": "rs1"}]},
    "spec": {"nodeName": "gpu-1", "containers": [{"name": "vllm", "image": "vllm/vllm-openai:v0.11"}]},
    "status": {"podIP": "10.0.0.7", "startTime": "2026-01-01T00:00:05Z"}})");
  EXPECT_THAT(Shown(pod.attributes), ElementsAre("k8s.pod.name=decode-7d9f-x", "k8s.namespace.name=llm",
                                                 "k8s.pod.start_time=2026-01-01T00:00:00Z", "k8s.pod.uid=u1",
                                                 "k8s.node.name=gpu-1", "k8s.deployment.name=decode"));
  EXPECT_EQ(pod.started_s, 1767225605);
  ASSERT_EQ(pod.containers.size(), 1u);
  EXPECT_THAT(Shown(pod.containers[0].attributes),
              ElementsAre("container.image.name=vllm/vllm-openai", "container.image.tag=v0.11"));
}

TEST_F(K8sRecordsTest, OwnersHaveNamesAndUids) {
  const std::string_view all =
      "{metadata: [k8s.replicaset.name, k8s.replicaset.uid, k8s.deployment.name, k8s.statefulset.name, "
      "k8s.statefulset.uid, k8s.daemonset.name, k8s.daemonset.uid, k8s.job.name, k8s.job.uid, k8s.cronjob.name], "
      "deployment_name_from_replicaset: true}";
  const auto owned_by = [&](std::string_view kind, std::string_view name) {
    return AttributesOf(all,
                        StrCat(R"({"ownerReferences":[{"kind":")", kind, R"(","name":")", name, R"(","uid":"o"}]})"));
  };
  EXPECT_THAT(
      owned_by("ReplicaSet", "my-app-6c45f8d6f6"),
      ElementsAre("k8s.replicaset.name=my-app-6c45f8d6f6", "k8s.replicaset.uid=o", "k8s.deployment.name=my-app"));
  EXPECT_THAT(owned_by("ReplicaSet", "bare"), ElementsAre("k8s.replicaset.name=bare", "k8s.replicaset.uid=o"));
  EXPECT_THAT(owned_by("StatefulSet", "db"), ElementsAre("k8s.statefulset.name=db", "k8s.statefulset.uid=o"));
  EXPECT_THAT(owned_by("DaemonSet", "agent"), ElementsAre("k8s.daemonset.name=agent", "k8s.daemonset.uid=o"));
  EXPECT_THAT(owned_by("Job", "report-29281170"),
              ElementsAre("k8s.job.name=report-29281170", "k8s.job.uid=o", "k8s.cronjob.name=report"));
  EXPECT_THAT(owned_by("Job", "once"), ElementsAre("k8s.job.name=once", "k8s.job.uid=o"));
  EXPECT_THAT(owned_by("Node", "n"), IsEmpty());
}

// Scenario: ReplicaSets whose hash has 8 to 10 characters, or is none, of pods that are labelled with it or not.
// Guarantees: the label decides where it is the end of the name; else the end has to look like a hash of ten
// characters.
TEST_F(K8sRecordsTest, TheLabelOfAPodSaysWhatTheHashIs) {
  const auto deployment = [&](std::string_view replicaset, std::string_view hash) {
    const std::vector<std::string> shown =
        AttributesOf("{metadata: [k8s.deployment.name], deployment_name_from_replicaset: true}",
                     StrCat(R"({"labels":{)", hash.empty() ? "" : StrCat(R"("pod-template-hash":")", hash, "\""),
                            R"(},"ownerReferences":[{"kind":"ReplicaSet","name":")", replicaset, R"(","uid":"o"}]})"));
    return shown.empty() ? "" : shown[0];
  };
  EXPECT_EQ(deployment("my-app-5d9c8bf6", "5d9c8bf6"), "k8s.deployment.name=my-app");
  EXPECT_EQ(deployment("my-app-85d9c8bf6", "85d9c8bf6"), "k8s.deployment.name=my-app");
  EXPECT_EQ(deployment("my-app-6c45f8d6f6", "6c45f8d6f6"), "k8s.deployment.name=my-app");
  EXPECT_EQ(deployment("my-app-85d9c8bf6", ""), "");
  EXPECT_EQ(deployment("my-app-6c45f8d6f6", "other"), "k8s.deployment.name=my-app");
  EXPECT_EQ(deployment("my-app-85d9c8bf6", "5d9c8bf6"), "");  // the end of the end
}

// Guarantees: a service is named by its labels, else by the largest workload, else by the pod; an annotation is above
// all.
TEST_F(K8sRecordsTest, ServicesAreNamedByConvention) {
  const std::string_view extract =
      "{metadata: [service.name, service.namespace, service.version], otel_annotations: true, "
      "deployment_name_from_replicaset: true}";
  const std::string owners = R"("ownerReferences":[{"kind":"ReplicaSet","name":"web-6c45f8d6f6"}])";
  const std::string pod = R"("name":"web-1","namespace":"shop")";
  EXPECT_THAT(AttributesOf(extract, StrCat("{", pod, "}")),
              ElementsAre("service.namespace=shop", "service.name=web-1"));
  EXPECT_THAT(AttributesOf(extract, StrCat("{", pod, ",", owners, "}")), Contains("service.name=web"));
  EXPECT_THAT(AttributesOf(extract, StrCat("{", pod, ",", owners, R"(,"labels":{"app.kubernetes.io/name":"n",
                                           "app.kubernetes.io/version":"2"}})")),
              UnorderedElementsAre("service.namespace=shop", "service.name=n", "service.version=2"));
  EXPECT_THAT(AttributesOf(extract, StrCat("{", pod, R"(,"labels":{"app.kubernetes.io/instance":"i",
                                           "app.kubernetes.io/name":"n"}})")),
              Contains("service.name=i"));
  EXPECT_THAT(AttributesOf(extract, StrCat("{", pod, R"(,"labels":{"app.kubernetes.io/instance":"i"},
                                           "annotations":{"resource.opentelemetry.io/service.name":"a",
                                           "resource.opentelemetry.io/team":"t"}})")),
              UnorderedElementsAre("service.namespace=shop", "service.name=a", "team=t"));
}

TEST_F(K8sRecordsTest, LabelsAndAnnotationsBecomeAttributes) {
  const std::string metadata = R"({"labels": {"app.kubernetes.io/part": "x", "app": "vllm", "empty": ""},
                                   "annotations": {"note": "n"}})";
  const auto attributes = [&](std::string_view rules) {
    return AttributesOf(StrCat("{metadata: [], ", rules, "}"), metadata);
  };
  EXPECT_THAT(attributes("labels: [{tag_name: t, key: app}, {key: app}, {key: empty}, {key: none}]"),
              ElementsAre("t=vllm", "k8s.pod.labels.app=vllm", "k8s.pod.labels.empty="));
  EXPECT_THAT(attributes("annotations: [{key: note}]"), ElementsAre("k8s.pod.annotations.note=n"));
  EXPECT_THAT(attributes("labels: [{tag_name: $1, key_regex: 'app.kubernetes.io/(.*)'}]"), ElementsAre("part=x"));
  EXPECT_THAT(attributes("labels: [{tag_name: 'is.${what}', key_regex: '(?P<what>a.p)'}]"), ElementsAre("is.app=vllm"));
  EXPECT_THAT(attributes("labels: [{tag_name: unused, key_regex: 'app'}, {key_regex: 'em.*'}]"),
              ElementsAre("k8s.pod.labels.app=vllm"));
  EXPECT_THAT(attributes("labels: [{key: app, from: node}]"), IsEmpty());
}

TEST_F(K8sRecordsTest, WorkloadsHaveTheirOwnLabels) {
  const auto rules = Rules(
      "{metadata: [], labels: [{key: a, from: deployment}, {tag_name: t, key: a, from: namespace}], "
      "annotations: [{key: b, from: deployment}]}");
  kube::JsonReader reader;
  const auto meta =
      kube::ReadMeta(*reader.Read(R"({"metadata":{"name":"d","uid":"u","labels":{"a":"1"},"annotations":{"b":"2"}}})"));
  EXPECT_THAT(Shown(K8sObjectRecordOf(meta, K8sSource::kDeployment, *rules).attributes),
              ElementsAre("k8s.deployment.label.a=1", "k8s.deployment.annotation.b=2"));
  EXPECT_THAT(Shown(K8sObjectRecordOf(meta, K8sSource::kNamespace, *rules).attributes), ElementsAre("t=1"));
  EXPECT_TRUE(rules->Needs(K8sSource::kReplicaSet));  // says whose pod is whose
  EXPECT_FALSE(rules->Needs(K8sSource::kNode));
}

TEST_F(K8sRecordsTest, ContainersAreKeptIfAskedFor) {
  const std::string_view pod = R"({"metadata": {"name": "p", "namespace": "n"},
    "spec": {"containers": [{"name": "c", "image": "r/app"}]},
    "status": {"containerStatuses": [{"name": "c", "containerID": "containerd://9c", "restartCount": 2,
      "imageID": "r/app@sha256:b248ef911f93ae27cbbc85056d1ffacc87fd941bbdc2ffd951b6df8df72b8096"}]}})";
  EXPECT_THAT(Pod(*Rules("{metadata: [k8s.pod.name]}"), pod).containers, IsEmpty());
  const auto containers = Pod(*Rules("{metadata: [container.id, container.image.tag, container.image.repo_digests, "
                                     "service.instance.id, service.version, k8s.container.name]}"),
                              pod)
                              .containers;
  ASSERT_EQ(containers.size(), 1u);
  EXPECT_EQ(containers[0].id, "9c");
  EXPECT_EQ(containers[0].restart_count, 2);
  EXPECT_THAT(Shown(containers[0].attributes),
              ElementsAre("k8s.container.name=c", "container.image.tag=latest", "service.instance.id=n.p.c"));
  EXPECT_TRUE(containers[0].repo_digest.starts_with("docker.io/r/app@sha256:b248"));
}

TEST_F(K8sRecordsTest, SomePodsAreLeftAlone) {
  const auto rules = Rules("{}");
  EXPECT_TRUE(Pod(*rules, R"({"metadata":{"name":"jaeger-collector-5f"}})").is_ignored);
  EXPECT_TRUE(
      Pod(*rules, R"({"metadata":{"name":"p","annotations":{"opentelemetry.io/k8s-processor/ignore":" True"}}})")
          .is_ignored);
  const K8sPodRecord other =
      Pod(*rules, R"({"metadata":{"name":"p","annotations":{"opentelemetry.io/k8s-processor.ignore":"no"}}})");
  EXPECT_FALSE(other.is_ignored);
  EXPECT_THAT(Shown(other.attributes), Not(IsEmpty()));
}

}  // namespace
}  // namespace spanloom::pipeline
