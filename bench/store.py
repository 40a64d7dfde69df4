#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The store in a whole `spanloom serve`: OTLP/gRPC in, forced to the disk before each answer, written to segments and merged until idle.

usage: ./dev bench store [--traces N] [--directory DIR]

The load is `spanloom tracegen --shape load`, which reference figures of other stores were taken with. CPU is that of the server's process. Questions
are measured in process, by `./dev bench columnar_queries`.
"""

import argparse
import os
import pathlib
import signal
import tempfile
import time

from peers.on_disk import OnDisk, disk_bytes, say

TRACES = 1_680_000  # 10 million spans
SPANS_A_TRACE = 5.954  # of the load
HEAD_TRACES = 30_000  # nearly a full head
FSYNC_WRITES, FSYNC_BYTES = 200, 340_000  # as a request of 512 spans


def fsync_p99_ms(directory):
    times = []
    with open(pathlib.Path(directory) / "probe", "wb") as probe:
        for _ in range(FSYNC_WRITES):
            probe.write(bytes(FSYNC_BYTES))
            probe.flush()
            begin = time.monotonic()
            os.fdatasync(probe.fileno())
            times.append((time.monotonic() - begin) * 1000)
    os.unlink(probe.name)
    return sorted(times)[len(times) * 99 // 100]


def measure_ingest(serve, traces, directory):
    before = serve.cpu_seconds()
    report = serve.send(f"--traces={traces}", "--spread=1h")
    spans = report["acknowledged_spans"]
    say("full rate", report["spans_per_s"] / 1000, "thousand spans/s acknowledged")
    say("CPU at the last answer", (serve.cpu_seconds() - before) / spans * 1e6, "us a span")
    say("memory under full ingest, at most", serve.memory_mib("VmHWM"), "MiB", 600)
    serve.wait_until_idle()
    say("CPU until idle", (serve.cpu_seconds() - before) / spans * 1e6, "us a span", 2.8)
    say("disk, all files", disk_bytes(directory) / spans, "B a span", 45)
    say("memory at rest, anonymous", serve.memory_mib("RssAnon"), "MiB", 100)
    return report["spans_per_s"]


def measure_answers(serve, full_rate, directory):
    say("the device's own fsync, p99", fsync_p99_ms(directory), "ms")
    half = serve.send(f"--rate={full_rate / 2 / SPANS_A_TRACE:.0f}", "--duration=10s")
    say("answer at half of the full rate, p99", half["answer_p99_ms"], "ms", "20 beyond fsync")
    one = serve.send("--traces=40000", "--concurrency=1")
    say("one request in flight", one["spans_per_s"] / 1000, "thousand spans/s", 20)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--traces", type=int, default=TRACES)
    parser.add_argument("--directory", help="where the store lies for the time; on the disk that is meant")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        serve = OnDisk(directory)
        full_rate = measure_ingest(serve, arguments.traces, directory)
        serve.end()
        serve = OnDisk(directory)
        say("start after a clean stop", serve.ready_ms, "ms", 200)
        measure_answers(serve, full_rate, directory)
        serve.wait_until_idle()
        serve.send(f"--traces={HEAD_TRACES}")
        serve.end(signal.SIGKILL)
        serve = OnDisk(directory)
        say("start after kill -9 with a nearly full head", serve.ready_ms, "ms", 2000)
        serve.end()


if __name__ == "__main__":
    main()
