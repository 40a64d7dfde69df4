# SPDX-License-Identifier: Apache-2.0
"""A routing proxy in front of a prefill and a decode server, and `serve` behind them all: with a real vLLM pair, or with simulators in its place.

A pytest plugin (`-p stacks`), since a pair takes minutes to start and all files share it. Whatever they answered is left in
build/test-results/vllm/{real,simulated}: answers as JSON, metrics pages, spans as OTLP/JSON.
"""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import time

import openai
import pytest
from conftest import ROOT, Process, Serve, request

VLLM = ROOT / "build/venv-vllm/bin/vllm"
MODEL_FOLDER = ROOT / "build/vllm/model"
RECORDINGS = ROOT / "build/test-results/vllm"
MODEL = "tiny-llama"
START_SECONDS_MAX = 900  # two idle cores need one or two minutes, busy ones many
ANSWER_SECONDS_MAX = 300  # what a first request of its kind compiles takes its time on a busy machine
SPANS_SECONDS_MAX = 60
# What both a real server and a simulator are given. NIXL on a CPU wants blocks of a multiple of 32.
FLAGS = ["--served-model-name", MODEL, "--host", "127.0.0.1", "--max-model-len", "8192", "--max-num-seqs", "8", "--block-size", "32",
         "--kv-transfer-config", '{"kv_connector":"NixlConnector","kv_role":"kv_both","kv_buffer_device":"cpu"}']
REAL_ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1",
                    "UCX_TLS": "tcp,shm,self", "UCX_NET_DEVICES": "lo"}
BLOCKS = 16384  # of 32 tokens: what the real one makes of its GiB

# The store is appended by `serve`; the file has the spans as they were sent.
SERVE = """
receivers: {otlp: {protocols: {grpc: {}, http: {}}}}
exporters: {file: {path: SPANS}}
extensions: {spanloom_query: {}, health_check: {}}
service:
  extensions: [spanloom_query, health_check]
  pipelines: {traces: {receivers: [otlp], exporters: [file]}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment_of(role, side_port):
    """What tells a server who it is. Spans leave at once, so that nobody waits for them."""
    return {"OTEL_SERVICE_NAME": f"vllm-{role}", "OTEL_BSP_SCHEDULE_DELAY": "100", "VLLM_NIXL_SIDE_CHANNEL_HOST": "127.0.0.1", "VLLM_NIXL_SIDE_CHANNEL_PORT": str(side_port)}


class ModelServer:
    """A model server at `port`: what both kinds are asked."""

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def ask(self, path, body, **headers):
        """(status, headers, bytes) of a POST straight at the server."""
        return post(self.url(path), body, **headers)

    def page(self):
        return request(self.url("/metrics"))[2].decode()

    def metric(self, name, **labels):
        """Sum over the label sets that contain `labels`."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.page().splitlines()
                   if line.split("{")[0].split(" ")[0] == name and all(label in line for label in wanted))


