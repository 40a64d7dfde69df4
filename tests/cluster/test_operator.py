# SPDX-License-Identifier: Apache-2.0
"""install-tracing.sh where the kind OpenTelemetryCollector is known: with nobody who acts on it, and with an operator."""

import shutil

import yaml

from collector_operator import RESOURCES
from conftest import DEPLOY, objects
from control_plane import wait_for
from spans import find, send
from test_script import ALL_IN_ONE, DEPLOYED, SPLIT, VERIFIED, only, store_of

DETECTED = "[INFO]  OpenTelemetry Operator detected -- deploying collector as OpenTelemetryCollector CR..."
MADE = {"deployment/otel-collector", "service/otel-collector", "service/otel-collector-headless", "service/otel-collector-monitoring"}
STORE = {"configmap/spanloom-config", "statefulset/jaeger", "service/jaeger-collector"}


def resource(cluster, namespace):
    return cluster.api.find(f"{RESOURCES}/namespaces/{namespace}/opentelemetrycollectors/otel")


def without_hash(names):
    """The operator's ConfigMap has a hash in its name."""
    return {name for name in names if not name.startswith("configmap/otel-collector-")} | {name for name in names if name == "configmap/otel-collector-config"}


# Scenario: the CRD alone. The guide's script says success then, and traces go nowhere.
# Guarantees: it is noticed within the bound, the resource is removed, and a collector runs all the same; on a second run too.
def test_a_crd_that_nobody_acts_on(cluster, made_namespace, crd):
    user = cluster.user(SPANLOOM_OPERATOR_SECONDS="2")
    for _ in range(2):
        result = user.script(made_namespace, "--split")
        assert DETECTED in result.stdout and "no operator acts on it: no Deployment and Service 'otel-collector' after 2s." in result.stderr
        assert "OpenTelemetry Operator not running -- deploying standalone collector..." in result.stdout and VERIFIED.search(result.stdout)
        assert objects(cluster, made_namespace) == SPLIT and resource(cluster, made_namespace) is None


# Scenario: an operator that acts; the script twice, then -u.
# Guarantees: the collector that it makes runs with our image, listens where the Service says, knows its limits, and the span goes through; a second run
# changes nothing; all of it goes.
def test_an_operator_runs_the_collector(cluster, made_namespace, admin, operator):
    result = admin.script(made_namespace, "--split")
    assert DETECTED in result.stdout and result.stderr == ""
    trace = VERIFIED.search(result.stdout)[1]
    find(store_of(cluster, made_namespace).ip, trace)
    assert without_hash(objects(cluster, made_namespace)) == STORE | MADE
    pod = only(cluster, made_namespace, "otel-collector")
    container = pod.spec["containers"][0]
    assert container["image"] == "spanloom-collector:0.1.0" and container["args"] == ["--config=/conf/collector.yaml"]
    assert pod.spec["securityContext"]["runAsNonRoot"] is True
    assert resource(cluster, made_namespace)["spec"]["upgradeStrategy"] == "none"
    again = admin.script(made_namespace, "--split")
    assert "opentelemetrycollector.opentelemetry.io/otel unchanged" in again.stdout and VERIFIED.search(again.stdout)
    assert only(cluster, made_namespace, "otel-collector").uid == pod.uid
    admin.script(made_namespace, "-u")
    wait_for(lambda: objects(cluster, made_namespace) == set(), "what the operator made to go")


# Scenario: --backend with an operator, then without it again.
# Guarantees: the resource's own configuration has it, then has not; each time a new pod runs that, and the span is found.
def test_a_backend_behind_the_operators_collector(cluster, made_namespace, admin, operator):
    assert VERIFIED.search(admin.script(made_namespace, "--split", "--backend=tempo").stdout)
    pipeline = resource(cluster, made_namespace)["spec"]["config"]["service"]["pipelines"]["traces"]
    assert pipeline["exporters"] == ["otlp_grpc/jaeger", "otlp_grpc/backend"]
    assert VERIFIED.search(admin.script(made_namespace, "--split").stdout)
    assert resource(cluster, made_namespace)["spec"]["config"]["service"]["pipelines"]["traces"]["exporters"] == ["otlp_grpc/jaeger"]


