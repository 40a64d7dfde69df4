# SPDX-License-Identifier: Apache-2.0
"""The jsonpath templates of install-tracing.sh: the real kubectl makes of them what fake_kubectl.py does."""

import http.server
import json
import os
import re
import subprocess
import threading

import pytest

from manifests import DEPLOY, kubectl

os.environ.setdefault("FAKE_CLUSTER", "")
from fake_kubectl import jsonpath  # noqa: E402

LABELS = {"app.kubernetes.io/part-of": "llm-d-tracing", "app.kubernetes.io/managed-by": "Helm"}
CONDITIONS = [{"type": "Ready", "status": "False"}, {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]
WAITING = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling "x"'}}
ITEMS = [
    {"metadata": {"name": "a", "labels": LABELS}, "status": {"conditions": CONDITIONS}, "involvedObject": {"name": "jaeger"}, "message": "no | room"},
    {"metadata": {"name": "b"}, "status": {"conditions": CONDITIONS[:1], "containerStatuses": [
        {"name": "store", "restartCount": 3, "state": WAITING, "lastState": {"terminated": {"reason": "OOMKilled"}}}]}},
    {"metadata": {"name": "c"}, "spec": {"containers": [{"name": "other"}, {"name": "store", "resources": {"limits": {"memory": "8Mi"}}}]}, "status": {"containerStatuses": [{"restartCount": 0, "state": {"running": {}}}]}},
]


class Server(http.server.BaseHTTPRequestHandler):
    """As much of an API server as `kubectl get pods` needs."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.split("?")[0]
        pods = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]}
        item = next((item for item in ITEMS if path.endswith(f"/pods/{item['metadata']['name']}")), None)
        answer = {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
            "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [pods]},
            "/api/v1/namespaces/default/pods": {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": ITEMS},
        }.get(path) or ({"apiVersion": "v1", "kind": "Pod", **item} if item else None)
        body = json.dumps(answer or {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound"}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()


def templates():
    """Each template of the script; whether it is about a list."""
    text = (DEPLOY / "install-tracing.sh").read_text()
    return re.findall(r"'(\{range [^']+\{end\})'", text) + re.findall(r"""of_pod "\$\w+" '(\{[^']+\})'""", text) + [
        found.replace('\\"', '"').replace("$name", "store") for found in re.findall(r"""of_pod "\$\w+" "(\{.+\})"\)""", text)]


def test_the_templates_are_found():
    assert len(templates()) == 7


@pytest.mark.parametrize("template", templates())
def test_kubectl_makes_the_same_of_it(server, template, tmp_path):
    names = [""] if "{range" in template else ["a", "b", "c"]
    for name in names:
        result = subprocess.run([kubectl(), "--server", server, "--cache-dir", str(tmp_path), "get", "pods", *([name] if name else []), "-o", f"jsonpath={template}"],
                                capture_output=True, text=True, timeout=120, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
        value = {"items": [{"kind": "Pod", **item} for item in ITEMS]} if not name else next(item for item in ITEMS if item["metadata"]["name"] == name)
        assert result.returncode == 0, result.stderr
        assert result.stdout == jsonpath(template, value)
