# SPDX-License-Identifier: Apache-2.0
"""TLS, mTLS and unix sockets, by clients and servers that are not ours: grpcio, Python's ssl, curl."""

import subprocess
from concurrent import futures

import grpc
import pytest

from conftest import EXPORT, RECORDED

BODY = (RECORDED / "vllm-0.32-direct/001-vllm-decode.pb").read_bytes()  # 9 spans


class Authority:
    """Makes certificates with the openssl command, for a day."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.ca = folder / f"{name}.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                     "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", self.ca)

    @staticmethod
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", days=1):
        """(certificate file, key file) for this machine's loopback, or for `names`; of the past if `days` is below zero."""
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.folder / f"{self.name}.key", "-CAcreateserial",
                     "-days", days, "-extfile", extensions, "-out", certificate)
        return certificate, key


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


def export(target, credentials=None):
    """Sends BODY by grpcio; raises grpc.RpcError when refused."""
    channel = grpc.insecure_channel(target) if credentials is None else grpc.secure_channel(target, credentials)
    with channel:
        call = channel.unary_unary(EXPORT, request_serializer=lambda data: data, response_deserializer=lambda data: data)
        return call(BODY, timeout=10)


def credentials(authority, pair=None):
    certificate, key = (path.read_bytes() for path in pair) if pair else (None, None)
    return grpc.ssl_channel_credentials(authority.ca.read_bytes(), key, certificate)


def curl(port, authority, *arguments):
    """(exit code, what curl printed) of a POST of BODY over TLS."""
    done = subprocess.run(["curl", "-sS", "--max-time", "10", "--cacert", str(authority.ca), "--data-binary", "@-", "-H", "Content-Type: application/x-protobuf",
                           "-o", "/dev/null", "-w", "%{http_version} %{http_code}", *map(str, arguments), f"https://localhost:{port}/v1/traces"],
                          input=BODY, capture_output=True, timeout=30)
    return done.returncode, done.stdout.decode()


def serve_tls(start, tmp_path, section):
    path = tmp_path / "config.yaml"
    path.write_text(f"""
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:0", tls: {section}}}
      http: {{endpoint: "127.0.0.1:0", tls: {section}}}
""")
    return start(f"--config={path}")


# Scenario: a receiver with a certificate; grpcio, and curl with HTTP/1.1 and HTTP/2 by ALPN, trust its authority or do not.
# Guarantees: those that trust it are served by the protocol they asked for; the others leave; cleartext is refused.
def test_tls(start, tmp_path, authority):
    certificate, key = authority.issue("server")
    serve = serve_tls(start, tmp_path, f"{{cert_file: {certificate}, key_file: {key}}}")
    export(f"localhost:{serve.grpc_port}", credentials(authority))
    assert curl(serve.http_port, authority, "--http1.1") == (0, "1.1 200")
    assert curl(serve.http_port, authority, "--http2") == (0, "2 200")
    assert serve.metric("otelcol_receiver_accepted_spans") == 27
    stranger = Authority(tmp_path, "stranger")
    with pytest.raises(grpc.RpcError):
        export(f"localhost:{serve.grpc_port}", credentials(stranger))
    assert curl(serve.http_port, stranger)[0] == 60  # the peer's certificate can't be authenticated
    with pytest.raises(grpc.RpcError):
        export(f"localhost:{serve.grpc_port}")
    assert serve.metric("otelcol_receiver_accepted_spans") == 27
    assert serve.metric("spanloom_net_refused", cause="tls_handshake") >= 2


# Scenario: client_ca_file; clients with a certificate of it, with none, with a stranger's.
# Guarantees: only the first is served.
def test_mtls(start, tmp_path, authority):
    certificate, key = authority.issue("server")
    client, other = authority.issue("client"), Authority(tmp_path, "stranger").issue("other")
    serve = serve_tls(start, tmp_path, f"{{cert_file: {certificate}, key_file: {key}, client_ca_file: {authority.ca}}}")
    export(f"localhost:{serve.grpc_port}", credentials(authority, client))
    assert curl(serve.http_port, authority, "--cert", client[0], "--key", client[1]) == (0, "2 200")
    for pair in (None, other):
        with pytest.raises(grpc.RpcError):
            export(f"localhost:{serve.grpc_port}", credentials(authority, pair))
        assert curl(serve.http_port, authority, *(("--cert", pair[0], "--key", pair[1]) if pair else ()))[0] != 0
    assert serve.metric("otelcol_receiver_accepted_spans") == 18


# Scenario: the certificate's files are replaced by another authority's, then by nonsense.
# Guarantees: new connections get the new one, and go on getting it; the log says what is wrong with the nonsense.
def test_certificates_are_reloaded(start, tmp_path, authority):
    certificate, key = authority.issue("server")
    serve = serve_tls(start, tmp_path, f"{{cert_file: {certificate}, key_file: {key}, reload_interval: 20ms}}")
    export(f"localhost:{serve.grpc_port}", credentials(authority))
    successor = Authority(tmp_path, "successor")
    for new, old in zip(successor.issue("next"), (certificate, key)):
        new.rename(old)
    for _ in ("gRPC", "HTTP"):  # each server looks for itself
        serve.wait_for_line("new certificates are in use")
    export(f"localhost:{serve.grpc_port}", credentials(successor))
    certificate.write_text("nonsense")
    line = serve.wait_for_line("can't be used")
    assert str(certificate) in line["error"]
    export(f"localhost:{serve.grpc_port}", credentials(successor))


# Scenario: a receiver on a unix socket, with the Collector's `transport: unix`; grpcio sends to `unix:`.
# Guarantees: served; the file is gone after the stop.
def test_unix_socket(start, tmp_path):
    path = tmp_path / "otlp.sock"
    serve = start("--set=receivers.otlp.protocols.grpc.transport=unix", f"--set=receivers.otlp.protocols.grpc.endpoint={path}")
    export(f"unix:{path}")
    assert serve.metric("otelcol_receiver_accepted_spans") == 9
    assert serve.stop() == 0
    assert not path.exists()


class Backend(grpc.GenericRpcHandler):
    """Takes what an exporter sends, over TLS, from clients with a certificate."""

    def __init__(self, authority):
        certificate, key = (path.read_bytes() for path in authority.issue("backend"))
        self.bodies = []
        self.server = grpc.server(futures.ThreadPoolExecutor(2), handlers=(self,))
        secure = grpc.ssl_server_credentials([(key, certificate)], authority.ca.read_bytes(), require_client_auth=True)
        self.port = self.server.add_secure_port("localhost:0", secure)
        self.server.start()

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda body, _: self.bodies.append(body) or b"")


# Scenario: the exporter sends to a backend of grpcio's that wants a certificate.
# Guarantees: what was received arrives there.
def test_exporter_over_mtls(start, tmp_path, authority):
    backend = Backend(authority)
    certificate, key = authority.issue("client")
    path = tmp_path / "config.yaml"
    path.write_text(f"""
exporters:
  otlp_grpc:
    endpoint: localhost:{backend.port}
    compression: none
    tls: {{ca_file: {authority.ca}, cert_file: {certificate}, key_file: {key}}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
""")
    serve = start(f"--config={path}")
    export(f"127.0.0.1:{serve.grpc_port}")
    assert serve.stop() == 0, serve.log()
    backend.server.stop(None)
    assert backend.bodies == [BODY]
