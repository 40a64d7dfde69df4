#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Server CPU a request on loopback, beside the real peers in the same run; idle connections; lag of the loop.

The server is pinned to core 0, the load to core 1. The lag is also measured with all cores for the server. Every answer is checked, and the spans counted by the server itself.

usage: ./dev bench net [--runs N] [--only TEXT] [--requests FACTOR]
"""

import argparse
import contextlib
import json
import pathlib
import resource
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from peers import bodies, servers

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
WARM_UP_SHARE = 10  # one request in so many is sent before the measurement
IDLE_CONNECTIONS = 10_000
LAG_SECONDS = 30  # three hundred samples of each loop
IDLE_SECONDS = 2  # what a server gives back of an idle connection it has given back by then
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


class Line:
    """One row of the table. `goal` is in `unit`; less is better, unless the unit is MB/s."""

    def __init__(self, name, protocol, body, requests, connections, in_flight, unit, goal):
        self.name, self.protocol, self.body, self.requests = name, protocol, body, requests
        self.connections, self.in_flight, self.unit, self.goal = connections, in_flight, unit, goal

    def figure(self, cpu_seconds, requests, body_bytes, spans):
        if self.unit == "MB/s":
            return requests * body_bytes / cpu_seconds / 1e6
        return cpu_seconds / requests / (spans if self.unit == "us a span" else 1) * 1e6


LINES = [
    Line("gRPC, 1 span", "grpc", "one", 100_000, 4, 16, "us a request", 6),
    Line("gRPC, 100 spans", "grpc", "hundred", 20_000, 4, 16, "us a request", 25),
    Line("gRPC, 512 spans of 650 B", "grpc", "llm512", 4_000, 4, 4, "us a span", 0.5),
    Line("HTTP/1.1, 1 span, keep-alive", "http1", "one", 100_000, 16, 1, "us a request", 8),
    Line("HTTP/1.1, OTLP/JSON", "http1", "llm512.json", 1_500, 4, 1, "MB/s", 400),
]


def load(port, protocol, body, requests, connections, in_flight):
    """Runs the generator; its figures. Ends the benchmark if an answer was wrong."""
    path, placeholder, _, _ = body
    content_type = "application/json" if path.suffix == ".json" else "application/x-protobuf"
    command = ["taskset", "-c", servers.LOAD_CORE, servers.PEERS / "bin/load", protocol, port, EXPORT if protocol == "grpc" else "/v1/traces",
               path, requests, connections, in_flight, content_type, placeholder]
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"load failed: {result.stdout}{result.stderr}")
    return json.loads(result.stdout)


def measure(server, line, body, factor):
    """CPU of `server` for one line, as the line's figure."""
    _, _, body_bytes, spans = body
    requests = max(WARM_UP_SHARE, int(line.requests * factor))
    port = server.ports["grpc" if line.protocol == "grpc" else "http"]
    load(port, line.protocol, body, requests // WARM_UP_SHARE, line.connections, line.in_flight)
    counts = isinstance(server, servers.Spanloom)
    spans_before = server.accepted_spans() if counts else 0
    before = server.cpu_seconds()
    load(port, line.protocol, body, requests, line.connections, line.in_flight)
    cpu = server.cpu_seconds() - before
    if counts and server.accepted_spans() - spans_before != requests * spans:
        sys.exit(f"{server.name}: accepted {server.accepted_spans() - spans_before} spans of {requests * spans}")
    return line.figure(cpu, requests, body_bytes, spans)


def peers(folder):
    """What makes each server, in the order of the table."""
    return [
        ("spanloom, nop", lambda: servers.Spanloom(folder, store=False)),
        ("spanloom, store", lambda: servers.Spanloom(folder, store=True)),
        ("bare nghttp2", lambda: servers.PrintsItsPort("bare nghttp2", "nghttp2_peer")),
        ("gRPC C++", lambda: servers.PrintsItsPort("gRPC C++", "grpc_cpp_peer")),
        ("Go collector, nop", lambda: servers.Collector(folder)),
    ]


def table(options, folder, contents):
    """Runs every line on every peer, `options.runs` times in turn, and prints the medians."""
    figures, skipped = {}, set()
    for _ in range(options.runs):
        for name, make in peers(folder):
            if name in skipped:
                continue
            try:
                server = make()
            except servers.Skipped as reason:
                print(f"skipped: {name} ({reason})")
                skipped.add(name)
                continue
            with server:
                for line in LINES:
                    if options.only in line.name and ("http" in server.ports or line.protocol == "grpc"):
                        figure = measure(server, line, contents[line.body], options.requests)
                        figures.setdefault((line.name, name), []).append(figure)
                        print(f"  {line.name}: {name}: {figure:.3g} {line.unit}", flush=True)
    for line in LINES:
        for name, _ in peers(folder):
            values = figures.get((line.name, name))
            if values:
                goal = f"; to reach: {line.goal}" if name.startswith("spanloom") else ""
                print(f"{line.name}: {name}: {statistics.median(values):.3g} {line.unit} (min {min(values):.3g}, max {max(values):.3g}, {len(values)} runs{goal})", flush=True)


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def export_call(message):
    """HEADERS and DATA of a call on stream 1, which leave in the header table what a gRPC client's would."""
    fields = [(b"\x44", EXPORT), (b"\x41", "127.0.0.1:4317"), (b"\x5f", "application/grpc"), (b"\x40\x02te", "trailers"), (b"\x7a", "OTel-OTLP-Exporter-Python/1.27.0")]
    block = b"\x83\x86" + b"".join(name + bytes([len(value)]) + value.encode() for name, value in fields)  # RFC 7541, 6.2.1
    return frame(1, 4, 1, block) + frame(0, 1, 1, struct.pack(">BI", 0, len(message)) + message)


def read_exactly(connection, size):
    content = b""
    while len(content) < size:
        piece = connection.recv(size - len(content))
        if not piece:
            sys.exit("idle: a connection was closed")
        content += piece
    return content


def await_settings(connection):
    read_exactly(connection, 9)


def await_trailers(connection):
    """Reads frames until the one that ends the stream."""
    while True:
        header = read_exactly(connection, 9)
        read_exactly(connection, int.from_bytes(header[:3], "big"))
        if header[3] == 1 and header[4] & 1:
            return


def await_head(connection):
    if not connection.recv(65536).startswith(b"HTTP/1.1 "):
        sys.exit("idle: no answer")


def idle(folder, message):
    """Anonymous memory of connections that have said hello, or made a request, and then nothing for IDLE_SECONDS."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * IDLE_CONNECTIONS), hard))
    http1 = f"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: {len(message)}\r\n\r\n".encode() + message
    for name, port, words, read in (
        ("HTTP/2", "grpc", HTTP2_PREFACE, await_settings),
        ("HTTP/2, after a gRPC export", "grpc", HTTP2_PREFACE + export_call(message), await_trailers),
        ("HTTP/1.1, after an export", "http", http1, await_head),
    ):
        with servers.Spanloom(folder, store=False) as server, contextlib.ExitStack() as stack:
            before = server.anonymous_kib()
            opened = []
            for _ in range(IDLE_CONNECTIONS):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.ports[port]), timeout=30))
                connection.sendall(words)
                opened.append(connection)
            for connection in opened:
                read(connection)
            time.sleep(IDLE_SECONDS)
            print(f"{IDLE_CONNECTIONS} idle connections, {name}: {(server.anonymous_kib() - before) / 1024:.1f} MiB of anonymous memory; to reach: 100", flush=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def scan(url, stop, scans):
    """Asks for what no index answers, until `stop` is set."""
    while not stop.is_set():
        urllib.request.urlopen(url, timeout=60).read()
        scans.append(url)


def lag(folder, contents, cores):
    """How late the loops of a server on `cores` are while it takes in what it can and is searched from end to end."""
    with servers.Spanloom(folder, store=True, cores=cores) as server:
        spans_before, cpu_before, begun = server.accepted_spans(), server.cpu_seconds(), time.monotonic()
        stop, scans = threading.Event(), []
        url = f"http://127.0.0.1:{server.ports['spanloom_query']}/api/traces?service=vllm-decode&start=0&end=4102444800000000&limit=20&tags=%7B%22no%22%3A%22such%22%7D"
        scanner = threading.Thread(target=scan, args=(url, stop, scans))
        scanner.start()
        while time.monotonic() - begun < LAG_SECONDS:
            load(server.ports["grpc"], "grpc", contents["llm512"], 2_000, 4, 4)
        seconds = time.monotonic() - begun
        p50, p99, worst = (server.lag_seconds(quantile) * 1e3 for quantile in ("0.5", "0.99", "1"))
        spans, cpu = server.accepted_spans() - spans_before, server.cpu_seconds() - cpu_before
        stop.set()
        scanner.join()
    print(f"lag of a loop under ingest and scans, cores {cores}: p99 {p99:.2f} ms (p50 {p50:.3f}, worst {worst:.1f} ms); to reach: 5; "
          f"meanwhile {spans / seconds / 1e3:.0f} k spans/s stored, {len(scans) / seconds:.1f} scans/s, {cpu / seconds:.2f} cores", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="lines whose name contains this; \"idle\" and \"lag\" are the last two")
    parser.add_argument("--requests", type=float, default=1.0, help="share of the usual number of requests")
    options = parser.parse_args()
    servers.build()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        contents = bodies.write(folder)
        print("bodies: " + ", ".join(f"{name} {size} B" for name, (_, _, size, _) in contents.items()))
        table(options, folder, contents)
        if options.only in "idle":
            idle(folder, contents["one"][0].read_bytes())
        if options.only in "lag":
            for cores in (str(servers.SERVER_CORE), servers.ALL_CORES):
                lag(folder, contents, cores)


if __name__ == "__main__":
    main()
