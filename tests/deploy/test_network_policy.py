# SPDX-License-Identifier: Apache-2.0
"""Who reaches the pods of deploy/ where its NetworkPolicy holds: judged by the rules of networking.k8s.io/v1, for ingress by podSelector and namespaceSelector."""

import pytest

from manifests import of_kind, overlay, workloads

NAMESPACE = "llm-d"
VLLM = {"llm-d.ai/role": "decode"}


def selects(selector, labels):
    """A label selector of equalities; an empty one selects everything."""
    assert selector.keys() <= {"matchLabels"}, "matchExpressions are not played here"
    return selector.get("matchLabels", {}).items() <= labels.items()


def is_peer(peer, pod_labels, namespace, namespace_labels):
    """Without a namespaceSelector a peer's pods are those of the policy's own namespace."""
    assert peer.keys() <= {"podSelector", "namespaceSelector"}
    if "namespaceSelector" in peer:
        return selects(peer["namespaceSelector"], namespace_labels) and selects(peer.get("podSelector", {}), pod_labels)
    return namespace == NAMESPACE and selects(peer["podSelector"], pod_labels)


def names_port(entry, container_port):
    return entry.get("protocol", "TCP") == "TCP" and entry["port"] in (container_port["containerPort"], container_port.get("name"))


def open_ports(objects, labels, pod_labels, namespace=NAMESPACE, namespace_labels=None):
    """The names of a pod's ports that another pod reaches. A pod that no policy selects takes everything."""
    pod = next(entry for entry in workloads(objects) if entry["metadata"]["labels"].items() >= labels.items())["spec"]["template"]
    ports = [port for container in pod["spec"]["containers"] for port in container["ports"]]
    policies = [policy["spec"] for policy in of_kind(objects, "NetworkPolicy").values() if selects(policy["spec"]["podSelector"], pod["metadata"]["labels"])]
    if not policies:
        return {port["name"] for port in ports}
    assert all(policy["policyTypes"] == ["Ingress"] for policy in policies), "what the pods send is not restricted"
    rules = [rule for policy in policies for rule in policy["ingress"]
             if any(is_peer(peer, pod_labels, namespace, namespace_labels or {}) for peer in rule["from"])]
    return {port["name"] for port in ports for rule in rules if any(names_port(entry, port) for entry in rule["ports"])}


@pytest.fixture(scope="module")
def production():
    return overlay("production")


def pods(objects):
    return [entry["metadata"]["labels"] for entry in workloads(objects)]


# Scenario: a vLLM pod of the namespace, and one of our own, the collector on its way to the store.
# Guarantees: both reach what takes spans and answers questions; nobody reaches a port that nobody was told of.
def test_the_namespace_sends_and_asks(production):
    assert pods(production)
    for labels in pods(production):
        for sender in (VLLM, labels):
            reached = open_ports(production, labels, sender)
            assert {"otlp-grpc", "otlp-http", "metrics"} <= reached <= {"otlp-grpc", "otlp-http", "metrics", "ui"}
    assert any("ui" in open_ports(production, labels, VLLM) for labels in pods(production))


# Scenario: a pod of another namespace, with the labels of ours; the same where the namespace is marked as one that scrapes.
# Guarantees: nothing is open; then the metrics are, and nothing else.
def test_another_namespace_reaches_at_most_the_metrics(production):
    for labels in pods(production):
        assert open_ports(production, labels, labels, namespace="other") == set()
        assert open_ports(production, labels, {}, namespace="monitoring", namespace_labels={"spanloom-scrapes": "true"}) == {"metrics"}


# Scenario: an overlay without the component.
# Guarantees: the pods are open, so that what is closed above is closed by the policy.
def test_without_the_policy_everybody_reaches_everything():
    objects = overlay("all-in-one")
    assert {"otlp-grpc", "otlp-http", "ui"} <= open_ports(objects, pods(objects)[0], {}, namespace="other")
