// SPDX-License-Identifier: Apache-2.0
//
// `spanloom doctor cluster`: asks an API server what is deployed in a namespace, and what has become of it.

#pragma once

#include <string>
#include <vector>

#include "doctor/finding.h"

namespace spanloom::cli::doctor {

struct ClusterOptions {
  std::string name_space;  // "": the context's, or the pod's own, or else "default"
  std::string kubeconfig;  // "": $KUBECONFIG, ~/.kube/config, or inside a pod its service account
  std::string context;     // "": the current one
};

// What was found. A server that does not answer is a finding, and so is what may not be read: nothing is said of that.
// Reads only; no Secrets.
std::vector<spanloom::doctor::Finding> ExamineCluster(const ClusterOptions& options);

}  // namespace spanloom::cli::doctor
