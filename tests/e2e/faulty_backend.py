# SPDX-License-Identifier: Apache-2.0
"""Backends that are no good: bare sockets that hang, reset, talk nonsense, read slowly, or present a wrong certificate."""

import base64
import random
import socket
import ssl
import struct
import threading
import time

from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from http2_frames import (ACK, DATA, END_HEADERS, END_STREAM, HEADER_BYTES, HEADERS, PREFACE, SETTINGS, WINDOW_UPDATE, frame, grpc_message,
                          literal)

RESOURCE_EXHAUSTED = 8  # of gRPC
PIECE_BYTES = 65_536


class FaultyBackend:
    """Listens on a free port of loopback and does `behave(connection)` with each connection, on a thread of its own, then closes it. With a
    `context` of ssl what it does is over TLS. Takes no spans; `connections` is how many came."""

    def __init__(self, behave, context=None, receive_bytes=None):
        self.connections = 0
        self._behave, self._context, self._open, self._lock = behave, context, set(), threading.Lock()
        self._listener = socket.socket()
        if receive_bytes:  # connections inherit it, so that the kernel takes no more for us
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with self._lock:
                self._open.add(connection)
            self._behave(connection)
        except OSError:
            pass  # the other side left, or we stop
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def stop(self):
        # A thread in accept or recv holds on to its socket: shutting it down wakes it, closing it would not.
        with self._lock:
            sockets = [self._listener, *self._open]
        for each in sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._listener.close()


def hang(connection):
    """Takes everything and never says a word."""
    while connection.recv(PIECE_BYTES):
        pass


def drip(connection):
    """Takes one byte a second."""
    while connection.recv(1):
        time.sleep(1)


def garbage(connection):
    """Says what means nothing in any protocol, whatever it is told."""
    connection.sendall(random.Random(20_261_126).randbytes(20_000))
    hang(connection)


def reset_after(octets):
    """Takes so many bytes, then resets the connection."""
    def behave(connection):
        left = octets
        while left > 0 and (piece := connection.recv(left)):
            left -= len(piece)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return behave


def http2(then):
    """Greets as a server of HTTP/2, then does `then(connection)` with what comes."""
    def behave(connection):
        connection.sendall(frame(SETTINGS))
        then(connection)
    return behave


def exactly(connection, octets):
    """So many bytes; raises ConnectionError if the connection ends before."""
    read = b""
    while len(read) < octets:
        piece = connection.recv(octets - len(read))
        if not piece:
            raise ConnectionError
        read += piece
    return read


def grpc_answers(*frames_of):
    """Answers each call over HTTP/2 with the frames that the functions `frames_of` make of its stream's number."""
    def behave(connection):
        exactly(connection, len(PREFACE))
        connection.sendall(frame(SETTINGS) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)))
        while True:
            head = exactly(connection, HEADER_BYTES)
            size, kind, flags, stream = struct.unpack(">I", b"\0" + head[:3])[0], head[3], head[4], struct.unpack(">I", head[5:])[0]
            exactly(connection, size)
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK))
            if kind in (HEADERS, DATA) and flags & END_STREAM:
                connection.sendall(b"".join(make(stream) for make in frames_of))
    return behave


def _headers(*fields, ends=False):
    block = b"".join(literal(*field) for field in fields)
    return lambda stream: frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, block)


def _data(content, ends=False):
    return lambda stream: frame(DATA, END_STREAM if ends else 0, stream, content)


def grpc_too_many(delay_seconds=None):
    """Refuses each call with RESOURCE_EXHAUSTED; with a delay after which to come again, if one is given."""
    status = status_pb2.Status(code=RESOURCE_EXHAUSTED, message="too many requests")
    if delay_seconds is not None:
        detail = any_pb2.Any()
        detail.Pack(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(nanos=int(delay_seconds * 1e9))))
        status.details.append(detail)
    details = base64.b64encode(status.SerializeToString()).rstrip(b"=")
    return grpc_answers(_headers((b":status", b"200"), (b"content-type", b"application/grpc"), (b"grpc-status", b"8"),
                                 (b"grpc-message", b"too many requests"), (b"grpc-status-details-bin", details), ends=True))


def grpc_login_page():
    """A proxy in front of the backend that has a page for everybody."""
    return grpc_answers(_headers((b":status", b"200"), (b"content-type", b"text/html")), _data(b"<html>please log in</html>", ends=True))


def grpc_huge_answer():
    """Answers each call with a message that says it has a gigabyte."""
    return grpc_answers(_headers((b":status", b"200"), (b"content-type", b"application/grpc")), _data(b"\0\x40\0\0\0" + bytes(1_000)))


def grpc_nonsense():
    """Answers each call OK, with a message that is none."""
    return grpc_answers(_headers((b":status", b"200"), (b"content-type", b"application/grpc")), _data(grpc_message(b"\xff" * 50)),
                        _headers((b"grpc-status", b"0"), ends=True))


def read_http1_request(connection):
    """Reads one request with a Content-Length; raises ConnectionError at the end."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(PIECE_BYTES)
        if not piece:
            raise ConnectionError
        head += piece
    head, _, body = head.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    exactly(connection, length - len(body))


def http1_answers(*pieces):
    """Answers each request of HTTP/1.1 with `pieces`, sent one after the other."""
    def behave(connection):
        while True:
            read_http1_request(connection)
            for piece in pieces:
                connection.sendall(piece)
    return behave


def http1_endless_answer():
    """Answers a request with a body that has no end."""
    def behave(connection):
        read_http1_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\n\r\n")
        while True:
            connection.sendall(bytes(PIECE_BYTES))
    return behave


def tls_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context
