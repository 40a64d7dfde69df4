// SPDX-License-Identifier: Apache-2.0

#include "query/accept_encoding.h"

#include <gtest/gtest.h>

namespace spanloom::query {
namespace {

// Scenario: what browsers, curl and Go send; weights; refusals by weight 0; nothing.
// Guarantees: gzip only where the client takes it.
TEST(AcceptEncoding, KnowsWhoTakesGzip) {
  for (const char* accepts :
       {"gzip", "gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.5", "*", "*;q=0.1, br", "identity,gzip"}) {
    EXPECT_TRUE(AcceptsGzip(accepts)) << accepts;
  }
  for (const char* refuses : {"", "identity", "br", "gzip;q=0", "*, gzip;q=0", "*;q=0", "gzip; q=zero", "gzipped"}) {
    EXPECT_FALSE(AcceptsGzip(refuses)) << refuses;
  }
}

}  // namespace
}  // namespace spanloom::query
