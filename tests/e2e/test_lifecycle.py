# SPDX-License-Identifier: Apache-2.0
"""Start, configuration, forwarding, stop."""

import json
import pathlib
import subprocess

import grpc
import pytest
from conftest import ALL_TIME, BINARY, FREE_PORTS, RECORDED, ROOT, export_grpc, export_http, get_json
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_backend import Backend
from otlp_expectations import expected_spans, is_scrape

NOISE = RECORDED / "llmd-sched-0.6.0"
GUIDE = ROOT / "tests/data/config/guide-otel-collector.yaml"


@pytest.fixture
def collector():
    server = Backend()
    yield server
    server.stop()


# Scenario: the guide's own collector file, unchanged but for the ports of this test, on recorded llm-d traffic with scrape noise.
# Guarantees: the backend gets every span but the scrapes, with gzip, exactly as sent; the store holds the same spans.
def test_guide_config_forwards_what_its_filter_leaves(start, collector):
    serve = start(f"--config={GUIDE}", f"--set=exporters.otlp/jaeger.endpoint=127.0.0.1:{collector.port}")
    assert "spanloom_store" in serve.log()
    expected = {}
    for path in sorted(NOISE.glob("*.pb")):
        export_grpc(serve.grpc_port, path.read_bytes())
        for key, spans in expected_spans(trace_service_pb2.ExportTraceServiceRequest.FromString(path.read_bytes())).items():
            expected.setdefault(key, []).extend(span for span in spans if not is_scrape(span))
    expected = {key: spans for key, spans in expected.items() if spans}
    total = sum(len(spans) for spans in expected.values())
    assert 0 < total < 569
    collector.wait_for_spans(total)
    assert collector.spans() == expected
    assert serve.metric("otelcol_processor_filter_spans_filtered") == 569 - total
    assert serve.metric("otelcol_exporter_sent_spans", exporter="otlp/jaeger") == total
    stored = sum(len(serve.trace(trace_id)["spans"]) for trace_id in {trace_id for trace_id, _ in expected})
    assert stored == total


# Scenario: a backend that refuses the first two calls.
# Guarantees: retried until it takes them; nothing is lost or sent twice.
def test_exporter_retries_what_the_backend_refused(start, tmp_path):
    collector = Backend(failures=2)
    path = tmp_path / "config.yaml"
    path.write_text(f"""
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:{collector.port}
    tls: {{insecure: true}}
    retry_on_failure: {{initial_interval: 10ms}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
""")
    serve = start(f"--config={path}")
    body = (RECORDED / "sdk-go-grpc/001-go-shop.pb").read_bytes()
    export_grpc(serve.grpc_port, body)
    collector.wait_for_spans(512)
    assert collector.bodies == [body]
    collector.stop()


# Scenario: SIGTERM right after spans were acknowledged that still wait in a batch.
# Guarantees: they are delivered before the process ends, with exit code 0.
def test_sigterm_drains_the_batch(start, collector):
    serve = start(f"--config={GUIDE}", f"--set=exporters.otlp/jaeger.endpoint=127.0.0.1:{collector.port}", "--set=processors.batch.timeout=60s")
    export_grpc(serve.grpc_port, (RECORDED / "vllm-0.32-direct/001-vllm-decode.pb").read_bytes())
    assert collector.bodies == []
    assert serve.stop() == 0, serve.log()
    assert sum(len(spans) for spans in collector.spans().values()) == 9


# Scenario: a clean stop and a new start on the same data directory.
# Guarantees: the traces are there again.
def test_traces_survive_a_restart(start, tmp_path):
    first = start(f"--data-dir={tmp_path}/data")
    export_grpc(first.grpc_port, (RECORDED / "sdk-python-grpc/001-checkout.pb").read_bytes())
    before = first.get(f"/api/traces?limit=1000&{ALL_TIME}")[1]["data"]
    assert first.stop() == 0
    second = start(f"--data-dir={tmp_path}/data")
    after = second.get(f"/api/traces?limit=1000&{ALL_TIME}")[1]["data"]
    assert before and after == before


# Scenario: health before and after the start, own metrics, and the page.
# Guarantees: each listener answers on its port.
def test_every_listener_answers(serve):
    status, body = get_json(f"http://127.0.0.1:{serve.ports['health_check']}/")
    assert (status, body["status"]) == (200, "Server available")
    assert serve.metric("otelcol_receiver_accepted_spans") == 0
    assert set(serve.ports) == {"otlp/grpc", "otlp/http", "spanloom_query", "health_check", "telemetry"}


