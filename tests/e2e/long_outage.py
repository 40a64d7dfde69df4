# SPDX-License-Identifier: Apache-2.0
"""A backend that is away for a while, and an operator who reloads all the while, under a load of 40,000 spans a second. Long tier."""

import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
from accounting import Counters
from conftest import BINARY, wait_for
from test_faults import collector, exporter  # collector is a fixture

SPANS_PER_SECOND = 40_000
SPANS_PER_TRACE = 6  # of the shape "load"
OUTAGE_SECONDS = float(os.environ.get("SPANLOOM_OUTAGE_SECONDS", "45"))
RELOAD_SECONDS = float(os.environ.get("SPANLOOM_RELOAD_SECONDS", "20"))
DRAIN_SECONDS_MAX = 300
BACKEND_OPTIONS = {"timeout": "5s", "retry_on_failure": {"initial_interval": "200ms", "max_interval": "1s", "max_elapsed_time": "0s"}}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Load:
    """`spanloom tracegen` at its rate for `seconds`, in the background. A request that is refused is not sent again; up to a second passes until it is, and the
    rate is to be kept."""

    def __init__(self, port, seconds):
        command = [BINARY, "tracegen", f"--endpoint=127.0.0.1:{port}", "--shape=load", f"--rate={SPANS_PER_SECOND / SPANS_PER_TRACE}", f"--duration={seconds}s",
                   "--spans-per-request=512", "--concurrency=256", "--retries=0", "--report=json", "--progress=never"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def report(self):
        """What became of it, when it has ended."""
        report = json.loads(self._process.communicate(timeout=DRAIN_SECONDS_MAX)[0])
        assert report["unsent_spans"] == 0
        return report

    def runs(self):
        return self._process.poll() is None


def backend_at(port, collector):
    """A collector that counts and throws away; the only one that may be started late."""
    return collector({"nop": {}}, processors={}, grpc_port=port)


def wait_until_drained(process):
    deadline = time.monotonic() + DRAIN_SECONDS_MAX
    held = lambda counters: counters.sum("spanloom_exporter_held_spans") + counters.sum("spanloom_processor_held_spans")
    while held(Counters.of(process)) > 0:
        assert time.monotonic() < deadline, process.log()[-4000:]
        time.sleep(0.2)


def outage(collector, exporters_options, **options):
    """Load while nobody is at the backend's port, then a backend. (report of the load, counters of the collector, of the backend, peak MiB)."""
    port = free_port()
    process = collector({"otlp_grpc/away": exporter(port, **BACKEND_OPTIONS, **exporters_options)}, drain="30s", **options)
    report = Load(process.grpc_port, OUTAGE_SECONDS).report()
    during = process.check(report["spans"])
    backend = backend_at(port, collector)
    wait_until_drained(process)
    after = process.check(report["spans"])
    received = int(backend.metric("otelcol_receiver_accepted_spans"))
    peak = process.peak_mib()
    refused = after.sum("otelcol_receiver_refused_spans")
    dropped = after.by("spanloom_pipeline_dropped_spans", "cause")
    print(f"\n{report['spans']} spans, answered OK {report['acknowledged_spans']}, refused {refused}, dropped {dropped}, held at the end of the outage "
          f"{during.sum('spanloom_exporter_held_spans') + during.sum('spanloom_processor_held_spans')}, delivered {received}; peak {peak:.0f} MiB")
    assert process.stop() == 0, process.log()[-4000:]
    assert backend.stop() == 0
    # What was not answered OK was refused, what was is delivered or counted as dropped.
    assert report["acknowledged_spans"] + refused == report["spans"]
    assert report["acknowledged_spans"] == received + sum(dropped.values())
    return refused, dropped, peak


# Scenario: nobody is at the backend's port for 45 s of 40,000 spans a second; the queue is on the disk, with room for them: as requests come, or behind a
# `batch`, of whose groups the usual 1,000 find room.
# Guarantees: no sender is refused, nothing is lost, everything arrives once; memory stays bounded (32 MiB of requests, see docs/collector.md).
@pytest.mark.parametrize("queue_size,processors", [(100_000, {}), (1_000, {"batch": {"timeout": "200ms"}})], ids=["as they come", "batch"])
def test_an_outage_with_a_storage(collector, tmp_path, queue_size, processors):
    refused, dropped, peak = outage(collector, {"sending_queue": {"storage": "file_storage", "queue_size": queue_size}}, processors=processors,
                                    extensions={"file_storage": {"directory": str(tmp_path / "queue"), "create_directory": True}})
    assert refused == 0 and dropped == {}
    assert peak < 200


# Scenario: the same with a queue in memory of 64 MiB, behind `batch`.
# Guarantees: what finds no room is refused to the sender, nothing else is lost; memory stays bounded by the queue and `batch`.
def test_an_outage_without_a_storage(collector):
    refused, dropped, peak = outage(collector, {"sending_queue": {"sizer": "bytes", "queue_size": 64 << 20}},
                                    processors={"batch": {"timeout": "200ms", "send_batch_size": 8_192}})
    assert refused > 0 and dropped == {}
    assert peak < 400


# Scenario: SIGHUP every half a second under load; each time another pipeline, with other processors and another exporter.
# Guarantees: not one request fails, and everything arrives once.
def test_reloads_under_load(collector):
    backend = backend_at(0, collector)
    process = collector({"otlp_grpc/first": exporter(backend.grpc_port, **BACKEND_OPTIONS)}, drain="10s")
    first = process.config
    pipelines = {"traces": {"receivers": ["otlp"], "processors": ["filter", "batch/other"], "exporters": ["otlp_grpc/second"]}}
    second = {**first, "processors": {"filter": {"traces": {"span": ['name == "no such name"']}}, "batch/other": {"timeout": "50ms"}},
              "exporters": {"otlp_grpc/second": exporter(backend.grpc_port, **BACKEND_OPTIONS)}, "service": {**first["service"], "pipelines": pipelines}}
    load = Load(process.grpc_port, RELOAD_SECONDS)
    signals = 0
    pause = threading.Event()
    while load.runs():
        process.write((second, first)[signals % 2])
        process.process.send_signal(signal.SIGHUP)
        signals += 1
        pause.wait(0.5)
    report = load.report()
    peak = process.peak_mib()
    assert process.stop() == 0, process.log()[-4000:]
    reloads = len(process.said("reloaded"))
    received = int(backend.metric("otelcol_receiver_accepted_spans"))
    print(f"\n{report['spans']} spans in {report['requests']} requests, {signals} times SIGHUP, {reloads} reloads, failed {report['refused']} {report['exhausted']}, "
          f"delivered {received}; peak {peak:.0f} MiB")
    assert report["refused"] == report["exhausted"] == [] and report["acknowledged_spans"] == report["spans"] == received
    assert reloads > signals / 2
    assert backend.stop() == 0
