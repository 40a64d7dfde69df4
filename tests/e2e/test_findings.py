# SPDX-License-Identifier: Apache-2.0
"""What a process finds wrong with itself: asked by its API, shown by its page."""

import json
import re
import signal
import socket
import time

import pytest
from conftest import Process, export_http, request, wait_for
from playwright.sync_api import expect
from test_page import SHOTS, browser, page  # noqa: F401 -- fixtures

TRACE = "0af7651916cd43dd8448eb211c80319c"
ROOT_SPAN, CHILD_SPAN = "00f067aa0ba902b7", "b7ad6b7169203331"
CONFIG = """
processors:
  filter/gets:
    traces:
      span: ['{condition}']
  batch: {{timeout: 10ms}}
exporters:
  otlp_grpc/away: {{endpoint: "127.0.0.1:{port}", tls: {{insecure: true}}, retry_on_failure: {{enabled: false}}}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [filter/gets, batch], exporters: [otlp_grpc/away]}}
"""
ALL_GETS, SCRAPES = 'name == "GET"', 'name == "GET" and attributes["http.route"] == "/ready"'


def span(name, span_id, parent=""):
    """Of ten minutes ago: its trace has settled."""
    start = time.time_ns() - 600 * 10**9
    return {"traceId": TRACE, "spanId": span_id, "parentSpanId": parent, "name": name, "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 10**6)}


def send(serve, *spans):
    body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "vllm-decode"}}]}, "scopeSpans": [{"spans": spans}]}]}
    assert export_http(serve.http_port, json.dumps(body).encode(), "application/json")[0] == 200


def ask(serve, path):
    status, body = serve.get(path)
    assert status == 200 and body["errors"] is None, body
    return body["data"]


@pytest.fixture
def away():
    """A port on which nobody listens while the test runs."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def faulty(start, tmp_path, away):
    """A filter that drops every GET, an exporter whose destination is away, a span whose parent has not come."""
    config = tmp_path / "collector.yaml"
    config.write_text(CONFIG.format(condition=ALL_GETS, port=away))
    serve = start("--in-memory", f"--config={config}")
    send(serve, span("llm_request", CHILD_SPAN, ROOT_SPAN))
    wait_for(lambda: serve.metric("otelcol_exporter_send_failed_spans", exporter="otlp_grpc/away") == 1)
    return serve


# Scenario: the three faults; the API is asked twice.
# Guarantees: each is found by its rule, the error first, with its line and a fix; losses are counted by their cause; the second answer is the first examination.
def test_finds_what_is_wrong(faulty):
    report = ask(faulty, "/api/insight/findings")
    assert [finding["rule"] for finding in report["findings"]] == ["filter-drops-get", "live-exporter-failing", "live-orphans", "live-no-root"]
    assert (report["errors"], report["warnings"], report["notes"], report["left_out"]) == (1, 3, 0, [])
    get = report["findings"][0]
    assert get["severity"] == "error" and get["file"].endswith("collector.yaml") and get["line"] == 5 and "http.route" in get["fix"]
    assert "otlp_grpc/away: 1 span could not be sent" in report["findings"][1]["what"] and TRACE in report["findings"][2]["what"]
    assert ask(faulty, "/api/insight/findings")["looked_us"] == report["looked_us"]

    status = ask(faulty, "/api/insight/status")
    counts = {(count["part"], count["id"], count["event"], count.get("cause")): count["spans"] for count in status["counts"]}
    assert counts["receiver", "otlp", "accepted", None] == 1
    assert counts["exporter", "otlp_grpc/away", "send_failed", None] == 1
    assert counts["exporter", "otlp_grpc/away", "lost", "Unavailable"] == 1
    assert [queue["exporter"] for queue in status["queues"]] == ["otlp_grpc/away"]
    [sender] = status["senders"]
    assert sender["address"] == "127.0.0.1" and sender["spans_accepted"] == 1 and sender["spans_refused"] == 0 and sender["connections"] == 1
    assert sender["program"] and sender["services"] and status["started_us"] <= sender["first_us"] <= sender["last_us"] <= status["now_us"]
    assert status["store"]["spans"] == 1 and status["store"]["kept"].startswith("in memory")
    assert status["started_us"] <= status["now_us"] and abs(status["now_us"] / 1e6 - time.time()) < 60


# Scenario: the filter is mended, and the process told to read its files again.
# Guarantees: what runs now is examined, at once.
def test_examines_what_runs_after_a_reload(faulty, tmp_path, away):
    def found():
        return [finding["rule"] for finding in ask(faulty, "/api/insight/findings")["findings"]]

    assert "filter-drops-get" in found()
    (tmp_path / "collector.yaml").write_text(CONFIG.format(condition=SCRAPES, port=away))
    faulty.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "filter-drops-get" not in found())
    assert "live-orphans" in found()


# Scenario: the built-in configuration and a whole trace, looked at over the API and on the page.
# Guarantees: nothing is found, the page says so and when it was looked, and what is stored; it is one click away.
def test_finds_nothing_where_all_is_well(start, page):  # noqa: F811
    serve = start()
    send(serve, span("gateway.request", ROOT_SPAN), span("llm_request", CHILD_SPAN, ROOT_SPAN))
    assert ask(serve, "/api/insight/findings")["findings"] == []
    page.goto(serve.url("/search"))
    page.get_by_role("link", name="Pipeline").click()
    page.wait_for_url(re.compile("/pipeline$"))
    expect(page.get_by_test_id("nothing-found")).to_be_visible()
    expect(page.get_by_test_id("looked")).to_contain_text("looked at")
    expect(page.get_by_test_id("store")).to_contain_text("on disk, in ")
    expect(page.get_by_test_id("store")).to_contain_text("Segments")
    page.screenshot(path=SHOTS / "pipeline-well.png")


# Scenario: the page of the faulty process, in light and dark, with the keyboard.
# Guarantees: findings with their fix, which is copied as it stands; counters with the loss; the page asks again when told to.
def test_page_lists_findings_with_the_fix_to_copy(faulty, page):  # noqa: F811
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(faulty.url("/pipeline"))
    expect(page.get_by_test_id("finding")).to_have_count(4)
    first = page.get_by_test_id("finding").first
    expect(first).to_contain_text("collector.yaml:5")
    fix = first.get_by_test_id("fix").text_content()
    button = first.get_by_role("button", name="Copy the fix")
    button.focus()
    page.keyboard.press("Enter")
    expect(first.locator(".tabler-icon-check")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == fix
    expect(page.get_by_test_id("sender")).to_contain_text("127.0.0.1")
    expect(page.get_by_test_id("span-count").filter(has_text="lost: Unavailable")).to_be_visible()
    page.screenshot(path=SHOTS / "pipeline-light.png")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=SHOTS / "pipeline-dark.png")
    with page.expect_response(re.compile("/api/insight/status")):
        page.get_by_test_id("refresh").click()


COLLECTOR = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:0"}}, http: {{endpoint: "127.0.0.1:0"}}}}}}}}
processors:
  filter/half: {{traces: {{span: ['attributes["http.route"] == "/metrics"']}}}}
  batch: {{timeout: 10ms}}
exporters:
  otlp_grpc/away: {{endpoint: "127.0.0.1:{port}", tls: {{insecure: true}}, retry_on_failure: {{enabled: false}}}}
extensions: {{zpages: {{endpoint: "127.0.0.1:0"}}}}
service:
  extensions: [zpages]
  telemetry: {{metrics: {{address: "127.0.0.1:0"}}, logs: {{encoding: json}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [filter/half, batch], exporters: [otlp_grpc/away]}}}}
"""


