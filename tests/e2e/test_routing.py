# SPDX-License-Identifier: Apache-2.0
"""The connector `routing` in `spanloom collector`: which pipeline the spans of a real SDK go to, and what `validate` says of routes."""

import os
import subprocess

from conftest import BINARY, ROOT, Process, wait_for
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otlp_backend import Backend

CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:0", include_metadata: true}}
      http: {{endpoint: "127.0.0.1:0", include_metadata: true}}
processors: {{batch: {{timeout: 10ms, metadata_keys: [x-tenant]}}}}
exporters:
  otlp_grpc/first: {{endpoint: "127.0.0.1:{first}", tls: {{insecure: true}}}}
  otlp_grpc/second: {{endpoint: "127.0.0.1:{second}", tls: {{insecure: true}}}}
connectors:
  routing:
    {routing}
service:
  telemetry: {{metrics: {{address: "127.0.0.1:0"}}, logs: {{encoding: json}}}}
  pipelines:
    traces/in: {{receivers: [otlp], processors: [batch], exporters: [routing]}}
    traces/first: {{receivers: [routing], exporters: [otlp_grpc/first]}}
    traces/second: {{receivers: [routing], exporters: [otlp_grpc/second]}}
"""


def names(backend):
    """The names of the spans that a backend has, sorted."""
    found = []
    for body in backend.bodies:
        for resource in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans:
            found.extend(span.name for scope in resource.scope_spans for span in scope.spans)
    return sorted(found)


def send(exporter, service, *span_names):
    """Spans of one service, as the SDK sends them."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("routing")
    for name in span_names:
        with tracer.start_as_current_span(name):
            pass
    assert provider.force_flush(30_000)
    provider.shutdown()


class Routed:
    """A collector whose connector has the options `routing`, in front of two backends."""

    def __init__(self, tmp_path, routing):
        self.first, self.second = Backend(), Backend()
        path = tmp_path / "config.yaml"
        path.write_text(CONFIG.format(first=self.first.port, second=self.second.port, routing=routing))
        self.process = Process("collector", f"--config={path}").wait_until_ready()

    def grpc(self, **headers):
        return GrpcExporter(endpoint=f"http://127.0.0.1:{self.process.grpc_port}", insecure=True, headers=headers)

    def http(self, **headers):
        return HttpExporter(endpoint=f"http://127.0.0.1:{self.process.http_port}/v1/traces", headers=headers)

    def stop(self):
        """What the backends have at the end."""
        assert self.process.stop() == 0, self.process.log()
        found = names(self.first), names(self.second)
        self.first.stop()
        self.second.stop()
        return found


# Scenario: spans of two services, and errors of both; a route for one service, a copy of the errors, and no default.
# Guarantees: each backend has what its route says, once; what matched nothing is counted, and the log says so.
def test_spans_go_where_routes_lead(tmp_path):
    routed = Routed(tmp_path, """
    table:
      - {condition: 'attributes["service.name"] == "shop"', action: copy, pipelines: [traces/first]}
      - {context: span, condition: 'IsMatch(name, "^error")', pipelines: [traces/second]}""")
    send(routed.grpc(), "shop", "cart", "error in shop")
    send(routed.http(), "depot", "shelf", "error in depot")
    routed.first.wait_for_spans(2)
    routed.second.wait_for_spans(2)
    wait_for(lambda: routed.process.metric("spanloom_pipeline_dropped_spans", connector="routing", cause="unrouted") == 1)
    assert routed.process.metric("otelcol_receiver_accepted_spans", receiver="otlp", transport="grpc") == 2
    assert routed.process.metric("spanloom_pipeline_accepted_spans", pipeline="traces/in") == 4
    routed.process.wait_for_line("spans dropped: no route leads them to a pipeline")
    assert routed.stop() == (["cart", "error in shop"], ["error in depot", "error in shop"])


# Scenario: two tenants and a sender without a header, over gRPC and over HTTP.
# Guarantees: the header decides, behind a batch processor that keeps tenants apart too.
def test_tenants_go_their_own_ways(tmp_path):
    routed = Routed(tmp_path, """
    default_pipelines: [traces/second]
    table:
      - {context: request, condition: 'request["X-Tenant"] == "acme"', pipelines: [traces/first]}""")
    send(routed.grpc(**{"x-tenant": "acme"}), "shop", "a1")
    send(routed.http(**{"X-Tenant": "acme"}), "shop", "a2")
    send(routed.grpc(**{"x-tenant": "ecorp"}), "shop", "b1")
    send(routed.http(), "shop", "b2")
    routed.first.wait_for_spans(2)
    routed.second.wait_for_spans(2)
    assert routed.process.metric("spanloom_pipeline_dropped_spans") == 0
    assert routed.stop() == (["a1", "a2"], ["b1", "b2"])


# Scenario: a route to a pipeline whose name has a slip in it, and one into which nothing is looked.
# Guarantees: `validate` names file, line, path and the valid names, and fails.
def test_validate_names_routes_that_lead_nowhere(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(first=1, second=2, routing="""
    table:
      - condition: 'true'
        pipelines: [traces/frist]
      - {context: log, condition: 'true', pipelines: [traces/second]}"""))
    done = subprocess.run([BINARY, "collector", "validate", f"--config={path}"], capture_output=True, text=True, timeout=30, cwd=ROOT,
                          env=dict(os.environ))
    assert done.returncode == 1
    assert "config.yaml:16: connectors::routing::table::0::pipelines: names pipeline \"traces/frist\"" in done.stderr, done.stderr
    assert "traces/first, traces/second; did you mean \"traces/first\"?" in done.stderr
    assert "carried without being looked into" in done.stderr
