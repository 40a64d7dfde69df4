# SPDX-License-Identifier: Apache-2.0
"""What of an answer, a page or a span does not depend on the text that a model makes: names, types and order. Each is a set of lines or a list of them, so that two can be
compared by what only one of them has."""

import json
import re

KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT"}
PASSING_HEADERS = ("date", "content-length", "connection", "transfer-encoding", "server")


def json_lines(value, path=""):
    """{"choices[].index: int", ...}. Keys that are tokens are "#"; bytes of tokens may be any number."""
    if isinstance(value, dict) and value:
        names = (lambda key: "#") if path.endswith("top_logprobs[]") and "logprob" not in value else lambda key: re.sub(r"^\d+$", "#", key)
        return {line for key, item in value.items() for line in json_lines(item, f"{path}.{names(key)}" if path else key)}
    if isinstance(value, list) and value and not path.endswith(".bytes"):
        return {line for item in value for line in json_lines(item, f"{path}[]")}
    names = {type(None): "null", bool: "bool", int: "int", float: "float", str: "str", dict: "{}", list: "[]"}
    return {f"{path}: {names[type(value)]}"}


def header_lines(headers):
    return {f"header {name.lower()}" for name in headers if name.lower() not in PASSING_HEADERS} | {f"header content-type {headers.get('content-type', 'none').replace(' ', '')}"}


def event_lines(body):
    """{kind of piece: lines} of a stream. vLLM sends several tokens as one when it is behind, so that a kind may be missing."""
    events = [line.removeprefix("data: ") for line in body.decode().split("\n") if line.startswith("data: ")]
    kinds = {"end": {"[DONE]"}} if events[-1] == "[DONE]" else {}
    for piece in (json.loads(event) for event in events if event != "[DONE]"):
        if "choices" not in piece:  # an event with a type of its own, which may hold the response as it is by then
            for line in json_lines(piece):
                kinds.setdefault("a response" if line.startswith("response.") else piece["type"], set()).add(line)
            continue
        choice = (piece["choices"] or [{}])[0]
        kind = "usage" if not choice else "opening" if choice.get("delta", {}).get("role") else "closing" if choice["finish_reason"] else "token"
        kinds.setdefault(kind, set()).update(json_lines(piece))
    return kinds


def answer_lines(answer):
    """(lines of the status, of the headers, {kind of piece: lines of the body's form}, an error's members) of (status, headers, body)."""
    status, headers, body = answer
    kind = headers.get("content-type", "")
    if kind.startswith("text/event-stream"):
        return {f"status {status}"}, header_lines(headers), event_lines(body), {}
    if not kind.startswith("application/json"):
        return {f"status {status}"}, header_lines(headers), {"whole": {f"body {body[:60]!r}"}}, {}
    value = json.loads(body)
    is_error = isinstance(value, dict) and isinstance(value.get("error"), dict)
    words = value["error"] if is_error else {}
    form = {re.sub(r"^(error\.param): (null|str)$", r"\1", line) for line in json_lines(value)}
    return {f"status {status}"}, header_lines(headers), {"whole": form}, words


def page_lines(page):
    """{name: lines} of the families of Prometheus' text format: "counter", "labels engine,model_name", "reason=capacity", ..."""
    families, bounds, name = {}, {}, ""
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            families[name] = {kind}
        elif line and not line.startswith("#"):
            labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', line)
            families[name].add(f"{re.split(r'[{ ]', line, maxsplit=1)[0].removeprefix(name)} labels {','.join(sorted(key for key, _ in labels))}".strip())
            bounds.setdefault(name, set()).update(value for key, value in labels if key == "le")
            families[name] |= {f"{key}={value}" for key, value in labels if key in ("reason", "source", "finished_reason", "sleep_state", "stage")}
    for name, texts in bounds.items():
        if texts:
            families[name] |= {"le " + " ".join(f"{bound:g}" for bound in sorted(map(float, texts)))} | {"le as 1.0" for text in texts if text.endswith(".0")}
    return families


def type_of(value):
    (kind, _), = value.items()
    return kind.removesuffix("Value")


def span_lines(sent, trace_id):
    """Of every span of a trace: service, scope, name, kind, parent, status, flags, and the keys of attributes with their types. `sent` is Stack.sent_spans()."""
    mine = [(resource, scope, span) for resource, scope, span in sent if span["traceId"] == trace_id]
    service = lambda resource: next(item["value"]["stringValue"] for item in resource["attributes"] if item["key"] == "service.name")  # noqa: E731
    titles = {span["spanId"]: f"{service(resource)} {span['name']}" for resource, _, span in mine}
    lines = set()
    for resource, scope, span in mine:
        title = titles[span["spanId"]]
        lines |= {f"{title} scope {scope}", f"{title} kind {KINDS[span['kind']]}", f"{title} below {titles.get(span.get('parentSpanId', ''), 'the client')}",
                  f"{title} status {span.get('status', {}).get('code', 0)}", f"{title} flags {span.get('flags', 0):#x}", f"{title} events {len(span.get('events', []))}"}
        lines |= {f"{title} attribute {item['key']} {type_of(item['value'])}" for item in span["attributes"]}
        lines |= {f"{title} resource {item['key']} {type_of(item['value'])}" for item in resource["attributes"]}
    return lines
