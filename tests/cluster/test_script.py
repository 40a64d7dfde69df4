# SPDX-License-Identifier: Apache-2.0
"""install-tracing.sh on a real API server, without an operator: each mode installs, waits, finds its span in pods that really run, runs again, and is removed."""

import re
import shutil

import pytest
import yaml

from conftest import DEPLOY, documents, objects
from control_plane import wait_for
from spans import find, is_there, send, store_pod

ALL_IN_ONE = {"configmap/spanloom-config", "statefulset/jaeger", "service/jaeger-collector", "service/otel-collector"}
SPLIT = ALL_IN_ONE | {"configmap/otel-collector-config", "deployment/otel-collector"}
BACKEND = {"configmap/spanloom-backend"}
CLAIM = {"persistentvolumeclaim/spanloom-store"}
VERIFIED = re.compile(r"\[OK\]    A test span went in at otel-collector:4318 and was found at jaeger-collector:16686 \(trace ([0-9a-f]{32}), service spanloom-install-check\)\.")
DEPLOYED = "[OK]    Spanloom as OTel Collector + Jaeger deployed successfully."


def store_of(cluster, namespace):
    return wait_for(lambda: cluster.node.find(namespace, "jaeger-0"))


def only(cluster, namespace, start):
    """The one pod whose name begins so, once the others have gone."""
    return wait_for(lambda: found[0] if len(found := cluster.node.of(namespace, start)) == 1 else None)


def uids(cluster, namespace):
    return {pod.uid for pod in cluster.node.of(namespace)}


MODES = [([], ALL_IN_ONE), (["--split"], SPLIT), (["--storage", "2Gi"], ALL_IN_ONE | CLAIM), (["--split", "--storage=2Gi"], SPLIT | CLAIM)]


# Scenario: a namespace that is not there; the script twice with the same options, then -u twice, then --purge.
# Guarantees: the namespace is made, the span is found in the pods, the second run changes nothing and restarts nothing, and all but the claim goes.
@pytest.mark.parametrize("options, expected", MODES, ids=["all in one", "split", "volume", "split, volume"])
def test_a_mode_from_nothing_to_nothing(cluster, namespace, admin, options, expected):
    result = admin.script(namespace, *options)
    assert f"[INFO]  Creating namespace '{namespace}'..." in result.stdout and DEPLOYED in result.stdout and result.stderr == ""
    trace = VERIFIED.search(result.stdout)[1]
    assert objects(cluster, namespace) == expected
    assert find(store_of(cluster, namespace).ip, trace)["processes"]["p1"]["serviceName"] == "spanloom-install-check"

    before = uids(cluster, namespace)
    again = admin.script(namespace, *options)
    assert "Creating namespace" not in again.stdout and VERIFIED.search(again.stdout) and again.stderr == ""
    changed = [line for line in again.stdout.splitlines() if re.match(r"\S+/\S+ (created|configured)$", line)]
    assert changed == [] and uids(cluster, namespace) == before

    removed = admin.script(namespace, "-u")
    assert f"[OK]    OTel Collector + Jaeger removed from namespace '{namespace}'." in removed.stdout
    assert ("The volume claim 'spanloom-store' stays, with its traces: --purge removes it too." in removed.stdout) == (CLAIM <= expected)
    assert objects(cluster, namespace) == expected & CLAIM
    wait_for(lambda: not cluster.node.of(namespace))
    if not CLAIM <= expected:
        assert f"Nothing of Spanloom is in namespace '{namespace}'" in admin.script(namespace, "-u").stdout
    admin.script(namespace, "-u", "--purge")
    wait_for(lambda: objects(cluster, namespace) == set(), "the claim to go")
    assert cluster.api.get(f"/api/v1/namespaces/{namespace}")["status"]["phase"] == "Active"


def test_uninstall_where_there_is_no_namespace(cluster, namespace, admin):
    assert f"[OK]    There is no namespace '{namespace}', so nothing to remove." in admin.script(namespace, "-u").stdout
    assert cluster.api.find(f"/api/v1/namespaces/{namespace}") is None


# Scenario: from one mode to the other and back, in a namespace whose pods have to be restricted.
# Guarantees: each time the span goes through, and nothing of the other mode is left.
def test_modes_take_each_others_place(cluster, made_namespace, admin):
    for options, expected in (([], ALL_IN_ONE), (["--split"], SPLIT), ([], ALL_IN_ONE)):
        assert VERIFIED.search(admin.script(made_namespace, *options).stdout)
        assert objects(cluster, made_namespace) == expected
    wait_for(lambda: len(cluster.node.of(made_namespace)) == 1)


