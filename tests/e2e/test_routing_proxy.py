# SPDX-License-Identifier: Apache-2.0
"""`spanloom routing-proxy` between a client, a prefill and a decode server, with the spans that arrive at an OTLP backend."""

import http.client
import json
import signal
import ssl
import subprocess
import threading

import pytest
import websockets.sync.client
import websockets.sync.server
from conftest import BINARY, Process
from model_server import ModelServer
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp_backend import Backend

PARAMS = {"do_remote_prefill": True, "do_remote_decode": False, "remote_engine_id": "e", "remote_block_ids": [1, 2], "remote_port": 5600}
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
PATH = "/v1/chat/completions"


def prefill(request, handler):
    asked = json.loads(request["body"])
    assert asked["max_tokens"] == 1 and asked["stream"] is False
    handler.json({"id": "p", "kv_transfer_params": PARAMS})


def decode(request, handler):
    if request["path"] == "/metrics":
        return handler.json(b"# nothing")
    if not json.loads(request["body"]).get("stream"):
        return handler.json({"choices": []})
    handler.begin_events()
    for text in ("one", "two", "[DONE]"):
        handler.event(text)
    handler.end_events()


class Proxy:
    """A proxy on free ports, with its servers and the backend of its spans. `port`: of another decode server."""

    def __init__(self, *flags, prefill=prefill, decode=decode, environment=None, context=None, port=None):
        self.backend = Backend()
        self.prefiller, self.decoder = ModelServer(prefill), ModelServer(decode)
        self.process = Process("routing-proxy", "--listen-host=127.0.0.1", "--port=0", f"--vllm-port={port or self.decoder.port}", "--log-format=json",
                               "--secure-proxy=false", *flags,
                               environment={"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.backend.port}", "OTEL_BSP_SCHEDULE_DELAY": "50",
                                            **(environment or {})})
        self.process.wait_until_ready()
        self.port = self.process.ports["routing-proxy"]
        self.context = context

    def connect(self):
        if self.context:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def post(self, body, path=PATH, target=None, **headers):
        connection = self.connect()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, body if isinstance(body, bytes) else json.dumps(body),
                           {"x-prefiller-host-port": target or self.prefiller.target, **headers})
        response = connection.getresponse()
        answer = response.status, response.read()
        connection.close()
        return answer

    def metric(self, name, **labels):
        return self.process.metric(f"llm_d_disagg_sidecar_{name}", **labels)

    def spans(self, count):
        """The spans by name, once `count` have arrived, and their service."""
        self.backend.wait_for_spans(count)
        found, services = {}, set()
        for body in self.backend.bodies:
            for resource in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans:
                services |= {item.value.string_value for item in resource.resource.attributes if item.key == "service.name"}
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        found.setdefault(span.name, []).append(span)
        return found, services

    def stop(self):
        self.process.stop()
        for server in (self.prefiller, self.decoder, self.backend):
            server.stop()


@pytest.fixture
def start():
    started = []

    def make(*flags, **options):
        started.append(Proxy(*flags, **options))
        return started[-1]

    yield make
    for proxy in started:
        proxy.stop()


def attributes(span):
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in span.attributes}


