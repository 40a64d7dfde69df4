// SPDX-License-Identifier: Apache-2.0

#include "pipeline/common_origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {
namespace {

using otlp::RequestOrigin;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

void AddFrom(const std::shared_ptr<const RequestOrigin>& origin, otlp::Batch& batch) {
  otlp::Batch more = BatchOf({"a"});
  more.slices()[0].set_origin(origin);
  batch.Add(std::move(more));
}

TEST(CommonOrigin, IsTheOneThatAllHave) {
  const auto origin = std::make_shared<const RequestOrigin>(RequestOrigin{.peer_address = "10.0.0.1"});
  otlp::Batch batch;
  AddFrom(origin, batch);
  AddFrom(origin, batch);
  EXPECT_EQ(CommonOrigin(batch), origin);
  AddFrom(nullptr, batch);
  EXPECT_EQ(CommonOrigin(batch)->peer_address, "");
  EXPECT_NE(CommonOrigin(otlp::Batch()), nullptr);
}

// Scenario: two senders of one tenant, which differ in the rest; a name that comes twice.
// Guarantees: what both say stays, all of what one says alone or differently goes.
TEST(CommonOrigin, KeepsWhatAllSay) {
  otlp::Batch batch;
  AddFrom(std::make_shared<const RequestOrigin>(RequestOrigin{
              .peer_address = "10.0.0.1",
              .metadata = {{"tenant", "blue"}, {"pod", "a"}, {"twice", "1"}, {"twice", "2"}, {"own", "x"}},
              .auth = {{"username", "alice"}}}),
          batch);
  AddFrom(std::make_shared<const RequestOrigin>(
              RequestOrigin{.peer_address = "10.0.0.2",
                            .metadata = {{"tenant", "blue"}, {"pod", "b"}, {"twice", "1"}},
                            .auth = {{"username", "alice"}}}),
          batch);
  const auto common = CommonOrigin(batch);
  EXPECT_EQ(common->peer_address, "");
  EXPECT_THAT(common->metadata, ElementsAre(Pair("tenant", "blue")));
  EXPECT_THAT(common->auth, ElementsAre(Pair("username", "alice")));
}

}  // namespace
}  // namespace spanloom::pipeline
