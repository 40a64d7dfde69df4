# SPDX-License-Identifier: Apache-2.0
"""Metrics and logs of the Python SDK beside its spans: carried unread, and metrics made of spans."""

import json
import logging
import urllib.request

from conftest import Process, wait_for
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

CONFIG = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: 127.0.0.1:0}}, http: {{endpoint: 127.0.0.1:0}}}}}}}}
processors: {{batch: {{timeout: 10ms}}}}
connectors: {{span_metrics: {{metrics_flush_interval: 20ms}}}}
exporters: {{debug: , prometheus: {{endpoint: 127.0.0.1:0}}, file: {{path: {path}}}}}
service:
  telemetry: {{metrics: {{address: 127.0.0.1:0}}, logs: {{encoding: json}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [debug, span_metrics]}}
    metrics: {{receivers: [otlp, span_metrics], exporters: [prometheus]}}
    logs: {{receivers: [otlp], processors: [batch], exporters: [file]}}
"""


def send(process):
    resource = Resource.create({"service.name": "shop"})
    endpoint = {"endpoint": f"127.0.0.1:{process.grpc_port}", "insecure": True}
    spans = TracerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**endpoint)))
    for _ in range(20):
        spans.get_tracer("t").start_span("checkout", kind=trace.SpanKind.SERVER).end()
    metrics = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter(**endpoint))])
    metrics.get_meter("m").create_counter("orders").add(3, {"k": "v"})
    metrics.get_meter("m").create_histogram("wait", unit="ms").record(5)
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"http://127.0.0.1:{process.http_port}/v1/logs")))
    logger = logging.Logger("shop")
    logger.addHandler(LoggingHandler(logger_provider=logs))
    logger.warning("hello")
    for provider in (spans, metrics, logs):
        provider.shutdown()


# Scenario: an SDK sends spans, metrics and logs to one collector; its metrics and those made of its spans are scraped, its logs go to a file.
# Guarantees: each arrives with its values, and is counted under the Collector's names.
def test_an_sdk_sends_all_three(tmp_path):
    path = tmp_path / "logs.json"
    process = Process("collector", f"--config=yaml:{CONFIG.format(path=path)}")
    process.wait_for_line("Everything is ready. Begin running and processing data.")
    send(process)
    page = urllib.request.urlopen
    url = f"http://127.0.0.1:{process.ports['prometheus']}/metrics"
    scraped = lambda: page(url, timeout=10).read().decode().splitlines()
    has = lambda start, value: any(line.startswith(start) and line.endswith(f" {value}") for line in scraped())
    wait_for(lambda: has("orders_total{", 3) and has("wait_milliseconds_sum{", 5) and has("traces_span_metrics_calls_total{", 20))
    assert any('span_name="checkout"' in line and 'service_name="shop"' in line for line in scraped())
    wait_for(lambda: path.exists() and path.read_text().endswith("\n"))
    (record,) = json.loads(path.read_text())["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert record["body"] == {"stringValue": "hello"} and record["severityNumber"] == 13
    assert process.metric("otelcol_receiver_accepted_metric_points", transport="grpc") == 2
    assert process.metric("otelcol_receiver_accepted_log_records", transport="http") == 1
    assert process.metric("otelcol_exporter_sent_spans", exporter="debug") == 20
    assert process.stop() == 0, process.log()