def test_two_legs_are_one_tree(start):
    """Scenario: a streaming request in a client's trace, with a prefill header.
    Guarantees: the answer arrives; prefill and decode are siblings, each with a CLIENT span that its server was told, all in the client's trace,
    below the service routing-proxy; what the guide names is there."""
    proxy = start()
    status, answer = proxy.post({"stream": True, "messages": []}, traceparent=TRACEPARENT, x_request_id="r-1")
    assert (status, answer) == (200, b"data: one\n\ndata: two\n\ndata: [DONE]\n\n")
    asked = json.loads(proxy.decoder.requests[0]["body"])
    assert asked == {"stream": True, "messages": [], "kv_transfer_params": PARAMS}
    spans, services = proxy.spans(6)
    assert services == {"routing-proxy"}
    assert {name: len(found) for name, found in spans.items()} == {
        f"llm_d.pd_proxy.POST {PATH}": 1, "llm_d.pd_proxy.request": 1, "llm_d.pd_proxy.prefill": 1, "llm_d.pd_proxy.decode": 1, "HTTP POST": 2}
    assert {span.trace_id.hex() for found in spans.values() for span in found} == {TRACE}
    server, request = spans[f"llm_d.pd_proxy.POST {PATH}"][0], spans["llm_d.pd_proxy.request"][0]
    prefill_span, decode_span = spans["llm_d.pd_proxy.prefill"][0], spans["llm_d.pd_proxy.decode"][0]
    assert server.parent_span_id.hex() == "b7ad6b7169203331" and request.parent_span_id == server.span_id
    assert prefill_span.parent_span_id == decode_span.parent_span_id == request.span_id
    clients = {span.parent_span_id: span for span in spans["HTTP POST"]}
    for leg, asked_server in ((prefill_span, proxy.prefiller), (decode_span, proxy.decoder)):
        headers = asked_server.requests[0]["headers"]
        assert headers.get_all("traceparent") == [f"00-{TRACE}-{clients[leg.span_id].span_id.hex()}-01"]
        assert headers.get_all("x-request-id") == ["r-1"] and headers["x-prefiller-host-port"] is None
    seen = attributes(request)
    assert seen["llm_d.pd_proxy.connector"] == "nixlv2" and seen["llm_d.pd_proxy.disaggregation_used"] is True
    assert seen["llm_d.pd_proxy.true_ttft_ms"] < seen["llm_d.pd_proxy.ttft_ms"] <= seen["llm_d.pd_proxy.total_duration_ms"]
    assert attributes(prefill_span)["llm_d.pd_proxy.prefill.status_code"] == 200
    assert all(span.status.code == 0 for found in spans.values() for span in found)


def test_serving_does_not_need_a_collector(start):
    """Scenario: the collector is gone; many requests.
    Guarantees: every one is served, and the stop is in time."""
    proxy = start()
    proxy.backend.stop()
    for _ in range(50):
        assert proxy.post({"messages": []})[0] == 200
    assert proxy.process.stop() == 0


def test_a_prefill_pod_that_is_down(start):
    """Scenario: nobody listens at the prefill target; with the fallback and without.
    Guarantees: decode does all, or 502; the metrics page counts both."""
    proxy = start("--metrics-host=127.0.0.1:0")
    assert proxy.post({"messages": []}, target="127.0.0.1:1")[0] == 200
    assert proxy.metric("fallbacks_total") == proxy.metric("request_errors_total", stage="prefill") == 1
    strict = start("--prefill-fallback=false", "--metrics-host=127.0.0.1:0")
    status, answer = strict.post({"messages": []}, target="127.0.0.1:1")
    assert status == 502 and json.loads(answer)["type"] == "BadGateway"
    assert strict.metric("fallbacks_total") == 0 and strict.metric("request_errors_total", stage="prefill") == 1


def test_a_forged_target_is_refused(start):
    """Scenario: only one host may be asked for prefill, and a header names another.
    Guarantees: 403 as llm-d's sidecar has it, ERROR on the request span with the target."""
    proxy = start("--allowed-prefillers=127.0.0.1")
    status, answer = proxy.post({"messages": []}, target="169.254.169.254:80")
    assert status == 403 and b"prefill target not allowed by SSRF protection" in answer
    assert proxy.post({"messages": []})[0] == 200
    request = next(span for span in proxy.spans(2)[0]["llm_d.pd_proxy.request"] if span.status.code == 2)
    assert attributes(request)["llm_d.pd_proxy.denied_target"] == "169.254.169.254:80"


def test_a_client_that_vanishes_leaves_nothing(start):
    """Scenario: a client reads one event of a stream and goes; the server would write for ever.
    Guarantees: the server's connection is closed; the spans end in error and say why."""
    gone = threading.Event()

    def endless(_, handler):
        handler.begin_events()
        try:
            while True:
                handler.event("x" * 1000)
        except OSError:
            gone.set()

    proxy = start(decode=endless)
    connection = proxy.connect()
    connection.request("POST", PATH, json.dumps({"stream": True}), {"x-prefiller-host-port": proxy.prefiller.target})
    response = connection.getresponse()
    assert response.read1(100)
    response.close()
    connection.close()
    assert gone.wait(30)
    request = proxy.spans(6)[0]["llm_d.pd_proxy.request"][0]
    assert request.status.code == 2 and attributes(request)["llm_d.pd_proxy.error"] == "client_gone"


