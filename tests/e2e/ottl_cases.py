# SPDX-License-Identifier: Apache-2.0
"""Statements and spans on which two implementations of OTTL are compared, and what of their results is compared."""

import pathlib
import random
import re
import struct

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TEXTS = [
    "", "a", "abc", "a,b", "k=v", 'k=v;k2="x;y" z=1', "1h", "-5s", "1h2m3.5s", "10.0.0.1", "fe80::1", "10.0.0.0/8", "http://u:p@h.x:80/p/q.gif?x=1#f", "not a url%%",
    "::", "?a=1&b=2", "aGVsbG8=", "aGVsbG8", '{"a":1,"b":[1,2.5,"x",null,true],"c":{"d":"e"}}', "[3,1,2]", '[1,"b",2.5]', '[{"a":"x","c":1},{"a":"y","c":2}]', "12", "-7",
    "2.0", "0x1F", "1e3", "NaN", "inf", "true", "T", "HELLO World", "snake_case", "camelCaseHTTPServer", "héllo wörld", "日本語", " padded ", "\ttab\n", "4539578763621486",
    "curl/7.81.0", '<a x="1"><b>t</b><c/>u</a>', "<a><b>1</b><b>2</b></a>", "<a", "2024-02-29T12:34:56.789+0200", "Mon Jan  2 15:04:05 UTC 2006", "29/February/24 12:34 PM",
    "ok 12 2024-01-01T00:00:00Z rest of it", "10.1.2.3 5 2024-01-01T00:00:00Z tail", "00112233445566778899aabbccddeeff", "0011223344556677", "z" * 300, "%d %s", "$1", "(", "*", "?",
    'a"b', "it's", 'k="v', "a=b=c", "k=", "=v", ";", "|", "\0x", "%", "5xx", "503", "🙂", "İ", "ß", "ς",
]
INTEGERS = [0, 1, -1, 2, 5, 10, 16, 36, 64, 100, 404, 503, 2**31, -(2**31), 2**53, 2**63 - 1, -(2**63), 1700000000, 1700000000123456789, 65535, 65536]
DOUBLES = [0.0, -0.0, 1.0, -1.5, 2.5, 1e300, -1e300, 1e-300, float("inf"), float("-inf"), float("nan"), 3.141592653589793, 1e21, 123456789.125, 0.1, 1e6, 9.2e18, 9.3e18]
PATHS = [
    "name", "kind", "kind.string", "kind.deprecated_string", "status.code", "status.message", "start_time_unix_nano", "end_time_unix_nano", "start_time", "end_time", "trace_id",
    "trace_id.string", "span_id", "span_id.string", "parent_span_id", "parent_span_id.string", "trace_state", 'trace_state["k"]', "dropped_attributes_count", "events", "links", "attributes",
    "resource.attributes", "instrumentation_scope.name", "instrumentation_scope.attributes", 'attributes["s"]', 'attributes["t"]', 'attributes["i"]', 'attributes["j"]',
    'attributes["d"]', 'attributes["b"]', 'attributes["missing"]', 'attributes["l"]', 'attributes["l"][0]', 'attributes["m"]', 'attributes["m"]["a"]', 'resource.attributes["x"]', "cache",
    'cache["k"]', "resource.schema_url", "flags",
]
LITERALS = [
    "1", "0", "-1", "2.5", '"a"', '"GET"', '""', "nil", "true", "false", "0x0102", "SPAN_KIND_SERVER", "STATUS_CODE_ERROR", "[1, 2]", '{"a": 1}', "[]", "{}", "9223372036854775807",
    "-0.0", "1e3", "SpanID(0x0102030405060708)", 'Duration("1h")', 'Time("2024-01-01", "%Y-%m-%d")', "Unix(5)",
]
OF_ONE = [
    "IsString", "IsInt", "IsDouble", "IsBool", "IsMap", "IsList", "Len", "String", "Int", "Double", "Bool", "ToUpperCase", "ToLowerCase", "Hex", "SHA256", "FNV", "UnixNano", "UnixMilli",
    "Hours", "Minutes", "Seconds", "Nanoseconds", "Year", "Month", "Day", "Weekday", "Hour", "Minute", "Second", "Nanosecond", "TraceID", "SpanID", "Base64Encode", "Base64Decode",
    "ParseJSON", "IsValidLuhn", "Trim", "Murmur3Hash", "XXH3", "Sort", "Duration", "URL", "UserAgent", "ParseXML", "ParseKeyValue",
]


