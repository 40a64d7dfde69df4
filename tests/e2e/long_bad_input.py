# SPDX-License-Identifier: Apache-2.0
"""`spanloom serve` under load from a client that behaves, while others do not. Long tier; meant for the asan and tsan presets too.

Scenario: for a while, one thread sends good requests over gRPC and HTTP one after the other, and each other thread does one bad thing again and
again, to every port where it makes sense.
Guarantees: every good request is answered OK, and the spans counted are those sent; memory stays bounded; what was refused is counted by cause;
the server drains and ends with 0.
"""

import gzip
import os
import pathlib
import random
import re
import socket
import struct
import threading
import time

import grpc
import pytest
from conftest import EXPORT, RECORDED, request
from http2_frames import CALL, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, literal

BODY = (RECORDED / "sdk-python-grpc/001-checkout.pb").read_bytes()
SPANS = 512  # of BODY
LOAD_SECONDS = float(os.environ.get("SPANLOOM_STRESS_SECONDS", "20"))
SEED = 20_261_125
# Beyond what serve holds when the load begins. Guess: several bodies at their limit of 20 MiB, read buffers, and a sanitizer's quarantine (256 MiB).
GROWTH_MIB_MAX = 900
SOCKET_SECONDS_MAX = 5


def http1_head(length, *lines):
    return "\r\n".join(("POST /v1/traces HTTP/1.1", "host: x", "content-type: application/x-protobuf", f"content-length: {length}", *lines, "", "")).encode()


