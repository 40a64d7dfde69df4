# SPDX-License-Identifier: Apache-2.0
"""`spanloom collector`: an OpenTelemetry Collector's configuration and command line as they stand."""

import json
import os
import subprocess

from conftest import BINARY, RECORDED, ROOT, Process, export_grpc
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
# Guarantees: it says the words that scripts wait for; what is no scrape reaches the backend; SIGTERM ends it with 0.
def test_the_guides_file_forwards_what_is_no_scrape():
    backend = Backend()
    process = Process("collector", f"--config={GUIDE}", "--feature-gates=-component.UseLocalHostAsDefaultHost", *FREE_PORTS,
                      f"--set=exporters.otlp/jaeger.endpoint=127.0.0.1:{backend.port}")
    process.wait_for_line("Everything is ready. Begin running and processing data.")
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
