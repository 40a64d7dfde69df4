# SPDX-License-Identifier: Apache-2.0
"""What stands in front of llm-d's pods: a gateway whose scheduler names a prefill pod for each request, and makes a span of it as its container was told to."""

import http.client
import http.server
import json
import secrets
import threading
import time

import yaml


class Gateway:
    def __init__(self, pods):
        self.pods = pods
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                status, body = gateway.pass_on(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def pass_on(self, path, body):
        trace, span, begin = secrets.token_hex(16), secrets.token_hex(8), time.time_ns()
        prefill = self.pods.running["Deployment/prefill/vllm"][2][8200]
        connection = http.client.HTTPConnection("127.0.0.1", self.pods.running["Deployment/decode/routing-proxy"][2][8000], timeout=60)
        connection.request("POST", path, body, {"Content-Type": "application/json", "x-prefiller-host-port": f"127.0.0.1:{prefill}", "traceparent": f"00-{trace}-{span}-01"})
        answer = connection.getresponse()
        result = answer.status, answer.read()
        self.tell(trace, span, begin)
        return result

    def tell(self, trace, span, begin):
        """Sends the scheduler's span, if its container has been told where to."""
        state = json.loads(self.pods.file.read_text())
        deployments = [yaml.safe_load(text) for name, text in state["texts"].items() if name.startswith("Deployment/")]
        containers = [container for entry in deployments for container in entry["spec"]["template"]["spec"]["containers"] if container["name"] == "epp"]
        environment = {entry["name"]: entry.get("value") for container in containers for entry in container.get("env") or []}
        service, _, port = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").removeprefix("http://").partition(":")
        if port != "4317":
            return
        body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": environment["OTEL_SERVICE_NAME"]}}]}, "scopeSpans": [{"spans": [
            {"traceId": trace, "spanId": span, "name": "gateway.request", "kind": 2, "startTimeUnixNano": str(begin), "endTimeUnixNano": str(time.time_ns())}]}]}]}
        connection = http.client.HTTPConnection("127.0.0.1", state["forward"][service]["4318"], timeout=60)
        connection.request("POST", "/v1/traces", json.dumps(body), {"Content-Type": "application/json"})
        assert connection.getresponse().status == 200
