// SPDX-License-Identifier: Apache-2.0

//go:build tools

// The helm command, named so that go.sum pins it. It is a module of its own, since it asks for other versions of Kubernetes' modules than ours.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
