# SPDX-License-Identifier: Apache-2.0
"""`spanloom doctor` as a user calls it, and the list of rules in its documentation."""

import json
import pathlib
import re
import socket
import subprocess
import time

import pytest
from conftest import BINARY, Serve, request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VALUES = """tracing:
  enabled: true
  vllm:
    collectDetailedTraces: scheduler
"""


def doctor(*arguments, stdin=""):
    return subprocess.run([str(BINARY), "doctor", *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=60)


def test_says_what_is_wrong_where_and_how_to_mend_it(tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text(VALUES)
    result = doctor(values)
    assert result.returncode == 1
    assert result.stdout.startswith(f'{values}:4: error: collectDetailedTraces is "scheduler"')
    assert '  fix:\n    collectDetailedTraces: "all"\n' in result.stdout
    found = json.loads(doctor("--output=json", values).stdout)
    assert [(finding["rule"], finding["line"]) for finding in found["findings"]] == [("detailed-traces", 4)]
    assert (found["errors"], found["warnings"], found["notes"]) == (1, 0, 0)


def test_a_file_that_is_mended_is_well():
    result = doctor("-", stdin=VALUES.replace("scheduler", '"all"'))
    assert (result.returncode, result.stdout) == (0, "nothing found\n")


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    result = doctor(tmp_path / "missing.yaml")
    assert result.returncode == 2 and "missing.yaml: can't be read: No such file" in result.stderr
    assert doctor().returncode == 2


def test_each_rule_is_documented_and_each_documented_rule_exists():
    paths = [*(ROOT / "src/doctor").glob("*.cc"), *(ROOT / "src/cli/doctor").glob("*.cc")]
    sources = "".join(path.read_text() for path in paths if not path.name.endswith("_test.cc"))
    rules = set(re.findall(r'findings\s*\.\s*(?:Error|Warning|Note)\(\s*"([a-z-]+)"', sources)) | set(re.findall(r'"((?:live|cluster)-[a-z-]+)"', sources))
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/doctor.md").read_text(), re.MULTILINE))
    assert rules == documented and len(rules) > 30


@pytest.fixture(scope="module")
def serve():
    process = Serve("--in-memory").wait_until_ready()
    yield process
    process.stop()


def live(serve, *arguments):
    result = doctor("live", f"--backend=127.0.0.1:{serve.page_port}", f"--metrics=127.0.0.1:{serve.ports['telemetry']}", "--output=json", "--settle-seconds=0", *arguments)
    return result.returncode, [finding["rule"] for finding in json.loads(result.stdout)["findings"]]


def test_live_finds_what_is_missing_and_orphaned(serve):
    """Scenario: nothing has arrived; then a span of an engine whose caller has not. Guarantees: both are found; what is expected and there is not."""
    assert live(serve) == (1, ["live-no-services"])
    now = time.time_ns()
    span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "parentSpanId": "00f067aa0ba902b7", "name": "llm_request",
            "startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1_000_000)}
    body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "vllm-decode"}}]}, "scopeSpans": [{"spans": [span]}]}]}
    assert request(f"http://127.0.0.1:{serve.http_port}/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json"})[0] == 200
    assert live(serve, "--expect=vllm-decode,vllm-prefill") == (1, ["live-service-absent", "live-orphans", "live-no-root"])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_live_says_that_nobody_answers():
    result = doctor("live", f"--backend=127.0.0.1:{free_port()}", "--metrics=none")
    assert result.returncode == 1 and "error: no answer" in result.stdout and "[live-no-answer]" in result.stdout
