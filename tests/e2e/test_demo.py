# SPDX-License-Identifier: Apache-2.0
"""`spanloom demo`: the whole path of a request through real processes, and nothing left of them at the end."""

import os
import re
import signal
import subprocess
import time

import pytest
from conftest import BINARY, get_json

SPANS = 8  # of a request with two legs: two of the request, two a leg, two of the engines
PATIENCE_SECONDS = 60  # generous: sanitizer builds on a busy machine


class Demo:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([str(BINARY), "demo", "--free-ports", "--rate=20", *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = ""
        for line in self.process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        page = re.search(r"page +(http://\S+)", said)
        assert page, said + self.process.stderr.read()
        self.page = page.group(1)
        self.api = re.search(r"OpenAI +(http://\S+)", said).group(1)

    def children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def disaggregated_trace(self):
        """The spans of a trace that has a prefill and a decode leg, both whole."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            _, found = get_json(self.page + "/api/traces?service=routing-proxy&limit=50&lookback=1h")
            for trace in found["data"]:
                services = {process["serviceName"] for process in trace["processes"].values()}
                if {"routing-proxy", "vllm-prefill", "vllm-decode"} <= services and len(trace["spans"]) >= SPANS:
                    return trace
            time.sleep(0.1)
        raise AssertionError("no trace has prefill and decode")

    def stop(self, sign=signal.SIGINT):
        self.process.send_signal(sign)
        out, error = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, out + error


@pytest.fixture
def demo():
    running = Demo()
    yield running
    running.process.kill()
    running.process.communicate()


def tree(trace):
    """(service, name) of each span with its children's, in order of start."""
    spans = {span["spanID"]: span for span in trace["spans"]}
    children = {}
    roots = []
    for span in sorted(trace["spans"], key=lambda span: span["startTime"]):
        parent = next((ref["spanID"] for ref in span["references"] if ref["refType"] == "CHILD_OF"), None)
        (children.setdefault(parent, []) if parent in spans else roots).append(span)

    def shape(span):
        return (trace["processes"][span["processID"]]["serviceName"], span["operationName"], [shape(child) for child in children.get(span["spanID"], [])])

    return [shape(root) for root in roots]


def test_a_request_is_one_trace_with_both_legs_as_siblings(demo):
    """Scenario: the demo runs for a while. Guarantees: the guide's services and spans, prefill and decode side by side below the request, each with the
    engine's span below its client's; the request has its time to first token."""
    trace = demo.disaggregated_trace()
    leg = lambda name, service: ("routing-proxy", name, [("routing-proxy", "HTTP POST", [(service, "llm_request", [])])])
    assert tree(trace) == [("routing-proxy", "llm_d.pd_proxy.POST /v1/chat/completions", [
        ("routing-proxy", "llm_d.pd_proxy.request", [leg("llm_d.pd_proxy.prefill", "vllm-prefill"), leg("llm_d.pd_proxy.decode", "vllm-decode")])])]
    request = next(span for span in trace["spans"] if span["operationName"] == "llm_d.pd_proxy.request")
    tags = {tag["key"]: tag["value"] for tag in request["tags"]}
    assert 0 < tags["llm_d.pd_proxy.ttft_ms"] <= tags["llm_d.pd_proxy.total_duration_ms"]


def test_ctrl_c_stops_everything(demo):
    """Guarantees: exit status 0, the numbers of the run, and no process of it is left."""
    children = demo.children()
    assert len(children) == 4, children
    code, said = demo.stop()
    assert code == 0, said
    assert re.search(r"\d+ requests, \d+ answered, 0 failed", said), said
    for pid in children:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_part_that_ends_is_named(demo):
    """Scenario: the simulator that prefills is killed. Guarantees: the demo ends with 1, and says which part it was and where its log is."""
    for pid in demo.children():
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        if b"simulator" in words and b"prefill" in words:
            os.kill(pid, signal.SIGKILL)
    _, error = demo.process.communicate(timeout=PATIENCE_SECONDS)
    assert demo.process.returncode == 1
    assert "prefill ended (signal 9)" in error, error


def test_it_ends_by_itself_after_its_duration():
    demo = Demo("--duration=1s", "--prefill=2", "--decode=2")
    assert len(demo.children()) == 7
    demo.process.communicate(timeout=PATIENCE_SECONDS)
    assert demo.process.returncode == 0
