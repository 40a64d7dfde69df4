#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU a span of `spanloom collector` beside the real Collector in the same run: same configuration, load and backend.

Each line of the goals is measured at the rate at which its goal was set: the collector on core 0, load and backend on core 1. Beside it stands the same load as
fast as it is taken, with both cores for the collector. Each counts for itself what it has sent; a run whose spans did not all arrive is an error. The CPU is
that of the whole process from the first request until the last span was sent.

usage: ./dev bench collector [--runs N] [--only TEXT] [--requests FACTOR]
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from peers import bodies, servers

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
WARM_UP_SHARE = 10  # one request in so many is sent before the measurement
DELIVERY_SECONDS_MAX = 60
IDLE_SECONDS = 5
# v0.155 was released in June 2026, before Go 1.27, whose gzip is three times as fast: its releases are built with this line.
PEER_GO = "go1.26.11"
CONNECTIONS, IN_FLIGHT = 4, 4

# The guide's pipeline (reference configuration of llm-d, `otel-collector.yaml`), with what a line puts in.
CONFIG = """
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: 127.0.0.1:{grpc}, max_recv_msg_size_mib: 16}}}}}}
processors:
  filter/drop-metrics-scraping:
    error_mode: ignore
    traces:
      span:
{conditions}
  batch: {{send_batch_size: 1024, timeout: 1s}}
  tail_sampling: {{decision_wait: 30s, num_traces: 1000000, policies: [{{name: all, type: always_sample}}]}}
exporters:
{exporters}
service:
  telemetry:
    logs: {{level: error}}
    metrics: {{level: normal, readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {metrics}, without_type_suffix: true, without_units: true}}}}}}}}]}}
  pipelines:
    traces: {{receivers: [otlp], processors: [{processors}], exporters: [{names}]}}
"""
EXPORTER = "  otlp/{index}: {{endpoint: 127.0.0.1:{port}, compression: {compression}, tls: {{insecure: true}}, sending_queue: {{queue_size: 100000}}}}"
GUIDE_CONDITIONS = ['attributes["url.path"] == "/metrics"', 'attributes["http.route"] == "/metrics"', 'name == "GET /metrics"', 'name == "GET"']
MANY_CONDITIONS = [f'attributes["key.{index}"] == "value"' for index in range(36)]
GUIDE_PROCESSORS = "filter/drop-metrics-scraping, batch"


class Line:
    """One row of the table. `goal`: how many times less than the real Collector."""

    def __init__(self, name, body, requests, goal=None, compression="gzip", backends=1, conditions=GUIDE_CONDITIONS, processors=GUIDE_PROCESSORS,
                 rate=None, burst=None):
        """`rate`: requests a second. `burst`: so many requests at once, then a wait until they are sent. Neither: all come as fast as they are taken."""
        self.name, self.body, self.requests, self.goal, self.rate, self.burst = name, body, requests, goal, rate, burst
        self.compression, self.backends, self.conditions, self.processors = compression, backends, conditions, processors
        self.cores = servers.ALL_CORES if rate is None else str(servers.SERVER_CORE)


LINES = [
    Line("guide, gzip, 30,000 spans/s", "llm512", 600, 10, rate=30_000 / 512),
    Line("guide, two gzip backends, 60,000 spans/s", "llm512", 1_200, 12, backends=2, rate=60_000 / 512),
    Line("guide, no compression, 30,000 spans/s", "llm512", 600, 6, compression="none", rate=30_000 / 512),
    Line("guide, gzip, one span a request, 5,000/s", "one", 50_000, 10, rate=5_000),
    Line("guide, gzip, spans of 20 KB of a dozen words, 400/s", "few_words", 63, 20, rate=400 / 64),
    Line("guide, gzip, spans of 20 KB of English, 400/s", "large", 63, rate=400 / 64),
    Line("guide, gzip, full rate", "llm512", 1_200),
    Line("guide, two gzip backends, full rate", "llm512", 1_200, backends=2),
    Line("guide, no compression, full rate", "llm512", 3_000, compression="none"),
    Line("guide, gzip, one span a request, full rate", "one", 40_000),
    # What comes faster than it is compressed would be refused, to be sent again: by ours above 64 MiB, which are 50 of these requests.
    Line("guide, gzip, spans of 20 KB of a dozen words, full rate", "few_words", 400, burst=40),
    Line("guide, gzip, spans of 20 KB of English, full rate", "large", 400, burst=40),
    Line("40 conditions, no compression, full rate", "llm512", 3_000, compression="none", conditions=GUIDE_CONDITIONS + MANY_CONDITIONS),
    Line("batch alone, no compression, full rate", "llm512", 3_000, compression="none", processors="batch"),
]


