# SPDX-License-Identifier: Apache-2.0
"""What the kubelet ends: containers over their limit of memory, and those whose liveness probe fails."""

import os
import signal
import subprocess

from conftest import objects
from control_plane import wait_for
from sandbox import BINARY
from spans import find, send
from test_script import SPLIT, VERIFIED, only, store_of
from test_waiting import changed, failure  # noqa: F401, the fixture

LOAD_SECONDS = 8


def status_of(cluster, namespace, pod):
    return cluster.api.get(f"/api/v1/namespaces/{namespace}/pods/{pod.name}")["status"]["containerStatuses"][0]


# Scenario: collector and store as they are shipped; traces as fast as the collector takes them, for some seconds.
# Guarantees: both find their limit of memory, stay below it, and neither is ended or started again; every span was taken.
def test_shipped_limits_are_enough_under_load(cluster, made_namespace, admin):
    assert VERIFIED.search(admin.script(made_namespace, "--split").stdout) and objects(cluster, made_namespace) == SPLIT
    store, collector = store_of(cluster, made_namespace), only(cluster, made_namespace, "otel-collector")
    load = subprocess.run([str(BINARY), "tracegen", f"--endpoint={collector.ip}:4317", "--shape=load", "--rate=20000", f"--duration={LOAD_SECONDS}s", "--retries=60"], capture_output=True, text=True, timeout=300)
    assert load.returncode == 0, load.stdout + load.stderr
    for pod, limit in ((store, 1 << 30), (collector, 512 << 20)):
        container = pod.containers[0]
        status = status_of(cluster, made_namespace, pod)
        assert status["restartCount"] == 0 and "running" in status["state"] and status["ready"], status
        assert 4 << 20 < container.most_bytes < limit
        group = f"/proc/{container.process.pid}/root/sys/fs/cgroup/memory.max"
        assert open(group).read() == f"{limit}\n"


# Scenario: a limit of 1 MiB, at which no program of ours can run; then the shipped one.
# Guarantees: the status says OOMKilled and counts; the script ends before its time and names container, limit and file; then it goes through.
def test_a_limit_that_is_too_small(cluster, made_namespace, admin, changed):  # noqa: F811
    script = changed("requests: {cpu: 100m, memory: 256Mi}\n            limits: {memory: 1Gi}", "requests: {cpu: 100m, memory: 1Mi}\n            limits: {memory: 1Mi}")
    message, seconds = failure(admin, made_namespace, "--timeout=5m", script=script)
    assert "[ERROR] statefulset/jaeger does not become ready: container jaeger of pod jaeger-0 needs more memory than its limit of 1Mi and was ended for it (OOMKilled, " in message
    assert f"Raise resources.limits.memory of that container in {script.parent}/manifests/jaeger-all-in-one.yaml and run this again." in message and seconds < 100
    status = status_of(cluster, made_namespace, store_of(cluster, made_namespace))
    assert status["restartCount"] >= 1 and status["lastState"]["terminated"]["reason"] == "OOMKilled" and status["lastState"]["terminated"]["exitCode"] == 137
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert VERIFIED.search(admin.script(made_namespace).stdout)


# Scenario: a collector whose process stands still, with the probes that it is shipped with.
# Guarantees: it is not ready any more, is ended and started again in the same pod, and takes spans again.
def test_a_collector_that_hangs_is_started_again(cluster, made_namespace, admin, changed):  # noqa: F811
    script = changed("terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 2", "otel-collector.yaml")
    admin.script(made_namespace, "--split", script=script)
    collector = only(cluster, made_namespace, "otel-collector")
    os.kill(collector.containers[0].process.pid, signal.SIGSTOP)
    wait_for(lambda: not status_of(cluster, made_namespace, collector)["ready"], "the collector not to be ready")
    assert status_of(cluster, made_namespace, collector)["restartCount"] == 0
    wait_for(lambda: status_of(cluster, made_namespace, collector)["restartCount"] == 1, "the collector to be started again")
    wait_for(lambda: status_of(cluster, made_namespace, collector)["ready"], "the collector to be ready again")
    status = status_of(cluster, made_namespace, collector)
    assert status["restartCount"] == 1 and status["lastState"]["terminated"]["exitCode"] == 137 and status["lastState"]["terminated"]["reason"] == "Error"
    find(store_of(cluster, made_namespace).ip, send(collector.ip))
