# SPDX-License-Identifier: Apache-2.0
"""What is wrong is refused with the right status and words that help; nobody else is disturbed."""

import json
import pathlib
import socket

import grpc
import pytest
from conftest import BINARY, RECORDED, export_grpc, export_http, request
from google.rpc import status_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

BODY = (RECORDED / "sdk-python-grpc/001-checkout.pb").read_bytes()


def refused_start(start, *arguments):
    """The log of a start that must fail."""
    server = start(*arguments, ready=False)
    server.process.wait(30)
    server._reader.join(30)
    assert server.process.returncode == 1, server.log()
    return server.log()


def config(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return f"--config={path}"


# Scenario: configurations with one mistake each.
# Guarantees: the process ends with 1 and names the key, where it stands, and what would be right.
@pytest.mark.parametrize("text,words", [
    ("receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpont: 127.0.0.1:0\n", ["endpont", "endpoint", "config.yaml:5"]),
    ("receiver:\n  otlp:\n", ["receiver", "receivers"]),
    ("processors:\n  bach:\n", ["bach", "batch", "config.yaml:2"]),
    ("service:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      processors: [batch]\n      exporters: [spanloom_store]\n", ["batch", "not configured"]),
    ("processors:\n  batch:\n    send_batch_size: many\n", ["send_batch_size", "config.yaml:3"]),
    ("processors:\n  filter:\n    traces:\n      span:\n        - name = \"GET\"\n", ["name = ", "condition"]),
    ("receivers: [otlp\n", ["config.yaml"]),
    ("service:\n  pipelines:\n    profiles:\n      receivers: [otlp]\n      exporters: [debug]\n", ["profiles", "not supported"]),
])
def test_config_mistakes_are_named(start, tmp_path, text, words):
    log = refused_start(start, config(tmp_path, text))
    assert all(word in log for word in words), log


# Scenario: the gRPC port is taken by another process.
# Guarantees: the error names the endpoint and what to do.
def test_port_in_use_is_named(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        log = refused_start(start, f"--set=receivers.otlp.protocols.grpc.endpoint=127.0.0.1:{port}")
    assert f"127.0.0.1:{port}" in log and "in use" in log and "otlp" in log


# Scenario: a data directory below a file.
# Guarantees: the error names the directory.
def test_data_directory_that_cannot_be_made_is_named(start, tmp_path):
    (tmp_path / "file").write_text("")
    log = refused_start(start, f"--data-dir={tmp_path}/file/data")
    assert f"{tmp_path}/file/data" in log


# Scenario: two processes on one data directory.
# Guarantees: the second is refused and told who has it; the first goes on.
def test_second_process_on_a_data_directory_is_refused(start, tmp_path):
    first = start(f"--data-dir={tmp_path}")
    log = refused_start(start, f"--data-dir={tmp_path}")
    assert str(first.process.pid) in log and str(tmp_path) in log
    assert first.get("/api/services")[0] == 200


# Scenario: a truncated message over gRPC, then a good one on the same server.
# Guarantees: a status that clients do not retry, with the byte offset; counted; the next one is stored.
def test_truncated_grpc_message_is_refused(serve):
    with pytest.raises(grpc.RpcError) as refusal:
        export_grpc(serve.grpc_port, BODY[:-10])
    assert refusal.value.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
    assert "byte" in refusal.value.details()
    export_grpc(serve.grpc_port, BODY)
    assert serve.metric("otelcol_receiver_accepted_spans") == 512


# Scenario: a message of 5 MiB at a limit of 4 MiB, plain and as a gzip bomb of 100 MiB.
# Guarantees: RESOURCE_EXHAUSTED with size and limit; memory stays bounded; counted.
@pytest.mark.parametrize("size,compression", [(5 << 20, grpc.Compression.NoCompression), (100 << 20, grpc.Compression.Gzip)])
def test_grpc_message_over_the_limit_is_refused(serve, size, compression):
    with pytest.raises(grpc.RpcError) as refusal:
        export_grpc(serve.grpc_port, bytes(size), compression)
    assert refusal.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "4194304" in refusal.value.details()
    status = pathlib.Path(f"/proc/{serve.process.pid}/status").read_text()
    peak_kib = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    assert peak_kib < 400 << 10  # sanitizers included
    assert serve.metric("spanloom_net_refused", cause="message_too_large") == 1


# Scenario: an unknown service and an unknown method.
# Guarantees: UNIMPLEMENTED, as the Collector says it.
def test_unknown_grpc_method_is_unimplemented(serve):
    with grpc.insecure_channel(f"127.0.0.1:{serve.grpc_port}") as channel:
        with pytest.raises(grpc.RpcError) as refusal:
            channel.unary_unary("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")(b"", timeout=30)
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "opentelemetry.proto.collector.metrics.v1.MetricsService" in refusal.value.details()


# Scenario: HTTP requests with one thing wrong each.
# Guarantees: the status that the Collector or the OTLP specification gives, and a body that says why.
def test_http_refusals(serve):
    port = serve.http_port
    assert export_http(port, BODY, "text/plain")[0] == 415
    assert b"application/x-protobuf" in export_http(port, BODY, "application/protobuf")[2]
    assert export_http(port, BODY, path="/v1/trace")[0] == 404
    assert request(f"http://127.0.0.1:{port}/v1/traces")[0] == 405
    assert export_http(port, bytes(21 << 20))[0] == 413
    assert export_http(port, bytes(60 << 20), compress=True)[0] == 413

    status, headers, answer = export_http(port, BODY[:-10])
    assert (status, headers["Content-Type"]) == (400, "application/x-protobuf")
    assert status_pb2.Status.FromString(answer).code == 3
    status, headers, answer = export_http(port, b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "12"}]}]}]}', "application/json")
    assert (status, headers["Content-Type"]) == (400, "application/json")
    assert "traceId" in json.loads(answer)["message"]
    status, _, answer = request(f"http://127.0.0.1:{port}/v1/traces", BODY, {"Content-Type": "application/x-protobuf", "Content-Encoding": "br"})
    assert status == 400 and b"br" in answer
    status, _, answer = request(f"http://127.0.0.1:{port}/v1/traces", b"not gzip", {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"})
    assert status == 400

    assert export_http(port, BODY)[0] == 200
    assert serve.metric("otelcol_receiver_accepted_spans", transport="http") == 512


def nested_request(depth):
    """A request with one span whose attribute "deep" has `depth` arrays in each other."""
    message = trace_service_pb2.ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add(trace_id=bytes([1] * 16), span_id=bytes([1] * 8), name="s")
    value = span.attributes.add(key="deep").value
    for _ in range(depth):
        value = value.array_value.values.add()
    value.int_value = 1
    return message


def nested_json(depth):
    value = '{"arrayValue":{"values":[' * depth + '{"intValue":"1"}' + "]}}" * depth
    span = '{"traceId":"%s","spanId":"%s","name":"s","attributes":[{"key":"deep","value":%s}]}' % ("01" * 16, "01" * 8, value)
    return ('{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}' % span).encode()


# Scenario: values that nest 64 deep, which is the limit, and 65 deep; over gRPC, protobuf and JSON.
# Guarantees: the first is taken; the second refused with what clients do not retry (INTERNAL, as grpc-go says of what it can't read; 400) and
# words that name the limit; nothing of it is counted as taken.
def test_values_nested_too_deep_are_refused(serve):
    allowed, refused = (nested_request(depth) for depth in (64, 65))
    export_grpc(serve.grpc_port, allowed.SerializeToString())
    with pytest.raises(grpc.RpcError) as refusal:
        export_grpc(serve.grpc_port, refused.SerializeToString())
    assert refusal.value.code() == grpc.StatusCode.INTERNAL
    assert "64 deep" in refusal.value.details()
    assert export_http(serve.http_port, allowed.SerializeToString())[0] == 200
    status, _, answer = export_http(serve.http_port, refused.SerializeToString())
    assert status == 400 and "64 deep" in status_pb2.Status.FromString(answer).message
    assert export_http(serve.http_port, nested_json(64), "application/json")[0] == 200
    status, _, answer = export_http(serve.http_port, nested_json(65), "application/json")
    assert status == 400 and "64" in json.loads(answer)["message"]
    assert serve.metric("otelcol_receiver_accepted_spans") == 3


# Scenario: wrong parameters of the query API.
# Guarantees: Jaeger's error body, with a message that names the parameter.
@pytest.mark.parametrize("path,code,word", [
    ("/api/traces?service=x&limit=many", 400, "limit"),
    ("/api/traces?service=x&minDuration=5", 400, "minDuration"),
    ("/api/traces?service=x&tags=notjson", 400, "tags"),
    ("/api/traces/nothex", 400, "trace"),
    ("/api/traces/0123456789abcdef0123456789abcdef", 404, "trace not found"),
    ("/api/nothing", 404, ""),
])
def test_query_mistakes_are_named(serve, path, code, word):
    status, body = serve.get(path)
    assert status == code
    assert body["errors"][0]["code"] == code
    assert word.lower() in body["errors"][0]["msg"].lower()


# Scenario: bytes that are no protocol at all, on every port.
# Guarantees: the connection is answered or closed; the server lives.
def test_garbage_on_every_port(serve):
    for port in serve.ports.values():
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(bytes(range(256)) * 8)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    assert serve.get("/api/services")[0] == 200


# Scenario: options that do not exist, or have impossible values.
# Guarantees: a usage error on standard error, exit code 2.
@pytest.mark.parametrize("arguments,word", [(["--log-level=loud"], "debug, info, warn, error"), (["--no-such-option"], "no-such-option"), (["--log-format=xml"], "text, json")])
def test_usage_errors(arguments, word):
    import subprocess
    result = subprocess.run([BINARY, "serve", *arguments], capture_output=True, text=True, timeout=30)
    assert result.returncode == 2
    assert word in result.stderr
