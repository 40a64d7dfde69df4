# SPDX-License-Identifier: Apache-2.0
"""`spanloom collector`: an OpenTelemetry Collector's configuration and command line as they stand."""

import json
import os
import re
import subprocess

from conftest import BINARY, RECORDED, ROOT, Process, export_grpc, request, wait_for
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_backend import Backend
from otlp_expectations import expected_spans, is_scrape

GUIDE = ROOT / "tests/data/config/guide-otel-collector.yaml"
SCRAPED = RECORDED / "llmd-sched-0.6.0"
FREE_PORTS = [
    "--set=receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0",
    "--set=receivers.otlp.protocols.http.endpoint=127.0.0.1:0",
    "--set=service.telemetry.metrics.address=127.0.0.1:0",
    "--set=service.telemetry.logs.encoding=json",
]


def run(*arguments, environment=None):
    """(exit code, standard output, standard error)."""
    done = subprocess.run([BINARY, "collector", *arguments], capture_output=True, text=True, timeout=30, cwd=ROOT,
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr


# Scenario: the guide's file as it stands, with the arguments of an operator that once set a gate, in front of a backend.
# Guarantees: it says the words that scripts wait for, and what of each scrape the file leaves; what is no scrape reaches the backend; SIGTERM
# ends it with 0.
def test_the_guides_file_forwards_what_is_no_scrape():
    backend = Backend()
    process = Process("collector", f"--config={GUIDE}", "--feature-gates=-component.UseLocalHostAsDefaultHost", *FREE_PORTS,
                      f"--set=exporters.otlp/jaeger.endpoint=127.0.0.1:{backend.port}")
    process.wait_for_line("Everything is ready. Begin running and processing data.")
    assert "leave the client's span of each scrape" in process.log()
    expected = {}
    for path in sorted(SCRAPED.glob("*.pb")):
        export_grpc(process.grpc_port, path.read_bytes())
        for key, spans in expected_spans(trace_service_pb2.ExportTraceServiceRequest.FromString(path.read_bytes())).items():
            expected.setdefault(key, []).extend(span for span in spans if not is_scrape(span))
    expected = {key: spans for key, spans in expected.items() if spans}
    assert process.stop() == 0, process.log()
    assert backend.spans() == expected
    backend.stop()


# Scenario: the guide's file, the same with a section that is not there, and no file at all.
# Guarantees: silence and 0; "Error:" with the place and what is valid, and 1; the usage, and 1.
def test_validate_is_silent_or_says_what_is_wrong():
    assert run("validate", f"--config={GUIDE}") == (0, "", "")
    code, output, error = run("validate", f"--config={GUIDE}", "--config=yaml:exporters::otlp/jaeger::endpont: x:1")
    assert (code, output) == (1, "")
    assert error.startswith("Error: yaml:") and "has invalid keys: endpont" in error and 'did you mean "endpoint"' in error
    code, output, error = run()
    assert code == 1 and "Usage: spanloom collector" in output and error == "Error: at least one config flag must be provided\n"
    code, _, error = run("--confg=x")
    assert code == 1 and error.startswith("Error: ") and "--confg" in error


# Scenario: a configuration from three places, one an environment variable, with a credential.
# Guarantees: they are merged in order; secrets are shown only to who asks; both formats say the same.
def test_print_config_shows_what_would_run():
    places = [f"--config={GUIDE}", "--config=env:MORE", "--config=yaml:processors::batch::timeout: ${env:WAIT}"]
    environment = {"MORE": "exporters: {otlp/jaeger: {headers: {authorization: Bearer abc}}}", "WAIT": "3s"}
    code, as_yaml, error = run("print-config", *places, environment=environment)
    assert code == 0, error
    _, as_json, _ = run("print-initial-config", "--format=json", f"--config=yaml:{as_yaml}")
    config = json.loads(as_json)
    assert config["processors"]["batch"] == {"send_batch_size": 1024, "timeout": "3s"}
    assert config["exporters"]["otlp/jaeger"].pop("headers") == {"authorization": "[REDACTED]"}
    _, as_json, _ = run("print-initial-config", "--format=json", "--mode=unredacted", *places, environment=environment)
    shown = json.loads(as_json)
    assert shown["exporters"]["otlp/jaeger"].pop("headers") == {"authorization": "Bearer abc"}
    assert shown == config


# Scenario: the list of components.
# Guarantees: old names beside new ones; no component of the store, which a collector has not.
def test_components_are_listed():
    code, output, _ = run("components")
    names = [line.split(": ")[1] for line in output.splitlines() if line.startswith("  - name: ")]
    assert code == 0 and {"otlp", "otlp_grpc", "debug", "batch"} <= set(names) and "spanloom_store" not in names


def prompts(count, size):
    """A request of `count` spans with a prompt of `size` bytes each, and what is expected of it."""
    request = trace_service_pb2.ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(count):
        span = spans.add(trace_id=bytes(15) + b"\x01", span_id=(number + 1).to_bytes(8, "big"), name=f"chat {number}",
                         start_time_unix_nano=1, end_time_unix_nano=2)
        span.attributes.add(key="gen_ai.input.messages").value.string_value = "x" * size
    return request.SerializeToString(), expected_spans(request)


# Scenario: the guide's batch of 1024 spans, with 20 KB of prompt in each span, in front of two backends: one with gRPC's usual limit of 4 MiB,
# one that takes 1 MiB and says so only when it refuses.
# Guarantees: both get every span once. The original loses all of it to either.
def test_prompts_do_not_exceed_what_backends_take(tmp_path):
    usual, small = Backend(), Backend(request_bytes_max=1 << 20)
    path = tmp_path / "config.yaml"
    path.write_text(f"""
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:0"}}, http: {{endpoint: "127.0.0.1:0"}}}}}}}}
processors: {{batch: {{send_batch_size: 1024, timeout: 1s}}}}
exporters:
  otlp_grpc/usual: {{endpoint: "127.0.0.1:{usual.port}", tls: {{insecure: true}}}}
  otlp_grpc/small: {{endpoint: "127.0.0.1:{small.port}", tls: {{insecure: true}}, compression: none}}
service:
  telemetry: {{metrics: {{address: "127.0.0.1:0"}}, logs: {{encoding: json}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [otlp_grpc/usual, otlp_grpc/small]}}}}
""")
    process = Process("collector", f"--config={path}").wait_until_ready()
    body, expected = prompts(150, 20_000)
    for _ in range(3):
        export_grpc(process.grpc_port, body)
    assert process.stop() == 0, process.log()
    for backend in (usual, small):
        assert backend.spans() == {key: spans * 3 for key, spans in expected.items()}
        backend.stop()


# Scenario: a collector that sends to another over HTTP, in JSON and in protobuf.
# Guarantees: what arrives behind both is what was sent.
def test_otlp_http_reaches_the_next_collector(tmp_path):
    backend = Backend()
    forward = tmp_path / "forward.yaml"
    forward.write_text(f"""
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:0"}}, http: {{endpoint: "127.0.0.1:0"}}}}}}}}
exporters: {{otlp: {{endpoint: "127.0.0.1:{backend.port}", tls: {{insecure: true}}}}}}
service:
  telemetry: {{metrics: {{address: "127.0.0.1:0"}}, logs: {{encoding: json}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}
""")
    second = Process("collector", f"--config={forward}").wait_until_ready()
    edge = tmp_path / "edge.yaml"
    edge.write_text(f"""
exporters:
  otlp: null
  otlphttp/proto: {{endpoint: "http://127.0.0.1:{second.http_port}"}}
  otlp_http/json: {{traces_endpoint: "http://127.0.0.1:{second.http_port}/v1/traces", encoding: json, compression: none}}
service: {{pipelines: {{traces: {{exporters: [otlphttp/proto, otlp_http/json]}}}}}}
""")
    first = Process("collector", f"--config={forward}", f"--config={edge}", f"--set=exporters.otlp.endpoint=127.0.0.1:{backend.port}")
    first.wait_until_ready()
    path = next(SCRAPED.glob("*.pb"))
    export_grpc(first.grpc_port, path.read_bytes())
    assert first.stop() == 0, first.log()
    assert second.stop() == 0, second.log()
    expected = expected_spans(trace_service_pb2.ExportTraceServiceRequest.FromString(path.read_bytes()))
    assert backend.spans() == {key: spans * 2 for key, spans in expected.items()}
    backend.stop()


def families(page):
    """Names of metrics with the labels of their series, as a page of Prometheus shows them."""
    found = {}
    for line in page.splitlines():
        if line and not line.startswith("#"):
            name, labels = re.match(r"(\w+)(?:\{(.*)\})? ", line).groups()
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels or ""))
    return found


