// SPDX-License-Identifier: Apache-2.0
//
// Which pod is found by what: k8s_pod_table.h and k8s_associations.h.

#include "pipeline/processors/k8s_pod_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "otlp/writer.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

using Attributes = std::vector<std::pair<std::string, std::string>>;

K8sPodRecord MakePod(const std::string& uid, const std::string& ip, int64_t started_s = 0) {
  K8sPodRecord pod;
  pod.name = "pod-" + uid;
  pod.name_space = "ns";
  pod.uid = uid;
  if (!ip.empty()) pod.ips = {ip};
  pod.started_s = started_s;
  return pod;
}

K8sAssociationOptions By(std::vector<K8sAssociationSourceOptions> sources) {
  return {.sources = std::move(sources)};
}
K8sAssociationSourceOptions Attribute(const std::string& name) {
  return {.from = "resource_attribute", .name = name};
}
const K8sAssociationSourceOptions kByConnection = {.from = "connection", .name = ""};

class K8sPodTableTest : public testing::Test {
 protected:
  using Object = K8sPodMirror::Object;

  void Use(std::vector<K8sAssociationOptions> associations) {
    associations_ = std::make_unique<K8sAssociations>(std::move(associations));
    table_ = std::make_unique<K8sPodTable>(*associations_, clock_, 120s);
  }

  Object Put(const K8sPodRecord& pod, const Object& before = nullptr) {
    const auto after = std::make_shared<const K8sPodRecord>(pod);
    Apply(before, after);
    return after;
  }
  void Apply(const Object& before, const Object& after) {
    const K8sPodMirror::Difference difference = {.before = before, .after = after};
    table_->Apply({&difference, 1});
  }
  void Advance(std::chrono::nanoseconds duration) {
    clock_.Advance(duration.count());
    table_->Expire();
  }

  // The UID of the pod that a resource with these attributes comes from; "" if it is not known.
  std::string Find(const Attributes& attributes, const std::string& peer_address = "") {
    const std::string wire = otlp::EncodeResource([&](otlp::AttributeWriter& writer) {
      for (const auto& [key, text] : attributes) writer.String(key, text);
    });
    otlp::ResourceEditor editor;
    editor.Begin(wire);
    const auto identifier = associations_->IdentifierOf(editor, peer_address);
    if (!identifier) return "";
    const Object pod = table_->Find(identifier->key);
    return pod == nullptr ? "" : pod->uid;
  }

  SimClock clock_;
  std::unique_ptr<K8sAssociations> associations_;
  std::unique_ptr<K8sPodTable> table_;
};

TEST_F(K8sPodTableTest, FindsByAddressWithoutAssociations) {
  Use({});
  K8sPodRecord both = MakePod("u", "10.0.0.7");
  both.ips.emplace_back("fd00::7");
  Put(both);
  EXPECT_EQ(Find({}, "10.0.0.7"), "u");
  EXPECT_EQ(Find({}, "fd00::7"), "u");
  EXPECT_EQ(Find({{"k8s.pod.ip", "10.0.0.7"}}, "10.9.9.9"), "u");
  EXPECT_EQ(Find({{"ip", "10.0.0.7"}}), "u");
  EXPECT_EQ(Find({{"host.name", "10.0.0.7"}}), "u");
  EXPECT_EQ(Find({{"host.name", "node-1"}}), "");
  EXPECT_EQ(Find({}), "");
}

TEST_F(K8sPodTableTest, FindsByTheFirstAssociationThatSaysSomething) {
  Use({By({Attribute("k8s.pod.uid")}), By({Attribute("k8s.pod.name"), Attribute("k8s.namespace.name")}),
       By({kByConnection})});
  Put(MakePod("a", "10.0.0.1"));
  Put(MakePod("b", "10.0.0.2"));
  EXPECT_EQ(Find({{"k8s.pod.uid", "a"}}, "10.0.0.2"), "a");
  EXPECT_EQ(Find({{"k8s.pod.name", "pod-b"}, {"k8s.namespace.name", "ns"}}), "b");
  EXPECT_EQ(Find({{"k8s.pod.name", "pod-b"}, {"k8s.namespace.name", "other"}}), "");
  EXPECT_EQ(Find({{"k8s.pod.name", "pod-a"}}, "10.0.0.2"), "b");
  // What an association says is not asked of the next one.
  EXPECT_EQ(Find({{"k8s.pod.uid", "gone"}}, "10.0.0.2"), "");
}

