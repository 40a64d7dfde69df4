// SPDX-License-Identifier: Apache-2.0

#include "net/host_port.h"

#include <gtest/gtest.h>

namespace spanloom::net {
namespace {

// Scenario: a name, an IPv4 address, an IPv6 address with and without brackets.
// Guarantees: the result is an endpoint that a server takes.
TEST(JoinHostPort, PutsIpv6AddressesInBrackets) {
  EXPECT_EQ(JoinHostPort("localhost", 4317), "localhost:4317");
  EXPECT_EQ(JoinHostPort("0.0.0.0", 65535), "0.0.0.0:65535");
  EXPECT_EQ(JoinHostPort("::1", 8888), "[::1]:8888");
  EXPECT_EQ(JoinHostPort("[::1]", 8888), "[::1]:8888");
}

TEST(HostOf, IsWhatStandsBeforeThePort) {
  EXPECT_EQ(HostOf("10.0.0.7:40112"), "10.0.0.7");
  EXPECT_EQ(HostOf("[fd00::7]:40112"), "fd00::7");
  EXPECT_EQ(HostOf("unix:/run/a:b"), "");
  EXPECT_EQ(HostOf(""), "");
}

}  // namespace
}  // namespace spanloom::net