# Scenario: the page of a real Collector that ran the guide's pipeline, and ours after the same.
# Guarantees: whatever a dashboard or alert asks for is there under that name with those labels. What is left out counts Go's memory and its
# page's own errors; an exporter's destination is no label.
def test_the_metrics_page_has_the_collectors_names():
    backend = Backend()
    process = Process("collector", f"--config={GUIDE}", *FREE_PORTS, f"--set=exporters.otlp/jaeger.endpoint=127.0.0.1:{backend.port}")
    process.wait_until_ready()
    for path in sorted(SCRAPED.glob("*.pb")):
        export_grpc(process.grpc_port, path.read_bytes())
    wait_for(lambda: process.metric("otelcol_exporter_sent_spans") > 0)
    ours = families(request(f"http://127.0.0.1:{process.ports['telemetry']}/metrics")[2].decode())
    recorded = families((ROOT / "tests/data/collector/metrics_page.txt").read_text())
    left_out = {"otelcol_process_runtime_total_alloc_bytes", "promhttp_metric_handler_errors_total"}
    for name, labels in recorded.items():
        assert name in left_out or labels - {"server_address", "server_port"} <= ours[name], name
    assert process.metric("otelcol_process_memory_rss") > 1 << 20 and process.metric("otelcol_process_cpu_seconds") > 0
    assert process.stop() == 0, process.log()
    backend.stop()


