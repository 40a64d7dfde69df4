#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `spanloom routing-proxy` and `spanloom simulator` cost, between a client and model servers of nothing but sockets; tracing is on, to a bare gRPC server.

The program that is measured has core 0, client, model servers and trace backend have core 1. Every answer is checked. Added time to the first event is that
over a client which does prefill and decode itself, by turns with it. Envoy forwards the same decode streams beside the proxy, if it is installed.

usage: ./dev bench llmd [--runs N] [--only TEXT] [--requests FACTOR]
"""

import argparse
import contextlib
import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from peers import servers

BODY_BYTES = 8 << 10
BUSY_CONNECTIONS = 16
PACED_STREAMS, EVENTS, INTERVAL_US = 500, 40, 50_000  # 20 events a second
BURST_CONNECTIONS, BURST_EVENTS = 8, 512
IDLE_STREAMS, IDLE_INTERVAL_US, IDLE_SECONDS = 2_000, 3_000_000, 8
SIMULATOR_STREAMS = 10_000
ENVOY_CONFIG = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bench
          route_config: {{virtual_hosts: [{{name: all, domains: ["*"], routes: [{{match: {{prefix: "/"}}, route: {{cluster: model, timeout: 0s}}}}]}}]}}
          http_filters: [{{name: envoy.filters.http.router, typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]
  clusters:
  - name: model
    load_assignment: {{cluster_name: model, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {model}}}}}}}}}]}}]}}
    circuit_breakers: {{thresholds: [{{max_connections: 4096, max_pending_requests: 4096, max_requests: 4096}}]}}
"""


class ModelServer(servers.Server):
    def __init__(self):
        super().__init__("model server", [servers.PEERS / "bin/model_server"], cores=str(servers.LOAD_CORE), stdout=subprocess.PIPE)
        self.ports["http"] = int(self.process.stdout.readline())


