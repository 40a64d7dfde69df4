# SPDX-License-Identifier: Apache-2.0
"""Who reaches which port of a pod, judged by the rules of networking.k8s.io/v1 for ingress: by podSelector and namespaceSelector, in equalities."""

from manifests import of_kind, workloads


def selects(selector, labels):
    """A label selector of equalities; an empty one selects everything."""
    assert selector.keys() <= {"matchLabels"}, "matchExpressions are not played here"
    return selector.get("matchLabels", {}).items() <= labels.items()


def is_peer(peer, pod_labels, is_same_namespace, namespace_labels):
    """Without a namespaceSelector a peer's pods are those of the policy's own namespace."""
    assert peer.keys() <= {"podSelector", "namespaceSelector"}
    if "namespaceSelector" in peer:
        return selects(peer["namespaceSelector"], namespace_labels) and selects(peer.get("podSelector", {}), pod_labels)
    return is_same_namespace and selects(peer["podSelector"], pod_labels)


def names_port(entry, container_port):
    return entry.get("protocol", "TCP") == "TCP" and entry["port"] in (container_port["containerPort"], container_port.get("name"))


def pods(objects):
    """The labels of the pods that the workloads make."""
    return [entry["spec"]["template"]["metadata"]["labels"] for entry in workloads(objects)]


def open_ports(objects, labels, sender, other_namespace=None):
    """The names of the ports of the pod with `labels` that a pod labelled `sender` reaches: one of the same namespace, or of another with the labels `other_namespace`. A pod that no policy selects takes everything."""
    pod = next(entry["spec"]["template"] for entry in workloads(objects) if entry["spec"]["template"]["metadata"]["labels"] == labels)
    ports = [port for container in pod["spec"]["containers"] for port in container["ports"]]
    policies = [policy["spec"] for policy in of_kind(objects, "NetworkPolicy").values() if selects(policy["spec"]["podSelector"], labels)]
    if not policies:
        return {port["name"] for port in ports}
    assert all(policy["policyTypes"] == ["Ingress"] for policy in policies), "what the pods send is not restricted"
    rules = [rule for policy in policies for rule in policy["ingress"]
             if any(is_peer(peer, sender, other_namespace is None, other_namespace or {}) for peer in rule["from"])]
    return {port["name"] for port in ports for rule in rules if any(names_port(entry, port) for entry in rule["ports"])}
