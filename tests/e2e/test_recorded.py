# SPDX-License-Identifier: Apache-2.0
"""Every recorded request of real software goes over the wire, and every span comes back with all it carried, but for scrapes of metrics."""

import collections
import json

import pytest
from conftest import export_grpc, export_http, recorded_files
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from otlp_expectations import differences, expected_spans, is_half_of_scrape, whole_number

PROTOBUF = [(path, entry) for path, entry in recorded_files() if path.suffix == ".pb"]
JSON = [(path, entry) for path, entry in recorded_files() if path.suffix == ".json"]


def expected_of(files):
    spans = collections.defaultdict(list)
    for path, _ in files:
        for key, expectations in expected_spans(trace_service_pb2.ExportTraceServiceRequest.FromString(path.read_bytes())).items():
            spans[key] += expectations
    return spans


def shown_of(serve, trace_ids):
    """{(trace id, span id): [(span, processes)]}"""
    spans = collections.defaultdict(list)
    for trace_id in trace_ids:
        trace = serve.trace(trace_id)
        for span in trace["spans"]:
            spans[(span["traceID"], span["spanID"])].append((span, trace["processes"]))
    return spans


def assert_all_shown(serve, files):
    sent = expected_of(files)
    expected = {key: [span for span in spans if not is_half_of_scrape(span)] for key, spans in sent.items()}
    expected = {key: spans for key, spans in expected.items() if spans}
    shown = shown_of(serve, {trace_id for trace_id, _ in expected})
    problems = []
    for key, expectations in expected.items():
        if len(shown[key]) != len(expectations):
            problems.append(f"{key}: {len(shown[key])} spans, not {len(expectations)}")
            continue
        for expectation in expectations:
            best = min((differences(expectation, *candidate) for candidate in shown[key]), key=len)
            problems += [f"{key}: {problem}" for problem in best]
    assert not problems, "\n".join(problems[:20])
    assert sum(len(spans) for spans in sent.values()) == sum(entry["spans"] for _, entry in files)
    assert sum(len(spans) for spans in shown.values()) == sum(len(spans) for spans in expected.values())
    assert serve.metric("spanloom_pipeline_filtered_spans") == sum(entry["spans"] for _, entry in files) - sum(len(spans) for spans in expected.values())


# Scenario: all protobuf bodies over gRPC, as their senders sent them.
# Guarantees: every span is found by its trace id, with name, times, attributes, events, links, status, scope and resource.
def test_every_recorded_grpc_body_comes_back(serve):
    for path, _ in PROTOBUF:
        export_grpc(serve.grpc_port, path.read_bytes())
    assert_all_shown(serve, PROTOBUF)


# Scenario: the same bodies over HTTP with gzip.
# Guarantees: the transport makes no difference.
def test_every_recorded_body_comes_back_over_http(serve):
    for path, _ in PROTOBUF:
        status, _, answer = export_http(serve.http_port, path.read_bytes(), compress=True)
        assert (status, answer) == (200, b"\n\x00")
    assert_all_shown(serve, PROTOBUF)


def json_value(value):
    """The (type, value) that must be shown for an OTLP/JSON AnyValue of the JavaScript SDK."""
    (kind, content), = value.items() if value else (("none", None),)
    if kind == "stringValue":
        return "string", content
    if kind == "boolValue":
        return "bool", content
    if kind == "doubleValue":
        return "float64", "NaN" if content is None else content
    if kind == "intValue":
        return ("int64", whole_number(int(content))) if abs(float(content)) < 2**63 else ("float64", float(content))
    return None


# Scenario: the two JSON bodies of the JavaScript SDK, with {"doubleValue":null}, 1e+300 as intValue, {} as an array element and a
# lone surrogate.
# Guarantees: accepted whole; every span is there, and every scalar attribute has its value.
@pytest.mark.parametrize("path,entry", JSON, ids=lambda value: getattr(value, "name", ""))
def test_recorded_javascript_bodies_come_back(serve, path, entry):
    status, headers, answer = export_http(serve.http_port, path.read_bytes(), "application/json")
    assert (status, headers["Content-Type"], json.loads(answer)) == (200, "application/json", {"partialSuccess": {}})
    body = json.loads(path.read_text(errors="surrogatepass"))
    spans = [span for resource in body["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]
    assert len(spans) == entry["spans"]
    for span in spans:
        shown, = [item for item in serve.trace(span["traceId"])["spans"] if item["spanID"] == span["spanId"]]
        assert shown["operationName"] == span["name"]
        tags = {item["key"]: (item["type"], item["value"]) for item in shown["tags"]}
        for attribute in span.get("attributes", []):
            wanted = json_value(attribute["value"])
            if wanted is not None and not any(0xD800 <= ord(char) < 0xE000 for char in str(wanted[1])):
                assert tags[attribute["key"]] == wanted, attribute
            else:
                assert attribute["key"] in tags
