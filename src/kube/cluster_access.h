// SPDX-License-Identifier: Apache-2.0
//
// Where an API server is and who asks it: from the environment that Kubernetes gives a pod, or from a kubeconfig.
// Reading files blocks; not to be done on a loop.

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/status.h"
#include "net/tls.h"

namespace spanloom::kube {

struct ClusterAccess {
  std::string endpoint;                      // "10.96.0.1:443"
  std::string base_path = {};                // before every path: "/k8s/clusters/c-1" behind a proxy, else ""
  std::optional<net::TlsClientOptions> tls;  // unset: cleartext
  std::string token = {};                    // "": none
  std::string token_file = {};               // in place of `token`; read again as it is rotated
  std::string basic_auth = {};               // "USER:PASSWORD"; "": none
  std::string default_namespace = {};        // of the pod or context; "" if it is not said

  // "https://10.96.0.1:443", for messages.
  [[nodiscard]] std::string url() const;
};

// What a process is told from outside. A parameter, for tests.
struct Surroundings {
  // The value of an environment variable; nullopt if it is not set.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::string service_account_folder = "/var/run/secrets/kubernetes.io/serviceaccount";

  static Surroundings OfThisProcess();
};

// The API server of the cluster that the process runs in, as its service account. kFailedPrecondition if it does not
// run in one, or its token is not there.
StatusOr<ClusterAccess> InClusterAccess(const Surroundings& surroundings);

// The same server as nobody, whose certificate is not looked at.
StatusOr<ClusterAccess> AnonymousAccess(const Surroundings& surroundings);

// What a kubeconfig says: the file `path`, or if that is "" the first of $KUBECONFIG, or else ~/.kube/config; its
// `context`, or if that is "" its current one. Errors name the file and what is missing in it: kNotFound (no such file
// or entry), kInvalidArgument (what cannot be read), kUnimplemented (what this client does not do, such as exec
// plugins).
StatusOr<ClusterAccess> KubeconfigAccess(const std::string& path, const std::string& context,
                                         const Surroundings& surroundings);

}  // namespace spanloom::kube
