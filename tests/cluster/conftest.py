# SPDX-License-Identifier: Apache-2.0
"""One cluster for all files of this folder, and those who use it."""

import contextlib
import itertools
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest
import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import collector_operator  # noqa: E402
import network  # noqa: E402
from api import ApiError  # noqa: E402
from control_plane import ADMINISTRATOR, ControlPlane, wait_for  # noqa: E402
from node import Node  # noqa: E402
from programs import ROOT, kubectl  # noqa: E402

DEPLOY = ROOT / "deploy"
SCRIPT = DEPLOY / "install-tracing.sh"
COMMAND_SECONDS_MAX = 300
RBAC = "/apis/rbac.authorization.k8s.io/v1"
_numbers = itertools.count(1)


class Cluster:
    """A control plane with one node. `api` may do everything."""

    def __init__(self, folder):
        began = time.monotonic()
        network.enter()
        self.folder = folder
        self.plane = ControlPlane(folder)
        self.api = self.plane.administrator
        try:
            self.node = Node(self.api, folder / "node")
        except BaseException:
            self.plane.stop()
            raise
        self.start_seconds = time.monotonic() - began

    def stop(self):
        self.node.stop()
        self.plane.stop()

    def user(self, token=ADMINISTRATOR, **environment):
        return User(self, token, environment)

    def bind(self, namespace, user, role):
        """Gives a user the rights of a ClusterRole in a namespace."""
        self._put(f"{RBAC}/namespaces/{namespace}/rolebindings", binding("RoleBinding", f"{user}-{role}", user, "ClusterRole", role))

    def allow(self, namespace, user, name, rules):
        """Gives a user these rights in a namespace, in place of those that were called `name` before."""
        self._put(f"{RBAC}/namespaces/{namespace}/roles", {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules})
        self._put(f"{RBAC}/namespaces/{namespace}/rolebindings", binding("RoleBinding", f"{user}-{name}", user, "Role", name))

    @contextlib.contextmanager
    def allowed_everywhere(self, user, rules):
        name = f"{user}-everywhere"
        self._put(f"{RBAC}/clusterroles", {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules})
        self._put(f"{RBAC}/clusterrolebindings", binding("ClusterRoleBinding", name, user, "ClusterRole", name))
        try:
            yield
        finally:
            for kind in ("clusterrolebindings", "clusterroles"):
                self.api.call("DELETE", f"{RBAC}/{kind}/{name}")

    def _put(self, path, item):
        if self.api.create(path, item) is None:
            self.api.call("PUT", f"{path}/{item['metadata']['name']}", item)


def binding(kind, name, user, role_kind, role):
    group = "rbac.authorization.k8s.io"
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": name}, "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
            "roleRef": {"apiGroup": group, "kind": role_kind, "name": role}}


class User:
    """Somebody with a kubeconfig, in front of a terminal."""

    def __init__(self, cluster, token, environment):
        self.folder = cluster.folder / f"user-{next(_numbers)}"
        self.folder.mkdir()
        config = cluster.plane.kubeconfig(token, self.folder / "config")
        tools = self.folder / "bin"
        tools.mkdir()
        (tools / "kubectl").symlink_to(kubectl())
        self.environment = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(self.folder), "KUBECONFIG": str(config), "TMPDIR": str(self.folder),
                            "SPANLOOM_OPERATOR_SECONDS": "10", "SPANLOOM_POLL_SECONDS": "0.1", **environment}

    def run(self, *command, code=0, text=None):
        """Runs a command to its end, which must be `code`."""
        result = subprocess.run([str(word) for word in command], env=self.environment, input=text, stdin=None if text is not None else subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=COMMAND_SECONDS_MAX)
        assert result.returncode == code, f"{' '.join(map(str, command))}: {result.returncode}\n{result.stdout}{result.stderr}"
        return result

    def kubectl(self, *arguments, code=0, text=None):
        return self.run("kubectl", *arguments, code=code, text=text)

    def script(self, namespace, *arguments, code=0, script=SCRIPT):
        result = self.run(script, "-n", namespace, *arguments, code=code)
        assert not list(self.folder.glob("install-tracing.*")), "its folder is still there"
        return result


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    measured = {"start_seconds": round(made.start_seconds, 1), "control_plane_seconds": round(made.plane.start_seconds, 1), "memory_mib": made.plane.memory_mib()}
    results = ROOT / "build/test-results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "cluster.json").write_text(json.dumps(measured) + "\n")
    made.stop()
    assert made.node.complaints == []


@pytest.fixture
def namespace(cluster):
    """A namespace of its own, gone afterwards; there is none of that name yet."""
    name = f"t{next(_numbers)}-{os.getpid()}"
    yield name
    try:
        cluster.api.call("DELETE", f"/api/v1/namespaces/{name}")
    except ApiError as error:
        assert error.code in (404, 409)


@pytest.fixture
def made_namespace(cluster, namespace):
    """The same, made; its pods have to be restricted."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
    wait_for(lambda: cluster.api.find(f"/api/v1/namespaces/{namespace}/serviceaccounts/default"))
    return namespace


@pytest.fixture
def admin(cluster):
    return cluster.user()


def custom_kind(group, version, kind, plural):
    """A CRD that takes anything."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                     "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]}}


@contextlib.contextmanager
def installed_crd(cluster, crd):
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    name = crd["metadata"]["name"]
    cluster.api.create(path, crd)
    def is_established():
        conditions = cluster.api.get(f"{path}/{name}").get("status", {}).get("conditions") or []
        return any(condition["type"] == "Established" and condition["status"] == "True" for condition in conditions)

    try:
        wait_for(is_established)
        served = f"/apis/{crd['spec']['group']}/{crd['spec']['versions'][0]['name']}"
        wait_for(lambda: cluster.api.find(served))
        yield
    finally:
        cluster.api.call("DELETE", f"{path}/{name}")
        wait_for(lambda: cluster.api.find(f"{path}/{name}") is None)


@pytest.fixture
def crd(cluster):
    """OpenTelemetryCollector is known, and nobody acts on it."""
    with installed_crd(cluster, collector_operator.CRD):
        yield


@pytest.fixture
def operator(cluster, crd):
    running = collector_operator.Operator(cluster.api)
    yield running
    running.stop()
    assert running.errors == []


def objects(cluster, namespace):
    """KIND/NAME of what a namespace holds, without what Kubernetes makes by itself."""
    found = set()
    for path, kinds in (("/api/v1", ("configmap", "service", "persistentvolumeclaim")), ("/apis/apps/v1", ("deployment", "statefulset"))):
        for kind in kinds:
            found |= {f"{kind}/{item['metadata']['name']}" for item in cluster.api.get(f"{path}/namespaces/{namespace}/{kind}s")["items"]}
    return found - {"configmap/kube-root-ca.crt"}


def documents(text):
    return [item for item in yaml.safe_load_all(text) if item]


def check_strictly(admin, namespace, text):
    """Has the server check objects, each field of them, without keeping any."""
    result = admin.kubectl("apply", "-n", namespace, "--dry-run=server", "--validate=strict", "-f", "-", text=text)
    warnings = [line for line in result.stderr.splitlines() if line.startswith("Warning")]
    assert warnings == []
    return result.stdout.splitlines()
