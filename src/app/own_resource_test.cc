// SPDX-License-Identifier: Apache-2.0

#include "app/own_resource.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::app {
namespace {

using testing::ElementsAre;
using testing::Key;
using testing::Pair;

// Scenario: a resource with a name of the user's, an attribute more, and the version taken away.
// Guarantees: what was configured holds; the rest is this process's.
TEST(OwnResource, TakesWhatIsConfigured) {
  Rng rng(1);
  const config::StringMap resource =
      OwnResource({{"service.name", "edge"}, {"service.version", ""}, {"k8s.pod.name", "pod-1"}}, rng);
  EXPECT_THAT(resource,
              ElementsAre(Pair("k8s.pod.name", "pod-1"), Key("service.instance.id"), Pair("service.name", "edge")));
  EXPECT_EQ(resource[1].second.size(), 36u);
  EXPECT_EQ(resource[1].second[14], '4');
}

// Scenario: labels of all attributes, and of those that a pattern names.
// Guarantees: names as Prometheus has them; only those that are taken.
TEST(OwnResource, BecomesLabels) {
  const config::StringMap resource = {{"k8s.pod.name", "pod-1"}, {"service.name", "edge"}};
  EXPECT_THAT(LabelsOf(resource), ElementsAre(Pair("k8s_pod_name", "pod-1"), Pair("service_name", "edge")));
  EXPECT_THAT(LabelsOf(resource, {.included = {"k8s.*"}}), ElementsAre(Pair("k8s_pod_name", "pod-1")));
  EXPECT_THAT(LabelsOf(resource, {.excluded = {"k8s.*"}}), ElementsAre(Pair("service_name", "edge")));
}

}  // namespace
}  // namespace spanloom::app
