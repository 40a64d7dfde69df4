# SPDX-License-Identifier: Apache-2.0
"""Our own SDK (src/sdk, by way of tests/sdk/sdk_peer.cc) beside the OpenTelemetry SDK for Python: the same variables and the same script."""

import http.server
import json
import os
import pathlib
import random
import subprocess
import sys
import threading

import grpc
import pytest
from conftest import BINARY
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_backend import Backend

OURS = [str(BINARY.parent / "sdk_peer")]
PYTHON = [sys.executable, str(pathlib.Path(__file__).parent / "sdk_script.py")]
REMOTE_TRACE, REMOTE_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OWN_ATTRIBUTES = {"telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version", "service.instance.id", "service.version"}
SECONDS_MAX = 60

# A proxy's request: a SERVER span that continues a trace, two CLIENT legs, one of which fails.
SCRIPT = f"""
extract	traceparent=00-{REMOTE_TRACE}-{REMOTE_SPAN}-01	tracestate=a=1,b=2	baggage=user=7,tier=gold
start	server	2	remote	POST /v1/completions
set	server	http.request.method	s	POST
set	server	text	s	grüße, 世界 😀
set	server	int	i	-9007199254740993
set	server	double	d	48.25
set	server	bool	b	true
set	server	bool	b	false
set	server	texts	S	default/pod-1|default/pod-2
set	server	ints	I	1|-2|3
set	server	doubles	D	0.5|1.5
set	server	bools	B	true|false
start	prefill	3	server	llm_d.pd_proxy.prefill
inject	prefill
event	prefill	exception	exception.type	s	Refused	exception.message	s	connection refused	attempt	i	2
status	prefill	2	prefill request failed
end	prefill
start	decode	3	server	llm_d.pd_proxy.decode
link	decode	prefill	why	s	after
link	decode	remote
inject	decode
status	decode	2	mended
status	decode	1	ignored
status	decode	2	ignored
end	decode
status	server	0	nothing
end	server
start	root	1	-	a root
start	child	5	root	below it
inject	child
end	child
end	root
"""


def run(command, mode, text, environment):
    """(lines of standard output, standard error) of a peer that ends well."""
    done = subprocess.run([*command, mode], input=text, env={**clean_environment(), **environment}, capture_output=True, text=True, timeout=SECONDS_MAX)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}


def refused(environment, text=""):
    """What our peer says on standard error when it does not start."""
    done = subprocess.run([*OURS, "script"], input=text, env={**clean_environment(), **environment}, capture_output=True, text=True, timeout=SECONDS_MAX)
    assert done.returncode == 2, done
    return done.stderr


class HttpBackend:
    """An OTLP/HTTP server that keeps paths, headers and bodies."""

    def __init__(self):
        self.bodies, self.paths, self.headers = [], [], []
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                backend.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                backend.paths.append(self.path)
                backend.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(params=["grpc", "http/protobuf"])
def backend(request):
    """A destination of either protocol; environment() points at it."""
    server = Backend() if request.param == "grpc" else HttpBackend()
    server.protocol = request.param
    server.environment = {"OTEL_EXPORTER_OTLP_PROTOCOL": request.param, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.port}",
                          "OTEL_SERVICE_NAME": "proxy"}
    yield server
    server.stop()


def value_of(value):
    kind = value.WhichOneof("value")
    return tuple(value_of(item) for item in value.array_value.values) if kind == "array_value" else (kind, getattr(value, kind))


def attributes_of(items):
    assert len({item.key for item in items}) == len(items)
    return {item.key: value_of(item.value) for item in items}


