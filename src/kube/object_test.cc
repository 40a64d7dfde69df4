// SPDX-License-Identifier: Apache-2.0

#include "kube/object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/json.h"

namespace spanloom::kube {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Object, ReadsAPod) {
  JsonReader reader;
  const auto json = reader.Read(R"({
    "metadata": {"name": "decode-0", "namespace": "llm", "uid": "u1", "creationTimestamp": "2026-01-01T00:00:00Z",
                 "labels": {"app": "vllm"}, "annotations": {"a": "b", "bad": 1},
                 "ownerReferences": [{"kind": "StatefulSet", "name": "decode", "uid": "u2", "controller": true}]},
    "spec": {"nodeName": "gpu-1", "hostname": "decode-0", "hostNetwork": true,
             "containers": [{"name": "vllm", "image": "vllm/vllm:1"}], "initContainers": [{"name": "proxy"}]},
    "status": {"podIP": "10.0.0.7", "podIPs": [{"ip": "10.0.0.7"}, {"ip": "fd00::7"}],
               "startTime": "2026-01-01T00:00:05Z",
               "containerStatuses": [{"name": "vllm", "containerID": "containerd://9c", "imageID": "vllm@sha256:1",
                                      "restartCount": 3}],
               "initContainerStatuses": [{"name": "proxy", "containerID": "containerd://9d"}]}})");
  ASSERT_TRUE(json.ok()) << json.status();
  const Pod pod = ReadPod(*json);
  EXPECT_EQ(pod.meta.name, "decode-0");
  EXPECT_EQ(pod.meta.name_space, "llm");
  EXPECT_EQ(pod.meta.uid, "u1");
  EXPECT_EQ(pod.meta.created, "2026-01-01T00:00:00Z");
  EXPECT_THAT(pod.meta.labels, ElementsAre(Pair("app", "vllm")));
  EXPECT_THAT(pod.meta.annotations, ElementsAre(Pair("a", "b")));
  ASSERT_EQ(pod.meta.owners.size(), 1u);
  EXPECT_EQ(pod.meta.owners[0].name, "decode");
  EXPECT_TRUE(pod.meta.owners[0].is_controller);
  EXPECT_EQ(pod.node_name, "gpu-1");
  EXPECT_TRUE(pod.is_on_host_network);
  EXPECT_THAT(pod.ips, ElementsAre("10.0.0.7", "fd00::7"));
  EXPECT_EQ(pod.start_time, "2026-01-01T00:00:05Z");
  ASSERT_EQ(pod.containers.size(), 2u);
  EXPECT_EQ(pod.containers[0].image, "vllm/vllm:1");
  EXPECT_EQ(pod.containers[0].id, "containerd://9c");
  EXPECT_EQ(pod.containers[0].restart_count, 3);
  EXPECT_EQ(pod.containers[1].id, "containerd://9d");
}

// Scenario: an object that has nothing, and one whose fields have other types.
// Guarantees: what is not there is empty.
TEST(Object, ReadsWhatIsThere) {
  JsonReader reader;
  for (const char* json : {"{}", R"({"metadata": 1, "spec": [], "status": "x"})",
                           R"({"metadata": {"labels": [], "ownerReferences": {}}, "status": {"podIPs": 1}})"}) {
    const Pod pod = ReadPod(*reader.Read(json));
    EXPECT_EQ(pod.meta.name, "");
    EXPECT_THAT(pod.meta.owners, IsEmpty());
    EXPECT_THAT(pod.containers, IsEmpty());
  }
}

}  // namespace
}  // namespace spanloom::kube
