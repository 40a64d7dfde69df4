// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/hash_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using Point = HashRing::Point;

constexpr uint64_t kSeed = 20'260'101;

std::vector<std::string> Endpoints(size_t count) {
  std::vector<std::string> endpoints;
  for (size_t i = 0; i < count; ++i) endpoints.push_back(StrCat("10.0.0.", i, ":4317"));
  return endpoints;
}

std::string RandomTraceId(Rng& rng) {
  std::string id(16, '\0');
  for (char& byte : id) byte = static_cast<char>(rng.Next());
  return id;
}

// Scenario: the check value of the algorithm.
// Guarantees: it is the CRC that zlib and Go's hash/crc32 have.
TEST(Crc32, IsThatOfZlib) {
  EXPECT_EQ(Crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(Crc32(""), 0u);
}

// Scenario: five points of one endpoint, of the same twice, and of two; positions as the Collector has them.
// Guarantees: fleets of both agree.
TEST(HashRing, HasThePositionsOfTheCollector) {
  EXPECT_THAT(HashRing({"endpoint-1"}, 5).points(),
              ElementsAre(Point{1401, 0}, Point{4175, 0}, Point{14133, 0}, Point{17836, 0}, Point{21667, 0}));
  EXPECT_EQ(HashRing({"endpoint-1", "endpoint-1"}, 5).points(), HashRing({"endpoint-1"}, 5).points());
  EXPECT_THAT(HashRing({"endpoint-1", "endpoint-2"}, 5).points(),
              ElementsAre(Point{1401, 0}, Point{4175, 0}, Point{10240, 1}, Point{14133, 0}, Point{15002, 1},
                          Point{17836, 0}, Point{21263, 1}, Point{21667, 0}, Point{26806, 1}, Point{27020, 1}));
  EXPECT_EQ(HashRing({"endpoint-1", "endpoint-2"}).points().size(), 200u);
}

// Scenario: two trace ids whose endpoints the Collector's own tests name.
// Guarantees: they are found there.
TEST(HashRing, FindsTheEndpointsOfTheCollector) {
  const HashRing ring({"endpoint-1", "endpoint-2"});
  std::string id(16, '\0');
  id[0] = 1;
  id[1] = 2;
  EXPECT_EQ(ring.EndpointOf(id), 0u);
  id[0] = id[1] = static_cast<char>(128);
  EXPECT_EQ(ring.EndpointOf(id), 1u);
}

// Scenario: random trace ids over ten endpoints, then over eleven.
// Guarantees: a key has the same endpoint each time; those that move all move to the new one, and are about 1/11; no
// endpoint has more than twice its share.
TEST(HashRingProperty, MovesFewKeysWhenAnEndpointComes) {
  constexpr size_t kKeys = 20'000;
  const HashRing before(Endpoints(10));
  const HashRing same(Endpoints(10));
  const HashRing after(Endpoints(11));
  Rng rng(kSeed);
  std::vector<size_t> shares(11);
  size_t moved = 0;
  for (size_t i = 0; i < kKeys; ++i) {
    const std::string key = RandomTraceId(rng);
    const size_t old_endpoint = before.EndpointOf(key);
    const size_t new_endpoint = after.EndpointOf(key);
    ASSERT_EQ(same.EndpointOf(key), old_endpoint);
    ++shares[new_endpoint];
    if (new_endpoint == old_endpoint) continue;
    ASSERT_EQ(new_endpoint, 10u);
    ++moved;
  }
  EXPECT_GT(moved, kKeys / 22);
  EXPECT_LT(moved, kKeys / 11 * 2);
  for (const size_t share : shares) EXPECT_LT(share, kKeys / 11 * 2);
}

}  // namespace
}  // namespace spanloom::pipeline