def received(backend):
    """({span name: what it says, ids replaced by names}, attributes of the resource) of all that came, which is then forgotten."""
    spans, resource, scopes = [], {}, set()
    for body in backend.bodies:
        for resource_spans in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = attributes_of(resource_spans.resource.attributes)
            for scope_spans in resource_spans.scope_spans:
                scopes.add((scope_spans.scope.name, scope_spans.scope.version))
                spans.extend(scope_spans.spans)
    backend.bodies.clear()
    names = {span.span_id: span.name for span in spans} | {bytes.fromhex(REMOTE_SPAN): "remote", b"": "none"}
    assert len({span.name for span in spans}) == len(spans) and scopes <= {("peer.scope", "1.5")}
    trace_of = {bytes.fromhex(REMOTE_TRACE): "remote"}
    for span in spans:
        trace_of.setdefault(span.trace_id, f"that of {min(other.name for other in spans if other.trace_id == span.trace_id)}")
    found = {}
    for span in spans:
        assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
        found[span.name] = {
            "kind": span.kind, "parent": names[span.parent_span_id], "trace": trace_of[span.trace_id], "state": span.trace_state,
            "attributes": attributes_of(span.attributes), "status": (span.status.code, span.status.message), "remote": span.flags & 0x300,
            "events": [(event.name, attributes_of(event.attributes), event.dropped_attributes_count) for event in span.events],
            "links": [(names[link.span_id], trace_of[link.trace_id], attributes_of(link.attributes), link.dropped_attributes_count) for link in span.links],
            "dropped": (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count)}
    return found, resource


def ids_left_out(headers):
    """Injected headers without the ids that are random: a trace id stays if it is that of the remote trace."""
    pairs = dict(pair.split("=", 1) for pair in headers.split("\t"))
    version, trace_id, _, flags = pairs.pop("traceparent").split("-")
    return (version, trace_id == REMOTE_TRACE, flags), pairs


def both(backend, script, environment):
    """What came of `script` from our SDK and from the one for Python: (spans, resource, output) each."""
    found = []
    for command in (OURS, PYTHON):
        output, _ = run(command, "script", script.strip() + "\n", {**backend.environment, **environment})
        found.append((*received(backend), output))
    return found


# Scenario: spans with everything that a span can have, over either protocol.
# Guarantees: the same spans, trees, values, resource and injected headers as of the Python SDK; ours count what they sent.
def test_the_same_script_gives_the_same_spans(backend):
    attributes = "k8s.pod.name=proxy-0,deployment.environment=a%2Cb%20c"
    (ours, our_resource, our_output), (theirs, their_resource, their_output) = both(backend, SCRIPT, {"OTEL_RESOURCE_ATTRIBUTES": attributes})
    assert set(ours) == {"POST /v1/completions", "llm_d.pd_proxy.prefill", "llm_d.pd_proxy.decode", "a root", "below it"}
    assert ours == theirs
    assert our_resource["service.name"] == ("string_value", "proxy") and our_resource["deployment.environment"] == ("string_value", "a,b c")
    assert {key: value for key, value in our_resource.items() if key not in OWN_ATTRIBUTES} == {
        key: value for key, value in their_resource.items() if key not in OWN_ATTRIBUTES}
    assert [ids_left_out(line) for line in our_output[:-1]] == [ids_left_out(line) for line in their_output]
    assert our_output[-1] == "exported 5 lost 0"


# Scenario: each sampler below a sampled and an unsampled parent and for a root that it always or never takes.
# Guarantees: the same spans as of the Python SDK, and what goes on says the same.
@pytest.mark.parametrize("sampler,ratio", [("always_on", ""), ("always_off", ""), ("traceidratio", "0"), ("traceidratio", "1"), ("parentbased_always_on", ""),
                                           ("parentbased_always_off", ""), ("parentbased_traceidratio", "0"), ("PARENTBASED_TRACEIDRATIO", "1.0")])
def test_samplers_decide_the_same(backend, sampler, ratio):
    script = "".join(f"extract\ttraceparent=00-{REMOTE_TRACE}-{REMOTE_SPAN}-{flags}\nstart\ts{flags}\t2\tremote\tbelow {flags}\ninject\ts{flags}\n"
                     f"start\tc{flags}\t1\ts{flags}\tlower {flags}\nend\tc{flags}\nend\ts{flags}\n" for flags in ("00", "01"))
    script += "start\troot\t1\t-\troot\ninject\troot\nend\troot\n"
    environment = {"OTEL_TRACES_SAMPLER": sampler, **({"OTEL_TRACES_SAMPLER_ARG": ratio} if ratio else {})}
    (ours, _, our_output), (theirs, _, their_output) = both(backend, script, environment)
    assert ours == theirs
    assert [ids_left_out(line) for line in our_output[:-1]] == [ids_left_out(line) for line in their_output]


