# SPDX-License-Identifier: Apache-2.0
"""What a process takes from its environment and tells about itself: locations, limits, log, metrics and traces."""

import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import grpc
import pytest
from conftest import BINARY, RECORDED, Process, export_grpc, export_http, wait_for
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_backend import Backend

BODY = (RECORDED / "vllm-0.32-direct/001-vllm-decode.pb").read_bytes()  # 9 spans
METRICS_EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
LOGS_EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
CONFIG = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
exporters: {nop: }
extensions: {health_check: {endpoint: "127.0.0.1:0"}}
service:
  extensions: [health_check]
  telemetry: {logs: {encoding: json}, metrics: {address: "127.0.0.1:0"}}
  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}
"""
# The collector cannot show a page where readers are written; the address must go.
PUSHING = CONFIG.replace(', metrics: {address: "127.0.0.1:0"}', "")


class Site:
    """An HTTP server that answers every path with `status` and `text`, and counts."""

    def __init__(self, text):
        self.text, self.status, self.paths = text, 200, []
        self.answers = threading.Event()  # cleared: nobody is answered
        self.answers.set()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.paths.append(self.path)
                site.answers.wait()
                body = site.text.encode()
                try:
                    self.send_response(site.status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # it has hung up

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{self._server.server_address[1]}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site():
    server = Site(CONFIG)
    yield server
    server.stop()


@pytest.fixture
def collect():
    """Starts a collector; what is started is stopped."""
    started = []

    def start(*arguments, environment=None):
        started.append(Process("collector", *arguments, environment=environment))
        return started[-1]

    yield start
    for process in started:
        process.stop()


def run(*arguments):
    done = subprocess.run([BINARY, "collector", *arguments], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


# Scenario: a configuration at a URL with a user, which refers to another one twice; then it changes; then the server refuses; SIGHUP each time.
# Guarantees: it runs; each URL is asked for once a load; the change is taken; a fetch that fails changes nothing, and says where without the secret.
def test_a_configuration_at_a_url_is_followed(collect, site):
    site.text = CONFIG.replace("exporters: {nop: }", "exporters: {nop: , nop/a: '${http://%s/null}', nop/b: '${http://%s/null}'}" % (site.host, site.host))
    main, null = site.text, ""
    texts = {"/c.yaml?t=secret": lambda: main, "/null": lambda: null}

    class Text:
        def encode(self):
            return texts[site.paths[-1]]().encode()

    site.text = Text()
    process = collect(f"--config=http://me:secret@{site.host}/c.yaml?t=secret")
    process.wait_for_line("Everything is ready")
    assert sorted(site.paths) == ["/c.yaml?t=secret", "/null"]
    port = process.grpc_port
    main = main.replace("exporters: [nop]", "exporters: [nop, nop/a]")
    process.process.send_signal(signal.SIGHUP)
    assert "nop/a" in process.wait_for_line("reloaded")["started"]
    site.status = 503
    process.process.send_signal(signal.SIGHUP)
    line = process.wait_for_line("the old configuration goes on")
    assert f"http://{site.host}/c.yaml: the server answers with HTTP status 503" in line["msg"]
    export_grpc(port, BODY)
    assert process.stop() == 0 and "secret" not in process.log()


# Scenario: a reload waits for a server that does not answer; SIGTERM.
# Guarantees: the stop does not wait for it.
def test_a_stop_does_not_wait_for_a_fetch(collect, site):
    process = collect(f"--config=http://{site.host}/c.yaml")
    process.wait_for_line("Everything is ready")
    site.answers.clear()
    process.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(site.paths) == 2)
    began = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - began < 5, process.log()  # half of a fetch's deadline
    site.answers.set()
    assert "the process is to stop" in process.log()


# Scenario: locations whose server is not there, and that are no URL.
# Guarantees: an error that says which and what to do, and 1.
def test_a_configuration_that_cannot_be_fetched_is_an_error():
    code, _, error = run("validate", "--config=http://me:secret@127.0.0.1:1/c.yaml")
    assert code == 1 and error.startswith("Error: cannot fetch configuration http://127.0.0.1:1/c.yaml: "), error
    assert "or keep a copy in a file" in error and "secret" not in error
    code, _, error = run("validate", "--config=https://")
    assert code == 1 and "is no URL" in error


# Scenario: the limits of a Go process in the environment, good ones and bad ones.
# Guarantees: GOMAXPROCS bounds the loops; the log says who sets which limit; what is not understood is a warning that names it.
def test_limits_come_from_the_environment(collect, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    process = collect(f"--config={path}", environment={"GOMAXPROCS": "1", "GOMEMLIMIT": "300MiB"})
    line = process.wait_for_line("limits of this process")
    assert line["loops"] == 1 and line["loops_by"] in ("GOMAXPROCS", "cores", "cpu quota of the cgroup")
    if line["memory_by"] == "GOMEMLIMIT":  # a machine may have a limit of its cgroup, which goes before it
        assert line["memory_mib"] == "300"
    else:
        assert line["memory_by"] == "memory limit of the cgroup"
    process.wait_for_line("Everything is ready")
    tasks = [open(f"/proc/{process.process.pid}/task/{task}/comm").read().strip() for task in os.listdir(f"/proc/{process.process.pid}/task")]
    assert sum(name.startswith("spanloom-loop") for name in tasks) == 1, tasks
    assert process.stop() == 0
    process = collect(f"--config={path}", environment={"GOMAXPROCS": "many", "GOMEMLIMIT": "80%"})
    process.wait_for_line("Everything is ready")
    assert process.stop() == 0
    warnings = [line["msg"] for line in process.lines if line.get("level") == "warn"]
    assert any(text.startswith("GOMEMLIMIT=80% ") for text in warnings) and any(text.startswith("GOMAXPROCS=many ") for text in warnings)


# Scenario: a start and a stop of the Collector's file.
# Guarantees: the words that scripts wait for are there in their order, with their fields; each line says whose it is, and of which process.
def test_the_log_speaks_as_the_collectors(collect, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    process = collect(f"--config={path}", "--set=service.telemetry.resource={service.name: edge}")
    process.wait_for_line("Everything is ready")
    assert process.stop() == 0
    messages = [line["msg"] for line in process.lines]
    words = ["Starting otelcol...", "Starting extensions...", "Starting GRPC server", "Starting HTTP server",
             "Everything is ready. Begin running and processing data.", "Received signal from OS", "Starting shutdown...", "Stopping extensions...",
             "Shutdown complete."]
    places = [messages.index(word) for word in words]
    assert places == sorted(places), messages
    server = process.lines[messages.index("Starting GRPC server")]
    assert server["endpoint"].startswith("127.0.0.1:")
    assert (server["otelcol.component.id"], server["otelcol.component.kind"]) == ("otlp", "receiver")
    pipeline = process.lines[messages.index("pipeline started")]
    assert (pipeline["otelcol.pipeline.id"], pipeline["otelcol.signal"]) == ("traces", "traces")
    for line in process.lines[messages.index("Starting otelcol..."):]:
        assert line["resource"]["service.name"] == "edge" and line["resource"]["service.instance.id"], line
    assert process.lines[messages.index("Received signal from OS")]["signal"] == "terminated"


# Scenario: a log to two places with a field of its own; it is rotated; then the configuration names a file that cannot be, another level and no
# sampling.
# Guarantees: both have every line; after SIGHUP the new file is written to; a file that cannot be opened keeps the old log, and is an error at a
# start; the new level holds without a restart.
def test_the_log_goes_where_it_is_told(collect, tmp_path):
    path, log = tmp_path / "config.yaml", tmp_path / "a.log"
    logs = "logs: {encoding: json, output_paths: [stderr, %s], initial_fields: {env: test}, level: %s, sampling: {enabled: %s}}"
    write = lambda file, level="info", sampling="true": path.write_text(CONFIG.replace("logs: {encoding: json}", logs % (file, level, sampling)))
    write(log)
    process = collect(f"--config={path}")
    process.wait_for_line("Everything is ready")
    wait_for(lambda: "Everything is ready" in log.read_text())  # a line goes to one place after the other
    lines = [json.loads(text) for text in log.read_text().splitlines()]
    assert lines == [line for line in process.lines if line.get("env") == "test"] and len(lines) > 5
    log.rename(tmp_path / "a.log.1")
    process.process.send_signal(signal.SIGHUP)
    process.wait_for_line("reloaded")
    wait_for(lambda: log.exists() and "reloaded" in log.read_text())
    write(tmp_path / "none/b.log")
    process.process.send_signal(signal.SIGHUP)
    assert f"{tmp_path}/none/b.log" in process.wait_for_line("the old configuration goes on")["msg"]
    wait_for(lambda: "the old configuration goes on" in log.read_text())
    write(tmp_path / "c.log", "error", "false")
    process.process.send_signal(signal.SIGHUP)
    wait_for(lambda: (tmp_path / "c.log").exists())
    assert process.stop() == 0
    assert (tmp_path / "c.log").read_text() == "" and "Shutdown complete." not in process.log()
    write(tmp_path / "none/b.log")
    failed = collect(f"--config={path}")
    assert failed.process.wait(30) == 1
    failed.stop()
    assert "cannot start: service.telemetry.logs.output_paths: cannot open the log file" in failed.log()


def points_of(body):
    """{metric: (unit, [(value or count, labels)])} and the resource of a report."""
    resource_metrics = metrics_service_pb2.ExportMetricsServiceRequest.FromString(body).resource_metrics[0]
    found = {}
    for metric in resource_metrics.scope_metrics[0].metrics:
        data = getattr(metric, metric.WhichOneof("data"))
        values = [(point.count if hasattr(point, "count") else getattr(point, point.WhichOneof("value")),
                   {item.key: item.value.string_value for item in point.attributes}) for point in data.data_points]
        found[metric.name] = (metric, values)
    return found, {item.key: item.value.string_value for item in resource_metrics.resource.attributes}


# Scenario: a reader that pushes to a backend every 50 ms, while a request comes; then a stop.
# Guarantees: the backend has what the page would say, as OTLP has it, of this process; the last report comes at the stop.
@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_metrics_are_pushed(collect, tmp_path, temporality):
    backend = Backend(method=METRICS_EXPORT)
    path = tmp_path / "config.yaml"
    path.write_text(PUSHING)
    process = collect(f"--config={path}", "--set=service.telemetry.resource={service.name: edge}",
                      "--set=service.telemetry.metrics.readers=[{periodic: {interval: 50, exporter: {otlp: {protocol: grpc, compression: gzip, "
                      "endpoint: 'http://127.0.0.1:%d', temporality_preference: %s}}}}]" % (backend.port, temporality))
    process.wait_for_line("Everything is ready")
    backend.wait_for_bodies(2)
    export_grpc(process.grpc_port, BODY)
    export_grpc(process.grpc_port, BODY)
    assert process.stop() == 0
    reports = [points_of(body) for body in backend.bodies]
    backend.stop()
    name = "otelcol_receiver_accepted_spans"
    accepted = [value for found, _ in reports for value, labels in found.get(name, (None, []))[1] if labels["transport"] == "grpc"]
    assert (accepted[-1] if temporality == "cumulative" else sum(accepted)) == 18, accepted
    metric, values = reports[-1][0][name]
    assert metric.sum.is_monotonic and values[0][1]["receiver"] == "otlp"
    assert metric.sum.aggregation_temporality == {"cumulative": 2, "delta": 1}[temporality]
    assert reports[-1][0]["otelcol_process_memory_rss"][0].unit == "By"
    assert reports[-1][1]["service.name"] == "edge" and "target_info" not in reports[-1][0]


# Scenario: metrics go to a backend that is not there, and to standard output.
# Guarantees: one line about the first in a while; lines of OTLP/JSON for the other; the stop does not wait.
def test_metrics_that_cannot_be_pushed_harm_nobody(collect, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(PUSHING)
    process = collect(f"--config={path}", "--set=service.telemetry.metrics.readers=[{periodic: {interval: 20, exporter: {otlp: {protocol: "
                      "http/protobuf, endpoint: 'http://127.0.0.1:1'}}}}, {periodic: {interval: 20, exporter: {console: }}}]")
    process.wait_for_line("the metrics of this process can't be delivered")
    reports = []
    while len(reports) < 2:
        text = process.process.stdout.readline()
        if text.startswith("{"):
            reports.append(json.loads(text))
    names = [metric["name"] for metric in reports[-1]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]]
    assert "otelcol_process_uptime" in names and "spanloom_own_metric_reports_failed" in names
    threading.Thread(target=process.process.stdout.read, daemon=True).start()
    assert process.stop() == 0
    assert process.log().count("can't be delivered") <= 2


# Scenario: the log goes to a backend too; a start and a stop.
# Guarantees: the backend has its lines from the first to the last, of this process, with fields as attributes and the component in the scope.
def test_the_log_is_pushed(collect, tmp_path):
    backend = Backend(method=LOGS_EXPORT)
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    process = collect(f"--config={path}", "--set=service.telemetry.resource={service.name: edge}",
                      "--set=service.telemetry.logs.processors=[{batch: {schedule_delay: 20, exporter: {otlp: {protocol: grpc, "
                      "endpoint: 'http://127.0.0.1:%d'}}}}]" % backend.port)
    process.wait_for_line("Everything is ready")
    assert process.stop() == 0
    groups = [group for body in backend.bodies for group in logs_service_pb2.ExportLogsServiceRequest.FromString(body).resource_logs]
    backend.stop()
    assert {item.value.string_value for group in groups for item in group.resource.attributes if item.key == "service.name"} == {"edge"}
    found = {record.body.string_value: (scope.scope, record) for group in groups for scope in group.scope_logs for record in scope.log_records}
    assert {line["msg"] for line in process.lines if "msg" in line} <= found.keys()
    scope, record = found["Starting GRPC server"]
    assert [(item.key, item.value.string_value) for item in scope.attributes] == [("otelcol.component.id", "otlp"), ("otelcol.component.kind", "receiver")]
    assert [item.key for item in record.attributes] == ["endpoint"] and record.severity_text == "info" and record.severity_number == 9
    assert {item.key: item.value.int_value for item in found["Starting otelcol..."][1].attributes}["NumCPU"] > 0


# Scenario: a request over gRPC and one over HTTP, at level detailed, with a view that drops and one that renames.
# Guarantees: the histograms of calls are there, by the Collector's labels, and what the views say.
def test_detailed_metrics_and_views(collect, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    process = collect(f"--config={path}", "--set=service.telemetry.metrics.level=detailed",
                      "--set=service.telemetry.metrics.views=[{selector: {instrument_name: http_server_re*_body_size}, stream: {aggregation: {drop: {}}}}, "
                      "{selector: {instrument_name: otelcol_receiver_accepted_spans}, stream: {name: taken, attribute_keys: {excluded: [transport]}}}]")
    process.wait_for_line("Everything is ready")
    export_grpc(process.grpc_port, BODY)
    assert export_http(process.http_port, BODY)[0] == 200
    assert process.metric("rpc_server_call_duration_count", rpc_response_status_code="OK") == 1
    assert process.metric("http_server_request_duration_count", http_route="/v1/traces", http_response_status_code="200") == 1
    assert process.metric("taken", receiver="otlp") == 18
    page = urllib.request.urlopen(f"http://127.0.0.1:{process.ports['telemetry']}/metrics", timeout=10).read().decode()
    assert "body_size" not in page and "otelcol_receiver_accepted_spans" not in page and "transport=" not in page.split("taken{")[1].split("}")[0]
    assert process.stop() == 0


def certificates(folder):
    """An authority, and a certificate and key of it for 127.0.0.1, as files."""
    openssl = lambda *arguments: subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=tests",
            "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-keyout", "key.pem",
            "-out", "request.pem")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names",
            "-out", "cert.pem")


# Scenario: the collector's own spans go over TLS with a client's certificate, compressed, by a simple processor; the sender speaks b3.
# Guarantees: they arrive: two a request, in the sender's trace, with the count of its spans.
def test_own_spans_go_over_tls(collect, tmp_path):
    certificates(tmp_path)
    read = lambda name: (tmp_path / name).read_bytes()
    backend = Backend(credentials=grpc.ssl_server_credentials([(read("key.pem"), read("cert.pem"))], read("ca.pem"), True))
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    process = collect(f"--config={path}", "--set=service.telemetry.traces={propagators: [tracecontext, b3], processors: [{simple: {exporter: {otlp: "
                      "{protocol: grpc, endpoint: 'https://127.0.0.1:%d', compression: gzip, certificate: %s/ca.pem, client_certificate: "
                      "%s/cert.pem, client_key: %s/key.pem}}}}]}" % (backend.port, tmp_path, tmp_path, tmp_path))
    process.wait_for_line("Everything is ready")
    trace_id = "80f198ee56343ba864fe8b2a57d3eff7"
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{process.http_port}/v1/traces", BODY, {
        "Content-Type": "application/x-protobuf", "b3": f"{trace_id}-e457b5a2e4d86bd1-1"}), timeout=30).read()
    backend.wait_for_spans(2)
    assert process.stop() == 0
    spans = [span for body in backend.bodies for found in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans
             for scope in found.scope_spans for span in scope.spans]
    backend.stop()
    assert {span.name for span in spans} == {"POST /v1/traces", "receiver/otlp/TraceDataReceived"}
    assert {span.trace_id.hex() for span in spans} == {trace_id}
    counts = [item.value.int_value for span in spans for item in span.attributes if item.key == "accepted_spans"]
    assert counts == [9]


# Scenario: a collector whose own spans go to its own receiver, from where a pipeline hands them on, while requests come.
# Guarantees: two spans a request, none about its own reports, however long it runs; the pipeline's spans are not changed or nested below them.
def test_a_collector_traces_itself_without_end(collect, tmp_path):
    backend = Backend()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.replace('grpc: {endpoint: "127.0.0.1:0"}', f'grpc: {{endpoint: "127.0.0.1:{port}"}}')
                    .replace("exporters: {nop: }", f'exporters: {{otlp_grpc: {{endpoint: "127.0.0.1:{backend.port}", tls: {{insecure: true}}}}}}')
                    .replace("exporters: [nop]", "exporters: [otlp_grpc]"))
    process = collect(f"--config={path}", "--set=service.telemetry.traces={processors: [{batch: {schedule_delay: 1, exporter: {otlp: "
                      "{protocol: grpc, endpoint: 'http://127.0.0.1:%d'}}}}]}" % port)
    process.wait_for_line("Everything is ready")
    for _ in range(5):
        export_grpc(port, BODY)
    backend.wait_for_spans(5 * 9 + 10)
    wait_for(lambda: process.metric("spanloom_own_spans_exported") == 10)
    assert process.stop() == 0
    resources = [found for body in backend.bodies for found in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans]
    own = [span for found in resources if any(item.value.string_value == "spanloom" for item in found.resource.attributes)
           for scope in found.scope_spans for span in scope.spans]
    others = [span for found in resources if not any(item.value.string_value == "spanloom" for item in found.resource.attributes)
              for scope in found.scope_spans for span in scope.spans]
    backend.stop()
    assert len(own) == 10 and len(others) == 45
    own_ids = {span.span_id for span in own}
    assert not any(span.parent_span_id in own_ids for span in others)
