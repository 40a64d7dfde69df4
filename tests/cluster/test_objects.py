# SPDX-License-Identifier: Apache-2.0
"""Everything in deploy/ that a user may apply, before a real API server with strict validation; and overlays and charts that really run."""

import contextlib
import os

import pytest
import yaml
from helm_python.chart import Chart

import collector_operator
from conftest import DEPLOY, check_strictly, custom_kind, documents, installed_crd, objects
from control_plane import wait_for
from spans import find, send, store_pod

OVERLAYS = sorted(path.parent.name for path in (DEPLOY / "overlays").glob("*/kustomization.yaml"))
MANIFESTS = ["jaeger-all-in-one.yaml", "otel-collector.yaml"]
# Kinds of others, as far as an object of theirs has to be taken.
FOREIGN = [custom_kind("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"), custom_kind("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules"),
           custom_kind("leaderworkerset.x-k8s.io", "v1", "LeaderWorkerSet", "leaderworkersets")]
CHARTS = {
    "default": {},
    "split": {"mode": "split", "collector": {"replicas": 2}, "podDisruptionBudget": {"enabled": True}, "podIdentity": True, "networkPolicy": {"enabled": True}},
    "volume": {"storage": {"kind": "persistentVolume", "persistentVolume": {"size": "2Gi"}}, "serviceMonitor": {"enabled": True}, "podIdentity": True},
    "tls": {"tls": {"enabled": True, "secretName": "otlp-tls", "clientCa": True}, "backends": {"tempo": {"endpoint": "tempo:4317", "insecure": True}}},
    "openshift": {"runAsUser": None, "fsGroup": None, "listen": "[::]"},
}


@pytest.fixture(scope="module")
def foreign_kinds(cluster):
    with contextlib.ExitStack() as stack:
        for crd in FOREIGN:
            stack.enter_context(installed_crd(cluster, crd))
        yield


def without_namespaces(text):
    """Of objects that name one: theirs is where they are applied."""
    items = documents(text)
    for item in items:
        item["metadata"].pop("namespace", None)
    return yaml.safe_dump_all(items), len(items)


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_server_takes_a_manifest(cluster, made_namespace, admin, name):
    text = (DEPLOY / "manifests" / name).read_text()
    assert len(check_strictly(admin, made_namespace, text)) == len(documents(text))


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_server_takes_an_overlay(cluster, made_namespace, admin, foreign_kinds, name):
    text, count = without_namespaces(admin.kubectl("kustomize", DEPLOY / "overlays" / name).stdout)
    assert len(check_strictly(admin, made_namespace, text)) == count


@pytest.mark.parametrize("name", CHARTS)
def test_the_server_takes_the_chart(cluster, made_namespace, admin, foreign_kinds, name):
    text = rendered(CHARTS[name], made_namespace)
    assert len(check_strictly(admin, made_namespace, text)) == len(documents(text))


def rendered(values, namespace):
    files = Chart.load(str(DEPLOY / "charts/spanloom")).render(values, name="tracing", namespace=namespace)
    return "\n---\n".join(text for name, text in sorted(files.items()) if not name.endswith("NOTES.txt") and text.strip())


# Scenario: a field that Kubernetes has not.
# Guarantees: the checks above would find it.
def test_a_wrong_field_is_found(cluster, made_namespace, admin):
    items = documents((DEPLOY / "manifests/otel-collector.yaml").read_text())
    next(item for item in items if item["kind"] == "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSecond"] = 30
    refused = admin.kubectl("apply", "-n", made_namespace, "--dry-run=server", "--validate=strict", "-f", "-", text=yaml.safe_dump_all(items), code=1)
    assert 'unknown field "spec.template.spec.terminationGracePeriodSecond"' in refused.stderr


# ------------------------------------------------------------------------------------------------------------------- run

def make_certificate(admin, namespace, folder):
    admin.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=otel-collector", "-addext",
              "subjectAltName=DNS:otel-collector,DNS:jaeger-collector", "-keyout", folder / "tls.key", "-out", folder / "tls.crt")
    admin.kubectl("create", "secret", "generic", "spanloom-tls", "-n", namespace, f"--from-file={folder}/tls.crt", f"--from-file={folder}/tls.key", f"--from-file=ca.crt={folder}/tls.crt")


def in_namespace(admin, folder, namespace, overlay):
    """An overlay's objects for another namespace, as a user's kustomization makes them."""
    (folder / "kustomization.yaml").write_text(f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: {namespace}\nresources: [{os.path.relpath(DEPLOY / 'overlays' / overlay, folder)}]\n")
    return admin.kubectl("kustomize", "--load-restrictor=LoadRestrictionsNone", folder).stdout


# Scenario: each overlay with `kubectl apply -k` in a namespace whose pods have to be restricted.
# Guarantees: all workloads become ready, and a span that is sent to otel-collector is found at jaeger-collector (over TLS no cleartext is taken).
@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_runs(cluster, made_namespace, admin, foreign_kinds, name, tmp_path):
    if name == "tls":
        make_certificate(admin, made_namespace, tmp_path)
    if name == "multi-backend":
        admin.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(store_pod("tempo", made_namespace)))
    text = in_namespace(admin, tmp_path, made_namespace, name)
    admin.kubectl("apply", "-n", made_namespace, "-f", "-", text=text)
    for item in documents(text):
        if item["kind"] in ("Deployment", "StatefulSet"):
            admin.kubectl("rollout", "status", "-n", made_namespace, f"{item['kind'].lower()}/{item['metadata']['name']}", "--timeout=60s")
    if name == "tls":
        return
    store = wait_for(lambda: cluster.node.find(made_namespace, "jaeger-0")).ip
    trace = send(cluster.node.services.address_of(made_namespace, "otel-collector"))
    find(store, trace)
    if name == "multi-backend":
        find(cluster.node.find(made_namespace, "tempo").ip, trace)


# Scenario: what `helm install` applies, and then the pod of `helm test`.
# Guarantees: workloads become ready, and the test's own commands find their span.
@pytest.mark.parametrize("values", [{}, {"mode": "split"}], ids=["all in one", "split"])
def test_the_chart_runs_and_its_test_passes(cluster, made_namespace, admin, values):
    items = documents(rendered(values, made_namespace))
    tests = [item for item in items if "helm.sh/hook" in item["metadata"].get("annotations", {})]
    admin.kubectl("apply", "-n", made_namespace, "-f", "-", text=yaml.safe_dump_all(item for item in items if item not in tests))
    for item in items:
        if item["kind"] in ("Deployment", "StatefulSet"):
            admin.kubectl("rollout", "status", "-n", made_namespace, f"{item['kind'].lower()}/{item['metadata']['name']}", "--timeout=60s")
    assert [item["kind"] for item in tests] == ["Pod"]
    admin.kubectl("apply", "-n", made_namespace, "-f", "-", text=yaml.safe_dump_all(tests))
    name = tests[0]["metadata"]["name"]
    phase = wait_for(lambda: found if (found := cluster.api.get(f"/api/v1/namespaces/{made_namespace}/pods/{name}")["status"]["phase"]) in ("Succeeded", "Failed") else None)
    log = admin.kubectl("logs", "-n", made_namespace, name).stdout
    assert phase == "Succeeded" and "found at" in log, log


def test_the_resource_of_the_operator_is_taken(cluster, made_namespace, admin):
    with installed_crd(cluster, collector_operator.CRD):
        assert len(check_strictly(admin, made_namespace, (DEPLOY / "manifests/otel-collector-operator.yaml").read_text())) == 1
    assert objects(cluster, made_namespace) == set()
