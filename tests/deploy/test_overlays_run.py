# SPDX-License-Identifier: Apache-2.0
"""Overlays whose configuration does more than the guide's, run as processes of this machine."""

import json
import ssl
import subprocess
import urllib.request

import pytest

from manifests import of_kind, overlay
from processes import SPAN, get, send, start, wait_for


@pytest.fixture
def run(tmp_path):
    running = []

    def begin(name, kind, workload, replacements=(), arguments=()):
        process, ports = start(of_kind(overlay(name), kind)[workload], overlay(name), tmp_path, replacements, arguments)
        running.append(process)
        return ports

    yield begin
    for process in running:
        process.terminate()
        process.wait(30)


def found(store):
    return get(f"http://127.0.0.1:{store['spanloom_query']}/api/traces/{SPAN['traceId']}")[0] == 200


# Scenario: a certificate in the Secret of `overlays/tls`; a sender trusts its authority.
# Guarantees: spans go in over TLS, and from the collector to the store over TLS too; cleartext is not taken.
def test_tls_is_on_both_legs(run, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=otel-collector",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(secret / "tls.key"), "-out", str(secret / "tls.crt")], check=True, capture_output=True)
    (secret / "ca.crt").write_bytes((secret / "tls.crt").read_bytes())
    mounted = ("/etc/spanloom-tls/", f"{secret}/")
    store = run("tls", "StatefulSet", "jaeger", [mounted])
    front = run("tls", "Deployment", "otel-collector", [mounted, ("jaeger-collector:4317", f"127.0.0.1:{store['otlp/grpc']}")])
    assert send(front["otlp/http"]) != 200
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}).encode()
    request = urllib.request.Request(f"https://127.0.0.1:{front['otlp/http']}/v1/traces", data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30, context=ssl.create_default_context(cafile=str(secret / "ca.crt"))) as answer:
        assert answer.status == 200
    wait_for(lambda: found(store))


PROMPT = "my card is 4111 1111 1111 1111 and my number 078-05-1120, Bearer abc.def"


# Scenario: spans with a prompt in an event, one in an attribute, and an event of another kind.
# Guarantees: the file has the prompt with what is secret masked, and not the other event; the store has no secret either.
def test_payloads_are_written_and_masked(run, tmp_path):
    folder = tmp_path / "payloads"
    folder.mkdir()
    store = run("payload-capture", "StatefulSet", "jaeger")
    front = run("payload-capture", "Deployment", "otel-collector", [("/var/llm-d/payloads", str(folder)), ("jaeger-collector:4317", f"127.0.0.1:{store['otlp/grpc']}")])
    text = [{"key": "gen_ai.input.messages", "value": {"stringValue": PROMPT}}]
    span = {**SPAN, "attributes": text, "events": [{"name": "prompt", "attributes": text}, {"name": "first token", "attributes": []}]}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    assert get(f"http://127.0.0.1:{front['otlp/http']}/v1/traces", body)[0] == 200
    written = folder / "payload-spans.json"
    wait_for(lambda: written.exists() and "my card is" in written.read_text())
    wait_for(lambda: found(store))
    shown = get(f"http://127.0.0.1:{store['spanloom_query']}/api/traces/{SPAN['traceId']}")[1].decode()
    assert "first token" not in written.read_text() and "first token" in shown
    for place in (written.read_text(), shown):
        assert "my card is" in place
        assert not any(secret in place for secret in ("4111", "078-05-1120", "abc.def"))


# Scenario: `overlays/multi-backend`, where Tempo is played by a second store.
# Guarantees: both have the trace.
def test_both_backends_have_the_trace(run):
    store, tempo = run("multi-backend", "StatefulSet", "jaeger"), run("multi-backend", "StatefulSet", "jaeger")
    front = run("multi-backend", "Deployment", "otel-collector", [("jaeger-collector:4317", f"127.0.0.1:{store['otlp/grpc']}")],
                [f"--set=exporters.otlp_grpc/backend.endpoint=127.0.0.1:{tempo['otlp/grpc']}"])
    assert send(front["otlp/http"]) == 200
    wait_for(lambda: found(store) and found(tempo))


# Scenario: a store on a volume is stopped and started again.
# Guarantees: its traces are still there.
def test_a_volume_keeps_the_traces(tmp_path, run):
    on_disk = [f"--set=exporters.spanloom_store.data_dir={tmp_path}/volume/store"]
    objects = overlay("persistent-volume")
    process, ports = start(of_kind(objects, "StatefulSet")["jaeger"], objects, tmp_path, arguments=on_disk)
    assert send(ports["otlp/http"]) == 200
    process.terminate()
    assert process.wait(60) == 0
    assert found(run("persistent-volume", "StatefulSet", "jaeger", arguments=on_disk))
