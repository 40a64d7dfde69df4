// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/k8s_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "config/yaml.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

K8sAttributesOptions Read(std::string_view yaml, config::Problems& problems) {
  return config::ReadOptions<K8sAttributesOptions>(*config::ParseYaml(yaml, "f"), "k8s", problems);
}

K8sAttributesOptions Read(std::string_view yaml) {
  config::Problems problems;
  K8sAttributesOptions options = Read(yaml, problems);
  EXPECT_THAT(problems.lines(), IsEmpty()) << yaml;
  return options;
}

TEST(K8sAttributesOptions, HasTheCollectorsDefaults) {
  const K8sAttributesOptions options = Read("");
  EXPECT_EQ(options.auth_type, "serviceAccount");
  EXPECT_THAT(options.extract.metadata,
              ElementsAre("k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid", "k8s.pod.start_time",
                          "k8s.deployment.name", "k8s.node.name", "container.image.name", "container.image.tag"));
  EXPECT_EQ(options.wait_for_metadata_timeout, std::chrono::seconds(10));
  EXPECT_EQ(options.pod_delete_grace_period, std::chrono::seconds(120));
  EXPECT_FALSE(options.passthrough);
}

TEST(K8sAttributesOptions, TakesWhatTheCollectorTakes) {
  EXPECT_THAT(Read("extract: {metadata: []}").extract.metadata, IsEmpty());
  Read("{auth_type: kubeConfig, context: here, passthrough: false, watch_sync_period: 5m}");
  Read("{extract: {labels: [{key_regex: 'opentel.*', from: pod}], otel_annotations: true}}");
  Read("{extract: {labels: [{tag_name: l, key: app, from: statefulset}, {tag_name: r, key: app, from: replicaset}]}}");
  Read(
      "{pod_association: [{sources: [{from: resource_attribute, name: ip}]}, {sources: [{from: connection, name: "
      "ip}]}]}");
  Read("{exclude: {pods: [{name: jaeger-agent}]}, wait_for_metadata: true, wait_for_metadata_timeout: 30s}");
}

// What the Collector's Helm chart writes with its preset kubernetesAttributes.
TEST(K8sAttributesOptions, TakesTheHelmChartsPreset) {
  setenv("K8S_NODE_NAME", "gpu-1", 1);
  const K8sAttributesOptions options = Read(R"(
filter:
  node_from_env_var: K8S_NODE_NAME
passthrough: false
pod_association:
  - sources: [{from: resource_attribute, name: k8s.pod.ip}]
  - sources: [{from: resource_attribute, name: k8s.pod.uid}]
  - sources: [{from: connection}]
extract:
  metadata: [k8s.namespace.name, k8s.deployment.name, k8s.statefulset.name, k8s.daemonset.name, k8s.cronjob.name,
             k8s.job.name, k8s.node.name, k8s.pod.name, k8s.pod.uid, k8s.pod.start_time]
  labels:
    - {tag_name: $1, key_regex: (.*), from: pod}
  annotations:
    - {tag_name: $1, key_regex: (.*), from: pod}
)");
  EXPECT_EQ(options.filter.PodSelection().field_selector, "spec.nodeName=gpu-1");
  EXPECT_EQ(options.pod_association.size(), 3u);
}

TEST(K8sAttributesOptions, RefusesByName) {
  const std::pair<const char*, const char*> cases[] = {
      {"auth_type: tls", "auth_type tls is not supported by this version: write kubeConfig"},
      {"auth_type: magic", "auth_type must be one of serviceAccount, kubeConfig, none, got \"magic\""},
      {"context: x", "context goes with auth_type: kubeConfig alone"},
      {"watch_sync_period: -1s", "watch_sync_period: must be at least 0s"},
      {"kube_api_qps: 5", "kube_api_qps is not supported by this version"},
      {"extract: {metadata: [k8s.cluster.name]}", "\"k8s.cluster.name\" is not a supported metadata field"},
      {"extract: {labels: [{tag_name: a, key: b, key_regex: c}]}", "key_regex cannot be used together with key"},
      {"extract: {labels: [{tag_name: a}]}", "key or key_regex must be set"},
      {"extract: {annotations: [{key: b, from: unknown}]}", "from must be one of pod, namespace"},
      {"extract: {annotations: [{key_regex: '['}]}", "key_regex"},
      {"filter: {labels: [{key: a, op: unknown}]}", "op must be one of equals, not-equals, exists, does-not-exist"},
      {"filter: {fields: [{key: a, op: exists}]}", "op must be one of equals, not-equals"},
      {"pod_association: [{sources: [{from: label}]}]", "from must be one of connection, resource_attribute"},
      {"pod_association: [{sources: [{from: resource_attribute}]}]", "name must be set"},
      {"pod_association: [{sources: []}]", "sources must name at least one"},
      {"pod_association: [{sources: [{from: connection}, {from: connection}, {from: connection}, {from: connection}, "
       "{from: connection}]}]",
       "sources are too many: 5, the limit is 4"},
      {"exclude: {pods: [{name: '('}]}", "name"},
  };
  for (const auto& [yaml, problem] : cases) {
    config::Problems problems;
    static_cast<void>(Read(yaml, problems));
    EXPECT_THAT(problems.lines(), ElementsAre(HasSubstr(problem))) << yaml;
  }
}

TEST(K8sAttributesOptions, SelectsOnTheServer) {
  setenv("SPANLOOM_TEST_NODE", "gpu,1", 1);
  const K8sAttributesOptions options = Read(
      "{filter: {namespace: llm, node: other, node_from_env_var: SPANLOOM_TEST_NODE, "
      "labels: [{key: a, value: b}, {key: c, value: d, op: not-equals}, {key: e, op: exists}, {key: f, op: "
      "does-not-exist}], fields: [{key: status.phase, value: Running}, {key: spec.x, value: y, op: not-equals}]}}");
  const kube::Selection selection = options.filter.PodSelection();
  EXPECT_EQ(selection.name_space, "llm");
  EXPECT_EQ(selection.label_selector, "a=b,c!=d,e,!f");
  EXPECT_EQ(selection.field_selector, "status.phase=Running,spec.x!=y,spec.nodeName=gpu\\,1");
}

// Scenario: the variable that names the node is not set, as where a configuration is only checked.
// Guarantees: pods of all nodes are selected; who starts it can tell.
TEST(K8sAttributesOptions, TakesAllNodesIfNobodySaysWhich) {
  const K8sAttributesOptions options = Read("{filter: {node_from_env_var: SPANLOOM_NO_SUCH_VARIABLE}}");
  EXPECT_TRUE(options.filter.IsNodeUnknown());
  EXPECT_EQ(options.filter.PodSelection().field_selector, "");
  EXPECT_FALSE(Read("{filter: {node: a}}").filter.IsNodeUnknown());
}

}  // namespace
}  // namespace spanloom::pipeline
