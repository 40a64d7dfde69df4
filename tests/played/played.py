# SPDX-License-Identifier: Apache-2.0
"""A cluster that is played by fake_kubectl.py, for scripts and pages that call kubectl."""

import http.server
import json
import pathlib
import re
import subprocess
import threading

import pytest
import yaml

from manifests import DEPLOY, kubectl

HERE = pathlib.Path(__file__).resolve().parent


class Backend(http.server.BaseHTTPRequestHandler):
    """What stands behind both Services: takes spans, and shows the traces that it has."""

    traces = set()
    forgets = False

    def log_message(self, *_):
        pass

    def answer(self, code):
        self.send_response(code)
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        span = body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
        assert self.path == "/v1/traces" and re.fullmatch("[0-9a-f]{16}", span["spanId"])
        if not self.server.forgets:
            self.server.traces.add(span["traceId"])
        self.answer(self.server.code)

    def do_GET(self):
        self.answer(200 if self.path.removeprefix("/api/traces/") in self.server.traces else 404)


@pytest.fixture(scope="module")
def backend_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def backend(backend_server):
    backend_server.traces, backend_server.forgets, backend_server.code = set(), False, 200
    return backend_server


class Cluster:
    def __init__(self, folder, backend):
        self.file, self.folder = folder / "cluster.json", folder
        tools = folder / "bin"
        tools.mkdir()
        (tools / "kubectl").symlink_to(HERE / "fake_kubectl.py")
        self.environment = {"PATH": f"{tools}:/usr/bin:/bin", "FAKE_CLUSTER": str(self.file), "REAL_KUBECTL": kubectl(), "TMPDIR": str(folder),
                            "SPANLOOM_OPERATOR_SECONDS": "1", "SPANLOOM_VERIFY_SECONDS": "60", "SPANLOOM_POLL_SECONDS": "0.02"}
        port = backend.server_address[1]
        self.holds(namespaces=["llm-d"], forward={"otel-collector": port, "jaeger-collector": port})

    def holds(self, **state):
        before = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.file.write_text(json.dumps({**before, **state}))
        return self

    @property
    def state(self):
        return json.loads(self.file.read_text())

    @property
    def objects(self):
        return set(self.state.get("objects", {}))

    @property
    def calls(self):
        path = pathlib.Path(f"{self.file}.calls")
        return path.read_text().splitlines() if path.exists() else []

    def applied(self):
        return list(yaml.safe_load_all(pathlib.Path(f"{self.file}.applied.yaml").read_text()))

    def run(self, *arguments, code=0, script=DEPLOY / "install-tracing.sh"):
        result = subprocess.run([str(script), *arguments], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        assert result.returncode == code, result.stdout + result.stderr
        assert not list(self.folder.glob("install-tracing.*")), "its folder is still there"
        return result

    def install(self, *arguments, code=0, **options):
        return self.run("-n", "llm-d", *arguments, code=code, **options)


@pytest.fixture(scope="module")
def kustomized_before(tmp_path_factory):
    return tmp_path_factory.mktemp("kustomized")


@pytest.fixture
def cluster(tmp_path, backend, kustomized_before):
    made = Cluster(tmp_path, backend)
    made.environment["FAKE_CACHE"] = str(kustomized_before)
    return made
