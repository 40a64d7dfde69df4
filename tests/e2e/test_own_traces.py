# SPDX-License-Identifier: Apache-2.0
"""The spans that `spanloom serve` makes about itself: service.telemetry.traces."""

import random
import socket

import pytest
from conftest import RECORDED, export_grpc, export_http, request, wait_for
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import inject
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from otlp_backend import Backend

BODY = (RECORDED / "vllm-0.32-direct/001-vllm-decode.pb").read_bytes()
SERVER = "opentelemetry.proto.collector.trace.v1.TraceService/Export"
RECEIVE = "receiver/otlp/TraceDataReceived"


@pytest.fixture
def backend():
    server = Backend()
    yield server
    server.stop()


def own_traces(endpoint, sampler="parent_based: {root: {always_on: }}", protocol="grpc", delay_ms=20):
    return ("--set=service.telemetry.traces={sampler: {%s}, processors: [{batch: {schedule_delay: %d, exporter: {otlp: "
            "{protocol: %s, endpoint: 'http://%s'}}}}]}" % (sampler, delay_ms, protocol, endpoint))


def spans_of(backend):
    """Every span that the backend was sent, by the order of arrival, with its resource's attributes."""
    for body in backend.bodies:
        for resource_spans in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = {item.key: item.value.string_value for item in resource_spans.resource.attributes}
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    yield span, resource


def attributes_of(span):
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in span.attributes}


def headers_of_new_trace(sampled=True):
    """(traceparent header, trace id) as the Python SDK injects it."""
    provider = TracerProvider(sampler=TraceIdRatioBased(1.0 if sampled else 0.0))
    headers = {}
    with provider.get_tracer("test").start_as_current_span("client") as span:
        inject(headers)
        context = span.get_span_context()
    return headers, context.trace_id, context.span_id


# Scenario: a request over HTTP with a traceparent that the Python SDK injected, and one that it did not sample.
# Guarantees: the server's spans join the first trace, below the client's span, with names and counts as the Collector's; the second trace
# gains none.
def test_spans_join_the_trace_of_the_sender(start, backend):
    serve = start(own_traces(f"127.0.0.1:{backend.port}"))
    headers, trace_id, span_id = headers_of_new_trace()
    unsampled, unsampled_trace_id, _ = headers_of_new_trace(sampled=False)
    for more in (unsampled, headers):
        assert request(f"http://127.0.0.1:{serve.http_port}/v1/traces", BODY, {"Content-Type": "application/x-protobuf", **more})[0] == 200
    backend.wait_for_spans(2)
    assert serve.stop() == 0
    found = {span.name: (span, resource) for span, resource in spans_of(backend)}
    assert set(found) == {"POST /v1/traces", RECEIVE}
    (server, resource), (receive, _) = found["POST /v1/traces"], found[RECEIVE]
    assert server.trace_id == receive.trace_id == trace_id.to_bytes(16, "big")
    assert server.parent_span_id == span_id.to_bytes(8, "big")
    assert receive.parent_span_id == server.span_id
    assert server.start_time_unix_nano <= receive.start_time_unix_nano <= receive.end_time_unix_nano <= server.end_time_unix_nano
    expected = {"receiver": "otlp", "transport": "http", "format": "protobuf", "accepted_spans": 9, "refused_spans": 0}
    assert attributes_of(receive) == expected
    assert attributes_of(server)["http.response.status_code"] == 200
    assert resource["service.name"] == "spanloom" and resource["service.instance.id"]


# Scenario: the process sends its spans to its own receiver, over either protocol, while the Python SDK sends to it over gRPC.
# Guarantees: they are in its own store, one pair a request, and are counted; reports about reports are not made.
@pytest.mark.parametrize("protocol,receiver", [("grpc", "grpc"), ("http/protobuf", "http")])
def test_a_process_that_reports_to_itself_does_not_loop(start, protocol, receiver):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    listener = f"--set=receivers.otlp.protocols.{receiver}.endpoint=127.0.0.1:{port}"
    serve = start(listener, own_traces(f"127.0.0.1:{port}", protocol=protocol, delay_ms=1))
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"127.0.0.1:{serve.grpc_port}", insecure=True)))
    with provider.get_tracer("test").start_as_current_span("client"):
        pass
    for _ in range(4):
        export_grpc(serve.grpc_port, BODY)
    wait_for(lambda: serve.metric("spanloom_own_spans_exported") == 10)
    status, body = serve.get("/api/traces?service=spanloom&limit=100&start=0&end=4102444800000000")
    names = sorted(span["operationName"] for found in body["data"] for span in found["spans"])
    assert status == 200 and names == sorted([SERVER, RECEIVE] * 5)
    export_http(serve.http_port, BODY)
    wait_for(lambda: serve.metric("spanloom_own_spans_exported") == 12)
    assert serve.stop() == 0


# Scenario: the destination is away; the process is stopped.
# Guarantees: senders do not notice, the loss is counted by cause while it runs, and the stop does not hang.
def test_a_destination_that_is_away_harms_nobody(start):
    serve = start(own_traces("127.0.0.1:1"))
    export_grpc(serve.grpc_port, BODY)
    serve.wait_for_line("can't be delivered")
    assert serve.metric("otelcol_receiver_accepted_spans") == 9
    assert serve.stop() == 0


# Scenario: 200 traces of random ids, and a sampler of 30 %.
# Guarantees: exactly those are recorded that the Python SDK would record.
def test_the_ratio_decides_as_the_python_sdk_does(start, backend):
    serve = start(own_traces(f"127.0.0.1:{backend.port}", sampler="trace_id_ratio_based: {ratio: 0.3}"))
    sampler = ParentBased(TraceIdRatioBased(0.3))
    seeded = random.Random(4)
    trace_ids = [seeded.getrandbits(128) for _ in range(200)]
    for trace_id in trace_ids:
        headers = {"Content-Type": "application/x-protobuf", "traceparent": f"00-{trace_id:032x}-00000000000000aa-00"}
        assert request(f"http://127.0.0.1:{serve.http_port}/v1/traces", BODY, headers)[0] == 200
    expected = {trace_id for trace_id in trace_ids if sampler.should_sample(None, trace_id, "x").decision.is_sampled()}
    backend.wait_for_spans(2 * len(expected))
    assert serve.stop() == 0
    assert {int.from_bytes(span.trace_id, "big") for span, _ in spans_of(backend)} == expected
    assert 30 < len(expected) < 90