def test_a_stop_waits_for_streams(start):
    """Scenario: SIGTERM while a stream is under way.
    Guarantees: it goes on to its end, and the process ends with 0; the last spans are sent."""
    go_on = threading.Event()

    def slow(_, handler):
        handler.begin_events()
        handler.event("one")
        go_on.wait(30)
        handler.event("[DONE]")
        handler.end_events()

    proxy = start(decode=slow)
    connection = proxy.connect()
    connection.request("POST", PATH, json.dumps({"stream": True}), {"x-prefiller-host-port": proxy.prefiller.target})
    response = connection.getresponse()
    assert response.read1(100) == b"data: one\n\n"
    proxy.process.process.send_signal(signal.SIGTERM)
    proxy.process.wait_for_line("stopping")
    go_on.set()
    assert response.read() == b"data: [DONE]\n\n"
    assert proxy.process.process.wait(30) == 0
    assert len(proxy.spans(6)[0]["HTTP POST"]) == 2


def test_it_serves_over_tls_by_itself(start):
    """Scenario: no certificate is given, as by default.
    Guarantees: the proxy makes one; clients that do not ask who signed it are served."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    assert start("--secure-proxy=true", context=context).post({"messages": []})[0] == 200


@pytest.fixture(params=[False, True], ids=["cleartext", "tls"])
def websocket_server(request, tmp_path):
    """Says back what it hears, over TLS if the parameter says so: (port, whether over TLS)."""
    context = None
    if request.param:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=model",
                        "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    def echo(connection):
        for message in connection:
            connection.send(message)

    with websockets.sync.server.serve(echo, "127.0.0.1", 0, ssl=context, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1], request.param
        server.shutdown()
        thread.join()


def test_websockets_pass(start, websocket_server):
    """Scenario: a WebSocket client and server that are not ours, with the proxy between them; both legs in cleartext, and both over TLS.
    Guarantees: text and large messages come back, the closing handshake too; both spans end with the connection, with status 101 and no error."""
    port, is_tls = websocket_server
    flags = ["--secure-proxy=true", "--decoder-use-tls", "--decoder-tls-insecure-skip-verify"] if is_tls else []
    proxy = start(*flags, port=port)
    context = None
    if is_tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    url = f"{'wss' if is_tls else 'ws'}://127.0.0.1:{proxy.port}/v1/realtime"
    with websockets.sync.client.connect(url, ssl=context, proxy=None, max_size=None, open_timeout=30) as client:
        for message in ("hello", b"\x00" * (4 << 20), "bye"):
            client.send(message)
            assert client.recv(timeout=30) == message
    assert client.protocol.close_code == 1000
    spans, _ = proxy.spans(2)
    for span in (spans["llm_d.pd_proxy.GET"][0], spans["HTTP GET"][0]):
        assert attributes(span)["http.response.status_code"] == 101 and span.status.code == 0


def test_names_and_variables(start):
    """Scenario: a suffix; a sampler that there is none of; a connector that there is none of.
    Guarantees: the suffix is in the service's name; the others end the start and say what there is."""
    proxy = start("--service-suffix=-eu")
    proxy.post({"messages": []})
    assert proxy.spans(6)[1] == {"routing-proxy-eu"}
    for flags, environment, word in ((["--connector=nixl"], {}, "shared-storage"), ([], {"OTEL_TRACES_SAMPLER": "some"}, "parentbased_traceidratio")):
        ended = subprocess.run([BINARY, "routing-proxy", "--port=0", *flags], env={**environment}, capture_output=True, text=True, timeout=30, check=False)
        assert ended.returncode == 2 and word in ended.stderr, ended.stderr


def test_ranks_and_metrics(start):
    """Scenario: metrics are asked for; a scrape of the model server goes through the proxy.
    Guarantees: requests are counted by the sidecar's names; the scrape's spans have the path by which collectors leave them out."""
    proxy = start("--metrics-host=127.0.0.1:0")
    proxy.post({"messages": []})
    assert proxy.metric("requests_total", api_type="chat_completions") == proxy.metric("disagg_requests_total", disagg_type="prefill-decode") == 1
    connection = proxy.connect()
    connection.request("GET", "/metrics")
    assert connection.getresponse().read() == b"# nothing"
    connection.close()
    scrapes = [span for found in proxy.spans(8)[0].values() for span in found if attributes(span).get("url.path") == "/metrics"]
    assert {span.kind for span in scrapes} == {Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT}
