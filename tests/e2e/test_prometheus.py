# SPDX-License-Identifier: Apache-2.0
"""Prometheus itself scrapes the metrics that a collector makes of spans."""

import json
import subprocess
import threading
import time
import urllib.parse

import pytest
from conftest import ROOT, START_SECONDS_MAX, Process, export_grpc, request, wait_for
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

PROGRAMS = ROOT / "build/programs/prometheus/usr/bin"
# Intervals are short so that points and scrapes come by themselves within the test.
COLLECTOR = """
receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}}}}
connectors:
  span_metrics:
    metrics_flush_interval: 50ms
    exemplars: {enabled: true}
    events: {enabled: true, dimensions: [{name: exception.type}]}
    histogram: {unit: s, explicit: {buckets: [10ms, 100ms]}}
  service_graph: {metrics_flush_interval: 50ms, latency_histogram_buckets: [10ms, 100ms], store: {ttl: 100ms}, store_expiration_loop: 10ms, virtual_node_peer_attributes: []}
exporters: {prometheus: {endpoint: 127.0.0.1:0, enable_open_metrics: true}}
service:
  telemetry: {metrics: {address: 127.0.0.1:0}, logs: {encoding: json}}
  pipelines:
    traces: {receivers: [otlp], exporters: [span_metrics, service_graph]}
    metrics: {receivers: [span_metrics, service_graph], exporters: [prometheus]}
"""
SCRAPES = """
global: {{scrape_interval: 200ms}}
scrape_configs:
  - job_name: collector
    honor_labels: true
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
MS = 1_000_000
WAITS_MS = [1, 4, 9, 50, 60, 500]  # of the server's spans, a trace each
BUCKETS = {"0.01": 3, "0.1": 5, "+Inf": 6}
CALLS = 'traces_span_metrics_calls_total{span_name="GET /cart",span_kind="SPAN_KIND_SERVER"}'
DURATION = 'traces_span_metrics_duration_seconds_bucket{span_kind="SPAN_KIND_SERVER"}'
EDGES = 'traces_service_graph_request_total{client="web",server="shop"}'


class Prometheus:
    """The program with an empty store, scraping one port."""

    def __init__(self, folder, port):
        (folder / "prometheus.yml").write_text(SCRAPES.format(port=port))
        command = [str(PROGRAMS / "prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
                   "--web.listen-address=127.0.0.1:0", "--enable-feature=exemplar-storage", "--log.format=json"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.lines, self.address = [], None
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for text in self.process.stderr:
            line = json.loads(text)
            self.lines.append(line)
            if line.get("msg") == "Listening on":
                self.address = line["address"]

    def get(self, path, **parameters):
        if self.address is None:
            return []
        status, _, body = request(f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        return json.loads(body)["data"] if status == 200 else []  # 503 until its store is open

    def query(self, expression):
        """[(labels, value)] as they are now."""
        data = self.get("query", query=expression)
        return [(each["metric"], float(each["value"][1])) for each in data["result"]] if data else []

    def value(self, expression):
        return sum(value for _, value in self.query(expression))

    def exemplars(self, expression):
        now = time.time()
        return self.get("query_exemplars", query=expression, start=now - 600, end=now + 600)

    def stop(self):
        self.process.terminate()
        code = self.process.wait(START_SECONDS_MAX)
        self.reader.join(START_SECONDS_MAX)
        self.process.stderr.close()
        return code


def request_of_calls():
    """For each wait a trace: a client's span of web, and the server's of shop below it, which ends in an exception if it took long; and a last one whose
    server sends nothing. Returns the request, and {trace id: seconds}."""
    message = trace_service_pb2.ExportTraceServiceRequest()
    spans, seconds = {}, {}
    for service in ("web", "shop"):
        resource = message.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = service
        spans[service] = resource.scope_spans.add().spans
    for number, wait in enumerate([*WAITS_MS, 7], start=1):
        trace_id, client, server = bytes(15) + bytes([number]), bytes(7) + b"\x01", bytes(7) + b"\x02"
        times = {"start_time_unix_nano": 1, "end_time_unix_nano": 1 + wait * MS}
        spans["web"].add(trace_id=trace_id, span_id=client, name="GET", kind=trace_pb2.Span.SPAN_KIND_CLIENT, **times)
        if number > len(WAITS_MS):
            continue
        span = spans["shop"].add(trace_id=trace_id, span_id=server, parent_span_id=client, name="GET /cart", kind=trace_pb2.Span.SPAN_KIND_SERVER, **times)
        seconds[trace_id.hex()] = wait / 1000
        if wait > 100:
            span.status.code = trace_pb2.Status.STATUS_CODE_ERROR
            span.events.add(name="exception").attributes.add(key="exception.type").value.string_value = "Timeout"
    return message.SerializeToString(), seconds


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """(Prometheus, URL of the page, {trace id: seconds}) once every span has been counted and scraped."""
    collector = Process("collector", f"--config=yaml:{COLLECTOR}")
    collector.wait_for_line("Everything is ready. Begin running and processing data.")
    body, seconds = request_of_calls()
    export_grpc(collector.grpc_port, body)
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), collector.ports["prometheus"])
    try:
        wait_for(lambda: prometheus.value(CALLS) == len(WAITS_MS) and prometheus.value(EDGES) == len(WAITS_MS))
        yield prometheus, f"http://127.0.0.1:{collector.ports['prometheus']}/metrics", seconds
    finally:
        codes = prometheus.stop(), collector.stop()
    assert codes == (0, 0), (prometheus.lines, collector.log())


# Scenario: six calls of known duration, one of them failed; a seventh whose server sends no span.
# Guarantees: Prometheus has as many as were sent, in the buckets where they belong, with their sum; the failed one alone is an error; the seventh is unpaired.
def test_prometheus_counts_what_was_sent(scraped):
    prometheus, _, seconds = scraped
    assert prometheus.value("up") == 1
    errors = prometheus.query('traces_span_metrics_calls_total{status_code="STATUS_CODE_ERROR"}')
    assert [(labels["span_name"], labels["service_name"], value) for labels, value in errors] == [("GET /cart", "shop", 1)]
    for metric in ("traces_span_metrics_duration_seconds_bucket", "traces_service_graph_request_server_seconds_bucket"):
        assert {labels["le"]: value for labels, value in prometheus.query(f'sum by (le) ({metric}{{span_kind=~"|SPAN_KIND_SERVER"}})')} == BUCKETS, metric
    total = prometheus.value('traces_span_metrics_duration_seconds_sum{span_kind="SPAN_KIND_SERVER"}')
    assert total == pytest.approx(sum(seconds.values()))
    assert prometheus.value('traces_span_metrics_events_total{exception_type="Timeout"}') == 1
    assert prometheus.value('traces_service_graph_request_failed_total{client="web",server="shop"}') == 1
    wait_for(lambda: prometheus.value('traces_service_graph_unpaired_spans_total{client="web"}') == 1)


# Scenario: the same, asked for its exemplars.
# Guarantees: each bucket that counts something new has one, the id of a trace that was sent, with its duration and within the bucket.
def test_exemplars_lead_to_the_traces(scraped):
    prometheus, _, seconds = scraped
    wait_for(lambda: len(prometheus.exemplars(DURATION)) >= len(BUCKETS))
    below = {"0.01": (0, 0.01), "0.1": (0.01, 0.1), "+Inf": (0.1, 10)}
    found = {}
    for series in prometheus.exemplars(DURATION):
        for exemplar in series["exemplars"]:
            found.setdefault(series["seriesLabels"]["le"], []).append((exemplar["labels"]["trace_id"], float(exemplar["value"])))
    assert found.keys() == BUCKETS.keys()
    for bound, exemplars in found.items():
        for trace_id, value in exemplars:
            assert seconds[trace_id] == pytest.approx(value)
            assert below[bound][0] < value <= below[bound][1]
    assert prometheus.exemplars(CALLS)


# Guarantees: Prometheus' own checker finds nothing to say of the page: types, suffixes, help texts, base units.
def test_promtool_accepts_the_page(scraped):
    _, url, _ = scraped
    status, headers, page = request(url)
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    checked = subprocess.run([str(PROGRAMS / "promtool"), "check", "metrics"], input=page, capture_output=True, timeout=30)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b""), page.decode()
