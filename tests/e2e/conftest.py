# SPDX-License-Identifier: Apache-2.0
"""Runs the real binary on free ports, and the clients that several tests share."""

import gzip
import json
import os
import pathlib
import queue
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import grpc
import pytest

BINARY = pathlib.Path(os.environ["SPANLOOM_BINARY"])
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RECORDED = ROOT / "tests/data/recorded"
START_SECONDS_MAX = 30  # generous: sanitizer builds on a busy machine
FREE_PORTS = [
    "--set=receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0",
    "--set=receivers.otlp.protocols.http.endpoint=127.0.0.1:0",
    "--set=extensions.spanloom_query.endpoint=127.0.0.1:0",
    "--set=extensions.health_check.endpoint=127.0.0.1:0",
    "--set=service.telemetry.metrics.address=127.0.0.1:0",
]
ALL_TIME = "start=0&end=4102444800000000"  # 1970 to 2100, in microseconds: recordings stay where they were made
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Process:
    """A command of the binary that logs JSON, its log read in the background. `ports` maps a listener's name to its port."""

    def __init__(self, *arguments, environment=None):
        command = [str(BINARY), *arguments]
        self._data_home = tempfile.TemporaryDirectory()  # where the store is unless the arguments say otherwise
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, "XDG_DATA_HOME": self._data_home.name, **(environment or {})})
        self.lines, self.ports, self._events = [], {}, queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for text in self.process.stderr:
            try:
                line = json.loads(text)
            except ValueError:
                line = {"level": "raw", "msg": text.rstrip("\n")}
            self.lines.append(line)
            self._events.put(line)
        self._events.put(None)

    def wait_for_line(self, message):
        """The first line not seen yet whose text contains `message`."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            line = self._events.get(timeout=max(0.01, deadline - time.monotonic()))
            if line is None:
                raise AssertionError(f"ended before it said {message!r}:\n{self.log()}")
            if "endpoint" in line and line["msg"] == "listening" and not line["endpoint"].startswith("unix:"):
                self.ports[line["server"]] = int(line["endpoint"].rsplit(":", 1)[1])
            if message in line["msg"]:
                return line

    def wait_until_ready(self):
        self.wait_for_line("ready")
        return self

    def log(self):
        return "\n".join(json.dumps(line) for line in self.lines)

    def stop(self, sign=signal.SIGTERM):
        """Ends the process; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        code = self.process.wait(START_SECONDS_MAX)
        self._reader.join(START_SECONDS_MAX)
        self.process.stdout.close()
        self._data_home.cleanup()
        return code

    @property
    def grpc_port(self):
        return self.ports["otlp/grpc"]

    @property
    def http_port(self):
        return self.ports["otlp/http"]

    def metric(self, name, **labels):
        """Sum of a metric over the label sets that contain `labels`."""
        page = urllib.request.urlopen(f"http://127.0.0.1:{self.ports['telemetry']}/metrics", timeout=10).read().decode()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        values = [line.rsplit(" ", 1)[1] for line in page.splitlines()
                  if line.split("{")[0].split(" ")[0] == name and all(label in line for label in wanted)]
        return sum(float(value) for value in values)


class Serve(Process):
    """`spanloom serve`."""

    def __init__(self, *arguments, free_ports=True):
        super().__init__("serve", "--log-format=json", *(FREE_PORTS if free_ports else []), *arguments)

    @property
    def page_port(self):
        return self.ports["spanloom_query"]

    def url(self, path):
        return f"http://127.0.0.1:{self.page_port}{path}"

    def get(self, path):
        """(status, JSON) of a query API path."""
        return get_json(self.url(path))

    def trace(self, trace_id):
        status, body = self.get(f"/api/traces/{trace_id}")
        assert status == 200, body
        return body["data"][0]


def request(url, data=None, headers=None, method=None, timeout=30):
    """(status, headers, body), also for error answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers or {}, method=method), timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def get_json(url):
    status, _, body = request(url)
    return status, json.loads(body)


def wait_for(condition):
    """Returns as soon as `condition` holds; asks it every 20 ms."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def export_grpc(port, body, compression=None):
    """Sends a request body as it is; raises grpc.RpcError when refused."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", compression=compression or grpc.Compression.NoCompression) as channel:
        call = channel.unary_unary(EXPORT, request_serializer=lambda data: data, response_deserializer=lambda data: data)
        return call(body, timeout=30)


def export_http(port, body, content_type="application/x-protobuf", compress=False, path="/v1/traces"):
    headers = {"Content-Type": content_type, **({"Content-Encoding": "gzip"} if compress else {})}
    return request(f"http://127.0.0.1:{port}{path}", gzip.compress(body) if compress else body, headers)


@pytest.fixture
def start():
    """Starts servers with given arguments; stops what is still running afterwards."""
    started = []

    def begin(*arguments, ready=True, **options):
        server = Serve(*arguments, **options)
        started.append(server)
        return server.wait_until_ready() if ready else server

    yield begin
    for server in started:
        server.stop()


@pytest.fixture
def serve(start):
    return start()


def recorded_files():
    """Every recorded request body, with what index.jsonl says about it."""
    for index in sorted(RECORDED.glob("*/index.jsonl")):
        for line in index.read_text().splitlines():
            entry = json.loads(line)
            yield index.parent / entry["file"], entry