def spans(count, seed):
    """Requests with one span each, of every kind of attribute."""
    draw = random.Random(seed)
    return [_span(draw).SerializeToString(deterministic=True) for _ in range(count)]


def _span(draw):
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add(schema_url="r")
    _put(resource.resource.attributes, "x").string_value = draw.choice(TEXTS)
    scope = resource.scope_spans.add(schema_url="s")
    scope.scope.name, scope.scope.version = "scope", "1"
    text, other = draw.choice(TEXTS), draw.choice(TEXTS)
    span = scope.spans.add(
        name="GET", kind=draw.randrange(6), trace_id=bytes(range(1, 17)), span_id=bytes(range(1, 9)), parent_span_id=draw.choice([b"", bytes(range(17, 25))]),
        trace_state=draw.choice(["", "k=v", "bad"]), start_time_unix_nano=draw.choice([i for i in INTEGERS if i >= 0]),
        end_time_unix_nano=draw.choice([i for i in INTEGERS if i >= 0]), dropped_attributes_count=1)
    span.status.code, span.status.message = draw.randrange(3), draw.choice(["", other])
    _put(span.events.add(name="e", time_unix_nano=5).attributes, "q").string_value = "1"
    span.links.add(trace_id=bytes(range(1, 17)), span_id=bytes(range(1, 9)))
    _put(span.attributes, "s").string_value, _put(span.attributes, "t").string_value = text, other
    _put(span.attributes, "i").int_value, _put(span.attributes, "j").int_value = draw.choice(INTEGERS), draw.choice(INTEGERS)
    _put(span.attributes, "d").double_value, _put(span.attributes, "b").bytes_value = draw.choice(DOUBLES), text.encode()
    elements = _put(span.attributes, "l").array_value.values
    elements.add(string_value=other)
    elements.add(int_value=1)
    entries = _put(span.attributes, "m").kvlist_value.values
    _put(entries, "a").string_value, _put(entries, "z").double_value = text, 1.5
    return request


def _put(attributes, key):
    return attributes.add(key=key).value


def of_tables():
    """What the unit tests' tables call: converters with literals, and editors."""
    for name, template in (("converters", 'set(attributes["out"], {})'), ("editors", "{}")):
        for line in (ROOT / f"tests/data/ottl/{name}.txt").read_text().splitlines():
            if "  =>  " in line and not line.startswith("#"):
                yield template.format(re.split("  (?:=>|\\|)  ", line)[0])


def of_fuzz_target():
    """What function_fuzz calls with data: $s is the attribute s."""
    source = (ROOT / "src/ottl/function_fuzz.cc").read_text()
    for name, template in (("kValues", 'set(attributes["out"], {})'), ("kEditors", "{}")):
        table = source.split(name + "[] = {")[1].split("\n};")[0]
        for call in re.findall(r'R"_\((.*)\)_"', table):
            yield template.format(re.sub(r"\$([stijdb])(?![\w{])", r'attributes["\1"]', call))


def at_random(count, seed):
    """Assignments, conditions and editors of random values; most make sense of one span or another."""
    draw = random.Random(seed)
    return [_statement(draw) for _ in range(count)]


