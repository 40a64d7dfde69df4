# SPDX-License-Identifier: Apache-2.0
"""install-tracing.sh where pods do not come up: it ends, before its time if that is plain, and says why as Kubernetes itself says it."""

import shutil
import time

import pytest

from conftest import DEPLOY, objects
from control_plane import wait_for
from test_script import DEPLOYED, VERIFIED


@pytest.fixture
def changed(tmp_path):
    """A function that makes a copy of deploy/ in which one file is other; returns its script."""

    def change(old, new, file="jaeger-all-in-one.yaml"):
        shutil.copytree(DEPLOY, tmp_path / "deploy")
        path = tmp_path / "deploy/manifests" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return tmp_path / "deploy/install-tracing.sh"

    return change


def failure(admin, namespace, *options, **more):
    began = time.monotonic()
    result = admin.script(namespace, *options, code=1, **more)
    assert DEPLOYED not in result.stdout
    return result.stderr, time.monotonic() - began


# Scenario: a ResourceQuota that has no room for the pod, then one that has.
# Guarantees: the server's own words, long before the time is over; then it goes through.
def test_a_quota_without_room(cluster, made_namespace, admin):
    path = f"/api/v1/namespaces/{made_namespace}/resourcequotas"
    cluster.api.create(path, {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "0"}}})
    wait_for(lambda: cluster.api.get(f"{path}/few").get("status", {}).get("hard"))
    message, seconds = failure(admin, made_namespace, "--timeout=5m")
    assert "[ERROR] statefulset/jaeger does not become ready: its pod may not be made: " in message and "exceeded quota: few, requested: pods=1, used: pods=0, limited: pods=0" in message
    assert seconds < 60
    cluster.api.call("PATCH", f"{path}/few", {"spec": {"hard": {"pods": "5", "requests.memory": "2Gi"}}}, "application/merge-patch+json")
    wait_for(lambda: cluster.api.get(f"{path}/few")["status"]["hard"].get("pods") == "5")
    admin.script(made_namespace, "-u")
    assert VERIFIED.search(admin.script(made_namespace, "--split").stdout)


# Scenario: a registry that has no such image, then one that has.
# Guarantees: pod, image and option are named, long before the time is over; the same installation is mended by the option.
@pytest.mark.parametrize("options", [[], ["--split"]], ids=["all in one", "split"])
def test_an_image_that_cannot_be_had(cluster, made_namespace, admin, options):
    message, seconds = failure(admin, made_namespace, "--timeout=5m", "--image=missing.example/spanloom:9.9.9", *options)
    assert "[ERROR] statefulset/jaeger does not become ready: the image of pod jaeger-0 cannot be had (ImagePullBackOff): " in message
    assert "missing.example/spanloom:9.9.9" in message and "--image says which one to take." in message and seconds < 60
    assert VERIFIED.search(admin.script(made_namespace, *options).stdout)


# Scenario: a configuration with a mistake, so that the program ends.
# Guarantees: its last line is shown, read from the kubelet, with the number of restarts; mended, the same installation goes through.
def test_a_program_that_ends(cluster, made_namespace, admin, changed):
    script = changed("batch: {send_batch_size: 1024, timeout: 1s}", "batch: {send_batch_sise: 1024}")
    message, seconds = failure(admin, made_namespace, "--timeout=5m", script=script)
    assert "[ERROR] statefulset/jaeger does not become ready: pod jaeger-0 ends again and again (" in message and "Error). Its last line: " in message
    assert "send_batch_sise" in message and seconds < 100
    assert VERIFIED.search(admin.script(made_namespace).stdout)


def test_a_pod_that_finds_no_node(cluster, made_namespace, admin, changed):
    script = changed("requests: {cpu: 100m, memory: 256Mi}\n            limits: {memory: 1Gi}", "requests: {cpu: 100m, memory: 900Gi}\n            limits: {memory: 900Gi}")
    message, _ = failure(admin, made_namespace, "--timeout=3s", script=script)
    assert "[ERROR] statefulset/jaeger is not ready after 3s: pod jaeger-0 finds no node: 0/1 nodes are available: 1 Insufficient memory." in message


# Scenario: nobody listens where the probes look.
# Guarantees: the time that was given is kept, and the log's last line is shown.
def test_a_pod_that_is_never_ready(cluster, made_namespace, admin, changed):
    script = changed('health_check: {endpoint: "0.0.0.0:13133"}', 'health_check: {endpoint: "127.0.0.1:0"}')
    message, seconds = failure(admin, made_namespace, "--timeout=4s", script=script)
    assert "[ERROR] statefulset/jaeger is not ready after 4s: pod jaeger-0 runs, but is not ready yet. Its last line: " in message and 4 <= seconds < 60


# Scenario: a namespace that asks for the restricted standard, and a pod that does not keep it.
# Guarantees: what is wrong with it is said in the server's words.
def test_a_pod_that_is_not_let_in(cluster, made_namespace, admin, changed):
    message, _ = failure(admin, made_namespace, "--timeout=5m", script=changed("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"))
    assert "its pod may not be made: " in message and 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false' in message


# Scenario: a Service whose selector finds nobody, though pods are ready.
# Guarantees: the test span shows it, which readiness does not.
def test_a_service_that_leads_nowhere(cluster, made_namespace, changed):
    script = changed("    app: jaeger\n    app.kubernetes.io/component: store\n  ports:", "    app: jaegre\n  ports:")
    user = cluster.user(SPANLOOM_VERIFY_SECONDS="3")
    message, _ = failure(user, made_namespace, "--timeout=60s", script=script)
    assert "[ERROR] Service 'jaeger-collector' cannot be reached: " in message


# Scenario: a configuration that takes spans and drops them.
# Guarantees: the installation fails, and says where the span was last seen.
def test_a_span_that_is_lost(cluster, made_namespace, changed):
    script = changed("          span:\n", "          span:\n            - name == \"install check\"\n")
    user = cluster.user(SPANLOOM_VERIFY_SECONDS="3")
    message, _ = failure(user, made_namespace, script=script)
    assert "[ERROR] The test span was taken by otel-collector:4318, but jaeger-collector:16686 does not show it after 3s: 404 Not Found" in message


# Scenario: the collector's pod cannot be had while the store's can.
# Guarantees: it is the Deployment that is named.
def test_the_workload_that_fails_is_named(cluster, made_namespace, admin, changed):
    script = changed("image: spanloom:0.1.0", "image: missing.example/spanloom:0.1.0", "otel-collector.yaml")
    message, _ = failure(admin, made_namespace, "--split", script=script)
    assert "[ERROR] deployment/otel-collector does not become ready: the image of pod otel-collector-" in message
    assert "deployment/otel-collector" in objects(cluster, made_namespace)