# Scenario: a collector whose filter leaves half of each scrape, whose backend is away, and who was sent what nobody can read; asked by a program and by a person.
# Guarantees: each is found by its rule, with its place, count and fix; that traces were not looked at is said; the page has the same; another format is refused.
def test_a_collector_says_what_is_wrong_with_it(tmp_path, away):
    config = tmp_path / "collector.yaml"
    config.write_text(COLLECTOR.format(port=away))
    collector = Process("collector", f"--config={config}").wait_until_ready()
    try:
        send(collector, span("llm_request", CHILD_SPAN))
        assert export_http(collector.http_port, b"{", "application/json")[0] == 400
        wait_for(lambda: collector.metric("otelcol_exporter_send_failed_spans", exporter="otlp_grpc/away") == 1)
        url = f"http://127.0.0.1:{collector.ports['zpages']}/debug/findingsz"
        status, headers, body = request(f"{url}?format=json")
        answer = json.loads(body)
        assert (status, headers["content-type"], answer["errors"], answer["total"]) == (200, "application/json", None, 3)
        found = {finding["rule"]: finding for finding in answer["data"]["findings"]}
        assert set(found) == {"filter-misses-scrapes", "live-exporter-failing", "live-requests-refused"}
        assert found["filter-misses-scrapes"]["file"].endswith("collector.yaml") and found["filter-misses-scrapes"]["line"] == 4 and "url.full" in found["filter-misses-scrapes"]["fix"]
        assert "otlp_grpc/away: 1 span could" in found["live-exporter-failing"]["what"] and "otlp, malformed: 1 request refused" in found["live-requests-refused"]["what"]
        assert len(answer["data"]["left_out"]) == 1 and "doctor live" in answer["data"]["left_out"][0]
        status, headers, body = request(url)
        assert status == 200 and headers["content-type"].startswith("text/html")
        assert all(f"<td>{rule}</td>" in body.decode() for rule in found) and "<pre>" in body.decode()
        assert 'href="findingsz"' in request(url.replace("findingsz", "servicez"))[2].decode()
        assert request(f"{url}?format=xml")[0] == 400
    finally:
        collector.stop()


# Scenario: `serve` with zpages, asked by both ways.
# Guarantees: it is the same answer to the byte.
def test_both_ways_are_the_same(start, tmp_path, away):
    config = tmp_path / "collector.yaml"
    config.write_text(CONFIG.format(condition=ALL_GETS, port=away) + '  extensions: [zpages, spanloom_query, health_check]\nextensions: {zpages: {endpoint: "127.0.0.1:0"}}\n')
    serve = start("--in-memory", f"--config={config}")
    one, other = request(serve.url("/api/insight/findings")), request(f"http://127.0.0.1:{serve.ports['zpages']}/debug/findingsz?format=json")
    assert one[0] == other[0] == 200 and one[2] == other[2] and b"filter-drops-get" in one[2]
