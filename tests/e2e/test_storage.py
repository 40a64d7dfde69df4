# SPDX-License-Identifier: Apache-2.0
"""Sending queues on the disk: what was answered OK reaches the backend, whatever ends the process meanwhile."""

import signal

from conftest import RECORDED, Process, export_grpc, wait_for
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_backend import Backend
from otlp_expectations import expected_spans

REQUESTS = [path.read_bytes() for path in sorted((RECORDED / "llmd-sched-0.6.0").glob("*.pb"))]


def config(directory, port, processors=""):
    return f"""
extensions: {{file_storage: {{directory: {directory}, create_directory: true}}}}
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: 127.0.0.1:0}}}}}}}}
processors: {{batch: {{timeout: 1h}}}}
exporters:
  otlp_grpc/b:
    endpoint: 127.0.0.1:{port}
    tls: {{insecure: true}}
    retry_on_failure: {{initial_interval: 10ms, max_interval: 100ms, max_elapsed_time: 0s}}
    sending_queue: {{storage: file_storage}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{address: 127.0.0.1:0}}, logs: {{encoding: json}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [otlp_grpc/b]}}}}
"""


def collector(directory, port, processors="", drain="200ms"):
    process = Process("collector", f"--config=yaml:{config(directory, port, processors)}", f"--drain-timeout={drain}")
    process.wait_for_line("Everything is ready. Begin running and processing data.")
    return process


def expected(requests):
    spans = {}
    for body in requests:
        for key, found in expected_spans(trace_service_pb2.ExportTraceServiceRequest.FromString(body)).items():
            spans.setdefault(key, []).extend(found)
    return spans


# Scenario: the backend is away; requests are answered OK; the collector is killed, started, stopped by SIGTERM, started; then the backend comes.
# Guarantees: the stop says that all is kept and loses nothing; every span arrives, once; the pipeline says that what it takes is on the disk.
def test_what_was_answered_outlives_a_kill_and_a_stop(tmp_path):
    backend = Backend()
    port = backend.port
    backend.stop()
    half = len(REQUESTS) // 2
    first = collector(tmp_path / "queue", port)
    assert "on the disk until it is delivered" in first.log()
    for body in REQUESTS[:half]:
        export_grpc(first.grpc_port, body)
    first.stop(signal.SIGKILL)
    second = collector(tmp_path / "queue", port)
    assert "requests of before the start are sent first" in second.log()
    for body in REQUESTS[half:]:
        export_grpc(second.grpc_port, body)
    second.stop()
    assert "stays on the disk" in second.log()
    assert "dropped at shutdown" not in second.log()
    backend = Backend(port=port)
    third = collector(tmp_path / "queue", port)
    backend.wait_for_spans(sum(len(spans) for spans in expected(REQUESTS).values()))
    wait_for(lambda: third.metric("otelcol_exporter_queue_size") == 0)
    assert third.stop() == 0, third.log()
    assert backend.spans() == expected(REQUESTS)
    backend.stop()


# Scenario: a batch of an hour stands in front of the queue; the collector is killed while spans wait in it.
# Guarantees: what was answered OK was on the disk: it arrives, once, brought together after the next start.
def test_a_batch_in_front_of_a_queue_loses_nothing_in_a_kill(tmp_path):
    backend = Backend()
    first = collector(tmp_path / "queue", backend.port, "batch")
    assert "on the disk until it is delivered" in first.log()
    for body in REQUESTS:
        export_grpc(first.grpc_port, body)
    first.stop(signal.SIGKILL)
    assert not backend.spans()
    second = collector(tmp_path / "queue", backend.port, "batch", drain="30s")
    assert second.stop() == 0, second.log()
    assert backend.spans() == expected(REQUESTS)
    assert len(backend.bodies) < len(REQUESTS)
    backend.stop()


# Scenario: two collectors with one directory.
# Guarantees: the second says who has it, and ends.
def test_a_directory_is_of_one_process(tmp_path):
    first = collector(tmp_path / "queue", 1)
    second = Process("collector", f"--config=yaml:{config(tmp_path / 'queue', 1)}")
    assert second.process.wait(30) == 1
    assert "file_storage" in second.log() and "process" in second.log()
    first.stop()
