# SPDX-License-Identifier: Apache-2.0
"""The edges of `spanloom collector`: content codings of other libraries, proxies, and credentials, with peers that are not ours."""

import base64
import gzip
import http.server
import select
import socket
import threading
import zlib

import lz4.frame
import pytest
import snappy
import zstandard
from conftest import RECORDED, Process, export_grpc, request
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_backend import Backend
from otlp_expectations import expected_spans

BODY = (RECORDED / "sdk-python-grpc/001-checkout.pb").read_bytes()
SPANS = 512  # of BODY
CONFIG = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
exporters: {nop: }
service:
  telemetry: {metrics: {address: "127.0.0.1:0"}, logs: {encoding: json}}
  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}
"""


def streamed_zstd(content):
    """As writers that don't know the size ahead."""
    stream = zstandard.ZstdCompressor().compressobj()
    return stream.compress(content) + stream.flush()


def unframed_zstd(content):
    return zstandard.ZstdDecompressor().decompress(content, max_output_size=len(BODY))


CODINGS = {
    "gzip": (gzip.compress, gzip.decompress),
    "deflate": (zlib.compress, zlib.decompress),
    "zlib": (zlib.compress, zlib.decompress),
    "zstd": (streamed_zstd, unframed_zstd),
    "snappy": (snappy.compress, snappy.decompress),
    "x-snappy-framed": (lambda content: snappy.StreamCompressor().compress(content), lambda content: snappy.StreamDecompressor().decompress(content)),
    "lz4": (lz4.frame.compress, lz4.frame.decompress),
}


def start(*arguments, environment=None):
    return Process("collector", f"--config=yaml:{CONFIG}", *arguments, environment=environment).wait_until_ready()


class HttpBackend:
    """Keeps the headers and bodies of what it is sent over HTTP; answers a proxy's requests too."""

    def __init__(self):
        backend = self
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                backend.requests.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class ConnectProxy:
    """Opens tunnels to one port, whatever host is asked for."""

    def __init__(self, port):
        self.heads = []
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        self.heads.append(head.decode())
        server = socket.create_connection(("127.0.0.1", self._target))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        ends = {client: server, server: client}
        while True:
            for ready in select.select(list(ends), [], [])[0]:
                piece = ready.recv(65536)
                if not piece:
                    return client.close(), server.close()
                ends[ready].sendall(piece)


# Scenario: a request in each coding, as a library that is not ours writes it.
# Guarantees: all its spans are taken.
@pytest.mark.parametrize("name", CODINGS)
def test_takes_what_other_libraries_compress(name):
    process = start()
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": name}
    status, _, _ = request(f"http://127.0.0.1:{process.http_port}/v1/traces", CODINGS[name][0](BODY), headers)
    assert status == 200
    assert process.metric("otelcol_receiver_accepted_spans") == SPANS
    assert process.stop() == 0, process.log()


# Scenario: an exporter with each coding, and with a high level where there are levels.
# Guarantees: a library that is not ours reads what was sent.
@pytest.mark.parametrize("name", CODINGS)
def test_sends_what_other_libraries_read(name):
    backend = HttpBackend()
    level = 0 if name in ("snappy", "x-snappy-framed", "lz4") else 9
    process = start(f"--set=exporters.otlp_http.endpoint=http://127.0.0.1:{backend.port}", f"--set=exporters.otlp_http.compression={name}",
                    f"--set=exporters.otlp_http.compression_params.level={level}", "--set=service.pipelines.traces.exporters=[otlp_http]")
    export_grpc(process.grpc_port, BODY)
    assert process.stop() == 0, process.log()
    _, headers, body = backend.requests[0]
    assert headers["content-encoding"] == name
    sent = trace_service_pb2.ExportTraceServiceRequest.FromString(CODINGS[name][1](body))
    assert expected_spans(sent) == expected_spans(trace_service_pb2.ExportTraceServiceRequest.FromString(BODY))
    backend.stop()


# Scenario: both exporters, with the proxy variables of a cluster; hosts that only the proxy knows.
# Guarantees: gRPC goes through a tunnel, plain HTTP is told to the proxy in full; both show the credentials, which are in no line of the log.
def test_goes_through_the_proxies_of_the_environment():
    grpc_backend, http_backend = Backend(), HttpBackend()
    tunnel = ConnectProxy(grpc_backend.port)
    process = start("--set=exporters.otlp_grpc.endpoint=traces.invalid:4317", "--set=exporters.otlp_grpc.tls.insecure=true",
                    "--set=exporters.otlp_http.endpoint=http://traces.invalid", "--set=service.pipelines.traces.exporters=[otlp_grpc, otlp_http]",
                    environment={"HTTPS_PROXY": f"http://user:hidden@127.0.0.1:{tunnel.port}", "http_proxy": f"http://user:hidden@127.0.0.1:{http_backend.port}",
                                 "NO_PROXY": "other.invalid,10.0.0.0/8"})
    export_grpc(process.grpc_port, BODY)
    grpc_backend.wait_for_spans(SPANS)
    assert process.stop() == 0, process.log()
    credentials = "Basic " + base64.b64encode(b"user:hidden").decode()
    assert tunnel.heads[0].startswith("CONNECT traces.invalid:4317 HTTP/1.1\r\n") and f"Proxy-Authorization: {credentials}\r\n" in tunnel.heads[0]
    path, headers, _ = http_backend.requests[0]
    assert path == "http://traces.invalid:80/v1/traces" and headers["proxy-authorization"] == credentials
    assert "hidden" not in process.log() and credentials not in process.log()
    grpc_backend.stop()
    http_backend.stop()


# Scenario: a receiver that asks for a password whose hash is bcrypt; the right one, a wrong one, none.
# Guarantees: 200, 401, 401; and no password, nor its hash, is in the log.
def test_asks_for_a_password():
    # "$" is "$$" in a configuration.
    hashed = "$$2y$$04$$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
    process = start(f"--set=extensions.basicauth.htpasswd.inline=alice:{hashed}", "--set=service.extensions=[basicauth]",
                    "--set=receivers.otlp.protocols.http.auth.authenticator=basicauth")

    def status(**headers):
        return request(f"http://127.0.0.1:{process.http_port}/v1/traces", BODY, {"Content-Type": "application/x-protobuf", **headers})[0]

    right, wrong = (base64.b64encode(f"alice:{word}".encode()).decode() for word in ("secret", "hidden"))
    assert [status(Authorization=f"Basic {right}"), status(Authorization=f"Basic {wrong}"), status()] == [200, 401, 401]
    assert process.metric("spanloom_receiver_refused_requests", cause="unauthenticated") == 2
    assert process.stop() == 0, process.log()
    assert not any(word in process.log() for word in ("secret", "hidden", "abcdefgh", right, wrong))
