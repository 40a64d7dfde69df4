# SPDX-License-Identifier: Apache-2.0
"""docs/upgrade.md: what this version does with files of a newer one, and what is left to go back to."""

import hashlib
import json
import sqlite3
import subprocess
import urllib.request

import pytest

from manifests import BINARY, ROOT
from processes import FREE, SPAN, start_command

TRACE = SPAN["traceId"]
VERSION_AT = 8  # in the header of a segment and of a log's file, as two bytes


def run(*arguments, code=0):
    done = subprocess.run([str(BINARY), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def newer_catalogue(store):
    connection = sqlite3.connect(store / "catalogue.sqlite")
    connection.execute("PRAGMA user_version = 2")
    connection.close()


def newer_segment(store):
    path = next((store / "segments").glob("*.seg"))
    content = bytearray(path.read_bytes())
    content[VERSION_AT] = content[-12] = 2  # the header's and the footer's
    path.write_bytes(content)


def newer_log(folder):
    path = next(folder.rglob("*.log"))
    content = bytearray(path.read_bytes())
    content[VERSION_AT] = 2
    content[12:16] = crc32c(content[:12] + content[16:32]).to_bytes(4, "little")
    path.write_bytes(content)


def contents(store):
    """What its files hold, but for the name of the process that has it, and the journal of a transaction that is over."""
    return {path.relative_to(store): hashlib.sha256(path.read_bytes()).digest() for path in store.rglob("*")
            if path.is_file() and path.name not in ("LOCK", "catalogue.sqlite-journal")}


def killed_after_a_span(arguments, log):
    """Ends a process as a crash does, once it has taken a span over HTTP."""
    process, ports = start_command([str(BINARY), *arguments], {}, log)
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [{**SPAN, "traceId": "1" * 32}]}]}]}
    request = urllib.request.Request(f"http://127.0.0.1:{ports['otlp/http']}/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json"})
    assert urllib.request.urlopen(request, timeout=30).status == 200
    process.kill()
    process.wait()


@pytest.mark.parametrize("change, named", [(newer_catalogue, "catalogue.sqlite has version 2"), (newer_segment, ".seg: the segment has format version 2"), (newer_log, ".log has version 2")])
def test_a_newer_store_is_refused_and_its_backup_serves(change, named, tmp_path):
    """*Scenario:* a backup; then a newer version has written a file of the store; the older one comes back. *Guarantees:* it names file and versions, and changes nothing; the backup has the traces."""
    store, backup = tmp_path / "store", tmp_path / "backup"
    run("store", "import", "--data-dir", store, ROOT / "tests/guide/user/traces.json")
    run("store", "backup", "--data-dir", store, backup)
    killed_after_a_span(["serve", "--log-format=json", f"--data-dir={store}", *FREE], tmp_path / "first.log")
    segment = next((store / "segments").glob("*.seg"))
    segment.with_suffix(".copy").write_bytes(segment.read_bytes())  # the backup has the same file by another name: this one is to be changed alone
    segment.with_suffix(".copy").rename(segment)
    change(store)
    before = contents(store)
    said = run("serve", f"--data-dir={store}", *FREE, code=1)
    assert named in said and "newer" in said and contents(store) == before
    process, ports = start_command([str(BINARY), "serve", "--log-format=json", f"--data-dir={backup}", *FREE], {}, tmp_path / "backup.log")
    assert TRACE in urllib.request.urlopen(f"http://127.0.0.1:{ports['spanloom_query']}/api/traces/{TRACE}", timeout=30).read().decode()
    process.terminate()
    assert process.wait(60) == 0


def test_a_newer_queue_is_refused(tmp_path):
    """*Scenario:* a request waits in a queue's file; a newer version has written that. *Guarantees:* a collector of this one names it, and does not start."""
    (tmp_path / "collector.yaml").write_text(f"""
receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}
extensions: {{file_storage: {{directory: {tmp_path}/queues, create_directory: true}}}}
exporters: {{otlp_grpc: {{endpoint: "127.0.0.1:1", tls: {{insecure: true}}, sending_queue: {{storage: file_storage}}}}}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}, logs: {{encoding: json}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_grpc]}}}}
""")
    killed_after_a_span(["collector", f"--config={tmp_path}/collector.yaml"], tmp_path / "collector.log")
    newer_log(tmp_path / "queues")
    said = run("collector", f"--config={tmp_path}/collector.yaml", code=1)
    assert ".log has version 2" in said and "newer" in said
