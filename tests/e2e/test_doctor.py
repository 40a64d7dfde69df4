# SPDX-License-Identifier: Apache-2.0
"""`spanloom doctor` as a user calls it, and the list of rules in its documentation."""

import collections
import json
import pathlib
import re
import socket
import subprocess
import time

import pytest
from conftest import BINARY, Serve, export_grpc, recorded_files, request

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
    result = doctor("a" * 300)
    assert result.returncode == 2 and "can't be read: File name too long" in result.stderr
    assert doctor().returncode == 2


def test_a_directory_is_a_usage_error(tmp_path):
    result = doctor(tmp_path)
    assert result.returncode == 2 and f"{tmp_path}: can't be read: Is a directory; name the files in it" in result.stderr


def test_a_file_without_end_is_a_usage_error():
    result = doctor("/dev/zero")
    assert result.returncode == 2 and "/dev/zero: can't be read: File too large" in result.stderr


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


def findings_of_recorded(folder):
    """{rule: [what it says]} of a backend that has the recorded requests of that folder."""
    process = Serve("--in-memory").wait_until_ready()
    try:
        for path, _ in recorded_files():
            if path.parent.name == folder:
                export_grpc(process.grpc_port, path.read_bytes())
        result = doctor("live", f"--backend=127.0.0.1:{process.page_port}", "--metrics=none", "--output=json", "--lookback=87600h", "--traces=200")
    finally:
        process.stop()
    found = collections.defaultdict(list)
    for finding in json.loads(result.stdout)["findings"]:
        found[finding["rule"]].append(finding["what"])
    return found


def test_live_finds_what_real_schedulers_and_proxies_of_v06_do():
    """Scenario: the recorded spans of 50 requests through scheduler and proxy v0.6; 34 had a client's traceparent and reached an engine, 45 were prefilled elsewhere.
    Guarantees: those 34 are found in two traces by their ids, the engines beside the proxy, the decode legs below prefill."""
    found = findings_of_recorded("llmd-sched-0.6.0")
    assert len(found["live-request-split"]) == 1
    assert found["live-request-split"][0].startswith("34 requests came in two traces, of gateway-api-inference-extension and of routing-proxy (")
    assert "schedulers up to v0.6" in found["live-request-split"][0]
    assert [what.split(" came ")[0] for what in found["live-engine-beside-proxy"]] == ["47 spans of vllm-decode", "48 spans of vllm-prefill"]
    assert [what.split(" lay ")[0] for what in found["live-decode-under-prefill"]] == ["45 decode spans of routing-proxy"]


def test_live_finds_the_rest_in_what_the_router_of_august_2026_does():
    found = findings_of_recorded("llmd-router-head")
    assert not {"live-request-split", "live-request-mixed", "live-engine-beside-proxy"} & set(found)
    assert [what.split(" lay ")[0] for what in found["live-decode-under-prefill"]] == ["46 decode spans of routing-proxy"]


def test_live_looks_as_far_back_as_it_is_told(serve):
    """Scenario: a span of three hours ago. Guarantees: it is looked at if it lies within the lookback, not else; a lookback that is none is a usage error."""
    start = time.time_ns() - 3 * 3600 * 10**9
    span = {"traceId": "1af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203332", "name": "GET /metrics", "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 1_000_000)}
    body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "old"}}]}, "scopeSpans": [{"spans": [span]}]}]}
    assert request(f"http://127.0.0.1:{serve.http_port}/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json"})[0] == 200
    assert "live-only-gets" not in live(serve)[1]
    assert "live-only-gets" not in live(serve, "--lookback=2h")[1]
    assert "live-only-gets" in live(serve, "--lookback=4h")[1]
    refused = doctor("live", "--lookback=long")
    assert refused.returncode == 2 and "expected a duration above 0, such as 1h, 30m or 48h; got long" in refused.stderr


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_live_says_that_nobody_answers():
    result = doctor("live", f"--backend=127.0.0.1:{free_port()}", "--metrics=none")
    assert result.returncode == 1 and "error: no answer" in result.stdout and "[live-no-answer]" in result.stdout
