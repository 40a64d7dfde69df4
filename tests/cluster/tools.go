// SPDX-License-Identifier: Apache-2.0

//go:build tools

// The programs of Kubernetes that are built beside kubelet/, named so that go.sum pins them.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