# Scenario: 10,000 fixed trace ids, many at the border of a ratio, under seven ratios.
# Guarantees: each of them is decided as the Python SDK does.
@pytest.mark.parametrize("ratio", ["0", "1e-9", "0.1", "0.3333333333333333", "0.5", "0.9999999999999999", "1"])
def test_ratios_decide_ten_thousand_traces_the_same(ratio):
    seeded = random.Random(4)
    bound = round(float(ratio) * 2**64)
    ids = [seeded.getrandbits(128) for _ in range(9_000)]
    ids += [seeded.getrandbits(64) << 64 | max(0, min(2**64 - 1, bound + seeded.randrange(-500, 500))) for _ in range(1_000)]
    text = "".join(f"{trace_id:032x}\n" for trace_id in ids)
    environment = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    ours, theirs = (run(command, "decide", text, environment)[0] for command in (OURS, PYTHON))
    assert len(ours) == 10_000 and ours == theirs
    if ratio not in ("0", "1"):
        assert len(set(ours)) == 2


# Scenario: spans that exceed every limit that the variables set, general and special.
# Guarantees: as much is left out, is counted and is cut as by the Python SDK (which of them is left out differs: the Python SDK drops the
# oldest, the specification and we the newest).
def test_limits_hold_the_same(backend):
    environment = {"OTEL_ATTRIBUTE_COUNT_LIMIT": "2", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "3", "OTEL_SPAN_EVENT_COUNT_LIMIT": "2", "OTEL_SPAN_LINK_COUNT_LIMIT": "1",
                   "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "5", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "4"}
    script = "start\ta\t1\t-\ta\nstart\tb\t1\t-\tb\n" + "".join(f"set\ta\tk{i}\ts\tä-long-text-{i}\n" for i in range(5))
    script += "set\ta\tk4\tS\tlong text|x\n" + "".join(f"event\ta\te{i}\tx\ts\tlonger\ty\ti\t1\tz\ti\t2\n" for i in range(3)) + "link\ta\tb\nlink\ta\tb\nend\ta\nend\tb\n"
    (ours, *_), (theirs, *_) = both(backend, script, environment)
    assert ours["a"]["dropped"] == (3, 1, 1)
    events = [found["a"].pop("events") for found in (ours, theirs)]
    attributes = [found["a"].pop("attributes") for found in (ours, theirs)]
    dropped = [found["a"].pop("dropped") for found in (ours, theirs)]
    assert ours == theirs
    assert [len(each) for each in attributes] == [3, 3] and dropped[0][1:] == dropped[1][1:]
    assert attributes[0]["k0"] == ("string_value", "ä-lo") and set(map(len, (text for _, text in list(attributes[0].values())))) == {4}
    assert [[(len(held), count) for _, held, count in each] for each in events] == [[(2, 1)] * 2] * 2
    assert events[0][0][1] == {"x": ("string_value", "longe"), "y": ("int_value", 1)}


# Scenario: headers with escapes, those of traces beside general ones; gzip; a path of one's own; over HTTP.
# Guarantees: they are sent as the Python SDK sends them.
def test_requests_look_the_same():
    backend = HttpBackend()
    backend.environment = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1/unused",
                           "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{backend.port}/own/path", "OTEL_EXPORTER_OTLP_HEADERS": "x-unused=1",
                           "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "Authorization=Basic%20dTpw==,x-tenant=a", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}
    for command in (OURS, PYTHON):
        run(command, "script", "start\ta\t1\t-\ta\nend\ta\n", backend.environment)
    assert backend.paths == ["/own/path"] * 2
    for headers in backend.headers:
        assert headers["authorization"] == "Basic dTpw==" and headers["x-tenant"] == "a" and "x-unused" not in headers
        assert headers["content-encoding"] == "gzip" and headers["content-type"] == "application/x-protobuf"
    backend.stop()


# Scenario: a destination with a certificate of an authority of its own, that wants one of the client's.
# Guarantees: spans arrive with both; without the authority they are lost, and counted, and a file that is not there is an error at start.
def test_tls_goes_by_the_variables(tmp_path):
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 1, "-subj", "/CN=peer",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate)
    pair = (key.read_bytes(), certificate.read_bytes())
    backend = Backend(credentials=grpc.ssl_server_credentials([pair], root_certificates=pair[1], require_client_auth=True))
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"https://localhost:{backend.port}", "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificate),
                   "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(key), "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(certificate), "OTEL_BSP_EXPORT_TIMEOUT": "1"}
    script = "start\ta\t1\t-\ta\nend\ta\n"
    assert run(OURS, "script", script, {**environment, "OTEL_BSP_EXPORT_TIMEOUT": "20000"})[0] == ["exported 1 lost 0"]
    assert set(received(backend)[0]) == {"a"}
    del environment["OTEL_EXPORTER_OTLP_CERTIFICATE"]
    assert run(OURS, "script", script, environment)[0] == ["exported 0 lost 1"]
    error = refused({**environment, "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tmp_path / "missing.pem")})
    assert "OTEL_EXPORTER_OTLP_" in error and "missing.pem" in error
    backend.stop()


# Scenario: a destination that is away for the first requests; one that stays away; a queue that is too small.
# Guarantees: what was refused for the moment is sent again; what is lost is counted.
def test_losses_are_counted():
    backend = Backend(failures=1)
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{backend.port}"}
    script = "".join(f"start\t{i}\t1\t-\t{i}\nend\t{i}\n" for i in range(20))
    assert run(OURS, "script", script, environment)[0] == ["exported 20 lost 0"]
    assert len(received(backend)[0]) == 20
    backend.stop()
    output, log = run(OURS, "script", script, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_EXPORT_TIMEOUT": "1"})
    assert output == ["exported 0 lost 20"]
    assert "can't be delivered" in log and "OTEL_EXPORTER_OTLP_" in log


# Scenario: tracing is off in either way, and on with the console.
# Guarantees: off, nothing is sent and the caller's context goes on as it came; the console has the spans as OTLP/JSON.
def test_exporters_other_than_otlp():
    script = f"extract\ttraceparent=00-{REMOTE_TRACE}-{REMOTE_SPAN}-01\tbaggage=k=v\nstart\ta\t2\tremote\ta\ninject\ta\nend\ta\n"
    unchanged = f"traceparent=00-{REMOTE_TRACE}-{REMOTE_SPAN}-01\tbaggage=k=v"
    for environment in ({"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}):
        assert run(OURS, "script", script, environment)[0] == [unchanged]
    headers, line, counts = run(OURS, "script", script, {"OTEL_TRACES_EXPORTER": "console", "OTEL_PROPAGATORS": "b3,baggage"})[0]
    span = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert span["name"] == "a" and span["traceId"] != REMOTE_TRACE and counts == "exported 1 lost 0"
    assert headers == f"b3={span['traceId']}-{span['spanId']}-1\tbaggage=k=v"


# Scenario: a name that no sampler has; a number that is none.
# Guarantees: the first ends the start with what is allowed, the second is a warning, and spans are made.
def test_what_is_wrong_is_said(backend):
    error = refused({"OTEL_TRACES_SAMPLER": "jaeger_remote"})
    assert "OTEL_TRACES_SAMPLER" in error and "jaeger_remote" in error and "parentbased_traceidratio" in error
    output, log = run(OURS, "script", "start\ta\t1\t-\ta\nend\ta\n", {**backend.environment, "OTEL_BSP_MAX_QUEUE_SIZE": "many"})
    assert output == ["exported 1 lost 0"] and "OTEL_BSP_MAX_QUEUE_SIZE" in log
