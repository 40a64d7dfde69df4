// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/pool_allow_list.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "kube/testing/fake_api_server.h"
#include "net/testing/net_fixture.h"

namespace spanloom::llmd::routing_proxy {
namespace {

constexpr char kGroup[] = "inference.networking.k8s.io";
constexpr char kPools[] = "/apis/inference.networking.k8s.io/v1/inferencepools";

class PoolAllowLists : public testing::Test {
 protected:
  void PutPod(const std::string& name, const std::string& ip) {
    server_.Put("/api/v1/pods", "prod", name,
                StrCat(R"({"metadata":{"name":")", name, R"(","namespace":"prod","uid":"u-)", name,
                       R"("},"spec":{},"status":{"podIP":")", ip, R"("}})"));
  }
  std::unique_ptr<PoolAllowList> Start(std::vector<std::string> hosts = {}, const std::string& group = kGroup) {
    auto list = PoolAllowList::Create(std::move(hosts), PoolName{.group = group, .name_space = "prod", .name = "pool"},
                                      server_.Access(), loops_, Clock::System(), net::kPatience);
    EXPECT_TRUE(list.ok()) << list.status();
    return *std::move(list);
  }

  net::LoopPool loops_{1};
  kube::FakeApiServer server_{loops_};
};

// Scenario: a pool with its pods; one comes, one goes.
// Guarantees: their addresses and names are allowed from the start on, and as they come and go; others are not. The
// pods were asked for by the pool's labels, the pool by its name.
TEST_F(PoolAllowLists, FollowThePodsOfAPool) {
  server_.Put(kPools, "prod", "pool",
              R"({"metadata":{"name":"pool"},"spec":{"selector":{"matchLabels":{"app":"vllm"}}}})");
  PutPod("prefill-0", "10.0.0.1");
  const auto list = Start();
  EXPECT_TRUE(list->Allows("10.0.0.1"));
  EXPECT_TRUE(list->Allows("prefill-0"));
  EXPECT_FALSE(list->Allows("10.0.0.2"));
  EXPECT_FALSE(list->Allows("169.254.169.254"));
  EXPECT_FALSE(list->Allows(""));
  PutPod("prefill-1", "10.0.0.2");
  EXPECT_TRUE(net::Eventually([&] { return list->Allows("10.0.0.2"); }));
  server_.Delete("/api/v1/pods", "prod", "prefill-0");
  EXPECT_TRUE(net::Eventually([&] { return !list->Allows("10.0.0.1"); }));
}

// Scenario: a pool as the older API group writes it.
// Guarantees: the same.
TEST_F(PoolAllowLists, ReadTheOlderGroup) {
  server_.Put("/apis/inference.networking.x-k8s.io/v1alpha2/inferencepools", "prod", "pool",
              R"({"metadata":{"name":"pool"},"spec":{"selector":{"app":"vllm"}}})");
  PutPod("prefill-0", "10.0.0.1");
  EXPECT_TRUE(Start({}, "inference.networking.x-k8s.io")->Allows("10.0.0.1"));
}

// Scenario: no pool, only hosts of a flag.
// Guarantees: those are allowed.
TEST_F(PoolAllowLists, AllowTheHostsOfAFlag) {
  const auto list = PoolAllowList::Create({"b", "10.0.0.9"}, std::nullopt, std::nullopt, loops_, Clock::System());
  ASSERT_TRUE(list.ok());
  EXPECT_TRUE((*list)->Allows("10.0.0.9"));
  EXPECT_TRUE((*list)->Allows("b"));
  EXPECT_FALSE((*list)->Allows("c"));
}

// Scenario: the pool is not there at first, and is deleted later.
// Guarantees: nobody is allowed without it; its pods are once it is there.
TEST_F(PoolAllowLists, AllowNobodyWithoutThePool) {
  PutPod("prefill-0", "10.0.0.1");
  auto created = PoolAllowList::Create({}, PoolName{.group = kGroup, .name_space = "prod", .name = "pool"},
                                       server_.Access(), loops_, Clock::System(), std::chrono::milliseconds(1));
  ASSERT_TRUE(created.ok());
  EXPECT_FALSE((*created)->Allows("10.0.0.1"));
  server_.Put(kPools, "prod", "pool", R"({"metadata":{"name":"pool"},"spec":{"selector":{"matchLabels":{"a":"b"}}}})");
  EXPECT_TRUE(net::Eventually([&] { return (*created)->Allows("10.0.0.1"); }));
  server_.Delete(kPools, "prod", "pool");
  EXPECT_TRUE(net::Eventually([&] { return !(*created)->Allows("10.0.0.1"); }));
}

}  // namespace
}  // namespace spanloom::llmd::routing_proxy