# Scenario: the reader that the operator writes, asking for the names of other versions, and attributes of the process.
# Guarantees: counters end in _total; the attributes are on every metric and in target_info.
def test_a_reader_names_metrics_as_it_was_told():
    reader = """{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0, without_type_suffix: false, without_units: false,
                 with_resource_constant_labels: {included: [service.name]}}}}}"""
    process = Process("collector", f"--config={GUIDE}", *[setting for setting in FREE_PORTS if "metrics" not in setting],
                      f"--set=service.telemetry.metrics.readers=[{reader}]", "--set=service.telemetry.resource={service.name: edge}")
    process.wait_until_ready()
    ours = families(request(f"http://127.0.0.1:{process.ports['telemetry']}/metrics")[2].decode())
    assert {"otelcol_process_uptime_seconds_total", "otelcol_process_memory_rss_bytes", "target_info"} <= ours.keys()
    assert all("service_name" in labels for labels in ours.values())
    assert process.metric("target_info", service_name="edge") == 1
    assert process.stop() == 0, process.log()


# Scenario: llm-d's recipe of payload capture: a second pipeline that masks what looks like a card number or a token, keeps the spans that have
# a prompt, and writes them to a file.
# Guarantees: the file has those spans alone, as lines of OTLP JSON, with the secrets masked; the backend gets what was sent.
def test_payload_capture_as_llm_d_has_it(tmp_path):
    backend, payloads = Backend(), tmp_path / "payloads" / "payload-spans.json"
    path = tmp_path / "config.yaml"
    path.write_text(f"""
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:0"}}, http: {{endpoint: "127.0.0.1:0"}}}}}}}}
processors:
  redaction/payloads:
    allow_all_keys: true
    blocked_values:
      - "4[0-9]{{12}}(?:[0-9]{{3}})?"
      - "Bearer [A-Za-z0-9._-]+"
    summary: debug
  filter/payload-events-only:
    error_mode: ignore
    traces:
      span:
        - 'attributes["gen_ai.input.messages"] == nil'
  batch/payload: {{send_batch_size: 256, timeout: 2s}}
exporters:
  otlp/jaeger: {{endpoint: "127.0.0.1:{backend.port}", tls: {{insecure: true}}}}
  file/payloads:
    path: {payloads}
    create_directory: true
    rotation: {{max_megabytes: 100, max_days: 7, max_backups: 5, localtime: false}}
service:
  telemetry: {{metrics: {{address: "127.0.0.1:0"}}, logs: {{encoding: json}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp/jaeger]}}
    traces/payloads:
      receivers: [otlp]
      processors: [redaction/payloads, filter/payload-events-only, batch/payload]
      exporters: [file/payloads]
""")
    process = Process("collector", f"--config={path}").wait_until_ready()
    request_with_prompt = trace_service_pb2.ExportTraceServiceRequest()
    spans = request_with_prompt.resource_spans.add().scope_spans.add().spans
    for number, prompt in enumerate(["pay with 4111111111111111 please", "Bearer abc.def", None]):
        span = spans.add(trace_id=bytes(15) + b"\x01", span_id=bytes(7) + bytes([number + 1]), name=f"chat {number}")
        if prompt:
            span.attributes.add(key="gen_ai.input.messages").value.string_value = prompt
    export_grpc(process.grpc_port, request_with_prompt.SerializeToString())
    assert process.stop() == 0, process.log()
    assert backend.spans() == expected_spans(request_with_prompt)
    written = [json.loads(line) for line in payloads.read_text().splitlines()]
    found = [span for line in written for resource in line["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]
    prompts_found = {span["name"]: next(attribute["value"]["stringValue"] for attribute in span["attributes"]
                                        if attribute["key"] == "gen_ai.input.messages") for span in found}
    assert prompts_found == {"chat 0": "pay with **** please", "chat 1": "****"}
    backend.stop()