def _statement(draw):
    kind = draw.random()
    if kind < 0.45:
        return f'set(attributes["out"], true) where {_condition(draw, 2)}'
    if kind < 0.7:
        return f'set(attributes["out"], {_value(draw, 2)})'
    if kind < 0.9:
        return f"set({draw.choice(PATHS)}, {_value(draw, 1)})"
    path = draw.choice(PATHS)
    return draw.choice([
        f"delete_key({path}, {draw.choice(LITERALS)})", f'keep_keys({path}, ["s"])', f"truncate_all({path}, 2)", f'limit({path}, 2, ["s"])',
        f'merge_maps({path}, {draw.choice(PATHS)}, "upsert")', f'replace_pattern({path}, "a", "b")', f'replace_all_patterns({path}, "value", "a", "b")', f"flatten({path})",
        f'delete_matching_keys({path}, "s|t")', f'keep_matching_keys({path}, "s|t")', f'replace_match({path}, "a*", {draw.choice(LITERALS)})', f"stringify_all({path})"])


def _value(draw, depth):
    kind = draw.random()
    if depth == 0 or kind < 0.35:
        return draw.choice(PATHS)
    if kind < 0.6:
        return draw.choice(LITERALS)
    if kind < 0.8:
        return f"{draw.choice(OF_ONE)}({_value(draw, depth - 1)})"
    first, second = _value(draw, depth - 1), _value(draw, depth - 1)
    return draw.choice([
        f'Concat([{first}, {second}], "-")', f"{first} {draw.choice('+-*/')} {second}", f"({first} {draw.choice('+-*/')} {second})", f"Coalesce([{first}, {second}])",
        f'Split({first}, "a")', f"[{first}, {second}]", f'{{"k": {first}}}'])


def _condition(draw, depth):
    kind = draw.random()
    if depth == 0 or kind < 0.6:
        return f"{_value(draw, 1)} {draw.choice(['==', '!=', '<', '>', '<=', '>='])} {_value(draw, 1)}"
    first, second = _condition(draw, depth - 1), _condition(draw, depth - 1)
    return draw.choice([f"not {first}", f"not ({first})", f"{first} and {second}", f"{first} or {second}", f"({first})", "IsRootSpan()", f'IsMatch({_value(draw, 1)}, "^[a-z]+")'])


# Of each message of a request the fields that are messages; "pair" is a KeyValue, whose maps have no order.
MESSAGES = {
    "request": {1: "resource_spans"}, "resource_spans": {1: "resource", 2: "scope_spans"}, "resource": {1: "pair"}, "scope_spans": {1: "scope", 2: "span"}, "scope": {3: "pair"},
    "span": {9: "pair", 11: "event", 13: "link", 15: "status"}, "event": {3: "pair"}, "link": {4: "pair"}, "status": {},
}


def meaning(wire, message="request"):
    """What a request says: the same for two that differ in nothing but the order of fields and attributes, and in fields that are written although they are empty. Python's
    protobuf can't be asked: texts may be cut in the middle of a character."""
    if message == "pair":
        pair = dict(_fields(wire))
        return pair.get(1, b""), _any_value(pair.get(2, b""))
    parts = [(number, meaning(value, MESSAGES[message][number]) if number in MESSAGES[message] else value) for number, value in _fields(wire)]
    return sorted((part for part in parts if part[1] and (isinstance(part[1], (int, list, tuple)) or part[1].strip(b"\0"))), key=repr)


def _any_value(wire):
    for number, value in _fields(wire):
        if number == 4:
            return number, repr(struct.unpack("<d", value)[0])
        if number == 5:
            return number, [_any_value(element) for _, element in _fields(value)]
        if number == 6:
            return number, sorted((meaning(entry, "pair") for _, entry in _fields(value)), key=repr)
        return number, value
    return None


def _fields(wire):
    """(number, value) of each: an integer for a varint, else bytes."""
    fields, at = [], 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = wire[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(wire):
        tag = varint()
        if tag & 7 == 0:
            fields.append((tag >> 3, varint()))
            continue
        size = {1: 8, 5: 4}.get(tag & 7) or varint()
        fields.append((tag >> 3, wire[at:at + size]))
        at += size
    return fields
