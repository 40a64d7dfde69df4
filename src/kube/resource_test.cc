// SPDX-License-Identifier: Apache-2.0

#include "kube/resource.h"

#include <gtest/gtest.h>

namespace spanloom::kube {
namespace {

using namespace std::chrono_literals;

TEST(Resource, HasAPath) {
  EXPECT_EQ(PathOf(kPods, {}), "/api/v1/pods");
  EXPECT_EQ(PathOf(kReplicaSets, {.name_space = "prod"}), "/apis/apps/v1/namespaces/prod/replicasets");
  EXPECT_EQ(PathOf(kNodes, {.name_space = "prod"}), "/api/v1/nodes");
}

TEST(Resource, EncodesWhatIsSelected) {
  const Selection selection = {.label_selector = "app=vllm,!old", .field_selector = "spec.nodeName=node-1"};
  EXPECT_EQ(ListQuery(selection, 500, "a+b/c="),
            "limit=500&labelSelector=app%3Dvllm%2C%21old&fieldSelector=spec.nodeName%3Dnode-1&continue=a%2Bb%2Fc%3D");
  EXPECT_EQ(WatchQuery({}, "12", 300s), "watch=1&allowWatchBookmarks=true&resourceVersion=12&timeoutSeconds=300");
}

TEST(Resource, AsksForMetadataAlone) {
  EXPECT_EQ(AcceptOf(kPods, true), "application/json");
  EXPECT_EQ(AcceptOf(kJobs, true), "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json");
  EXPECT_EQ(AcceptOf(kJobs, false), "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
}

TEST(Resource, NamesThePermissionItTakes) {
  EXPECT_EQ(RbacRule(kPods, {}),
            R"(ClusterRole: {apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"]})");
  EXPECT_EQ(RbacRule(kJobs, {.name_space = "prod"}),
            R"(Role in namespace prod: {apiGroups: ["batch"], resources: ["jobs"], verbs: ["get", "list", "watch"]})");
  EXPECT_EQ(RbacRule(kNodes, {.name_space = "prod"}),
            R"(ClusterRole: {apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"]})");
}

}  // namespace
}  // namespace spanloom::kube
