// SPDX-License-Identifier: Apache-2.0

#include "kube/cluster_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/text.h"
#include "net/testing/certificates.h"

namespace spanloom::kube {
namespace {

using testing::HasSubstr;

class ClusterAccessTest : public testing::Test {
 protected:
  [[nodiscard]] Surroundings Around() const {
    return {.variable = [this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables_.find(name);
              return found == variables_.end() ? std::nullopt : std::optional<std::string>(found->second);
            },
            .service_account_folder = folder_.PathOf("")};
  }

  // A kubeconfig with one context that is as `cluster` and `user` say.
  [[nodiscard]] StatusOr<ClusterAccess> Read(const std::string& cluster, const std::string& user) const {
    const std::string path = folder_.Write(
        "config", StrCat("apiVersion: v1\nkind: Config\ncurrent-context: here\n",
                         "contexts: [{name: here, context: {cluster: c, user: u, namespace: prod}}]\n",
                         "clusters: [{name: c, cluster: ", cluster, "}]\nusers: [{name: u, user: ", user, "}]\n"));
    return KubeconfigAccess(path, "", Around());
  }

  net::TestFolder folder_;
  std::map<std::string, std::string> variables_;
};

TEST_F(ClusterAccessTest, TakesThePodsServiceAccount) {
  variables_ = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  EXPECT_TRUE(absl::IsFailedPrecondition(InClusterAccess(Around()).status()));  // no token
  folder_.Write("token", "secret");
  folder_.Write("ca.crt", "pem");
  const auto access = InClusterAccess(Around());
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ(access->url(), "https://[fd00::1]:443");
  EXPECT_EQ(access->token_file, folder_.PathOf("token"));
  EXPECT_EQ(access->tls->ca_file, folder_.PathOf("ca.crt"));
}

TEST_F(ClusterAccessTest, SaysThatItIsInNoPod) {
  const Status status = InClusterAccess(Around()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("KUBERNETES_SERVICE_HOST"));
}

TEST_F(ClusterAccessTest, AsksAsNobody) {
  variables_ = {{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  const auto access = AnonymousAccess(Around());
  ASSERT_TRUE(access.ok());
  EXPECT_TRUE(access->tls->insecure_skip_verify);
  EXPECT_EQ(access->token_file, "");
}

TEST_F(ClusterAccessTest, SaysWhyAKubeconfigCanNotBeRead) {
  const Status status = KubeconfigAccess(folder_.PathOf("."), "", Around()).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("Is a directory"));
}

TEST_F(ClusterAccessTest, ReadsAKubeconfig) {
  const auto access =
      Read("{server: 'https://api.test/k8s/c-1/', certificate-authority-data: Y2E=, tls-server-name: kubernetes}",
           "{client-certificate: me.crt, client-key-data: a2V5, token: abc}");
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ(access->endpoint, "api.test:443");
  EXPECT_EQ(access->base_path, "/k8s/c-1");
  EXPECT_EQ(access->default_namespace, "prod");
  EXPECT_EQ(access->token, "abc");
  EXPECT_EQ(access->tls->ca_pem, "ca");
  EXPECT_EQ(access->tls->server_name_override, "kubernetes");
  EXPECT_EQ(access->tls->cert_file, folder_.PathOf("me.crt"));
  EXPECT_EQ(access->tls->key_pem, "key");
}

TEST_F(ClusterAccessTest, FindsTheKubeconfig) {
  const std::string path = folder_.Write("other", "current-context: gone");
  variables_ = {{"KUBECONFIG", StrCat(":", path, ":/more")}};
  const Status status = KubeconfigAccess("", "", Around()).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_THAT(std::string(status.message()), HasSubstr("contexts has no \"gone\""));
}

TEST_F(ClusterAccessTest, RefusesPluginsByName) {
  const Status status = Read("{server: 'https://api.test:6443'}", "{exec: {command: aws}}").status();
  EXPECT_TRUE(absl::IsUnimplemented(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("user \"u\" has exec"));
}

TEST_F(ClusterAccessTest, RefusesWhatItCantRead) {
  EXPECT_TRUE(absl::IsInvalidArgument(Read("{server: api.test}", "{}").status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(Read("{server: 'https://api.test', certificate-authority-data: '!'}", "{}").status()));
  EXPECT_TRUE(absl::IsUnimplemented(Read("{server: 'https://api.test', proxy-url: 'http://p'}", "{}").status()));
  EXPECT_TRUE(absl::IsNotFound(KubeconfigAccess(folder_.PathOf("none"), "", Around()).status()));
}

}  // namespace
}  // namespace spanloom::kube
