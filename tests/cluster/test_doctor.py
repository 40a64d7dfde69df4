# SPDX-License-Identifier: Apache-2.0
"""`spanloom doctor cluster` in front of a real API server."""

import json

import yaml

from control_plane import wait_for
from sandbox import BINARY

ENV = [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://otel-collector:4317"}, {"name": "OTEL_TRACES_EXPORTER", "value": "otlp"}, {"name": "OTEL_SERVICE_NAME", "value": "routing-proxy"},
       {"name": "OTEL_RESOURCE_ATTRIBUTES", "value": "k8s.pod.name=proxy"}]


def proxy():
    """A Deployment of llm-d's sidecar that nobody runs, since it has no pods."""
    container = {"name": "routing-proxy", "image": "ghcr.io/llm-d/llm-d-routing-sidecar:v0.6.0", "env": ENV}
    return yaml.safe_dump({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "proxy"}, "spec": {
        "replicas": 0, "selector": {"matchLabels": {"app": "proxy"}}, "template": {"metadata": {"labels": {"app": "proxy"}}, "spec": {"containers": [container]}}}})


def found(user, namespace, code=1):
    result = user.run(BINARY, "doctor", "cluster", "-n", namespace, "--output", "json", code=code)
    return {(finding["file"], finding["rule"]) for finding in json.loads(result.stdout)["findings"]}


# Scenario: a sender without a collector; a collector whose image is not there; one that runs.
# Guarantees: each is named, and nothing is found in the last.
def test_what_a_namespace_lacks_is_named(cluster, made_namespace, admin):
    admin.kubectl("apply", "-n", made_namespace, "-f", "-", text=proxy())
    assert found(admin, made_namespace) == {("deployment/proxy", "cluster-no-service")}
    admin.script(made_namespace, "--no-wait", "--image=missing.example/spanloom:9.9.9")
    waits = {("deployment/proxy", "cluster-service-no-pod"), ("pod/jaeger-0", "cluster-pod-waits")}
    wait_for(lambda: found(admin, made_namespace) == waits)
    admin.script(made_namespace)
    wait_for(lambda: admin.run(BINARY, "doctor", "cluster", "-n", made_namespace, "--output", "json", code=0))


# Scenario: somebody who may look at Deployments alone, and somebody whom the server does not know.
# Guarantees: what could not be read is said with the right that it takes; nothing is said of it.
def test_what_may_not_be_read_is_said(cluster, made_namespace, admin):
    admin.kubectl("apply", "-n", made_namespace, "-f", "-", text=proxy())
    reader = cluster.user("stranger-token")
    with cluster.allowed_everywhere("stranger", [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]}]):
        wait_for(lambda: "deployments can't be read" not in reader.run(BINARY, "doctor", "cluster", "-n", made_namespace, code=1).stdout)
        said = reader.run(BINARY, "doctor", "cluster", "-n", made_namespace, code=1).stdout
    assert 'services can\'t be read' in said and 'resources: ["services"]' in said and "cluster-no-service" not in said
    assert "[cluster-no-answer]" in cluster.user("no-such-token").run(BINARY, "doctor", "cluster", "-n", made_namespace, code=1).stdout
