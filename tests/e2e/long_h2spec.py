# SPDX-License-Identifier: Apache-2.0
"""h2spec, the conformance suite of HTTP/2 and HPACK, against `spanloom serve`. Long tier."""

import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
from interop_peers import H2SPEC, go_tool

SECONDS_MAX = 300
# Cases that fail, each with its reason. A further one fails the test, and so does one of these that passes: the list may only get shorter.
KNOWN = {
    ("http2/3.5", "Sends invalid connection preface"): "one port speaks HTTP/1.1 too, and answers 400 in it",
    ("http2/5.1.1", "Sends stream identifier that is numerically smaller than previous"): "nghttp2 ignores the frame (nghttpd fails this too)",
    ("http2/5.1", "closed: Sends a DATA frame after sending RST_STREAM frame"): "closed streams are not remembered, frames on them ignored",
    ("http2/5.1", "closed: Sends a HEADERS frame after sending RST_STREAM frame"): "as above",
    ("http2/5.1", "closed: Sends a DATA frame"): "as above",
    ("http2/5.1", "closed: Sends a HEADERS frame"): "as above",
    ("http2/5.3.1", "Sends PRIORITY frame that depend on itself"): "RFC 7540's priorities are off, their frames ignored (RFC 9113, 5.3)",
    ("http2/6.3", "Sends a PRIORITY frame with 0x0 stream identifier"): "as above",
}
# Cases about an open stream that fail when our answer has closed it before h2spec's frame arrives; then as above.
RACES = {
    ("http2/5.1", "half closed (remote): Sends a DATA frame"),
    ("http2/5.1", "half closed (remote): Sends a HEADERS frame"),
    ("http2/6.1", "Sends a DATA frame on the stream that is not in \"open\" or \"half-closed (local)\" state"),
}


def run_h2spec(port, report):
    subprocess.run([go_tool("github.com/summerwind/h2spec/cmd/h2spec", H2SPEC), "-h", "127.0.0.1", "-p", str(port), "-o", "2", "-j", report],
                   stdout=subprocess.DEVNULL, timeout=SECONDS_MAX)
    cases = list(ElementTree.parse(report).iter("testcase"))
    failed = {(case.get("package"), case.get("classname")) for case in cases if case.find("failure") is not None or case.find("error") is not None}
    return len(cases), failed


# Scenario: every case of h2spec, at the port for HTTP and the port for gRPC.
# Guarantees: none fails but those above; the server lives and serves.
@pytest.mark.parametrize("port", ["otlp/http", "otlp/grpc"])
def test_h2spec(serve, tmp_path, port):
    count, failed = run_h2spec(serve.ports[port], tmp_path / "report.xml")
    assert count > 140
    assert failed - RACES == set(KNOWN)
    assert serve.get("/api/services")[0] == 200