class CollectorUnderTest(servers.Server):
    """One of the two, with the configuration of a line."""

    def __init__(self, name, command, folder, line, backends):
        ports = {"grpc": servers.free_port(), "metrics": servers.free_port()}
        exporters = [EXPORTER.format(index=index, port=backend.ports["grpc"], compression=line.compression)
                     for index, backend in enumerate(backends)]
        config = folder / "collector.yaml"
        config.write_text(CONFIG.format(
            **ports, exporters="\n".join(exporters), processors=line.processors,
            names=", ".join(f"otlp/{index}" for index in range(len(backends))),
            conditions="\n".join(f"        - {condition}" for condition in line.conditions)))
        super().__init__(name, [*command, f"--config={config}"], cores=line.cores, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.ports = ports
        servers.wait_for_port(ports["grpc"], self.process)

    def sent_spans(self):
        page = urllib.request.urlopen(f"http://127.0.0.1:{self.ports['metrics']}/metrics", timeout=30).read().decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if re.match(r"otelcol_exporter_sent_spans(_total)?\{", line))

    def wait_until_sent(self, spans):
        deadline = time.monotonic() + DELIVERY_SECONDS_MAX
        while self.sent_spans() < spans:
            if time.monotonic() > deadline:
                sys.exit(f"{self.name}: sent {self.sent_spans():.0f} spans of {spans}")
            time.sleep(0.2)


class Backend(servers.Server):
    """The bare nghttp2 of this folder, beside the load."""

    def __init__(self):
        super().__init__("backend", [servers.PEERS / "bin/nghttp2_peer"], cores=str(servers.LOAD_CORE), stdout=subprocess.PIPE)
        self.ports["grpc"] = int(self.process.stdout.readline())


def load(port, body, requests, rate=None):
    path, placeholder, _, _ = body
    command = ["taskset", "-c", servers.LOAD_CORE, servers.PEERS / "bin/load", "grpc", port, EXPORT, path, requests, CONNECTIONS, IN_FLIGHT,
               "application/x-protobuf", placeholder, rate or 0]
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"load failed: {result.stdout}{result.stderr}")
    return json.loads(result.stdout)


def measure(collector, line, body, factor):
    """(microseconds of CPU a span, MiB of memory at the worst)."""
    spans = body[3]
    requests = max(WARM_UP_SHARE, int(line.requests * factor))
    warm = requests // WARM_UP_SHARE
    load(collector.ports["grpc"], body, warm)
    collector.wait_until_sent(warm * spans * line.backends)
    before = collector.cpu_seconds()
    for done in range(0, requests, line.burst or requests):
        burst = min(line.burst or requests, requests - done)
        load(collector.ports["grpc"], body, burst, line.rate)
        collector.wait_until_sent((warm + done + burst) * spans * line.backends)
    cpu = collector.cpu_seconds() - before
    return cpu / (requests * spans) * 1e6, servers.memory_kib(collector.process.pid, "VmHWM") / 1024


def collectors(folder, line, backends):
    """What makes each of the two."""
    yield "spanloom", lambda: CollectorUnderTest("spanloom", [servers.SPANLOOM, "collector"], folder, line, backends)
    yield "Collector", lambda: CollectorUnderTest("Collector", [build_peer()], folder, line, backends)


