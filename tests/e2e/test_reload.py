# SPDX-License-Identifier: Apache-2.0
"""SIGHUP under load, and what a client that honours retry delays loses: nothing."""

import concurrent.futures
import signal
import threading
import time

import grpc
from conftest import EXPORT, export_grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.resources import Resource

FIRST = """
processors:
  filter: {traces: {span: ['name == "noise"']}}
  batch: {timeout: 50ms}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [filter], exporters: [spanloom_store]}
"""
SECOND = """
processors:
  filter: {traces: {span: ['name == "noise"', 'name == "scrape"']}}
exporters: {debug: }
connectors: {forward: }
service:
  pipelines:
    traces/in: {receivers: [otlp], processors: [filter], exporters: [forward]}
    traces: {receivers: [forward], exporters: [spanloom_store, debug]}
"""
RELOAD_GRACE_SECONDS = 20


def one_span(number):
    request = trace_service_pb2.ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = number.to_bytes(16, "big"), number.to_bytes(8, "big"), "llm_request"
    span.start_time_unix_nano, span.end_time_unix_nano = 1_700_000_000_000_000_000, 1_700_000_001_000_000_000
    return request.SerializeToString()


class Sender(threading.Thread):
    """Sends a span after the other over one connection until it is told to stop."""

    def __init__(self, port):
        super().__init__()
        self.acknowledged, self.failures, self._ended, self._port = [], [], threading.Event(), port
        self.start()

    def run(self):
        with grpc.insecure_channel(f"127.0.0.1:{self._port}") as channel:
            call = channel.unary_unary(EXPORT, request_serializer=lambda data: data, response_deserializer=lambda data: data)
            number = 0
            while not self._ended.is_set():
                number += 1
                try:
                    call(one_span(number), timeout=30)
                    self.acknowledged.append(number)
                except grpc.RpcError as error:
                    self.failures.append(error)

    def stop(self):
        self._ended.set()
        self.join()


# Scenario: a client sends all the while; the file changes twice and SIGHUP is sent each time; then the file is broken, and a store option is changed.
# Guarantees: the same connection goes on without one failure, everything acknowledged is stored, a broken file changes nothing, what needs a restart is named.
def test_sighup_changes_pipelines_under_load(start, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(FIRST)
    serve = start(f"--config={path}")
    port = serve.grpc_port
    sender = Sender(port)
    try:
        for text in (SECOND, FIRST):
            path.write_text(text)
            serve.process.send_signal(signal.SIGHUP)
            serve.wait_for_line("reloaded")
        path.write_text("exporters: {nothing: }\n")
        serve.process.send_signal(signal.SIGHUP)
        line = serve.wait_for_line("cannot reload")
        assert "the old configuration goes on" in line["msg"] and "nothing" in line["msg"]
        path.write_text(FIRST + "exporters: {spanloom_store: {traces_max: 7}}\n")
        serve.process.send_signal(signal.SIGHUP)
        assert serve.wait_for_line("at the next start only")["key"] == "exporters::spanloom_store"
        serve.wait_for_line("reloaded")
    finally:
        sender.stop()
    assert sender.failures == [] and len(sender.acknowledged) > 0
    assert serve.ports["otlp/grpc"] == port
    assert serve.metric("spanloom_store_spans") == len(sender.acknowledged)
    assert serve.metric("otelcol_receiver_accepted_spans") == len(sender.acknowledged)
    for number in sender.acknowledged[:3] + sender.acknowledged[-3:]:
        serve.trace(f"{number:032x}")
    assert serve.stop() == 0


# Scenario: spans wait for a backend that nobody is; a reload takes its exporter out, and SIGTERM comes while that drains.
# Guarantees: the process ends long before the grace of the reload is over, and says what it could not deliver.
def test_sigterm_does_not_wait_for_a_reload(start, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("""
exporters: {otlp_grpc: {endpoint: "127.0.0.1:1", tls: {insecure: true}}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_grpc]}
""")
    serve = start(f"--config={path}", "--no-store-append")
    export_grpc(serve.grpc_port, one_span(1))
    serve.wait_for_line("Exporting failed")
    path.write_text(FIRST)
    serve.process.send_signal(signal.SIGHUP)
    serve.wait_for_line("reloading")
    begin = time.monotonic()
    assert serve.stop() == 0, serve.log()
    assert time.monotonic() - begin < RELOAD_GRACE_SECONDS / 2
    assert "spans dropped at shutdown" in serve.log()


class SlowBackend:
    """Takes one request at a time, and refuses until it is let go."""

    def __init__(self):
        self.names, self._open, self._lock = [], threading.Event(), threading.Lock()
        handler = grpc.unary_unary_rpc_method_handler(self._export)
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(EXPORT.split("/")[1], {"Export": handler})])
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def _export(self, body, context):
        if not self._open.is_set():
            context.abort(grpc.StatusCode.UNAVAILABLE, "starting")
        request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
        with self._lock:
            self.names += [span.name for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
        return b""

    def let_go(self):
        self._open.set()

    def stop(self):
        self._server.stop(0)


# Scenario: the queue in front of a backend that is away has room for two requests; an SDK sends more than that, then the backend comes back.
# Guarantees: the SDK is told to wait, honours the delay, and every span arrives exactly once; only the metrics tell that there was no room.
def test_an_sdk_that_honours_the_delay_loses_nothing(start, tmp_path):
    backend = SlowBackend()
    path = tmp_path / "config.yaml"
    path.write_text(f"""
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:{backend.port}
    tls: {{insecure: true}}
    retry_on_failure: {{initial_interval: 50ms, max_interval: 50ms}}
    sending_queue: {{num_consumers: 1, queue_size: 2}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
""")
    serve = start(f"--config={path}", "--no-store-append")
    provider = TracerProvider(resource=Resource.create({"service.name": "vllm-decode"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"http://127.0.0.1:{serve.grpc_port}", insecure=True, timeout=60)))
    tracer = provider.get_tracer("test")
    names = [f"span-{number}" for number in range(8)]

    def send():
        for name in names:
            tracer.start_span(name).end()

    sender = threading.Thread(target=send)
    sender.start()
    serve.wait_for_line("Exporting failed")
    while serve.metric("otelcol_receiver_refused_spans") == 0:
        assert sender.is_alive()
    backend.let_go()
    sender.join(60)
    provider.shutdown()
    assert serve.stop() == 0, serve.log()
    assert sorted(backend.names) == sorted(names)
    backend.stop()
