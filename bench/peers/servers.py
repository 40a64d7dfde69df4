# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured, each on one core unless it is said otherwise: ours, and those of others."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / "build/peers"
SPANLOOM = ROOT / "build/release/bin/spanloom"
SERVER_CORE, LOAD_CORE = 0, 1
ALL_CORES = ",".join(map(str, sorted(os.sched_getaffinity(0))))
FREE_PORTS = [
    "--set=receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0",
    "--set=receivers.otlp.protocols.http.endpoint=127.0.0.1:0",
    "--set=extensions.spanloom_query.endpoint=127.0.0.1:0",
    "--set=extensions.health_check.endpoint=127.0.0.1:0",
    "--set=service.telemetry.metrics.address=127.0.0.1:0",
]
NOP_CONFIG = """
exporters:
  nop:
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [nop]
"""
COLLECTOR_CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: 127.0.0.1:{grpc}, max_recv_msg_size_mib: 64}}
      http: {{endpoint: 127.0.0.1:{http}}}
exporters:
  nop:
service:
  telemetry:
    metrics: {{level: none}}
    logs: {{level: error}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [nop]}}
"""


class Skipped(Exception):
    """A peer that this machine can't have, and why."""


def cpu_seconds(pid):
    """User and system time of a process so far, of all threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid, field):
    """VmRSS, VmHWM or RssAnon of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+)", status, re.MULTILINE)[1])


class Server:
    """A process pinned to `cores`, a list as taskset's. `ports` maps "grpc", "http" and what else it has."""

    def __init__(self, name, command, cores=str(SERVER_CORE), **options):
        self.name, self.ports = name, {}
        self.process = subprocess.Popen(["taskset", "-c", cores, *map(str, command)], text=True, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def anonymous_kib(self):
        return memory_kib(self.process.pid, "RssAnon")


class Spanloom(Server):
    """`spanloom serve`; `store` says whether spans go to the memory store or to the nop exporter."""

    def __init__(self, folder, store, cores=str(SERVER_CORE)):
        arguments = ["--in-memory"]
        if not store:
            config = folder / "nop.yaml"
            config.write_text(NOP_CONFIG)
            arguments = [f"--config={config}", "--no-store-append"]
        command = [SPANLOOM, "serve", "--log-format=json", *FREE_PORTS, *arguments]
        name = "spanloom, store" if store else "spanloom, nop"
        super().__init__(name, command, cores, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        names = {"otlp/grpc": "grpc", "otlp/http": "http"}
        for text in self.process.stderr:
            line = json.loads(text) if text.startswith("{") else {"msg": text}
            if line["msg"] == "listening":
                self.ports[names.get(line["server"], line["server"])] = int(line["endpoint"].rsplit(":", 1)[1])
            if "ready" in line["msg"]:
                return
        raise RuntimeError("spanloom serve ended before it was ready")

    def metrics(self, name):
        """Of its own page: labels, as they are written there, to values."""
        page = urllib.request.urlopen(f"http://127.0.0.1:{self.ports['telemetry']}/metrics", timeout=30).read().decode()
        lines = (line[len(name):].rsplit(" ", 1) for line in page.splitlines() if re.match(name + r"[{ ]", line))
        return {labels: float(value) for labels, value in lines}

    def accepted_spans(self):
        return sum(self.metrics("otelcol_receiver_accepted_spans").values())

    def lag_seconds(self, quantile):
        """Of its latest loop, over the last minute."""
        lags = self.metrics("spanloom_net_loop_lag_seconds")
        return max(value for labels, value in lags.items() if f'quantile="{quantile}"' in labels)


class PrintsItsPort(Server):
    """The bare peers of this folder."""

    def __init__(self, name, binary):
        path = PEERS / "bin" / binary
        if not path.exists():
            raise Skipped(f"{binary} was not built: ./dev setup long installs what it needs")
        super().__init__(name, [path], stdout=subprocess.PIPE)
        self.ports["grpc"] = int(self.process.stdout.readline())


class Collector(Server):
    """OpenTelemetry's own, built from collector/ into build/peers."""

    def __init__(self, folder):
        binary = build_collector()
        self.ports = {"grpc": free_port(), "http": free_port()}
        ports = self.ports
        config = folder / "collector.yaml"
        config.write_text(COLLECTOR_CONFIG.format(**ports))
        super().__init__("Go collector, nop", [binary, f"--config={config}"], stderr=subprocess.DEVNULL)
        self.ports = ports
        wait_for_port(ports["http"], self.process)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for_port(port, process):
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except ConnectionRefusedError:
            os.sched_yield()
    raise RuntimeError(f"ended with {process.returncode} before it listened")


def build():
    """The load generator and the bare peers."""
    subprocess.run(["cmake", "-S", ROOT / "bench/peers", "-B", PEERS, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", PEERS, "--quiet"], check=True)


def go():
    found = next((path for path in (str(ROOT / "build/venv/bin/go"), shutil.which("go")) if path and os.path.exists(path)), None)
    if found is None:
        raise Skipped("no Go: ./dev setup long installs it")
    return found


def build_collector():
    binary = PEERS / "bin/collector"
    result = subprocess.run([go(), "build", "-o", binary, "."], cwd=ROOT / "bench/peers/collector", capture_output=True, text=True)
    if result.returncode != 0:
        raise Skipped("go build failed: " + result.stderr.strip().splitlines()[-1])
    return binary
