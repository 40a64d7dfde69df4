# SPDX-License-Identifier: Apache-2.0
"""A workload as llm-d's charts render it, in front of an installation: the rows of the charts are taken by the server, and what they tell containers makes
traces that are found. vLLM is played by the simulator, the sidecar is the routing proxy; both are real processes with the rows' variables and arguments.
"""

import http.client
import json
import subprocess
import sys

import pytest
import yaml

from conftest import DEPLOY, ROOT, check_strictly, documents
from control_plane import wait_for
from spans import ask
from test_script import VERIFIED, store_of

sys.path.append(str(ROOT / "tests/charts"))
from rows import ROWS, effective, split_args, split_env  # noqa: E402

SECURITY = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def container_of(row, off=False):
    """A row as a container; with `off`, without what tracing adds."""
    row = {**row, "env": row["env"] if isinstance(row["env"], list) else []}  # one case says that there is none
    args = [word for part in split_args(row["args"]) for word in part] if off else row["args"]
    env = [entry for part in split_env(row["env"]) for entry in part] if off else effective(row["env"])
    container = {"name": row["container"], "image": "img:1", "command": row["command"], "args": args, "env": env}
    return {key: value for key, value in container.items() if value}


def deployments_of(rows, off=False):
    """A Deployment for each workload of a case; sidecars where they were."""
    pods = {}
    for row in rows:
        pod = pods.setdefault(row["workload"].split("/")[1].replace(".", "-").lower(), {})  # "decode.workerTemplate" of a LeaderWorkerSet
        container = container_of(row, off)
        if row["init"]:
            pod.setdefault("initContainers", []).append({**container, "restartPolicy": "Always"})
        else:
            pod.setdefault("containers", []).append(container)
    return [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
             "spec": {"selector": {"matchLabels": {"workload": name}}, "template": {"metadata": {"labels": {"workload": name}}, "spec": pod}}} for name, pod in pods.items()]


# Scenario: each case that llm-d's charts were seen to render; and those without tracing, passed through the post-renderer.
# Guarantees: the server takes every field, and what it warns of is what it warns of with the real charts.
@pytest.mark.parametrize("injected", [False, True], ids=["rendered", "injected"])
def test_the_server_takes_the_rows_of_the_charts(cluster, namespace, admin, injected):
    admin.kubectl("create", "namespace", namespace)
    for case, rows in ROWS.items():
        if not all(any(row["workload"] == other["workload"] and not other["init"] for other in rows) for row in rows):
            continue  # of a pod without a container of its own here
        text = yaml.safe_dump_all(deployments_of(rows, off=injected))
        if injected:
            program = [sys.executable, str(DEPLOY / "charts/post-render/inject-tracing")]
            text = subprocess.run(program, input=text, capture_output=True, text=True, check=True, timeout=60).stdout
        assert len(check_strictly(admin, namespace, text)) == len(documents(text)), case


def pod_spec(containers, sidecars=()):
    spec = {"containers": containers, "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}}
    return {**spec, **({"initContainers": list(sidecars)} if sidecars else {})}


def row_of(case, workload, container):
    return next(row for row in ROWS[case] if row["workload"].endswith(workload) and row["container"] == container)


def server_of(workload, port):
    """The simulator with what the chart's row tells vLLM about tracing."""
    row = row_of("ms-02-on", workload, "vllm")
    begin = row["args"].index("--otlp-traces-endpoint")
    arguments = ["--model", "llama", "--port", str(port), *row["args"][begin:begin + 4]]
    return {"name": "vllm", "image": "spanloom:0.1.0", "command": ["spanloom", "simulator"], "args": arguments, "env": effective(row["env"]), "securityContext": SECURITY,
            "ports": [{"name": "http", "containerPort": port}]}


def workload():
    row = row_of("ms-02-on", "decode", "routing-proxy")
    proxy = {"name": "routing-proxy", "image": "spanloom:0.1.0", "command": ["spanloom", "routing-proxy"], "args": row["args"], "env": effective(row["env"]),
             "restartPolicy": "Always", "securityContext": SECURITY, "ports": [{"name": "http", "containerPort": 8000}], "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}}}
    pods = {"decode": pod_spec([server_of("decode", 8200)], [proxy]), "prefill": pod_spec([server_of("prefill", 8000)])}
    pods["prefill"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/health", "port": "http"}}
    items = [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "llm-d-hf-token"}, "stringData": {"HF_TOKEN": "none"}}]
    for role, spec in pods.items():
        labels = {"llm-d.ai/role": role}
        items.append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": role}, "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}}})
        items.append({"apiVersion": "v1", "kind": "Service", "metadata": {"name": role}, "spec": {"clusterIP": "None", "selector": labels, "ports": [{"name": "http", "port": 8000}]}})
    return yaml.safe_dump_all(items)


# Scenario: decode with its sidecar, and prefill, behind headless Services; both roll out beside an installation; one request in two legs.
# Guarantees: the installation's page shows one trace with spans of all three, under the names that the charts give.
def test_a_request_in_two_legs_is_one_trace(cluster, made_namespace, admin):
    assert VERIFIED.search(admin.script(made_namespace, "--split").stdout)
    admin.kubectl("apply", "-n", made_namespace, "-f", "-", text=workload())
    for role in ("decode", "prefill"):
        admin.kubectl("rollout", "status", "-n", made_namespace, f"deployment/{role}", "--timeout=60s")
    wait_for(lambda: cluster.node.services.endpoints(made_namespace, "prefill"))
    decode = cluster.node.of(made_namespace, "decode")[0]
    connection = http.client.HTTPConnection(decode.ip, 8000, timeout=30)
    connection.request("POST", "/v1/completions", json.dumps({"model": "llama", "prompt": "a headless workload", "max_tokens": 4}),
                       {"Content-Type": "application/json", "x-prefiller-host-port": "prefill:8000"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    store = store_of(cluster, made_namespace).ip

    def services_of_the_trace():
        status, body = ask(store, 16686, "GET", "/api/traces?service=routing-proxy&limit=20&lookback=1h")
        traces = json.loads(body)["data"] if status == 200 else []
        return next((found for trace in traces if len(found := {process["serviceName"] for process in trace["processes"].values()}) == 3), None)

    assert wait_for(services_of_the_trace, "a trace with spans of all three") == {"routing-proxy", "vllm-decode", "vllm-prefill"}
