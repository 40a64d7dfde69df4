# SPDX-License-Identifier: Apache-2.0
"""curl, nghttp and h2load against `spanloom serve`: HTTP/1.1 and HTTP/2 as tools that are not ours speak them.

Debian's curl 7.88 can't send a second request over an HTTP/2 connection (against nghttpd neither), and drops an answer that comes before its
upload has ended (RFC 9113, 8.1); for these nghttp stands in.
"""

import gzip
import re
import subprocess

import pytest
from conftest import EXPORT, RECORDED

BODY = RECORDED / "sdk-python-grpc/001-checkout.pb"
SPANS = 512  # of BODY
PROTOBUF = ("-H", "Content-Type: application/x-protobuf")
SECONDS_MAX = 60


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, timeout=SECONDS_MAX, **options)


def curl(url, *arguments, **options):
    """(status, HTTP version, body) of one request."""
    result = run("curl", "-sS", "--max-time", 30, "-w", "\n%{http_code} %{http_version}", *arguments, url, **options)
    body, _, facts = result.stdout.rpartition(b"\n")
    status, version = facts.decode().split()
    return int(status), version, body


def traces(serve):
    return f"http://127.0.0.1:{serve.http_port}/v1/traces"


# Scenario: one request in each version of HTTP.
# Guarantees: 200 in the version that was asked for; the spans are in.
@pytest.mark.parametrize("option,version", [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2"), ("--http1.0", "1.1")])
def test_each_version_of_http(serve, option, version):
    assert curl(traces(serve), option, *PROTOBUF, "--data-binary", f"@{BODY}")[:2] == (200, version)
    assert serve.metric("otelcol_receiver_accepted_spans") == SPANS


# Scenario: an upload whose length curl does not know, as chunks of HTTP/1.1 and as frames of HTTP/2.
# Guarantees: all of it arrives.
@pytest.mark.parametrize("option", ["--http1.1", "--http2-prior-knowledge"])
def test_upload_from_a_pipe(serve, option):
    headers = (*PROTOBUF, "-H", "Transfer-Encoding: chunked") if option == "--http1.1" else PROTOBUF
    status, _, _ = curl(traces(serve), option, "-X", "POST", *headers, "-T", "-", input=BODY.read_bytes())
    assert status == 200
    assert serve.metric("otelcol_receiver_accepted_spans") == SPANS


# Scenario: a client that waits for "100 Continue" before it sends the body.
# Guarantees: it need not wait in vain: the answer comes well before curl's patience of 30 s ends.
def test_expect_100_continue(serve):
    status, _, _ = curl(traces(serve), *PROTOBUF, "-H", "Expect: 100-continue", "--expect100-timeout", 30, "--max-time", 10, "--data-binary", f"@{BODY}")
    assert status == 200


# Scenario: a body in gzip.
# Guarantees: the same spans.
@pytest.mark.parametrize("option", ["--http1.1", "--http2-prior-knowledge"])
def test_gzip(serve, option):
    status, _, _ = curl(traces(serve), option, *PROTOBUF, "-H", "Content-Encoding: gzip", "--data-binary", "@-", input=gzip.compress(BODY.read_bytes()))
    assert status == 200
    assert serve.metric("otelcol_receiver_accepted_spans") == SPANS


# Scenario: HEAD of the page; over HTTP/1.1 twice on one connection.
# Guarantees: GET's header without its body, which the next answer would be taken for.
@pytest.mark.parametrize("option,times", [("--http1.1", 2), ("--http2-prior-knowledge", 1)])
def test_head(serve, option, times):
    result = run("curl", "-sS", "--max-time", 30, option, "-I", *[serve.url("/")] * times)
    assert len(re.findall(rb"^HTTP/\S+ 200", result.stdout, re.MULTILINE)) == times
    assert re.search(rb"^content-length: [1-9]", result.stdout, re.MULTILINE | re.IGNORECASE)


# Scenario: a body over the limit: declared, without a length, and behind "100 Continue".
# Guarantees: 413, which curl reads although it was still sending; counted; the next request is served.
@pytest.mark.parametrize("arguments", [(), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect: 100-continue")])
def test_body_over_the_limit(serve, arguments):
    status, _, body = curl(traces(serve), "--http1.1", *arguments, *PROTOBUF, "--data-binary", "@-", input=bytes(21 << 20))
    assert status == 413 and b"20971520" in body
    assert serve.metric("spanloom_net_refused", cause="body_too_large") == 1
    assert curl(traces(serve), *PROTOBUF, "--data-binary", f"@{BODY}")[0] == 200


# Scenario: the same over HTTP/2.
# Guarantees: 413, which nghttp reads although it was still sending; counted.
def test_body_over_the_limit_over_http2(serve, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(bytes(21 << 20))
    result = run("nghttp", "-v", "-d", large, *PROTOBUF, traces(serve))
    assert b":status: 413" in result.stdout and b"20971520" in result.stdout
    assert serve.metric("spanloom_net_refused", cause="body_too_large") == 1


# Scenario: many requests with one curl, which keeps its connection.
# Guarantees: all are answered, on one connection.
def test_connection_is_kept(serve):
    urls = [word for _ in range(50) for word in ("-o", "/dev/null", traces(serve))]
    result = run("curl", "-sS", "--max-time", 30, "--http1.1", "-w", "%{http_code} %{num_connects}\n", *PROTOBUF, "--data-binary", f"@{BODY}", *urls)
    answers = result.stdout.decode().split("\n")[:-1]
    assert answers == ["200 1"] + ["200 0"] * 49


def h2load_counts(output):
    done = re.search(rb"requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
    return [int(count) for count in done.groups()] if done else output.decode()


# Scenario: h2load over several connections with many streams each, over HTTP/2 and HTTP/1.1.
# Guarantees: every request is answered with 2xx, none fails; the spans counted are those sent.
@pytest.mark.parametrize("arguments", [("-m", 50), ("--h1",)])
def test_h2load(serve, arguments):
    result = run("h2load", "-n", 2000, "-c", 10, *arguments, "-d", BODY, *PROTOBUF, traces(serve))
    assert h2load_counts(result.stdout) == [2000, 2000, 2000, 2000, 0, 0, 0]
    assert serve.metric("otelcol_receiver_accepted_spans") == 2000 * SPANS


# Scenario: h2load sends gRPC calls.
# Guarantees: as above; h2load does not look at grpc-status, the server's own count does.
def test_h2load_with_grpc(serve, tmp_path):
    message = BODY.read_bytes()
    call = tmp_path / "call"
    call.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
    result = run("h2load", "-n", 2000, "-c", 10, "-m", 50, "-d", call, "-H", "Content-Type: application/grpc", "-H", "TE: trailers",
                 f"http://127.0.0.1:{serve.grpc_port}{EXPORT}")
    assert h2load_counts(result.stdout) == [2000, 2000, 2000, 2000, 0, 0, 0]
    assert serve.metric("otelcol_receiver_accepted_spans") == 2000 * SPANS


# Scenario: nghttp with small windows, padding, no dynamic header table, and headers that need CONTINUATION frames.
# Guarantees: each is answered.
@pytest.mark.parametrize("arguments", [("-w", "10", "-W", "10"), ("-b", "255"), ("-c", "0"), ("--continuation",), ("-m", "20"), ("--header-table-size=100000",)])
def test_nghttp(serve, arguments):
    result = run("nghttp", "-s", "-n", "-d", BODY, *PROTOBUF, *arguments, traces(serve))
    assert result.returncode == 0, result.stderr
    assert re.search(rb"\b200\b +\d+ /v1/traces", result.stdout), result.stdout
    assert serve.metric("otelcol_receiver_accepted_spans") >= SPANS


# Scenario: the page over HTTP/2 through a window of 1 KiB.
# Guarantees: it arrives whole.
def test_nghttp_downloads_through_a_small_window(serve):
    _, _, page = curl(serve.url("/"))
    result = run("nghttp", "-w", "10", "-W", "10", serve.url("/"))
    assert result.stdout == page
