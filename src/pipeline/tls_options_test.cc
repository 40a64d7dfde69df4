// SPDX-License-Identifier: Apache-2.0

#include "pipeline/tls_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
T Read(std::string_view yaml) {
  config::Problems problems;
  T options = config::ReadOptions<T>(*config::ParseYaml(yaml, "f"), "tls", problems);
  EXPECT_TRUE(problems.lines().empty()) << problems.lines().front();
  return options;
}

// Scenario: sections of exporters as users write them.
// Guarantees: TLS is on unless `insecure` says otherwise, and an authority means TLS whatever it says, as in the
// Collector.
TEST(ClientTlsOptions, AreOnUnlessInsecure) {
  EXPECT_TRUE(Read<ClientTlsOptions>("").Effective().has_value());
  EXPECT_FALSE(Read<ClientTlsOptions>("insecure: true").Effective().has_value());
  EXPECT_TRUE(Read<ClientTlsOptions>("{insecure: true, ca_file: ca.pem}").Effective().has_value());
}

TEST(ServerTlsOptions, ReadEveryKey) {
  const net::TlsServerOptions tls = Read<ServerTlsOptions>(R"({
    cert_file: c, key_file: k, ca_file: a, client_ca_file: ca, client_ca_file_reload: true, min_version: "1.3",
    max_version: "1.3", cipher_suites: [TLS_AES_128_GCM_SHA256], curve_preferences: [X25519], reload_interval: 1h})")
                                        .settings;
  EXPECT_EQ(tls.cert_file, "c");
  EXPECT_EQ(tls.key_file, "k");
  EXPECT_EQ(tls.ca_file, "a");
  EXPECT_EQ(tls.client_ca_file, "ca");
  EXPECT_TRUE(tls.client_ca_file_reload);
  EXPECT_EQ(tls.min_version, net::TlsVersion::k13);
  EXPECT_EQ(tls.max_version, net::TlsVersion::k13);
  EXPECT_THAT(tls.cipher_suites, ElementsAre("TLS_AES_128_GCM_SHA256"));
  EXPECT_THAT(tls.curve_preferences, ElementsAre("X25519"));
  EXPECT_EQ(tls.reload_interval, std::chrono::hours(1));
}

TEST(ServerTlsOptions, RefuseWhatAServerWouldNotDo) {
  config::Problems problems;
  const auto yaml = config::ParseYaml("{cert_file: c, key_file: k, include_system_ca_certs_pool: true}", "f");
  config::ReadOptions<ServerTlsOptions>(*yaml, "tls", problems);
  EXPECT_THAT(problems.lines(), ElementsAre(HasSubstr("include_system_ca_certs_pool")));
}

}  // namespace
}  // namespace spanloom::pipeline
