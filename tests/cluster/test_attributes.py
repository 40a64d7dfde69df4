# SPDX-License-Identifier: Apache-2.0
"""The processor k8s_attributes with a real API server: pods that are made there are found, whatever becomes of the watch; what RBAC refuses is named."""

import json

import pytest

from conftest import DEPLOY
from control_plane import wait_for
from spans import resource_of, send
from test_script import store_of

# What `deploy/components/pod-identity` does, in one pod; without its Role where a test wants that.
KUSTOMIZATION = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {namespace}
resources: [{deploy}/manifests]
components: [{deploy}/components/all-in-one, {deploy}/components/pod-identity]
"""
SENDER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata:
      labels: {app: NAME, llm-d.ai/role: decode}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 10001, seccompProfile: {type: RuntimeDefault}}
      containers: [{name: vllm, image: "vllm/vllm-openai:v1", securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]
"""


class Namespace:
    """A namespace with an installation that knows the pods of it."""

    def __init__(self, cluster, name, user, folder):
        self.cluster, self.name, self._user, self._folder = cluster, name, user, folder

    def install(self, without=()):
        self._folder.joinpath("kustomization.yaml").write_text(KUSTOMIZATION.format(namespace=self.name, deploy=self._relative()))
        text = self._user.kubectl("kustomize", "--load-restrictor=LoadRestrictionsNone", self._folder).stdout
        kept = "\n---\n".join(part for part in text.split("\n---\n") if not any(f"kind: {kind}\n" in part for kind in without))
        self._user.kubectl("apply", "-f", "-", text=kept)
        self._user.kubectl("rollout", "status", "-n", self.name, "statefulset/jaeger", "--timeout=60s")
        return text

    def _relative(self):
        return "/".join([".."] * (len(self._folder.resolve().parts) - 1)) + str(DEPLOY)

    def apply(self, text):
        self._user.kubectl("apply", "-n", self.name, "-f", "-", text=text)

    def sender(self, name):
        """A pod that can send."""
        self.apply(SENDER.replace("NAME", name))
        self._user.kubectl("rollout", "status", "-n", self.name, f"deployment/{name}", "--timeout=60s")
        return self.cluster.node.of(self.name, f"{name}-")[0]

    @property
    def store(self):
        return store_of(self.cluster, self.name).ip

    def seen_from(self, pod, **attributes):
        """Attributes of the resource of a span that came from a pod; None is the node."""
        return resource_of(self.store, send(self.store, pod=pod, **attributes))

    def learns(self, pod, deployment):
        """Waits until spans from a pod have all that is known of it."""
        expected, seen = identity_of(pod, deployment), {}

        def is_known():
            seen.clear()
            seen.update(self.seen_from(pod))
            return expected.items() <= seen.items()

        try:
            wait_for(is_known, seconds=60)
        except AssertionError:
            raise AssertionError(f"expected {expected}, seen last {seen}; the end of the log:\n{self.log()[-3000:]}") from None

    def log(self):
        return self._user.kubectl("logs", "-n", self.name, "jaeger-0").stdout


@pytest.fixture
def installation(cluster, made_namespace, admin, tmp_path):
    return Namespace(cluster, made_namespace, admin, tmp_path)


def identity_of(pod, deployment):
    """What is to be known of a pod."""
    known = {"k8s.namespace.name": pod.namespace, "k8s.pod.name": pod.name, "k8s.pod.uid": pod.uid, "k8s.node.name": "node-1", "llm-d.role": "decode"}
    return known | {"k8s.deployment.name": deployment}


# Scenario: an account with the Role of the component. Spans come from a pod, name a pod's address, name its uid, and come from nowhere.
# Guarantees: the first three are that pod's, by the watch also a pod that came later; the last one has nothing that is not its own.
def test_pods_are_found(installation):
    installation.install()
    early = installation.sender("early")
    expected = identity_of(early, "early")
    installation.learns(early, "early")
    assert expected.items() <= installation.seen_from(None, **{"k8s.pod.ip": early.ip}).items()
    assert expected.items() <= installation.seen_from(None, **{"k8s.pod.uid": early.uid}).items()
    late = installation.sender("late")
    installation.learns(late, "late")
    assert "k8s.pod.name" not in installation.seen_from(None)


# Scenario: a pod is deleted, and another one comes.
# Guarantees: for the grace period the old one is still known by its uid; the new one is known by its own.
def test_a_pod_that_is_gone_is_known_for_a_while(installation, cluster, admin):
    installation.install()
    old = installation.sender("worker")
    installation.learns(old, "worker")
    admin.kubectl("delete", "pod", "-n", installation.name, old.name)
    new = wait_for(lambda: next((pod for pod in cluster.node.of(installation.name, "worker-") if pod.uid != old.uid), None))
    installation.learns(new, "worker")
    assert installation.seen_from(None, **{"k8s.pod.uid": old.uid})["k8s.pod.name"] == old.name


# Scenario: the account without its Role; the Role comes later.
# Guarantees: spans are taken without attributes, the log says what is forbidden and the rule that is missing; it gets well by itself.
def test_what_rbac_refuses_is_named(installation):
    text = installation.install(without=("Role", "RoleBinding"))
    sender = installation.sender("sender")
    assert "k8s.pod.name" not in installation.seen_from(sender)
    lines = [json.loads(line) for line in installation.log().splitlines() if line.startswith("{")]
    said = [line for line in lines if "can't learn from the API server" in line["msg"]]
    assert said and f'User \\"system:serviceaccount:{installation.name}:spanloom\\" cannot list resource \\"pods\\"' in json.dumps(said[0])
    assert "bind the account to a role with this rule" in json.dumps(said[0])
    installation.apply("\n---\n".join(part for part in text.split("\n---\n") if "kind: Role\n" in part or "kind: RoleBinding\n" in part))
    installation.learns(sender, "sender")


# Scenario: the way to the API server is cut and open again; then the API server is killed and comes again, its history compacted away, with new pods each time.
# Guarantees: what was known stays known meanwhile, and new pods are found afterwards: by the watch that goes on, and by a new list (410 Gone).
def test_a_watch_that_is_cut_goes_on(installation, cluster):
    way = cluster.node.way_to_api_server
    try:
        installation.install()
        first = installation.sender("first")
        installation.learns(first, "first")
        way.close()
        second = installation.sender("second")
        assert identity_of(first, "first").items() <= installation.seen_from(first).items()
        assert "k8s.pod.name" not in installation.seen_from(second)
        way.open()
        installation.learns(second, "second")
        way.close()
        third = installation.sender("third")
        cluster.plane.restart_api_server(forget_history=True)
        assert identity_of(first, "first").items() <= installation.seen_from(first).items()
        way.open()
        installation.learns(third, "third")
        fourth = installation.sender("fourth")
        installation.learns(fourth, "fourth")
    finally:
        way.close()
        way.open()
