# SPDX-License-Identifier: Apache-2.0
"""Whatever a backend, a disk, a sender or an operator does wrong: it is said in the log, counted, bounded, and nobody else is disturbed. After each
fault received = delivered + refused + filtered + dropped by cause + still queued, by the collector's own counters."""

import json
import os
import pathlib
import re
import resource
import signal
import socket
import struct
import subprocess
import time

import faulty_backend as faulty
import grpc
import pytest
from accounting import Counters, check
from conftest import EXPORT, RECORDED, Process, export_http, request, wait_for
from google.protobuf.message import DecodeError
from http2_frames import CALL, DATA, END_HEADERS, HEADERS, PREFACE, SETTINGS, frame, grpc_message
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_backend import Backend
from otlp_expectations import expected_spans
from test_tls import Authority

REQUESTS = [path.read_bytes() for path in sorted((RECORDED / "llmd-sched-0.6.0").glob("*.pb"))]
READY = "Everything is ready. Begin running and processing data."
LOG_SECONDS_MIN = 10  # between two lines about the same
PEAK_MIB_MAX = 400  # a sanitizer's quarantine (256 MiB) included
SOON = {"initial_interval": "20ms", "max_interval": "50ms", "max_elapsed_time": "0s"}


def span_count(body):
    message = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for resource_spans in message.resource_spans for scope in resource_spans.scope_spans)


def expected(bodies):
    spans = {}
    for body in bodies:
        for key, found in expected_spans(trace_service_pb2.ExportTraceServiceRequest.FromString(body)).items():
            spans.setdefault(key, []).extend(found)
    return spans


SENT = sum(span_count(body) for body in REQUESTS)


def exporter(port, host="127.0.0.1", kind="otlp_grpc", **more):
    """Options of an exporter that comes again soon and never gives up; cleartext unless `more` says otherwise."""
    endpoint = f"{host}:{port}" if kind == "otlp_grpc" else f"{'https' if 'tls' in more else 'http'}://{host}:{port}"
    return {"endpoint": endpoint, "tls": {"insecure": True}, "timeout": "200ms", "retry_on_failure": SOON, **more}


class Collector(Process):
    """`spanloom collector` with one pipeline from gRPC and HTTP to `exporters`; a stop may take 200 ms."""

    def __init__(self, folder, exporters, processors=None, extensions=None, receiver=None, drain="200ms", grpc_port=0, **options):
        processors = {"batch": {"timeout": "10ms"}} if processors is None else processors
        protocols = {"grpc": {"endpoint": f"127.0.0.1:{grpc_port}"}, "http": {"endpoint": "127.0.0.1:0", **(receiver or {})}}
        self.pipelines = {"traces": {"receivers": ["otlp"], "processors": list(processors), "exporters": list(exporters)}}
        self.path = folder / "config.yaml"
        self.config = {
            "receivers": {"otlp": {"protocols": protocols}}, "processors": processors, "exporters": exporters, "extensions": extensions or {},
            "service": {"extensions": list(extensions or {}), "pipelines": self.pipelines,
                        "telemetry": {"metrics": {"address": "127.0.0.1:0"}, "logs": {"encoding": "json"}}}}
        self.write(self.config)
        self._begin = time.monotonic()
        super().__init__("collector", f"--config={self.path}", f"--drain-timeout={drain}", **options)

    def write(self, config):
        self.path.write_text(json.dumps(config))  # which is YAML too

    def check(self, sent):
        return check(self, self.pipelines, sent)

    def peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)[1]) / 1024

    def said(self, message, exporter=None, **fields):
        """The lines of the log whose text contains `message` and that have `fields`, of one exporter or of anybody."""
        if exporter is not None:
            fields |= {"otelcol.component.id": exporter, "otelcol.component.kind": "exporter"}
        return [line for line in self.lines if message in line["msg"] and fields.items() <= line.items()]

    def said_seldom(self, message, **fields):
        """The first of these lines; there must be no more than one in ten seconds."""
        lines = self.said(message, **fields)
        assert 1 <= len(lines) <= 1 + (time.monotonic() - self._begin) / LOG_SECONDS_MIN, self.log()
        return lines[0]

    def said_sum(self, message, number, **fields):
        """The sum of a number that they say."""
        return sum(int(line[number]) for line in self.said(message, **fields))