# Scenario: one endpoint for both protocols.
# Guarantees: gRPC, HTTP/protobuf and HTTP/JSON are served on one port.
def test_one_port_for_all_protocols(start):
    import socket
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    serve = start(*FREE_PORTS[2:], f"--set=receivers.otlp.protocols.grpc.endpoint=127.0.0.1:{port}", f"--set=receivers.otlp.protocols.http.endpoint=127.0.0.1:{port}", free_ports=False)
    body = (RECORDED / "vllm-0.32-direct/001-vllm-decode.pb").read_bytes()
    export_grpc(port, body)
    assert export_http(port, body)[0] == 200
    assert serve.metric("otelcol_receiver_accepted_spans") == 18
    assert serve.metric("spanloom_store_duplicate_spans") == 9


def printed(*arguments, env=None):
    return subprocess.run([BINARY, "serve", *arguments, "print-config"], capture_output=True, text=True, timeout=30, env=env)


# Scenario: two files, --set and an environment variable.
# Guarantees: print-config shows the merge; later wins; secrets are not shown.
def test_print_config_shows_the_merge(tmp_path):
    (tmp_path / "a.yaml").write_text("processors:\n  batch:\n    send_batch_size: 10\n    timeout: ${env:WAIT:-5s}\n")
    (tmp_path / "b.yaml").write_text("processors:\n  batch:\n    send_batch_size: 20\nexporters:\n  otlp_grpc:\n    endpoint: x:1\n    headers: {authorization: secret-token}\n    tls: {insecure: true}\n")
    result = printed(f"--config={tmp_path}/a.yaml", f"--config={tmp_path}/b.yaml", "--set=processors.batch.timeout=7s")
    assert result.returncode == 0, result.stderr
    assert "send_batch_size: 20" in result.stdout and "timeout: 7s" in result.stdout and "spanloom_query" in result.stdout
    assert "secret-token" not in result.stdout + result.stderr
    environment = {"WAIT": "9s"}
    assert "timeout: 9s" in printed(f"--config={tmp_path}/a.yaml", env=environment).stdout
    assert "timeout: 5s" in printed(f"--config={tmp_path}/a.yaml", env={}).stdout


# Scenario: nothing configured; then --listen.
# Guarantees: everything is on loopback by default, and --listen moves every listener whose endpoint is not written out.
def test_listen_sets_the_host_of_every_listener():
    assert "0.0.0.0" not in printed().stdout
    moved = printed("--listen=0.0.0.0", "--set=extensions.health_check.endpoint=127.0.0.1:13133").stdout
    assert moved.count("0.0.0.0:") == 3 and "host: 0.0.0.0" in moved and "127.0.0.1:13133" in moved


# Scenario: spanloom --version.
# Guarantees: version, commit, compiler and libraries are named.
def test_version_names_what_it_is_built_of():
    text = subprocess.run([BINARY, "--version"], capture_output=True, text=True, timeout=30).stdout
    for word in ("spanloom 0.", "commit", "compiler", "Boost 1.81", "nghttp2", "simdjson"):
        assert word in text, text


def tracegen(*arguments):
    result = subprocess.run([BINARY, "tracegen", "--report=json", "--progress=never", *arguments], capture_output=True, text=True, timeout=120)
    return result.returncode, json.loads(result.stdout)


# Scenario: tracegen over both protocols into a server; then into a port where nobody listens.
# Guarantees: what it reports as acknowledged is what the server counted and stored; a failure is reported as such.
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_tracegen_reports_the_truth(serve, protocol):
    port = serve.grpc_port if protocol == "grpc" else serve.http_port
    code, report = tracegen(f"--endpoint=127.0.0.1:{port}", f"--protocol={protocol}", "--traces=50", "--seed=7")
    assert code == 0
    assert report["traces"] == 50
    assert report["acknowledged_spans"] == serve.metric("otelcol_receiver_accepted_spans", transport=protocol)
    assert len(serve.get(f"/api/traces?limit=1000&{ALL_TIME}")[1]["data"]) == 50


def test_tracegen_reports_what_was_not_delivered(start):
    serve = start()
    port = serve.grpc_port
    serve.stop()
    code, report = tracegen(f"--endpoint=127.0.0.1:{port}", "--traces=5", "--retries=0", "--seed=7")
    assert code == 1
    assert report["acknowledged_spans"] == 0
