# SPDX-License-Identifier: Apache-2.0
"""Chromium opens the page, finds a trace, and opens a span."""

import re

import pytest
from conftest import ALL_TIME, RECORDED, ROOT, export_grpc, request
from playwright.sync_api import expect, sync_playwright

SHOTS = ROOT / "build/screenshots"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser():
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page whose console must stay free of errors."""
    opened = browser.new_page(viewport={"width": 1440, "height": 900})
    problems = []
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    opened.close()
    assert problems == []


# Scenario: a store with recorded llm-d traffic; search by service, open a trace, open the vLLM span.
# Guarantees: the trace is found, its waterfall shows its spans, and the drawer shows LLM attributes first, with units.
def test_search_trace_and_span(serve, page):
    for path in sorted((RECORDED / "llmd-router-head").glob("*.pb")):
        export_grpc(serve.grpc_port, path.read_bytes())
    page.goto(serve.url("/"))
    page.wait_for_url(re.compile("/search"))
    page.goto(serve.url(f"/search?service=vllm-decode&lookback=custom&{ALL_TIME}"))
    page.get_by_test_id("find-button").click()
    expect(page.get_by_test_id("result-row").first).to_be_visible()
    page.screenshot(path=SHOTS / "search.png")

    page.get_by_test_id("result-row").first.click()
    page.wait_for_url(re.compile("/trace/[0-9a-f]{32}"))
    span = page.get_by_test_id("span-row").filter(has_text="llm_request").first
    expect(span).to_be_visible()
    span.click()
    drawer = page.get_by_test_id("drawer")
    expect(drawer).to_be_visible()
    expect(drawer.get_by_test_id("attribute-row").first).to_contain_text("gen_ai.")
    expect(drawer).to_contain_text("gen_ai.latency.time_to_first_token")
    page.wait_for_url(re.compile("span="))
    page.screenshot(path=SHOTS / "trace.png")

    address = page.url
    page.go_back()
    page.goto(address)
    expect(page.get_by_test_id("drawer")).to_contain_text("gen_ai.latency.time_to_first_token")


# Scenario: an empty store.
# Guarantees: the page says how to send a span.
def test_empty_store_says_how_to_send(serve, page):
    page.goto(serve.url("/search"))
    expect(page.get_by_text("4317").first).to_be_visible()
    expect(page.get_by_text("tracegen").first).to_be_visible()
    page.screenshot(path=SHOTS / "empty.png")


# Scenario: the page's files as a browser asks for them.
# Guarantees: compressed, with a content security policy; unknown addresses are the page, unknown API paths are not.
def test_page_is_served_compressed_and_guarded(serve):
    status, headers, _ = request(serve.url("/search"), headers={"Accept-Encoding": "gzip"})
    assert status == 200 and headers["Content-Encoding"] == "gzip"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    status, headers, body = request(serve.url("/trace/00"))
    assert status == 200 and body.lstrip().lower().startswith(b"<!doctype html")
    assert request(serve.url("/api/unknown"))[0] == 404