GUIDE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: jaeger}
spec:
  selector: {matchLabels: {app: jaeger}}
  template:
    metadata: {labels: {app: jaeger}}
    spec: {containers: [{name: jaeger, image: "jaegertracing/jaeger:2.15.0", ports: [{containerPort: 4317, name: otlp-grpc}, {containerPort: 16686, name: ui}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: jaeger-collector}
spec: {selector: {app: jaeger}, ports: [{name: otlp-grpc, port: 4317}, {name: otlp-http, port: 4318}, {name: ui, port: 16686}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: otel-collector-config}
data: {config.yaml: "receivers: {}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: otel-collector}
spec:
  selector: {matchLabels: {app: otel-collector}}
  template:
    metadata: {labels: {app: otel-collector}}
    spec: {containers: [{name: otel-collector, image: "otel/opentelemetry-collector-contrib:0.120.0", ports: [{containerPort: 4317, name: otlp-grpc}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: otel-collector}
spec: {selector: {app: otel-collector}, ports: [{name: otlp-grpc, port: 4317}, {name: otlp-http, port: 4318}]}
"""


# Scenario: objects of the names and selectors that the guide's script applies run in the namespace.
# Guarantees: Spanloom takes their places, Deployment and Services in place where their selectors cannot change, and the span is found.
@pytest.mark.parametrize("options, expected", [([], ALL_IN_ONE), (["--split"], SPLIT)], ids=["all in one", "split"])
def test_the_guides_installation_is_taken_over(cluster, namespace, admin, options, expected):
    admin.kubectl("create", "namespace", namespace)
    admin.kubectl("apply", "-n", namespace, "-f", "-", text=GUIDE)
    admin.kubectl("rollout", "status", "-n", namespace, "deployment/jaeger")
    result = admin.script(namespace, *options)
    assert "Removing the guide's Jaeger: its traces are in memory and go with it..." in result.stdout
    assert VERIFIED.search(result.stdout) and objects(cluster, namespace) == expected


# Scenario: a trace in a store on a volume; the pod is replaced, Spanloom is removed and installed again, with a larger claim.
# Guarantees: the trace is still there each time; a claim that should shrink is refused by the server, and the script does not say success.
def test_a_volume_keeps_its_traces(cluster, made_namespace, admin):
    admin.script(made_namespace, "--storage", "2Gi")
    trace = send(store_of(cluster, made_namespace).ip)
    admin.kubectl("rollout", "restart", "-n", made_namespace, "statefulset/jaeger")
    admin.kubectl("rollout", "status", "-n", made_namespace, "statefulset/jaeger", "--timeout=60s")
    find(store_of(cluster, made_namespace).ip, trace)
    admin.script(made_namespace, "-u")
    assert VERIFIED.search(admin.script(made_namespace, "--storage", "3Gi").stdout)
    find(store_of(cluster, made_namespace).ip, trace)
    claim = cluster.api.get(f"/api/v1/namespaces/{made_namespace}/persistentvolumeclaims/spanloom-store")
    assert claim["spec"]["resources"]["requests"]["storage"] == "3Gi"
    smaller = admin.script(made_namespace, "--storage", "1Gi", code=1)
    assert "forbidden" in smaller.stderr.lower() and DEPLOYED not in smaller.stdout


# Scenario: another backend, once in this namespace under the name tempo, once in another namespace.
# Guarantees: a span is in both; without the option again it goes into the store alone.
@pytest.mark.parametrize("options", [[], ["--split"]], ids=["all in one", "split"])
@pytest.mark.parametrize("backend", ["tempo", "otlp=tempo.{}:4317"])
def test_a_backend_gets_the_spans_too(cluster, made_namespace, admin, options, backend):
    place = made_namespace
    if backend != "tempo":
        place = f"{made_namespace}-far"
        admin.kubectl("create", "namespace", place)
    admin.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(store_pod("tempo", place)))
    trace = VERIFIED.search(admin.script(made_namespace, *options, "--backend", backend.format(place)).stdout)[1]
    tempo = cluster.node.find(place, "tempo").ip
    find(tempo, trace)
    assert BACKEND <= objects(cluster, made_namespace)
    trace = VERIFIED.search(admin.script(made_namespace, *options).stdout)[1]
    assert not BACKEND & objects(cluster, made_namespace) and not is_there(tempo, trace)
    if place != made_namespace:
        admin.kubectl("delete", "namespace", place, "--wait=false")


# Scenario: --backend jaeger with a Jaeger that is there, and without one.
# Guarantees: the collector alone is installed and its span is found there; without one nothing is changed.
def test_backend_jaeger(cluster, made_namespace, admin):
    refused = admin.script(made_namespace, "--backend", "jaeger", code=1)
    assert "There is no Service 'jaeger-collector'" in refused.stderr and objects(cluster, made_namespace) == set()
    admin.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(store_pod("jaeger-collector", made_namespace)))
    trace = VERIFIED.search(admin.script(made_namespace, "--backend", "jaeger").stdout)[1]
    find(cluster.node.find(made_namespace, "jaeger-collector").ip, trace)
    assert objects(cluster, made_namespace) == {"configmap/otel-collector-config", "deployment/otel-collector", "service/otel-collector", "service/jaeger-collector"}
    admin.script(made_namespace, "-u")
    assert objects(cluster, made_namespace) == {"service/jaeger-collector"}


# Scenario: a dry run of each mode, before and after an installation of the other one, and where there is no namespace.
# Guarantees: the server has checked everything, and nothing is other than before.
def test_a_dry_run_changes_nothing(cluster, namespace, admin):
    missing = admin.script(namespace, "--dry-run")
    assert f"Namespace '{namespace}' would be created" in missing.stdout and cluster.api.find(f"/api/v1/namespaces/{namespace}") is None
    admin.kubectl("create", "namespace", namespace)
    for options in ([], ["--split"], ["--storage=2Gi"], ["--backend=tempo"]):
        result = admin.script(namespace, "--dry-run", *options)
        assert "statefulset.apps/jaeger created (server dry run)" in result.stdout and objects(cluster, namespace) == set()
    admin.script(namespace, "--split", "--no-wait")
    result = admin.script(namespace, "--dry-run")
    assert 'deployment.apps "otel-collector" deleted' in result.stdout and objects(cluster, namespace) == SPLIT
    assert "(server dry run)" in admin.script(namespace, "-u", "--dry-run").stdout and objects(cluster, namespace) == SPLIT


# Scenario: --no-wait, and then another image.
# Guarantees: it does not wait; the pods that come have the image, and run.
def test_another_image_is_rolled_out(cluster, made_namespace, admin):
    assert "Waiting" not in admin.script(made_namespace, "--split", "--no-wait").stdout
    image = "registry.example:5000/team/spanloom:2.0"
    assert VERIFIED.search(admin.script(made_namespace, "--split", "--image", image).stdout)
    wait_for(lambda: {pod.spec["containers"][0]["image"] for pod in cluster.node.of(made_namespace)} == {image})


# Scenario: the configuration of a running collector is changed and rolled out, as documents say.
# Guarantees: the new pod has the new one, and Service and sender notice nothing but the change.
def test_a_changed_configuration_is_rolled_out(cluster, made_namespace, admin):
    admin.script(made_namespace, "--split")
    path = f"/api/v1/namespaces/{made_namespace}/configmaps/otel-collector-config"
    changed = cluster.api.get(path)
    config = changed["data"]["config.yaml"].replace("processors:\n", "processors:\n  resource: {attributes: [{key: rolled, value: out, action: insert}]}\n", 1)
    changed["data"]["config.yaml"] = config.replace("processors: [memory_limiter,", "processors: [memory_limiter, resource,")
    cluster.api.call("PUT", path, changed)
    admin.kubectl("rollout", "restart", "-n", made_namespace, "deployment/otel-collector")
    admin.kubectl("rollout", "status", "-n", made_namespace, "deployment/otel-collector", "--timeout=60s")
    collector = only(cluster, made_namespace, "otel-collector")
    shown = find(store_of(cluster, made_namespace).ip, send(collector.ip))
    assert {"key": "rolled", "type": "string", "value": "out"} in shown["processes"]["p1"]["tags"]


# Scenario: the collector's file has another configuration when the script runs again.
# Guarantees: its pod is replaced and has it; the store's, with its traces in memory, stays.
def test_the_script_rolls_out_a_changed_configuration(cluster, made_namespace, admin, tmp_path):
    trace = VERIFIED.search(admin.script(made_namespace, "--split").stdout)[1]
    store, collector = store_of(cluster, made_namespace), only(cluster, made_namespace, "otel-collector")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    path = tmp_path / "deploy/manifests/otel-collector.yaml"
    path.write_text(path.read_text().replace("send_batch_size: 1024", "send_batch_size: 512"))
    assert VERIFIED.search(admin.script(made_namespace, "--split", script=tmp_path / "deploy/install-tracing.sh").stdout)
    assert only(cluster, made_namespace, "otel-collector").uid != collector.uid
    assert store_of(cluster, made_namespace).uid == store.uid and is_there(store.ip, trace)


# Scenario: the store's pod is deleted while a collector stands before it, and comes back.
# Guarantees: what was taken meanwhile arrives; who does not find the name any more looks it up again.
def test_a_store_that_goes_and_comes_loses_nothing(cluster, made_namespace, admin):
    admin.script(made_namespace, "--split", "--storage", "2Gi")
    before = store_of(cluster, made_namespace)
    admin.kubectl("delete", "pod", "-n", made_namespace, "jaeger-0", "--wait=false")
    trace = send(only(cluster, made_namespace, "otel-collector").ip)
    after = wait_for(lambda: pod if (pod := cluster.node.find(made_namespace, "jaeger-0")) and pod.uid != before.uid else None)
    find(after.ip, trace)


def test_what_dry_run_prints_without_a_server_is_what_is_applied(cluster, namespace, admin):
    admin.environment["KUBECONFIG"] = "/nonexistent"
    printed = documents(admin.script(namespace, "--dry-run", "--split").stdout.split("changed.\n")[1])
    assert {f"{item['kind'].lower()}/{item['metadata']['name']}" for item in printed} == SPLIT
