// SPDX-License-Identifier: Apache-2.0

#include "net/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::net {
namespace {

using testing::HasSubstr;
using testing::Not;

// True if a request to `endpoint` goes through a proxy, with this NO_PROXY.
bool IsProxied(const std::string& no_proxy, std::string_view endpoint) {
  const ProxyRules rules({.http_proxy = "http://proxy.example:3128", .https_proxy = "", .no_proxy = no_proxy});
  return rules.ProxyTo(endpoint, ProxyRules::Use::kForward)->has_value();
}

TEST(Proxy, IsReadFromAUrl) {
  EXPECT_EQ(ParseProxy("http://proxy.example:3128")->endpoint, "proxy.example:3128");
  EXPECT_EQ(ParseProxy("http://proxy.example")->endpoint, "proxy.example:80");
  EXPECT_EQ(ParseProxy("proxy.example:3128/")->endpoint, "proxy.example:3128");
  EXPECT_EQ(ParseProxy("http://[::1]")->endpoint, "[::1]:80");
  EXPECT_EQ(ParseProxy("http://proxy.example:3128")->authorization, "");
  EXPECT_EQ(ParseProxy("http://user:p%40ss@proxy.example:3128")->authorization, "Basic dXNlcjpwQHNz");  // user:p@ss
}

// Guarantees: what can't be used is refused, without its password.
TEST(Proxy, RefusesWhatItCanNotSpeakTo) {
  for (const char* url : {"https://u:secret@p:1", "socks5://u:secret@p:1"}) {
    const Status status = ParseProxy(url).status();
    EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
  }
  for (const char* url :
       {"ftp://u:secret@p:1", "http://u:secret@:1", "http://u:secret@p:x", "http://u:secret%@p", ""}) {
    const Status status = ParseProxy(url).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << url << status;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
  }
}

TEST(ProxyRules, HaveAVariableForEachUse) {
  const ProxyRules rules({.http_proxy = "plain:1", .https_proxy = "tls:2", .no_proxy = ""});
  EXPECT_EQ((*rules.ProxyTo("tempo:4318", ProxyRules::Use::kForward))->endpoint, "plain:1");
  EXPECT_EQ((*rules.ProxyTo("tempo:4318", ProxyRules::Use::kTunnel))->endpoint, "tls:2");
  const ProxyRules wrong({.http_proxy = "", .https_proxy = "socks5://p", .no_proxy = ""});
  EXPECT_FALSE(wrong.ProxyTo("tempo:4318", ProxyRules::Use::kForward)->has_value());
  EXPECT_THAT(std::string(wrong.ProxyTo("tempo:4317", ProxyRules::Use::kTunnel).status().message()),
              HasSubstr("HTTPS_PROXY"));
  EXPECT_FALSE(ProxyRules::None().ProxyTo("tempo:4317", ProxyRules::Use::kTunnel)->has_value());
}

// Guarantees: this machine is never behind a proxy, nor is what has no host.
TEST(ProxyRules, LeaveThisMachineAlone) {
  for (const char* endpoint : {"localhost:4318", "LOCALHOST:1", "127.0.0.1:4318", "127.9.9.9:1", "[::1]:4318",
                               "unix:/run/x.sock", "unix-abstract:x", "ipv4:10.0.0.1:4317,10.0.0.2:4317"}) {
    EXPECT_FALSE(IsProxied("", endpoint)) << endpoint;
  }
  EXPECT_TRUE(IsProxied("", "tempo:4318"));
  EXPECT_TRUE(IsProxied("", "10.0.0.1:4318"));
}

TEST(ProxyRules, KnowDomains) {
  EXPECT_FALSE(IsProxied("example.com", "example.com:80"));
  EXPECT_FALSE(IsProxied("example.com", "a.b.EXAMPLE.com:80"));
  EXPECT_TRUE(IsProxied("example.com", "notexample.com:80"));
  for (const char* below : {".example.com", "*.example.com"}) {
    EXPECT_FALSE(IsProxied(below, "a.example.com:80"));
    EXPECT_TRUE(IsProxied(below, "example.com:80"));
  }
  EXPECT_FALSE(IsProxied("other, Example.com ,", "example.com:80"));
  EXPECT_FALSE(IsProxied("example.com:4318", "a.example.com:4318"));
  EXPECT_TRUE(IsProxied("example.com:4318", "a.example.com:4317"));
  EXPECT_FALSE(IsProxied("*", "10.0.0.1:1"));
  EXPECT_FALSE(IsProxied("*", "tempo:1"));
}

TEST(ProxyRules, KnowAddressesAndNetworks) {
  EXPECT_FALSE(IsProxied("10.0.0.0/8", "10.1.2.3:80"));
  EXPECT_TRUE(IsProxied("10.0.0.0/8", "11.1.2.3:80"));
  EXPECT_FALSE(IsProxied("10.1.2.3", "10.1.2.3:80"));
  EXPECT_TRUE(IsProxied("10.1.2.3:81", "10.1.2.3:80"));
  EXPECT_FALSE(IsProxied("fd00::/8", "[fd12::1]:80"));
  EXPECT_TRUE(IsProxied("fd00::/8", "[2001:db8::1]:80"));
  EXPECT_FALSE(IsProxied("[fd12::1]:80", "[fd12::1]:80"));
  EXPECT_FALSE(IsProxied("[fd12::1]", "[fd12::1]:80"));
  EXPECT_FALSE(IsProxied("fd12::1", "[fd12::1]:80"));
  EXPECT_TRUE(IsProxied("10.0.0.0/8", "tempo:80"));  // names are not looked up
}

}  // namespace
}  // namespace spanloom::net