TEST_F(K8sPodTableTest, FindsByContainersAndByWhatIsExtracted) {
  Use({By({Attribute("container.id")}), By({Attribute("team"), kByConnection})});
  K8sPodRecord pod = MakePod("a", "10.0.0.1");
  pod.containers = {{.name = "x", .id = "c1"}, {.name = "y", .id = "c2"}, {.name = "z", .id = ""}};
  pod.attributes.Add("team", "blue");
  Put(pod);
  EXPECT_EQ(Find({{"container.id", "c1"}}), "a");
  EXPECT_EQ(Find({{"container.id", "c2"}}), "a");
  EXPECT_EQ(Find({{"team", "blue"}}, "10.0.0.1"), "a");
  EXPECT_EQ(Find({{"team", "red"}}, "10.0.0.1"), "");
  EXPECT_EQ(table_->size(), 3u);
}

// Scenario: a pod has the address of its node.
// Guarantees: it is not found by its connection, but by its name.
TEST_F(K8sPodTableTest, TakesNoAddressOfANode) {
  Use({By({Attribute("k8s.pod.name")}), By({kByConnection})});
  K8sPodRecord pod = MakePod("a", "192.168.0.1");
  pod.is_on_host_network = true;
  Put(pod);
  EXPECT_EQ(Find({}, "192.168.0.1"), "");
  EXPECT_EQ(Find({{"k8s.pod.name", "pod-a"}}), "a");
}

TEST_F(K8sPodTableTest, KeepsADeletedPodForAWhile) {
  Use({});
  const Object pod = Put(MakePod("a", "10.0.0.1"));
  Apply(pod, nullptr);
  Advance(119s);
  EXPECT_EQ(Find({}, "10.0.0.1"), "a");
  Advance(1s);
  EXPECT_EQ(Find({}, "10.0.0.1"), "");
  EXPECT_EQ(table_->size(), 0u);
}

// Scenario: an address is given to a new pod, and the old one is deleted before or after, or heard of late.
// Guarantees: the new pod has it, and keeps it.
TEST_F(K8sPodTableTest, GivesAnAddressToTheNewerPod) {
  Use({});
  const Object old = Put(MakePod("old", "10.0.0.1", 100));
  Put(MakePod("new", "10.0.0.1", 200));
  K8sPodRecord late = *old;
  late.node_name = "n";
  const Object old_again = Put(late, old);
  EXPECT_EQ(Find({}, "10.0.0.1"), "new");
  Apply(old_again, nullptr);
  Advance(1h);
  EXPECT_EQ(Find({}, "10.0.0.1"), "new");
}

// Scenario: one list shows both pods, in either order.
TEST_F(K8sPodTableTest, GivesAnAddressToTheNewerPodOfAList) {
  for (const bool newer_first : {false, true}) {
    Use({});
    std::vector<K8sPodMirror::Difference> differences = {
        {.before = nullptr, .after = std::make_shared<const K8sPodRecord>(MakePod("old", "10.0.0.1", 100))},
        {.before = nullptr, .after = std::make_shared<const K8sPodRecord>(MakePod("new", "10.0.0.1", 200))}};
    if (newer_first) std::swap(differences[0], differences[1]);
    table_->Apply(differences);
    EXPECT_EQ(Find({}, "10.0.0.1"), "new");
  }
}

// Scenario: a pod loses its address, and has it again before the grace is over.
// Guarantees: what was lost is let go of after the grace, what came back is not.
TEST_F(K8sPodTableTest, LetsGoOfAnAddressThatWasLost) {
  Use({});
  const Object first = Put(MakePod("a", "10.0.0.1"));
  const Object second = Put(MakePod("a", "10.0.0.2"), first);
  EXPECT_EQ(Find({}, "10.0.0.1"), "a");
  Put(MakePod("a", "10.0.0.1"), second);
  Advance(120s);
  EXPECT_EQ(Find({}, "10.0.0.1"), "a");
  EXPECT_EQ(Find({}, "10.0.0.2"), "");
}

TEST(K8sAssociations, APodWithoutAnAddressHasNoKey) {
  EXPECT_THAT(K8sAssociations({}).KeysOf(MakePod("a", "")), IsEmpty());
  EXPECT_THAT(K8sAssociations({}).KeysOf(MakePod("a", "10.0.0.1")), SizeIs(1));
}

}  // namespace
}  // namespace spanloom::pipeline