def build_peer():
    """The real Collector, by its own builder from Go modules."""
    folder = servers.PEERS / f"contrib-{PEER_GO}"
    binary = folder / "dist/otelcol"
    if binary.exists():
        return binary
    folder.mkdir(parents=True, exist_ok=True)
    manifest = (servers.ROOT / "bench/peers/contrib/manifest.yaml").read_text().replace("dist:\n", "dist:\n  output_path: ./dist\n", 1)
    version = re.search(r"^  version: (.*)$", manifest, re.MULTILINE)[1]
    (folder / "manifest.yaml").write_text(manifest)
    print("building the real Collector, which takes some minutes", flush=True)
    subprocess.run([servers.go(), "run", f"go.opentelemetry.io/collector/cmd/builder@v{version}", "--config=manifest.yaml"], cwd=folder, check=True,
                   capture_output=True, env={**os.environ, "GOTOOLCHAIN": PEER_GO})
    return binary


def table(options, folder, contents):
    figures, memory = {}, {}
    for _ in range(options.runs):
        for line in LINES:
            if options.only not in line.name:
                continue
            with contextlib.ExitStack() as stack:
                backends = [stack.enter_context(Backend()) for _ in range(line.backends)]
                for name, make in collectors(folder, line, backends):
                    with make() as collector:
                        cpu, mib = measure(collector, line, contents[line.body], options.requests)
                    figures.setdefault((line.name, name), []).append(cpu)
                    memory.setdefault((line.name, name), []).append(mib)
                    print(f"  {line.name}: {name}: {cpu:.3g} us a span, {mib:.0f} MiB", flush=True)
    for line in LINES:
        values = {name: figures.get((line.name, name)) for name in ("spanloom", "Collector")}
        if not all(values.values()):
            continue
        medians = {name: statistics.median(runs) for name, runs in values.items()}
        goal = f"; to reach: {line.goal}" if line.goal else ""
        print(f"{line.name}: " + ", ".join(
            f"{name} {medians[name]:.3g} us a span (min {min(runs):.3g}, max {max(runs):.3g}), {statistics.median(memory[line.name, name]):.0f} MiB"
            for name, runs in values.items()) + f": {medians['Collector'] / medians['spanloom']:.1f} times less{goal}", flush=True)


def idle(folder):
    """Memory of each with the guide's pipeline and nothing to do."""
    with Backend() as backend:
        for name, make in collectors(folder, LINES[0], [backend]):
            with make() as collector:
                time.sleep(IDLE_SECONDS)
                print(f"idle: {name}: {servers.memory_kib(collector.process.pid, 'VmRSS') / 1024:.1f} MiB{'; to reach: 15' if name == 'spanloom' else ''}", flush=True)


def held(folder, contents, requests=200):
    """Memory a span, when tail_sampling passes everything on after 30 s and nothing has been passed on yet."""
    line = Line("held", "llm512", requests, processors="tail_sampling")
    with Backend() as backend:
        for name, make in collectors(folder, line, [backend]):
            with make() as collector:
                before = servers.memory_kib(collector.process.pid, "VmRSS")
                load(collector.ports["grpc"], contents["llm512"], requests)
                after = servers.memory_kib(collector.process.pid, "VmRSS")
                print(f"held by tail_sampling: {name}: {(after - before) * 1024 / (requests * 512):.0f} bytes a span of {contents['llm512'][2] / 512:.0f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="lines whose name contains this; \"idle\" and \"held\" are the last two")
    parser.add_argument("--requests", type=float, default=1.0, help="share of the usual number of requests")
    options = parser.parse_args()
    servers.build()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        contents = bodies.write(folder / "bodies")
        table(options, folder, contents)
        if options.only in "idle":
            idle(folder)
        if options.only in "held":
            held(folder, contents)


main()