class Spanloom(servers.Server):
    """A verb of ours that says its port in its log."""

    def __init__(self, verb, flags, backend_port):
        environment = {"PATH": "/usr/bin:/bin", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{backend_port}"}
        super().__init__(verb, [servers.SPANLOOM, verb, "--log-format=json", "--port=0", *flags], env=environment, stderr=subprocess.PIPE,
                         stdout=subprocess.DEVNULL)
        for text in self.process.stderr:
            line = json.loads(text) if text.startswith("{") else {"msg": text}
            if line["msg"] == "listening" and line["server"] == verb:
                self.ports["http"] = int(line["endpoint"].rsplit(":", 1)[1])
            if "ready" in line["msg"]:
                return
        raise RuntimeError(f"{verb} ended before it was ready")


class Envoy(servers.Server):
    """One worker. Nothing but a router: no tracing."""

    def __init__(self, folder, model_port):
        binary = shutil.which("envoy", path=f"{servers.ROOT}/build/venv/bin:/usr/local/bin:/usr/bin")
        if binary is None:
            raise servers.Skipped("no Envoy: ./dev setup long installs it")
        port = servers.free_port()
        config = folder / "envoy.yaml"
        config.write_text(ENVOY_CONFIG.format(port=port, model=model_port))
        super().__init__("Envoy", [binary, "-c", config, "--concurrency", "1", "--log-level", "error", "--use-dynamic-base-id"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.ports = {"http": port}
        servers.wait_for_port(port, self.process)


class Bench:
    """The servers of a run, and the bodies of its requests."""

    def __init__(self, folder, factor):
        self.folder, self.factor = folder, factor
        self.prefill, self.decode, self.backend = ModelServer(), ModelServer(), servers.PrintsItsPort("backend", "nghttp2_peer")
        prompt = "p" * BODY_BYTES
        for name, stream in (("whole", "false"), ("stream", "true")):
            (folder / name).write_text(
                f'{{"model":"m","stream":{stream},"max_tokens":1,"messages":[{{"role":"user","content":"{prompt}"}}]}}'.replace('"max_tokens":1', '"max_tokens":16'))

    def proxy(self):
        return Spanloom("routing-proxy", ["--listen-host=127.0.0.1", f"--vllm-port={self.decode.ports['http']}", "--secure-proxy=false"], self.backend.ports["grpc"])

    def command(self, port, requests, connections, events=0, interval_us=0, prefill=None, hold_seconds=None):
        """`prefill`: None, "direct" or "proxied"."""
        legs = [self.prefill.ports["http"], prefill] if prefill else []
        body = self.folder / ("stream" if events else "whole")
        words = ["taskset", "-c", servers.LOAD_CORE, servers.PEERS / "bin/stream_load", requests, connections, events, interval_us, body, port, *legs]
        return [str(word) for word in words + ([hold_seconds] if hold_seconds else [])]

    def load(self, port, requests, connections, **options):
        requests = max(connections, int(requests * self.factor))
        result = subprocess.run(self.command(port, requests, connections, **options), capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"load failed: {result.stdout}{result.stderr}")
        return json.loads(result.stdout)

    def cpu_of(self, server, *arguments, **options):
        """(seconds of CPU that a load took, what came of it)"""
        before = server.cpu_seconds()
        result = self.load(server.ports["http"], *arguments, **options)
        if result["cut"]:
            sys.exit(f"{server.name}: {result['cut']} streams were cut")
        return server.cpu_seconds() - before, result

    def close(self):
        for server in (self.prefill, self.decode, self.backend):
            server.__exit__()


def added_first(bench, streams, events, interval_us, requests):
    """Microseconds that the proxy adds to the time to the first event: p50, p99."""
    with bench.proxy() as proxy:
        load = {"connections": streams, "events": events, "interval_us": interval_us}
        bench.load(proxy.ports["http"], requests // 10, prefill="proxied", **load)
        direct = bench.load(bench.decode.ports["http"], requests, prefill="direct", **load)
        proxied = bench.load(proxy.ports["http"], requests, prefill="proxied", **load)
    return {f"added {name}, us": proxied[f"first_{name}_us"] - direct[f"first_{name}_us"] for name in ("p50", "p99")}


def busy(bench, prefill):
    with bench.proxy() as proxy:
        bench.load(proxy.ports["http"], 1_000, BUSY_CONNECTIONS, prefill=prefill)
        cpu, result = bench.cpu_of(proxy, 20_000, BUSY_CONNECTIONS, prefill=prefill)
    return {"us of CPU a request": cpu / result["answered"] * 1e6, "requests/s": result["answered"] / result["seconds"]}


def forwarded(bench, make, connections, events, interval_us, requests, prefill):
    with make() as proxy:
        cpu, result = bench.cpu_of(proxy, requests, connections, events=events, interval_us=interval_us, prefill=prefill)
    return {"events a CPU-second": result["events"] / cpu}


def idle_streams(bench, make, prefill):
    """KiB that an open stream takes which is silent but for an event every three seconds."""
    with make() as proxy:
        bench.load(proxy.ports["http"], 10, 1, prefill=prefill)
        before = servers.memory_kib(proxy.process.pid, "VmRSS")
        command = bench.command(proxy.ports["http"], IDLE_STREAMS, IDLE_STREAMS, events=1_000, interval_us=IDLE_INTERVAL_US, prefill=prefill, hold_seconds=IDLE_SECONDS + 2)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load:
            time.sleep(IDLE_SECONDS)
            after = servers.memory_kib(proxy.process.pid, "VmRSS")
            begun = json.loads(load.communicate()[0])["begun"]
    if begun != IDLE_STREAMS:
        sys.exit(f"{proxy.name}: {begun} of {IDLE_STREAMS} streams began")
    return {"KiB a stream": (after - before) / IDLE_STREAMS}


def cut(bench):
    """Of 100,000 streams from a model server that answers at once."""
    with bench.proxy() as proxy:
        result = bench.load(proxy.ports["http"], 100_000, BUSY_CONNECTIONS, events=2)
    return {"cut": result["cut"], "answered": result["answered"]}


def simulator(bench):
    return Spanloom("simulator", ["--host=127.0.0.1", "--model=m", "--max-num-seqs=20000", "--seed=1"], bench.backend.ports["grpc"])


def one_token(bench):
    (bench.folder / "whole").write_text('{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"What is a span?"}]}')
    with simulator(bench) as server:
        bench.load(server.ports["http"], 1_000, BUSY_CONNECTIONS)
        cpu, result = bench.cpu_of(server, 100_000, BUSY_CONNECTIONS)
    return {"requests a CPU-second": result["answered"] / cpu}


LINES = [
    ("P/D, 1 stream", lambda bench: added_first(bench, 1, 2, 0, 5_000), "100, 1000"),
    ("P/D, 500 streams of 20 events/s", lambda bench: added_first(bench, PACED_STREAMS, EVENTS, INTERVAL_US, 3_000), "200, 3000"),
    ("P/D, busy", lambda bench: busy(bench, "proxied"), "90"),
    ("decode alone, busy", lambda bench: busy(bench, None), None),
    ("P/D, paced events", lambda bench: forwarded(bench, bench.proxy, PACED_STREAMS, EVENTS, INTERVAL_US, 3_000, "proxied"), "150000"),
    ("decode alone, paced events", lambda bench: forwarded(bench, bench.proxy, PACED_STREAMS, EVENTS, INTERVAL_US, 3_000, None), "150000"),
    ("– Envoy", lambda bench: forwarded(bench, lambda: Envoy(bench.folder, bench.decode.ports["http"]), PACED_STREAMS, EVENTS, INTERVAL_US, 3_000, None), None),
    ("P/D, bursts", lambda bench: forwarded(bench, bench.proxy, BURST_CONNECTIONS, BURST_EVENTS, 0, 10_000, "proxied"), "1000000"),
    ("decode alone, bursts", lambda bench: forwarded(bench, bench.proxy, BURST_CONNECTIONS, BURST_EVENTS, 0, 10_000, None), "1000000"),
    ("– Envoy", lambda bench: forwarded(bench, lambda: Envoy(bench.folder, bench.decode.ports["http"]), BURST_CONNECTIONS, BURST_EVENTS, 0, 10_000, None), None),
    ("P/D, idle streams", lambda bench: idle_streams(bench, bench.proxy, "proxied"), "16"),
    ("streams that are cut", cut, "0"),
    ("simulator, one token", one_token, "20000"),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="lines whose name contains this")
    parser.add_argument("--requests", type=float, default=1, help="a factor for the number of requests")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    servers.build()
    for name, measure, goal in LINES:
        if options.only not in name:
            continue
        runs = []
        try:
            for _ in range(options.runs):
                with tempfile.TemporaryDirectory() as folder, contextlib.closing(Bench(pathlib.Path(folder), options.requests)) as bench:
                    runs.append(measure(bench))
        except servers.Skipped as reason:
            print(f"{name}: not measured: {reason}", flush=True)
            continue
        figures = ", ".join(f"{key}: {statistics.median(run[key] for run in runs):.4g} ({min(run[key] for run in runs):.4g} to {max(run[key] for run in runs):.4g})"
                            for key in runs[0])
        print(f"{name}: {figures}" + (f"; to reach: {goal}" if goal else ""), flush=True)


if __name__ == "__main__":
    main()
