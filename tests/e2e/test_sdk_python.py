# SPDX-License-Identifier: Apache-2.0
"""The real OpenTelemetry SDK for Python exports over gRPC and over HTTP/protobuf."""

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

import grpc


def exporter(serve, protocol, compressed):
    if protocol == "grpc":
        compression = grpc.Compression.Gzip if compressed else grpc.Compression.NoCompression
        return GrpcExporter(endpoint=f"http://127.0.0.1:{serve.grpc_port}", insecure=True, compression=compression)
    return HttpExporter(endpoint=f"http://127.0.0.1:{serve.http_port}/v1/traces", compression=Compression.Gzip if compressed else Compression.NoCompression)


# Scenario: a server span with a client span below it, an exception, and LLM attributes; both protocols, plain and gzip.
# Guarantees: service, operations, tree and values are found through the query API.
@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_python_sdk_spans_are_found(serve, protocol, compressed):
    provider = TracerProvider(resource=Resource.create({"service.name": "shop", "k8s.pod.name": "shop-0"}))
    provider.add_span_processor(BatchSpanProcessor(exporter(serve, protocol, compressed)))
    tracer = provider.get_tracer("shop.scope", "1.0")
    with tracer.start_as_current_span("POST /chat", kind=SpanKind.SERVER) as parent:
        with tracer.start_as_current_span("llm_request", kind=SpanKind.CLIENT) as child:
            child.set_attribute("gen_ai.latency.time_to_first_token", 0.25)
            child.record_exception(ValueError("too long"))
    assert provider.force_flush(30_000)
    provider.shutdown()

    assert serve.get("/api/services")[1]["data"] == ["shop"]
    assert sorted(serve.get("/api/services/shop/operations")[1]["data"]) == ["POST /chat", "llm_request"]
    found = serve.get("/api/traces?service=shop&operation=llm_request&tags=" + '%7B"gen_ai.latency.time_to_first_token"%3A"0.25"%7D')[1]["data"]
    assert [trace["traceID"] for trace in found] == [f"{parent.get_span_context().trace_id:032x}"]
    spans = {span["operationName"]: span for span in found[0]["spans"]}
    assert spans["llm_request"]["references"][0]["spanID"] == spans["POST /chat"]["spanID"]
    fields = {field["key"]: field["value"] for field in spans["llm_request"]["logs"][0]["fields"]}
    assert fields["exception.message"] == "too long"
    assert serve.metric("otelcol_receiver_accepted_spans", transport=protocol) == 2
