# SPDX-License-Identifier: Apache-2.0
"""`spanloom store` beside a running server, after a kill, and on stores of its own."""

import json
import os
import signal
import subprocess

import pytest
from conftest import BINARY, ROOT, get_json, recorded_files
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

TRACES = 150


def run(*arguments, code=0, **options):
    """Standard output of a command that ends with `code`."""
    done = subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, timeout=120, check=False, **options)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr.decode()


def send(server, traces):
    """Sends traces; returns how many spans were acknowledged."""
    report = json.loads(run("tracegen", "--endpoint", f"127.0.0.1:{server.grpc_port}", "--traces", traces, "--report", "json", "--progress", "never"))
    return report["acknowledged_spans"]


def spans_of(export):
    """What a file of requests behind their lengths has: (trace id, span id, name), sorted."""
    spans, at = [], 0
    while at < len(export):
        length = int.from_bytes(export[at:at + 4], "big")
        message = trace_service_pb2.ExportTraceServiceRequest.FromString(export[at + 4:at + 4 + length])
        at += 4 + length
        spans += [(span.trace_id, span.span_id, span.name) for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans]
    assert at == len(export)
    return sorted(spans)


def export(directory):
    return spans_of(run("store", "export", "--data-dir", directory, "--format", "proto"))


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


def test_reads_beside_a_running_server(start, data_dir, tmp_path):
    """Scenario: a server that is sent traces all the while; it is looked at, told to flush and to merge, and copied. Then it is killed.
    Guarantees: each verb sees what was acknowledged before; the copy and what the kill left have all of it."""
    server = start(f"--data-dir={data_dir}")
    sent = send(server, TRACES)
    assert len(export(data_dir)) == sent
    stats = json.loads(run("store", "stats", "--data-dir", data_dir, "--json"))
    assert stats["owner"].startswith(f"process {server.process.pid}, started ")
    assert b"nothing is wrong" in run("store", "check", "--data-dir", data_dir)

    sent += send(server, TRACES)
    assert b"all that is acknowledged is in segments" in run("store", "flush", "--data-dir", data_dir)
    assert json.loads(run("store", "stats", "--data-dir", data_dir, "--json"))["spans"] == sent
    assert b" segments before, " in run("store", "compact", "--data-dir", data_dir)
    sent += send(server, TRACES)
    gone = export(data_dir)[0][0]
    removed = sum(span[0] == gone for span in export(data_dir))
    assert run("store", "purge", "--data-dir", data_dir, "--trace", gone.hex()) == f"{removed} spans removed, nothing is left of 1 trace\n".encode()
    assert get_json(server.url(f"/api/traces/{gone.hex()}"))[0] == 404
    sent -= removed
    run("store", "backup", "--data-dir", data_dir, tmp_path / "copy")

    refused = run("store", "import", "--data-dir", data_dir, "-", code=1)
    assert f"is in use by process {server.process.pid}" in refused
    server.stop(signal.SIGKILL)
    assert b"nothing is wrong" in run("store", "check", "--data-dir", data_dir)
    spans = export(data_dir)
    assert len(spans) == sent
    assert export(tmp_path / "copy") == spans

    restored = start(f"--data-dir={tmp_path / 'copy'}")
    trace_id = spans[0][0].hex()
    assert len(restored.trace(trace_id)["spans"]) == sum(span[0] == spans[0][0] for span in spans)
    assert restored.stop() == 0
    assert run("store", "flush", "--data-dir", data_dir).endswith(b" frames of the log are in segments now\n")
    assert export(data_dir) == spans


def test_imports_what_others_exported(start, data_dir, tmp_path):
    """Scenario: recorded requests of real software in one file of each form, as the Collector's file exporter writes them; imported into one store,
    twice; then served. Guarantees: all spans, once; what is asked for by id is there."""
    bodies = [(path.read_bytes(), entry) for path, entry in recorded_files()]
    protobuf = [body for body, _ in bodies if not body.startswith(b"{")]
    (tmp_path / "traces.bin").write_bytes(b"".join(len(body).to_bytes(4, "big") + body for body in protobuf))
    (tmp_path / "traces.json").write_text("".join(json.dumps(json.loads(body)) + "\n" for body, _ in bodies if body.startswith(b"{")))
    wanted = spans_of((tmp_path / "traces.bin").read_bytes())
    assert len(wanted) > 500
    first = run("store", "import", "--data-dir", data_dir, tmp_path / "traces.bin", tmp_path / "traces.json")
    assert b" 0 requests refused" in first
    again = run("store", "import", "--data-dir", data_dir, tmp_path / "traces.bin", tmp_path / "traces.json")
    assert again.split(b" spans read, ")[0] == again.split(b" spans read, ")[1].split(b" of them known")[0]
    assert set(wanted) <= set(export(data_dir))

    server = start(f"--data-dir={data_dir}")
    status, _ = get_json(server.url(f"/api/traces/{wanted[0][0].hex()}"))
    assert status == 200


def test_pages_work_as_printed(start, tmp_path):
    """Scenario: the commands of docs/store.md, in their order, in a shell; the directories lie elsewhere.
    Guarantees: each succeeds."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/spanloom").symlink_to(BINARY.resolve())
    (tmp_path / "backup").mkdir()
    server = start(f"--data-dir={tmp_path / 'spanloom'}")
    send(server, TRACES)
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    commands = [line[2:] for line in (ROOT / "docs/store.md").read_text().splitlines() if line.startswith("$ ")]
    assert len(commands) > 10
    for command in commands:
        here = command.replace("/var/lib", str(tmp_path)).replace("/backup", str(tmp_path / "backup"))
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", here], cwd=tmp_path, env=environment, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr.decode()}"


def test_says_what_is_wrong(tmp_path):
    """Scenario: no store, a word that is no verb, values that options do not take. Guarantees: exit codes and messages that name it."""
    assert f"there is no store in {tmp_path}" in run("store", "check", "--data-dir", tmp_path, code=1)
    assert "is none of json, proto" in run("store", "export", "--data-dir", tmp_path, "--format", "xml", code=2)
    assert "is not a time such as" in run("store", "export", "--data-dir", tmp_path, "--from", "yesterday", code=2)
    assert "say which spans" in run("store", "purge", "--data-dir", tmp_path, code=1)
    assert "not a trace id" in run("store", "dump", "--data-dir", tmp_path, "--trace", "xyz", code=2)
    run("store", "mend", code=2)
    run("store", code=2)
    assert b"--data-dir" in run("store", "export", "--help")
