// SPDX-License-Identifier: Apache-2.0

#include "kube/cluster_access.h"

#include <absl/strings/numbers.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "net/host_port.h"

namespace spanloom::kube {
namespace {

StatusOr<std::string> EndpointInCluster(const Surroundings& surroundings) {
  const std::optional<std::string> host = surroundings.variable("KUBERNETES_SERVICE_HOST");
  const std::optional<std::string> port = surroundings.variable("KUBERNETES_SERVICE_PORT");
  uint32_t number = 0;
  if (!host || !port || host->empty() || !absl::SimpleAtoi(*port, &number) || number > 0xffff) {
    return absl::FailedPreconditionError(
        "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this process does not run in a pod; outside "
        "of a cluster use a kubeconfig (auth_type: kubeConfig)");
  }
  return net::JoinHostPort(*host, static_cast<uint16_t>(number));
}

}  // namespace

std::string ClusterAccess::url() const {
  return StrCat(tls ? "https://" : "http://", endpoint, base_path);
}

Surroundings Surroundings::OfThisProcess() {
  return {.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }};
}

StatusOr<ClusterAccess> InClusterAccess(const Surroundings& surroundings) {
  ASSIGN_OR_RETURN(std::string endpoint, EndpointInCluster(surroundings));
  const std::filesystem::path folder = surroundings.service_account_folder;
  std::error_code ignored;
  if (!std::filesystem::exists(folder / "token", ignored)) {
    return absl::FailedPreconditionError(
        StrCat((folder / "token").string(),
               " is not there: the pod has no service account token; leave automountServiceAccountToken on"));
  }
  ClusterAccess access = {
      .endpoint = std::move(endpoint), .tls = net::TlsClientOptions{}, .token_file = (folder / "token").string()};
  if (std::filesystem::exists(folder / "ca.crt", ignored)) {
    access.tls->ca_file = (folder / "ca.crt").string();
    access.tls->reload_interval = std::chrono::minutes(1);  // certificates are rotated over days; guess
  }
  return access;
}

StatusOr<ClusterAccess> AnonymousAccess(const Surroundings& surroundings) {
  ASSIGN_OR_RETURN(std::string endpoint, EndpointInCluster(surroundings));
  ClusterAccess access = {.endpoint = std::move(endpoint), .tls = net::TlsClientOptions{}};
  access.tls->insecure_skip_verify = true;
  return access;
}

}  // namespace spanloom::kube
