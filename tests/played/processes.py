# SPDX-License-Identifier: Apache-2.0
"""Pods as processes of this machine, and spans to send them."""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

from manifests import pod_command

READY = r'"msg":"(Everything is ready|ready"|the routing proxy is ready)'
FREE = [f"--set={key}=127.0.0.1:0" for key in ("receivers.otlp.protocols.grpc.endpoint", "receivers.otlp.protocols.http.endpoint", "extensions.spanloom_query.endpoint",
        "extensions.health_check.endpoint", "service.telemetry.metrics.address")]
SPAN = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "llm_request", "kind": 2,
        "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225601000000000"}
SCRAPE = {**SPAN, "spanId": "eee19b7ec3c1b175", "name": "llm_d.pd_proxy.GET /metrics", "attributes": [{"key": "url.path", "value": {"stringValue": "/metrics"}}]}
BARE_GET = {**SPAN, "spanId": "eee19b7ec3c1b176", "name": "GET", "kind": 3}


def wait_for(condition):
    """Returns as soon as `condition` holds; asks it every 20 ms."""
    deadline = time.monotonic() + 120  # generous: a busy machine
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def get(url, data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"} if data else {}), timeout=10) as answer:
            return answer.status, answer.read()
    except (urllib.error.URLError, ConnectionError) as error:
        return getattr(error, "code", 0), b""


def start(workload, objects, folder, replacements=(), arguments=()):
    """Runs a pod's command on loopback and free ports; returns the process and the ports that it listens on, by listener."""
    free = [(f"0.0.0.0:{port}", "127.0.0.1:0") for port in (4317, 4318, 16686, 13133, 8888, 8889)]
    command, environment = pod_command(workload, objects, folder, [*free, *replacements])
    return start_command([*command, *arguments], environment, folder / f"{workload['metadata']['name']}.log")


def start_command(command, environment, log):
    """Runs a command of the binary that logs JSON; returns the process and its ports once it is ready."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log.open("w"), env={**os.environ, **environment})
    try:
        wait_for(lambda: re.search(READY, log.read_text()) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        return process, {line["server"]: int(line["endpoint"].rsplit(":", 1)[1]) for line in lines
                         if line["msg"] == "listening" and "/" not in line["endpoint"]}
    except BaseException:
        process.kill()
        process.wait()
        raise


def send(port):
    """Sends three spans of one trace: of a request, of a scrape, and of a call that is named GET; returns the status."""
    body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "vllm-decode"}}]},
                               "scopeSpans": [{"spans": [SPAN, SCRAPE, BARE_GET]}]}]}
    return get(f"http://127.0.0.1:{port}/v1/traces", json.dumps(body).encode())[0]
