// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace spanloom::llmd::wire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

net::HttpHeaders Headers(const std::vector<std::pair<std::string, std::string>>& fields) {
  net::HttpHeaders headers;
  for (const auto& [name, value] : fields) headers.Add(name, value);
  return headers;
}

TEST(RoutingHeaders, NamePrefillPodsByCommaOrByRepetition) {
  EXPECT_THAT(PrefillTargets(Headers(
                  {{"x-prefiller-host-port", "10.0.0.1:8000, 10.0.0.2:8000"}, {"x-prefiller-host-port", "p3:1"}})),
              ElementsAre("10.0.0.1:8000", "10.0.0.2:8000", "p3:1"));
}

TEST(RoutingHeaders, AreReadInTheirOtherVersions) {
  EXPECT_THAT(PrefillTargets(Headers({{"x-llm-d-prefiller-host-port", "a:1"}})), ElementsAre("a:1"));
  EXPECT_THAT(PrefillTargets(Headers({{"x-prefiller-url", "http://10.0.0.1:8000/"}})), ElementsAre("10.0.0.1:8000"));
}

// Scenario: a client adds the name that an older scheduler does not know to the one that this wrote.
// Guarantees: what the scheduler wrote counts.
TEST(RoutingHeaders, CantBeForgedNextToTheSchedulers) {
  EXPECT_THAT(PrefillTargets(Headers({{"x-llm-d-prefiller-host-port", "evil:1"}, {"x-prefiller-host-port", "good:1"}})),
              ElementsAre("good:1"));
}

TEST(RoutingHeaders, NameNobodyWhenTheyAreEmpty) {
  EXPECT_THAT(PrefillTargets(Headers({{"x-prefiller-host-port", ""}})), IsEmpty());
  EXPECT_THAT(PrefillTargets(Headers({{"x-prefiller-host-port", " , "}})), IsEmpty());
  EXPECT_THAT(PrefillTargets(Headers({})), IsEmpty());
}

TEST(RoutingHeaders, GoNoFurther) {
  for (const char* name : {"x-prefiller-host-port", "x-llm-d-prefiller-host-port", "x-prefiller-url",
                           "x-data-parallel-host-port", "x-encoder-hosts-ports", "x-kv-cache-source-host-port"}) {
    EXPECT_TRUE(IsRoutingHeader(name)) << name;
  }
  EXPECT_FALSE(IsRoutingHeader("x-request-id"));
  EXPECT_FALSE(IsRoutingHeader("x-data-parallel-rank"));
}

TEST(HostPort, IsAHostAndAPort) {
  for (const char* good : {"10.0.0.1:8000", "prefill-0.prefill.ns.svc:1", "[fd00::1]:65535", "localhost:80"}) {
    EXPECT_TRUE(IsHostPort(good)) << good;
  }
  for (const char* bad : {"", ":", "host", "host:", ":80", "host:0", "host:65536", "host:-1", "host:+1", "host: 1",
                          "a b:80", "a/b:80", "user@host:80", "[fd00::1]", "fd00::1:80", "host\r\nx:80", "[]:80"}) {
    EXPECT_FALSE(IsHostPort(bad)) << bad;
  }
}

}  // namespace
}  // namespace spanloom::llmd::wire