@pytest.fixture
def collector(tmp_path):
    """Starts collectors; stops what still runs afterwards."""
    started = []

    def begin(exporters, **options):
        folder = tmp_path / f"collector{len(started)}"
        folder.mkdir()
        started.append(Collector(folder, exporters, **options))
        started[-1].wait_for_line(READY)
        return started[-1]

    yield begin
    for each in started:
        each.stop(signal.SIGKILL)


@pytest.fixture
def good():
    backend = Backend()
    yield backend
    backend.stop()


def send(port, bodies):
    """Sends requests over one connection; (spans that were answered OK, errors)."""
    taken, errors = 0, []
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(EXPORT, request_serializer=lambda data: data, response_deserializer=lambda data: data)
        for body in bodies:
            try:
                call(body, timeout=30)
                taken += span_count(body)
            except grpc.RpcError as error:
                errors.append(error)
    return taken, errors


@pytest.fixture(scope="module")
def wrong_tls(tmp_path_factory):
    """{what is wrong: (context of a server, file of the authority that the client trusts)}."""
    folder = tmp_path_factory.mktemp("tls")
    trusted, stranger = Authority(folder, "trusted"), Authority(folder, "stranger")
    pairs = {"authority": stranger.issue("stranger-server"), "name": trusted.issue("elsewhere", names="DNS:elsewhere.example"),
             "expired": trusted.issue("yesterday", days=-1)}
    return {what: (faulty.tls_context(*pair), trusted.ca) for what, pair in pairs.items()}