class RealServer(ModelServer):
    """`vllm serve` of the tiny model, in a process group of its own."""

    def __init__(self, role, otlp_port):
        self.role, self.port = role, free_port()
        self.log = RECORDINGS / f"vllm-{role}.log"
        command = ["nice", "-n", "10", str(VLLM), "serve", str(MODEL_FOLDER), "--port", str(self.port), *FLAGS, "--enforce-eager", "--dtype", "float32", "--enable-scale-out",
                   "--otlp-traces-endpoint", f"http://127.0.0.1:{otlp_port}"]
        environment = {**os.environ, **REAL_ENVIRONMENT, **environment_of(role, free_port())}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else each start compiles what it imports
        environment.pop("PYTHONPATH", None)
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=environment)

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.is_healthy():
            said = "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])
            assert self.process.poll() is None, f"vLLM ({self.role}) ended with {self.process.returncode}:\n{said}"
            assert time.monotonic() < deadline, f"vLLM ({self.role}) is not ready after {START_SECONDS_MAX} s:\n{said}"
            time.sleep(0.5)

    def is_healthy(self):
        try:
            return request(self.url("/health"))[0] == 200
        except OSError:
            return False

    def freeze(self):
        """The API server answers no more, but its socket still takes connections."""
        self.process.send_signal(signal.SIGSTOP)

    def has_unread_bytes(self):
        """Whether something that was sent to its port waits to be read, as the kernel tells it."""
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table][1:]
        return any(row[1].endswith(f":{self.port:04X}") and int(row[4].split(":")[1], 16) > 0 for row in rows)

    def kill(self):
        """Ends its processes the hard way, as a pod that is gone."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(30)

    stop = kill


class SimulatedServer(ModelServer):
    def __init__(self, role, otlp_port):
        self.role = role
        self.process = Process("simulator", "--port=0", f"--model={MODEL_FOLDER}", *FLAGS, "--faithful", "--enable-prefix-caching", f"--kv-cache-size={BLOCKS}", "--log-format=json",
                               "--runner=generate", "--no-enable-sleep-mode", "--seed=1",
                               f"--otlp-traces-endpoint=http://127.0.0.1:{otlp_port}", "--inter-token-latency=5ms", "--prefill-time-per-token=100us",
                               environment=environment_of(role, free_port()))

    def wait_until_ready(self):
        self.process.wait_until_ready()
        self.port = self.process.ports["simulator"]

    def stop(self):
        self.process.stop()


class Stack:
    """Prefill, decode, proxy and `serve`. `ask` and `client` go through the proxy."""

    def __init__(self, name, server):
        self.folder = RECORDINGS / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self._server = server
        self.spans_file = self.folder / "spans.jsonl"
        settings = self.folder / "serve.yaml"
        settings.write_text(SERVE.replace("SPANS", str(self.spans_file)))
        self.collector = Serve("--in-memory", f"--config={settings}").wait_until_ready()
        self.prefill, self.decode = server("prefill", self.collector.grpc_port), server("decode", self.collector.grpc_port)
        self.prefill.wait_until_ready()
        self.decode.wait_until_ready()
        self.proxy = self.start_proxy()
        self._shake_hands()

    def start_proxy(self):
        proxy = Process("routing-proxy", "--listen-host=127.0.0.1", "--port=0", f"--vllm-port={self.decode.port}", "--secure-proxy=false", "--log-format=json",
                        environment={"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.collector.grpc_port}", "OTEL_BSP_SCHEDULE_DELAY": "50"})
        return proxy.wait_until_ready()

    def _shake_hands(self):
        """Decode's first words with prefill may take longer than it waits on a busy machine (5 s, then the request fails): asked until they are said."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while self.ask("/v1/completions", {"model": MODEL, "prompt": secrets.token_hex(40), "max_tokens": 2})[0] != 200:
            assert time.monotonic() < deadline, "decode never got blocks of prefill"

    def revive_prefill(self):
        """Starts prefill again if a test has killed it."""
        if isinstance(self.prefill, RealServer) and self.prefill.process.poll() is not None:
            self.prefill = self._server("prefill", self.collector.grpc_port)
            self.prefill.wait_until_ready()
            self._shake_hands()

    def url(self, path):
        return f"http://127.0.0.1:{self.proxy.ports['routing-proxy']}{path}"

    def headers(self, two_legs):
        return {"x-prefiller-host-port": self.prefill.target} if two_legs else {}

    def client(self, two_legs=True, **headers):
        return openai.OpenAI(base_url=self.url("/v1"), api_key="none", max_retries=0, timeout=ANSWER_SECONDS_MAX, default_headers={**self.headers(two_legs), **headers})

    def ask(self, path, body, two_legs=True, **headers):
        """(status, headers, bytes) of a POST through the proxy."""
        return post(self.url(path), body, **self.headers(two_legs), **{name.replace("_", "-"): value for name, value in headers.items()})

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.proxy.ports["routing-proxy"], timeout=ANSWER_SECONDS_MAX)

    def find_trace(self, trace_id, count):
        """A trace as Jaeger's API tells it, once it has `count` spans."""
        found = []

        def is_whole():
            status, body = self.collector.get(f"/api/traces/{trace_id}")
            found[:] = body["data"][0]["spans"] if status == 200 else []
            return len(found) >= count

        wait_at_most(SPANS_SECONDS_MAX, is_whole, lambda: f"{[span['operationName'] for span in found]} of {count} spans")
        return self.collector.trace(trace_id)

    def sent_spans(self):
        """[(resource, scope name, span)] of everything that arrived, as OTLP/JSON. The file is written behind what the API shows."""
        return [(resource_spans["resource"], scope_spans["scope"].get("name", ""), span)
                for line in self.spans_file.read_text().splitlines() if line.endswith("}")
                for resource_spans in json.loads(line)["resourceSpans"] for scope_spans in resource_spans["scopeSpans"] for span in scope_spans["spans"]]

    def record(self, name, content):
        text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (self.folder / name).write_text(text)

    def stop(self):
        for name, server in (("prefill", self.prefill), ("decode", self.decode)):
            try:
                self.record(f"metrics-{name}.txt", server.page())
            except OSError:
                pass  # killed by a test
            server.stop()
        self.proxy.stop()
        self.collector.stop()


def wait_at_most(seconds, condition, words):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {words()}"
        time.sleep(0.05)


def post(url, body, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return request(url, data, {"Content-Type": "application/json", **headers}, timeout=ANSWER_SECONDS_MAX)


def new_trace():
    """(trace id, traceparent) of a client that samples."""
    trace_id = secrets.token_hex(16)
    return trace_id, f"00-{trace_id}-{secrets.token_hex(8)}-01"


def new_prompt():
    """Some eighty tokens that no cache knows."""
    return f"def parse_{secrets.token_hex(4)}(line): return the header that stands in the line, or None if it has none; the quick brown fox jumps over the lazy dog."


def messages(prompt):
    return [{"role": "user", "content": prompt}]


@pytest.fixture(scope="session")
def _real():
    stack = Stack("real", RealServer)
    yield stack
    stack.stop()


@pytest.fixture
def real(_real):
    _real.revive_prefill()
    return _real


@pytest.fixture(scope="session")
def simulated():
    stack = Stack("simulated", SimulatedServer)
    yield stack
    stack.stop()
