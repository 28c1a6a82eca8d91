// Package crds names the Go packages whose API types the custom resource definitions are generated from, so that go.mod pins them.
package crds

import (
	_ "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	_ "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2alpha1"
	_ "github.com/k3s-io/api/k3s.cattle.io/v1"
	_ "github.com/k3s-io/helm-controller/pkg/apis/helm.cattle.io/v1"
	_ "github.com/tigera/operator/api/v1"
	_ "go.universe.tf/metallb/api/v1beta1"
	_ "go.universe.tf/metallb/api/v1beta2"
)