WAITS, LOST, DELIVERED = "waits", "is lost", "is delivered"
# What the backend does; over which protocol; what becomes of the spans; what the log says of it.
FAULTS = {
    "grpc-hangs": ("otlp_grpc", faulty.hang, WAITS, "no answer within 200 ms"),
    "grpc-hangs-when-called": ("otlp_grpc", faulty.http2(faulty.hang), WAITS, "no answer within 200 ms"),
    "grpc-resets": ("otlp_grpc", faulty.http2(faulty.reset_after(300)), WAITS, "reset"),
    "grpc-talks-nonsense": ("otlp_grpc", faulty.garbage, WAITS, "rules of HTTP/2"),
    "grpc-talks-nonsense-later": ("otlp_grpc", faulty.http2(faulty.garbage), WAITS, "rules of HTTP/2"),
    "grpc-reads-a-byte-a-second": ("otlp_grpc", faulty.http2(faulty.drip), WAITS, "no answer within 200 ms"),
    "grpc-says-too-many-come-again": ("otlp_grpc", faulty.grpc_too_many(0.05), WAITS, "too many requests"),
    "grpc-says-too-many": ("otlp_grpc", faulty.grpc_too_many(), LOST, "too many requests"),
    "grpc-has-a-login-page": ("otlp_grpc", faulty.grpc_login_page(), LOST, "text/html"),
    "grpc-has-a-huge-answer": ("otlp_grpc", faulty.grpc_huge_answer(), LOST, "the answer has more"),
    "grpc-answers-nonsense": ("otlp_grpc", faulty.grpc_nonsense(), DELIVERED, None),
    "http-hangs": ("otlp_http", faulty.hang, WAITS, "no answer within 200 ms"),
    "http-resets": ("otlp_http", faulty.reset_after(300), WAITS, "reset"),
    "http-talks-nonsense": ("otlp_http", faulty.garbage, WAITS, "not HTTP/1.1"),
    "http-reads-a-byte-a-second": ("otlp_http", faulty.drip, WAITS, "no answer within 200 ms"),
    "http-says-too-many": ("otlp_http", faulty.http1_answers(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nretry-after: 0\r\n\r\n"), WAITS, "/v1/traces: HTTP status 429"),
    "http-has-no-such-page": ("otlp_http", faulty.http1_answers(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"), LOST, "/v1/traces: HTTP status 404"),
    "http-has-an-endless-answer": ("otlp_http", faulty.http1_endless_answer(), LOST, "the answer is larger"),
}


def expect_outcome(process, outcome):
    """Waits until what was sent to the exporter "bad" has come to its end."""
    ends = {WAITS: "spanloom_exporter_held_spans", LOST: "spanloom_pipeline_dropped_spans", DELIVERED: "otelcol_exporter_sent_spans"}
    bad = lambda name: Counters.of(process).sum(name, exporter=process.pipelines["traces"]["exporters"][0])
    wait_for(lambda: bad(ends[outcome]) == SENT)
    assert all(bad(name) == 0 for end, name in ends.items() if end != outcome)


def faulty_beside_healthy(collector, good, kind, options, outcome, words):
    process = collector({f"{kind}/bad": options, "otlp_grpc/good": exporter(good.port, timeout="5s")})
    assert send(process.grpc_port, REQUESTS) == (SENT, [])
    good.wait_for_spans(SENT)
    expect_outcome(process, outcome)
    process.check(SENT)
    if words:
        wait_for(lambda: any(words in line.get("error", "") for line in process.said("", exporter=f"{kind}/bad")))
    if outcome != DELIVERED:
        process.said_seldom("Exporting failed" if outcome == WAITS else "Exporting failed. Dropping data.", exporter=f"{kind}/bad")
    assert process.peak_mib() < PEAK_MIB_MAX
    undelivered = SENT if outcome == WAITS else 0
    assert process.stop() == (1 if undelivered else 0), process.log()
    assert process.said_sum("acknowledged but not delivered", "spans") == undelivered
    assert process.said_sum("dropped at shutdown", "spans", exporter=f"{kind}/bad") == undelivered
    assert good.spans() == expected(REQUESTS)


# Scenario: one of two backends is no good, each way in turn; then a stop.
# Guarantees: the other gets everything once; what the first does not take waits, or is lost by cause if its answer is final; the log names the
# exporter and the reason, once; memory is bounded; the stop says exactly how many spans were not delivered.
@pytest.mark.parametrize("fault", FAULTS)
def test_a_backend_that_is_no_good(collector, good, fault):
    kind, behave, outcome, words = FAULTS[fault]
    backend = faulty.FaultyBackend(behave, receive_bytes=4_096 if behave is faulty.drip else None)
    try:
        faulty_beside_healthy(collector, good, kind, exporter(backend.port, kind=kind), outcome, words)
        assert backend.connections > 0
    finally:
        backend.stop()


# Scenario: one of two backends has a certificate of an authority that is not trusted, for another name, or of yesterday.
# Guarantees: as above; the log says what is wrong with it.
@pytest.mark.parametrize("kind", ["otlp_grpc", "otlp_http"])
@pytest.mark.parametrize("what,words", [("authority", "unable to get local issuer certificate"), ("name", "hostname mismatch"), ("expired", "certificate has expired")])
def test_a_backend_with_a_wrong_certificate(collector, good, wrong_tls, kind, what, words):
    context, authority = wrong_tls[what]
    backend = faulty.FaultyBackend(faulty.hang, context)
    try:
        options = exporter(backend.port, "localhost", kind, tls={"ca_file": str(authority)})
        faulty_beside_healthy(collector, good, kind, options, WAITS, words)
        assert backend.connections > 0
    finally:
        backend.stop()


def storage(folder):
    return {"extensions": {"file_storage": {"directory": str(folder), "create_directory": True}}, "processors": {}}


def stored(port, **more):
    return exporter(port, sending_queue={"storage": "file_storage"}, **more)


def limit_files(process, octets):
    """What one file of the process may grow to from now on."""
    resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (octets, resource.RLIM_INFINITY))


# Scenario: the files of a queue may not grow any more, as on a full disk, while its backend hangs; then there is room again; a stop, and a start with
# a backend that is well.
# Guarantees: senders are told to come again, with the reason; the log says which directory, once; the stop says how much stays on the disk; what was
# answered OK is delivered, once, and what was refused is not.
def test_a_storage_without_room(collector, tmp_path, good):
    hanging = faulty.FaultyBackend(faulty.hang)
    first = collector({"otlp_grpc/kept": stored(hanging.port)}, **storage(tmp_path / "queue"))
    taken, _ = send(first.grpc_port, REQUESTS[:1])
    limit_files(first, 1)
    more, errors = send(first.grpc_port, REQUESTS[1:])
    assert len(errors) == len(REQUESTS) - 1 and more == 0
    assert all(error.code() == grpc.StatusCode.UNAVAILABLE and str(tmp_path / "queue") in error.details() for error in errors)
    said = first.said_seldom("can't be written", directory=str(tmp_path / "queue" / "exporter_otlp_grpc_kept_traces"))
    assert said["level"] == "error" and "File too large" in said["error"]
    assert first.check(SENT).sum("otelcol_receiver_refused_spans") == SENT - taken
    limit_files(first, resource.RLIM_INFINITY)
    assert send(first.grpc_port, REQUESTS[1:]) == (SENT - taken, [])
    assert first.check(SENT + SENT - taken).sum("spanloom_exporter_held_spans") == SENT
    assert first.stop() == 0, first.log()
    assert first.said_sum("stays on the disk", "items") == SENT
    hanging.stop()
    second = collector({"otlp_grpc/kept": stored(good.port, timeout="5s")}, **storage(tmp_path / "queue"))
    good.wait_for_spans(SENT)
    assert second.stop() == 0, second.log()
    assert good.spans() == expected(REQUESTS)


# Scenario: the same full disk, with another destination beside it; then there is room again.
# Guarantees: what one that stores can't take, none beside it takes: senders are told to come again, and nothing is lost or sent twice when they do.
def test_a_storage_without_room_beside_another_backend(collector, tmp_path):
    beside = Backend()
    exporters = {"otlp_grpc/kept": stored(1), "otlp_grpc/beside": exporter(beside.port, timeout="5s")}
    process = collector(exporters, **storage(tmp_path / "queue"))
    limit_files(process, 1)
    taken, errors = send(process.grpc_port, REQUESTS)
    assert taken == 0 and {error.code() for error in errors} == {grpc.StatusCode.UNAVAILABLE}
    assert process.check(SENT).sum("otelcol_receiver_refused_spans") == SENT
    assert not beside.spans()
    limit_files(process, resource.RLIM_INFINITY)
    assert send(process.grpc_port, REQUESTS) == (SENT, [])
    beside.wait_for_spans(SENT)
    assert process.check(2 * SENT).sum("spanloom_pipeline_dropped_spans") == 0
    process.stop()
    assert beside.spans() == expected(REQUESTS)
    beside.stop()


# Scenario: spans wait in a `batch` of a minute, in front of a queue on the disk whose backend is away; SIGTERM, and a start with one that is well.
# Guarantees: the stop takes no longer than it may, says exactly how many spans stay on the disk, and loses none; they arrive, once.
def test_a_stop_writes_what_is_left_to_the_storage(collector, tmp_path, good):
    options = {**storage(tmp_path / "queue"), "processors": {"batch": {"timeout": "60s", "send_batch_size": 100_000}}}
    first = collector({"otlp_grpc/kept": stored(1)}, **options)
    assert send(first.grpc_port, REQUESTS) == (SENT, [])
    assert first.check(SENT).sum("spanloom_exporter_held_spans") == SENT
    begin = time.monotonic()
    assert first.stop() == 0, first.log()
    assert time.monotonic() - begin < 15  # the default grace is 20 s
    assert first.said_sum("stays on the disk", "items", exporter="otlp_grpc/kept") == SENT
    second = collector({"otlp_grpc/kept": stored(good.port, timeout="5s")}, **options)
    good.wait_for_spans(SENT)
    assert second.stop() == 0, second.log()
    assert good.spans() == expected(REQUESTS)


@pytest.fixture
def read_only(tmp_path):
    """A directory of a file system that takes nothing."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=64k", "tmpfs", folder], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"a read-only file system can't be mounted: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


# Scenario: the storage's directory is on a file system that is read-only.
# Guarantees: the collector does not start, and says which directory, why, and what to do.
def test_a_storage_that_is_read_only(tmp_path, read_only):
    process = Collector(tmp_path, {"otlp_grpc/kept": stored(1)}, **storage(read_only))
    assert process.stop(signal.SIGCONT) == 1
    assert process.said("cannot start")[0]["level"] == "error"
    assert all(words in process.log() for words in ("file_storage", str(read_only), "Read-only file system")), process.log()


def queue_file(folder):
    """The one file of the queue of otlp_grpc/kept."""
    (found,) = (folder / "exporter_otlp_grpc_kept_traces").glob("*.log")
    return found


# Scenario: a collector is killed while requests wait in its storage; the end of the file is cut off, or a byte in its middle is changed.
# Guarantees: the next one starts, says in which directory how much can't be read, counts what is lost, and delivers all that lies before, once; what is
# sent then is taken. That this holds for each byte is shown by request_log_test.
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_storage_file_that_is_damaged(collector, tmp_path, good, damage):
    first = collector({"otlp_grpc/kept": stored(1)}, **storage(tmp_path / "queue"))
    assert send(first.grpc_port, REQUESTS) == (SENT, [])
    first.stop(signal.SIGKILL)
    path = queue_file(tmp_path / "queue")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content if damage == "changed" else path.read_bytes()[:-10])
    second = collector({"otlp_grpc/kept": stored(good.port, timeout="5s")}, **storage(tmp_path / "queue"))
    (said,) = second.said("can't be read", directory=str(path.parent))
    lost = int(second.metric("spanloom_exporter_lost_requests", exporter="otlp_grpc/kept"))
    assert said["level"] == "error" and int(said["unread_bytes"]) > 0 and int(said["requests_at_most"]) == lost
    assert lost == 1 if damage == "cut" else len(REQUESTS) // 4 < lost < len(REQUESTS)
    good.wait_for_spans(sum(span_count(body) for body in REQUESTS[:-lost]))
    assert send(second.grpc_port, REQUESTS[-lost:])[1] == []
    good.wait_for_spans(SENT)
    assert second.stop() == 0, second.log()
    assert good.spans() == expected(REQUESTS)


# Scenario: a backend that hangs, a queue of two requests, no `batch`, and senders that go on.
# Guarantees: what finds no room is refused with a delay, counted, and said in the log, once; nothing is lost without the sender being told; the stop
# says exactly what of the rest was not delivered, in one line.
def test_a_queue_that_is_full(collector):
    hanging = faulty.FaultyBackend(faulty.http2(faulty.hang))
    queue = {"queue_size": 2, "num_consumers": 2}
    process = collector({"otlp_grpc/full": exporter(hanging.port, timeout="30s", sending_queue=queue)}, processors={})
    taken, errors = send(process.grpc_port, REQUESTS)
    assert 0 < taken < SENT and {error.code() for error in errors} == {grpc.StatusCode.UNAVAILABLE}
    assert all("otlp_grpc/full" in error.details() and "queue_size 2" in error.details() for error in errors)
    counters = process.check(SENT)
    assert counters.sum("otelcol_receiver_refused_spans", receiver="otlp") == SENT - taken
    assert counters.sum("spanloom_exporter_held_spans", exporter="otlp_grpc/full") == taken
    said = process.said_seldom("refused")
    assert said["level"] == "warn" and said["otelcol.component.id"] == "otlp" and "queue_size 2" in said["error"]
    assert process.stop() == 1
    assert process.said_sum("acknowledged but not delivered", "spans") == taken
    assert [int(line["spans"]) for line in process.said("dropped at shutdown")] == [taken]
    hanging.stop()


def vanishing(ports):
    """What a sender does before it is gone without a word, one way each: (port, bytes)."""
    body = REQUESTS[0]
    message = grpc_message(body)
    greeting = PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, CALL)
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: %d\r\n\r\n" % len(body)
    return [(ports["otlp/grpc"], b""), (ports["otlp/grpc"], greeting + frame(DATA, 0, 1, message[:-10])),
            (ports["otlp/grpc"], greeting + frame(DATA, 1, 1, message)), (ports["otlp/http"], head[:40]), (ports["otlp/http"], head + body[:-10])]


# Scenario: a thousand senders connect; some say nothing, some half of a request, some all of it; some reset, some close, and some fall silent for
# ever. One sender goes on meanwhile.
# Guarantees: its requests are answered OK; those that are silent are told 408 in time, and counted; in the end nothing is kept, no connection and no
# byte; what was taken is delivered.
def test_a_thousand_senders_that_vanish(collector, good):
    limits = {"read_timeout": "300ms", "read_header_timeout": "300ms", "idle_timeout": "300ms"}
    process = collector({"otlp_grpc/good": exporter(good.port, timeout="5s")}, receiver=limits)
    senders = []
    ways = vanishing(process.ports)
    for number in range(1_000):
        port, beginning = ways[number % len(ways)]
        sender = socket.create_connection(("127.0.0.1", port), timeout=10)
        sender.sendall(beginning)
        is_silent = port == process.ports["otlp/http"] and number % 3 == 0
        senders.append((sender, is_silent))
        if number % 100 == 0:
            assert send(process.grpc_port, REQUESTS[:1])[1] == []
    for number, (sender, is_silent) in enumerate(senders):
        if number % 2 and not is_silent:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if not is_silent:
            sender.close()
    assert send(process.grpc_port, REQUESTS) == (SENT, [])
    for sender, is_silent in senders:
        if is_silent:
            assert sender.recv(100).startswith(b"HTTP/1.1 408 ")
            sender.close()
    wait_for(lambda: process.metric("spanloom_net_connections", server="otlp/grpc") == process.metric("spanloom_net_connections", server="otlp/http") == 0)
    assert process.metric("spanloom_net_held_bytes", server="otlp/grpc") == process.metric("spanloom_net_held_bytes", server="otlp/http") == 0
    assert process.metric("spanloom_net_refused", server="otlp/http", cause="timeout") >= sum(is_silent for _, is_silent in senders)
    taken = int(process.metric("otelcol_receiver_accepted_spans"))
    assert taken >= SENT + 10 * span_count(REQUESTS[0])
    good.wait_for_spans(taken)
    process.check(taken)
    assert process.peak_mib() < PEAK_MIB_MAX
    assert process.stop() == 0, process.log()


def cut_requests():
    """(content type, beginning of a request): of one in protobuf and one in JSON, cut at many places."""
    protobuf = (RECORDED / "vllm-0.32-direct/001-vllm-decode.pb").read_bytes()
    as_json = (RECORDED / "sdk-js-json/002-js-shop.json").read_bytes()
    for content_type, body in (("application/x-protobuf", protobuf), ("application/json", as_json)):
        for end in range(1, len(body), max(1, len(body) // 60)):
            yield content_type, body[:end]


def is_readable(content_type, body):
    """Whether libprotobuf takes it; what is cut off JSON is none."""
    if content_type == "application/json":
        return False
    try:
        trace_service_pb2.ExportTraceServiceRequest.FromString(body)
        return True
    except DecodeError:
        return False


# Scenario: requests in protobuf and JSON, cut at many places, and some that were never OTLP, between good ones.
# Guarantees: each is answered 400 and counted, unless it can be read; the log says so, once, and from where; the good ones are delivered, once.
def test_requests_that_are_cut_off(collector, good):
    process = collector({"otlp_grpc/good": exporter(good.port, timeout="5s")})
    malformed = [("application/json", b"{}}"), ("application/json", b"\xff\xfe"), ("application/x-protobuf", b"\x0a\xff\xff\xff\xff\x0f")]
    malformed += [cut for cut in cut_requests() if not is_readable(*cut)]
    assert len(malformed) > 100
    for content_type, body in malformed:
        status, _, answer = export_http(process.http_port, body, content_type)
        assert status == 400 and answer, body[-50:]
    assert send(process.grpc_port, REQUESTS) == (SENT, [])
    assert process.metric("spanloom_receiver_refused_requests", receiver="otlp", transport="http", cause="malformed") == len(malformed)
    said = process.said_seldom("could not be read")
    assert said["level"] == "warn" and said["peer"] == "127.0.0.1" and said["otelcol.component.id"] == "otlp"
    good.wait_for_spans(SENT)
    process.check(SENT)
    assert process.stop() == 0, process.log()
    assert good.spans() == expected(REQUESTS)


# Scenario: a typing error in the file, and SIGHUP.
# Guarantees: the log says where, what, and the likely word; what ran goes on and loses nothing.
def test_a_typing_error_in_a_reload(collector, good):
    process = collector({"otlp_grpc/good": exporter(good.port, timeout="5s")})
    send(process.grpc_port, REQUESTS[:5])
    process.write({**process.config, "exporters": {"otlp_grpc/good": {"endpont": "x:1"}}})
    process.process.send_signal(signal.SIGHUP)
    line = process.wait_for_line("cannot reload")
    assert line["level"] == "error"
    assert all(words in line["msg"] for words in ("endpont", 'did you mean "endpoint"', "config.yaml:1", "the old configuration goes on")), line
    send(process.grpc_port, REQUESTS[5:])
    good.wait_for_spans(SENT)
    process.check(SENT)
    assert process.stop() == 0, process.log()
    assert good.spans() == expected(REQUESTS)


FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
DAY = 86_400  # seconds


# Scenario: the wall clock jumps a day ahead, two days back, and to where it was, and nothing else jumps; one backend is well and has a certificate of
# this day, one hangs; spans are written to a file too.
# Guarantees: everything arrives where it can, once; nothing waits longer than it would; the process does not say that it is ill.
@pytest.mark.skipif(FAKETIME is None, reason="needs libfaketime")
@pytest.mark.skipif("san/" in os.environ["SPANLOOM_BINARY"], reason="a sanitizer does not let libfaketime come first")
def test_a_wall_clock_that_jumps(collector, tmp_path, good):
    clock, written = tmp_path / "clock", tmp_path / "spans.json"
    clock.write_text("+0")
    hanging = faulty.FaultyBackend(faulty.hang)
    exporters = {"otlp_grpc/good": exporter(good.port, timeout="5s"), "otlp_grpc/hangs": exporter(hanging.port), "file": {"path": str(written)}}
    health = {"health_check": {"endpoint": "127.0.0.1:0", "component_health": {"include_recoverable_errors": True, "recovery_duration": "1h"}}}
    process = collector(exporters, extensions=health, environment={
        "LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"})
    third = len(REQUESTS) // 3
    for offset, bodies in ((DAY, REQUESTS[:third]), (-DAY, REQUESTS[third:2 * third]), (0, REQUESTS[2 * third:])):
        clock.write_text(f"{offset:+d}")
        assert send(process.grpc_port, bodies)[1] == []
        status, _, body = request(f"http://127.0.0.1:{process.ports['health_check']}/")
        assert status == 200 and not json.loads(body)["uptime"].startswith("-"), body
    good.wait_for_spans(SENT)
    process.check(SENT)
    wait_for(lambda: process.metric("spanloom_exporter_held_spans", exporter="otlp_grpc/hangs") == SENT)
    assert process.stop() == 1
    assert good.spans() == expected(REQUESTS)
    lines = [json.loads(line) for line in written.read_text().splitlines()]
    assert sum(len(scope["spans"]) for line in lines for resource_spans in line["resourceSpans"] for scope in resource_spans["scopeSpans"]) == SENT
    hanging.stop()
