# SPDX-License-Identifier: Apache-2.0
"""Pods at the limits and probes that the manifests give them: under load they keep within, and what hangs is started again."""

import os
import signal
import subprocess

from control_plane import wait_for
from sandbox import BINARY
from spans import find, send
from test_script import VERIFIED, store_of
from test_waiting import changed  # noqa: F401

LOAD = ["--duration=6s", "--rate=2000"]  # traces of 11 spans, each second


# Scenario: collector and store as shipped, each with its limit; spans as fast as one sender makes them for some seconds.
# Guarantees: nobody is killed or started again, and the load did come: memory has grown.
def test_a_load_stays_within_the_limits(cluster, made_namespace, admin):
    assert VERIFIED.search(admin.script(made_namespace, "--split").stdout)
    pods = [store_of(cluster, made_namespace), *cluster.node.of(made_namespace, "otel-collector")]
    assert len(pods) == 2
    idle = [pod.containers[0].memory_peak for pod in pods]
    subprocess.run([BINARY, "tracegen", f"--endpoint={pods[1].ip}:4317", *LOAD], check=True, capture_output=True, timeout=120)
    send(pods[1].ip)
    for pod, before in zip(pods, idle, strict=True):
        container = pod.containers[0]
        assert container.restarts == 0 and container.process is not None, pod.name
        assert before + (4 << 20) < container.memory_peak < container.memory_max, (pod.name, before, container.memory_peak)


# Scenario: the store hangs, so that its probe for life is not answered; the probe looks each second, and the end has a second.
# Guarantees: it is started again, is ready, and takes spans.
def test_what_hangs_is_started_again(cluster, made_namespace, admin, changed):  # noqa: F811
    script = changed("periodSeconds: 10\n            timeoutSeconds: 5\n            failureThreshold: 6",
                     "periodSeconds: 1\n            timeoutSeconds: 1\n            failureThreshold: 2\n            terminationGracePeriodSeconds: 1")
    assert VERIFIED.search(admin.script(made_namespace, script=script).stdout)
    pod = store_of(cluster, made_namespace)
    container = pod.containers[0]
    os.kill(container.process.pid, signal.SIGSTOP)
    wait_for(lambda: container.restarts == 1 and container.ready, "the store to be started again")
    status = cluster.api.get(pod.path)["status"]["containerStatuses"][0]
    assert status["lastState"]["terminated"]["exitCode"] == 137 and status["restartCount"] == 1
    find(pod.ip, send(pod.ip))