# Scenario: a standalone collector runs when the operator arrives; then one pod for all is asked for.
# Guarantees: each time one variant is there, not two under one name, and the span is found.
def test_an_operator_arrives_and_is_left(cluster, made_namespace, admin, request):
    assert VERIFIED.search(admin.script(made_namespace, "--split").stdout)
    request.getfixturevalue("operator")
    result = admin.script(made_namespace, "--split")
    assert "Removing the standalone collector, whose place the operator's takes..." in result.stdout and VERIFIED.search(result.stdout)
    wait_for(lambda: without_hash(objects(cluster, made_namespace)) == STORE | MADE)
    owner = cluster.api.get(f"/apis/apps/v1/namespaces/{made_namespace}/deployments/otel-collector")["metadata"]["ownerReferences"][0]
    assert owner["kind"] == "OpenTelemetryCollector"
    result = admin.script(made_namespace)
    assert "Removing the OpenTelemetryCollector CR 'otel'" in result.stdout and VERIFIED.search(result.stdout)
    wait_for(lambda: objects(cluster, made_namespace) == ALL_IN_ONE)


# Scenario: the file for the operator is missing from a copy of deploy/.
# Guarantees: the standalone collector takes its place.
def test_without_the_operators_manifest(cluster, made_namespace, admin, operator, tmp_path):
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "deploy/manifests/otel-collector-operator.yaml").unlink()
    result = admin.script(made_namespace, "--split", script=tmp_path / "deploy/install-tracing.sh")
    assert "falling back to standalone collector..." in result.stdout and VERIFIED.search(result.stdout)
    assert objects(cluster, made_namespace) == SPLIT


# Scenario: who has all rights of ClusterRole admin in the namespace, which has none for the operator's kind, and may not read CRDs.
# Guarantees: the kind is found nonetheless, it is said that it may not be made, and the collector is standalone.
def test_an_admin_of_the_namespace_gets_a_standalone_collector(cluster, made_namespace, operator):
    user = cluster.user("dev-token")
    cluster.bind(made_namespace, "dev", "admin")
    result = user.script(made_namespace, "--split")
    assert "you may not create opentelemetrycollectors.opentelemetry.io -- deploying standalone collector..." in result.stdout
    assert VERIFIED.search(result.stdout) and DEPLOYED in result.stdout and objects(cluster, made_namespace) == SPLIT


# Scenario: the resource is there and the user may not delete it.
# Guarantees: -u says that it stays, and removes the rest.
def test_a_resource_that_may_not_be_deleted_stays(cluster, made_namespace, admin, operator):
    admin.script(made_namespace, "--split", "--no-wait")
    cluster.bind(made_namespace, "dev", "admin")
    cluster.allow(made_namespace, "dev", "look", [{"apiGroups": ["opentelemetry.io"], "resources": ["opentelemetrycollectors"], "verbs": ["get", "list"]}])
    result = cluster.user("dev-token").script(made_namespace, "-u")
    assert "[WARN]  The OpenTelemetryCollector CR 'otel' stays: you may not delete it.\n" == result.stderr
    assert resource(cluster, made_namespace) and "statefulset/jaeger" not in objects(cluster, made_namespace)


# Scenario: what a user without the CRD sees who applies the resource by hand.
# Guarantees: kubectl names the kind; with the CRD, every field that we write is one that the operator's schema has.
def test_the_resource_fits_its_schema(cluster, made_namespace, admin, request):
    path = DEPLOY / "manifests/otel-collector-operator.yaml"
    refused = admin.kubectl("apply", "-n", made_namespace, "-f", path, code=1)
    assert 'no matches for kind "OpenTelemetryCollector"' in refused.stderr
    request.getfixturevalue("crd")
    admin.kubectl("apply", "-n", made_namespace, "--dry-run=server", "--validate=strict", "-f", path)
    wrong = yaml.safe_load(path.read_text())
    wrong["spec"]["upgradeStrategie"] = "none"
    assert "unknown field" in admin.kubectl("apply", "-n", made_namespace, "--dry-run=server", "--validate=strict", "-f", "-", text=yaml.safe_dump(wrong), code=1).stderr


# Scenario: spans come while the operator replaces its pod for another image.
# Guarantees: the Service leads to the new one, and what was sent in between is there.
def test_another_image_for_the_operators_collector(cluster, made_namespace, admin, operator):
    admin.script(made_namespace, "--split")
    image = "registry.example/spanloom:2.0"
    assert VERIFIED.search(admin.script(made_namespace, "--split", "--image", image).stdout)
    wait_for(lambda: only(cluster, made_namespace, "otel-collector").spec["containers"][0]["image"] == "registry.example/spanloom-collector:2.0")
    find(store_of(cluster, made_namespace).ip, send(cluster.node.services.address_of(made_namespace, "otel-collector")))
