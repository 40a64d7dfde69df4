# SPDX-License-Identifier: Apache-2.0
"""What Jaeger's JSON must say of an OTLP span, worked out from the official protobuf classes: an independent second opinion."""

import base64
import json
import math

from opentelemetry.proto.trace.v1 import trace_pb2

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


def double_text(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def whole_number(value):
    """Beyond 2^53 - 1 as text, as in Jaeger: JavaScript would round it."""
    return value if abs(value) < 2**53 else str(value)


def nested(value):
    """An array or map attribute as plain Python."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [nested(element) for element in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: nested(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "double_value":
        return double_text(value.double_value)
    return getattr(value, kind) if kind else None


def tag(key, value):
    """(key, type, value) as Jaeger shows an attribute."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return key, "string", value.string_value
    if kind == "bool_value":
        return key, "bool", value.bool_value
    if kind == "int_value":
        return key, "int64", whole_number(value.int_value)
    if kind == "double_value":
        return key, "float64", double_text(value.double_value)
    if kind == "bytes_value":
        return key, "binary", base64.b64encode(value.bytes_value).decode()
    if kind in ("array_value", "kvlist_value"):
        return key, "string", nested(value)
    return key, "string", ""


def shown_tag(shown):
    """The same triple of a tag in an answer; text that is a JSON array or object is read, so that spelling does not count."""
    value = shown["value"]
    if shown["type"] == "string" and value[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except ValueError:
            pass
    return shown["key"], shown["type"], value


def tags_of(attributes):
    return [tag(attribute.key, attribute.value) for attribute in attributes]


def microseconds(nanoseconds):
    return nanoseconds // 1000


def expected_spans(body_message):
    """{(trace id, span id): [expectation]} of a whole request."""
    spans = {}
    for resource_spans in body_message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                spans.setdefault((span.trace_id.hex(), span.span_id.hex()), []).append(expectation(resource_spans, scope_spans, span))
    return spans


def expectation(resource_spans, scope_spans, span):
    tags = tags_of(span.attributes)
    if span.kind in KINDS:
        tags.append(("span.kind", "string", KINDS[span.kind]))
    if scope_spans.scope.name:
        tags.append(("otel.scope.name", "string", scope_spans.scope.name))
    if scope_spans.scope.version:
        tags.append(("otel.scope.version", "string", scope_spans.scope.version))
    if span.status.code == trace_pb2.Status.STATUS_CODE_ERROR:
        tags += [("otel.status_code", "string", "ERROR"), ("error", "bool", True)]
    if span.status.code == trace_pb2.Status.STATUS_CODE_OK:
        tags.append(("otel.status_code", "string", "OK"))
    if span.status.message:
        tags.append(("otel.status_description", "string", span.status.message))
    if span.trace_state:
        tags.append(("w3c.tracestate", "string", span.trace_state))
    references = [("CHILD_OF", span.trace_id.hex(), span.parent_span_id.hex())] if any(span.parent_span_id) else []
    references += [("FOLLOWS_FROM", link.trace_id.hex(), link.span_id.hex()) for link in span.links]
    service = next((attribute.value.string_value for attribute in resource_spans.resource.attributes if attribute.key == "service.name"), "")
    return {
        "operationName": span.name,
        "startTime": microseconds(span.start_time_unix_nano),
        "duration": (span.end_time_unix_nano - span.start_time_unix_nano) / 1000,
        "tags": tags,
        "references": references,
        "logs": [(microseconds(event.time_unix_nano), [("event", "string", event.name)] * bool(event.name) + tags_of(event.attributes)) for event in span.events],
        "service": service,
        "process": [tag(attribute.key, attribute.value) for attribute in resource_spans.resource.attributes if attribute.key != "service.name"],
    }


def differences(expected, shown, processes):
    """What of `expected` the answer `shown` does not say, in words."""
    found = []
    shown_tags = [shown_tag(item) for item in shown["tags"]]
    process = processes[shown["processID"]]
    process_tags = [shown_tag(item) for item in process["tags"]]
    found += [f"tag {item!r} missing" for item in expected["tags"] if item not in shown_tags]
    found += [f"process tag {item!r} missing" for item in expected["process"] if item not in process_tags]
    if process["serviceName"] != expected["service"]:
        found.append(f"service {process['serviceName']!r}, not {expected['service']!r}")
    if shown["operationName"] != expected["operationName"]:
        found.append(f"name {shown['operationName']!r}, not {expected['operationName']!r}")
    if shown["startTime"] != expected["startTime"]:
        found.append(f"start {shown['startTime']}, not {expected['startTime']}")
    if expected["duration"] < 0:
        said = f"{int(-expected['duration'] * 1000)} ns before it starts"
        if shown["duration"] != 0 or said not in str(shown["warnings"]):
            found.append(f"negative duration is not said: {shown['duration']}, {shown['warnings']}")
    elif abs(shown["duration"] - expected["duration"]) > 1:
        found.append(f"duration {shown['duration']}, not {expected['duration']}")
    references = [(item["refType"], item["traceID"], item["spanID"]) for item in shown["references"]]
    if references != expected["references"]:
        found.append(f"references {references}, not {expected['references']}")
    logs = [(log["timestamp"], [shown_tag(field) for field in log["fields"]]) for log in shown["logs"]]
    for log in expected["logs"]:
        if not any(log[0] == other[0] and all(field in other[1] for field in log[1]) for other in logs):
            found.append(f"event {log!r} missing in {logs!r}")
    return found


def is_half_of_scrape(span):
    """True for what the built-in filter of `serve` drops: the span of a scraped server, and that of the client in the same process."""
    tags = {key: value for key, _, value in span["tags"]}
    if tags.get("span.kind") == "server":
        return "/metrics" in (tags.get("url.path"), tags.get("http.route"), tags.get("http.target"))
    url = str(tags.get("url.full", ""))
    return tags.get("span.kind") == "client" and span["operationName"] == "HTTP GET" and url.split("?")[0].endswith("/metrics") and url.count("/") == 3


def is_scrape(span):
    """True for what the conditions of the guide's filter drop."""
    tags = {key: value for key, _, value in span["tags"]}
    return tags.get("url.path") == "/metrics" or tags.get("http.route") == "/metrics" or span["operationName"] in ("GET", "GET /metrics")
