# SPDX-License-Identifier: Apache-2.0
"""Spans that are sent to pods, and asked back from them."""

import http.client
import json
import secrets
import subprocess

from control_plane import wait_for

SECONDS_MAX = 60


def ask(address, port, method, path, body=None, pod=None):
    """(status, body) of a pod's answer; (0, b"") if there is none. It is asked from the node, or from `pod`."""
    if pod is not None:
        return ask_from(pod, f"http://{address}:{port}{path}", method, body)
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def ask_from(pod, url, method, body):
    command = [*pod.network.inside, "curl", "-s", "-m", "10", "-X", method, "-H", "Content-Type: application/json", "-d", body or "", "-w", "%{http_code}", url]
    answer = subprocess.run(command, capture_output=True).stdout
    return int(answer[-3:] or 0), answer[:-3]


def send(address, service="test", pod=None, port=4318, **attributes):
    """Sends one span as soon as it is taken; returns its trace."""
    trace = secrets.token_hex(16)
    resource = [{"key": key, "value": {"stringValue": value}} for key, value in {"service.name": service, **attributes}.items()]
    span = {"traceId": trace, "spanId": trace[:16], "name": "work", "kind": 1, "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225601000000000"}
    body = json.dumps({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [{"spans": [span]}]}]})
    wait_for(lambda: ask(address, port, "POST", "/v1/traces", body, pod)[0] == 200, f"{address}:{port} to take a span", SECONDS_MAX)
    return trace


def find(address, trace, port=16686):
    """The trace as Jaeger's API shows it, as soon as it does."""
    wait_for(lambda: ask(address, port, "GET", f"/api/traces/{trace}")[0] == 200, f"{address}:{port} to show trace {trace}", SECONDS_MAX)
    return json.loads(ask(address, port, "GET", f"/api/traces/{trace}")[1])["data"][0]


def is_there(address, trace, port=16686):
    return ask(address, port, "GET", f"/api/traces/{trace}")[0] == 200


def resource_of(address, trace):
    """Attributes of the resource of a trace's only span."""
    process = next(iter(find(address, trace)["processes"].values()))
    return {"service.name": process["serviceName"], **{tag["key"]: tag["value"] for tag in process["tags"]}}


def store_pod(name, namespace):
    """A Spanloom with a store, not of deploy/, and a Service of its name before it: what plays another backend."""
    labels = {"app": f"other-{name}"}
    arguments = ["serve", "--in-memory", *(f"--set={key}=0.0.0.0:{port}" for key, port in (
        ("receivers.otlp.protocols.grpc.endpoint", 4317), ("receivers.otlp.protocols.http.endpoint", 4318), ("extensions.spanloom_query.endpoint", 16686),
        ("extensions.health_check.endpoint", 13133), ("service.telemetry.metrics.address", 8888)))]
    container = {"name": "store", "image": "spanloom:0.1.0", "args": arguments, "readinessProbe": {"httpGet": {"path": "/", "port": 13133}},
                 "ports": [{"name": "otlp-grpc", "containerPort": 4317}, {"name": "otlp-http", "containerPort": 4318}, {"name": "ui", "containerPort": 16686}],
                 "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels},
           "spec": {"containers": [container], "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}}}
    ports = [{"name": port["name"], "port": port["containerPort"], "targetPort": port["name"]} for port in container["ports"]]
    return [pod, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": {"selector": labels, "ports": ports}}]
