// SPDX-License-Identifier: Apache-2.0

#include "net/name_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/mutex.h"

namespace spanloom::net {
namespace {

StatusOr<std::vector<std::string>> LookUp(LoopPool& loops, const std::string& host) {
  Notification there;
  StatusOr<std::vector<std::string>> answer = absl::UnknownError("");
  LookUpName(loops.At(0), host, [&](StatusOr<std::vector<std::string>> found) {
    answer = std::move(found);
    there.Notify();
  });
  there.Wait();
  return answer;
}

// Scenario: an address, this machine's name for itself, and a name that nobody has.
// Guarantees: the addresses once each, or an error that names the host.
TEST(NameLookup, FindsAddresses) {
  LoopPool loops(1);
  EXPECT_THAT(*LookUp(loops, "127.0.0.7"), testing::ElementsAre("127.0.0.7"));
  EXPECT_THAT(*LookUp(loops, "localhost"), testing::Contains(testing::AnyOf("127.0.0.1", "::1")));
  const auto nobody = LookUp(loops, "no such name");
  EXPECT_EQ(nobody.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(nobody.status().message()), testing::HasSubstr("no such name"));
}

}  // namespace
}  // namespace spanloom::net