class Attack:
    """What the bad clients share: a source of randomness and the ports."""

    def __init__(self, serve, seed):
        self.random, self.ports = random.Random(seed), serve.ports

    def open(self, port):
        return socket.create_connection(("127.0.0.1", self.ports[port]), timeout=SOCKET_SECONDS_MAX)

    def send(self, port, *pieces, read=True):
        """Sends pieces, then reads what comes until the server closes or is silent."""
        with self.open(port) as connection:
            for piece in pieces:
                connection.sendall(piece)
            connection.settimeout(0.2)
            while read and connection.recv(65536):
                pass

    def random_bytes(self):
        for port in self.ports:
            self.send(port, self.random.randbytes(self.random.randint(1, 20_000)))
            self.send(port, PREFACE + self.random.randbytes(2_000))
            self.send(port, b"POST /v1/traces HTTP/1.1\r\n" + self.random.randbytes(2_000))

    def random_frames(self):
        self.send("otlp/grpc", PREFACE + frame(SETTINGS), *(
            frame(self.random.randint(0, 12), self.random.randint(0, 255), self.random.randint(0, 9), self.random.randbytes(self.random.randint(0, 60)))
            for _ in range(20)))

    def damaged_request(self):
        body = bytearray(BODY)
        for _ in range(5):
            body[self.random.randrange(len(body))] = self.random.randrange(256)
        body = bytes(body[:self.random.randrange(1, len(body))])
        message = b"\0" + struct.pack(">I", len(body)) + body
        self.send("otlp/grpc", PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, CALL),
                  *(frame(DATA, 0, 1, message[at:at + 16_000]) for at in range(0, len(message), 16_000)), frame(DATA, END_STREAM, 1))

    def gzip_bomb(self):
        bomb = gzip.compress(bytes(100 << 20), 6)
        self.send("otlp/http", http1_head(len(bomb), "content-encoding: gzip") + bomb)
        message = b"\1" + struct.pack(">I", len(bomb)) + bomb
        head = CALL + literal(b"grpc-encoding", b"gzip")
        self.send("otlp/grpc", PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, head),
                  *(frame(DATA, 0, 1, message[at:at + 16_000]) for at in range(0, len(message), 16_000)), frame(DATA, END_STREAM, 1))

    def declared_gigabyte(self):
        self.send("otlp/http", http1_head(1 << 30), bytes(10_000))
        self.send("otlp/grpc", PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, CALL) + frame(DATA, 0, 1, b"\0\x40\0\0\0" + bytes(10_000)))

    def header_flood(self):
        self.send("otlp/http", b"GET / HTTP/1.1\r\n", *(b"x-%d: %s\r\n" % (i, b"y" * 1_000) for i in range(500)))
        big = literal(b"x-big", b"y" * 10_000)
        self.send("otlp/grpc", PREFACE + frame(SETTINGS) + frame(HEADERS, 0, 1, CALL), *(frame(CONTINUATION, 0, 1, big) for _ in range(500)))

    def rapid_reset(self):
        self.send("otlp/grpc", PREFACE + frame(SETTINGS), *(
            frame(HEADERS, END_HEADERS, stream, CALL) + frame(RST_STREAM, 0, stream, bytes([0, 0, 0, 8])) for stream in range(1, 20_001, 2)))

    def ping_flood(self):
        self.send("otlp/grpc", PREFACE + frame(SETTINGS), *(frame(PING, 0, 0, bytes(8)) * 100 for _ in range(200)))

    def settings_flood(self):
        self.send("otlp/grpc", PREFACE + frame(SETTINGS), *(frame(SETTINGS) * 100 for _ in range(200)), read=False)

    def never_reads(self):
        """Asks for the page many times over one connection and takes nothing of it."""
        with self.open("spanloom_query") as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.settimeout(1)
            connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 2_000)
            time.sleep(0.5)

    def slow_writer(self):
        with self.open("otlp/http") as connection:
            for octet in http1_head(len(BODY))[:20]:
                connection.sendall(bytes([octet]))
                time.sleep(0.02)

    def half_open(self):
        """Connects, says half of a request, and is gone: with FIN and with RST."""
        for port in self.ports:
            for beginning in (b"", b"GET / HT", PREFACE[:10], PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, CALL)):
                with self.open(port) as connection:
                    connection.sendall(beginning)
                    if self.random.random() < 0.5:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def many_connections(self):
        connections = [self.open("otlp/grpc") for _ in range(200)]
        for connection in connections:
            connection.close()

    def window_overflow(self):
        self.send("otlp/grpc", PREFACE + frame(SETTINGS) + frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff") * 2)

    def deep_nesting(self):
        value = b""
        for _ in range(5_000):
            inner = b"\x0a" + varint(len(value)) + value  # ArrayValue.values
            value = b"\x2a" + varint(len(inner)) + inner  # AnyValue.array_value
        attribute = b"\x0a\x01k\x12" + varint(len(value)) + value
        for number in (9, 2, 2, 1):  # Span.attributes, ScopeSpans.spans, ResourceSpans.scope_spans, the request
            attribute = bytes([number << 3 | 2]) + varint(len(attribute)) + attribute
        self.send("otlp/http", http1_head(len(attribute)) + attribute)


ATTACKS = [name for name in vars(Attack) if not name.startswith("_") and name not in ("open", "send")]


def varint(value):
    octets = b""
    while value >= 128:
        octets, value = octets + bytes([value % 128 + 128]), value // 128
    return octets + bytes([value])


def attack(serve, name, seed, stop, counts):
    attacker = Attack(serve, seed)
    while not stop.is_set():
        try:
            getattr(attacker, name)()
        except OSError:
            pass  # the server closed, or said nothing more: its right
        counts[name] = counts.get(name, 0) + 1


def resident_mib(pid):
    return int(re.search(r"^VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]) / 1024


def good_load(serve, seconds):
    """Sends good requests one after the other; how many, and the highest resident memory seen."""
    sent, peak, end = 0, 0, time.monotonic() + seconds
    with grpc.insecure_channel(f"127.0.0.1:{serve.grpc_port}") as channel:
        call = channel.unary_unary(EXPORT)
        while time.monotonic() < end:
            call(BODY, timeout=30)
            status, _, answer = request(f"http://127.0.0.1:{serve.http_port}/v1/traces", BODY, {"Content-Type": "application/x-protobuf"})
            assert status == 200, answer
            sent += 2
            peak = max(peak, resident_mib(serve.process.pid))
    return sent, peak


def test_good_clients_are_not_harmed(serve):
    good_load(serve, 1)
    before = serve.metric("otelcol_receiver_accepted_spans")
    resident = resident_mib(serve.process.pid)
    stop, counts = threading.Event(), {}
    threads = [threading.Thread(target=attack, args=(serve, name, SEED + index, stop, counts)) for index, name in enumerate(ATTACKS)]
    for thread in threads:
        thread.start()
    try:
        sent, peak = good_load(serve, LOAD_SECONDS)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    print(f"{sent} good requests, memory {resident:.0f} to {peak:.0f} MiB; bad ones: {counts}")
    assert set(counts) == set(ATTACKS)
    # A damaged request may by chance still be a request; its spans come on top.
    assert serve.metric("otelcol_receiver_accepted_spans") >= before + sent * SPANS
    assert peak - resident < GROWTH_MIB_MAX
    for cause in ("header_too_large", "message_too_large", "body_too_large", "too_many_pings", "bad_request", "flood"):
        assert serve.metric("spanloom_net_refused", cause=cause) > 0, cause
    assert serve.stop() == 0, serve.log()[-4000:]


# Scenario: each kind of bad client alone.
# Guarantees: the server lives and serves; what goes wrong above can be told apart here.
@pytest.mark.parametrize("name", ATTACKS)
def test_each_attack_alone(serve, name):
    attacker = Attack(serve, SEED)
    try:
        getattr(attacker, name)()
    except OSError:
        pass
    assert request(f"http://127.0.0.1:{serve.http_port}/v1/traces", BODY, {"Content-Type": "application/x-protobuf"})[0] == 200
    assert serve.stop() == 0, serve.log()[-4000:]
