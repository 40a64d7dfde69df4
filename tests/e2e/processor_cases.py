# SPDX-License-Identifier: Apache-2.0
"""Random configurations of processors, on which two implementations are compared: {"NAME/NUMBER": section}. Some are refused."""

import random

KEYS = ["s", "t", "i", "j", "d", "b", "l", "m", "missing", "new", "x", "service.name"]
VALUES = ["a", 1, -5, 2.5, True, "abc", [1, "a"], {"k": "v"}, ""]


def configurations(count, seed):
    draw = random.Random(seed)
    names = list(SECTIONS)
    return [{f"{name}/{number}": SECTIONS[name](draw)} for number, name in enumerate(draw.choice(names) for _ in range(count))]


def _some(draw, probability, **options):
    """Each option with that probability, and one of its values."""
    return {key: draw.choice(values) for key, values in options.items() if draw.random() < probability}


def _action(draw):
    name = draw.choice(["insert", "update", "upsert", "delete", "hash", "extract", "convert", "INSERT", "bogus"])
    action = {"action": name, **_some(draw, 0.95, key=KEYS)}
    if name.lower() in ("insert", "update", "upsert"):
        action |= _some(draw, 1, value=VALUES) if draw.random() < 0.65 else _some(draw, 0.9, from_attribute=KEYS)
    if name == "extract":
        action |= _some(draw, 0.95, pattern=["^(?P<h>[a-z]+)", "(?P<a>.)(?P<b>.*)", "(.*)", "(?P<n>\\d+)"])
    if name in ("delete", "hash"):
        action |= _some(draw, 0.4, pattern=["^s", ".*", "^(s|t)$"])
    if name == "convert":
        action |= _some(draw, 0.95, converted_type=["int", "double", "string", "bool"])
    return action


def _match(draw):
    attribute = {"key": draw.choice(KEYS), **_some(draw, 0.5, value=VALUES[:6])}
    resource = {"key": "x", **_some(draw, 0.5, value=["a", ".*", "12"])}
    library = _some(draw, 0.8, name=["scope"], version=["1", "2"])
    return {"match_type": draw.choice(["strict", "regexp"])} | _some(
        draw, 0.3, services=[["x"]], span_names=[["GET"], ["G.*"], ["POST"]], span_kinds=[["SPAN_KIND_SERVER"], ["SPAN_KIND_CLIENT"], ["1"]], attributes=[[attribute]],
        resources=[[resource]], libraries=[[library]])


def _matches(draw):
    return _some(draw, 0.3, include=[_match(draw)], exclude=[_match(draw)])


def _attributes(draw):
    return _matches(draw) | {"actions": [_action(draw) for _ in range(draw.randint(0, 3))]}


def _resource(draw):
    return {"attributes": [_action(draw) for _ in range(draw.randint(1, 3))]}


def _span(draw):
    rules = _some(draw, 0.7, rules=[["^(?P<w>[A-Z])"], ["(?P<verb>G)(?P<rest>.*)"], ["nomatch(?P<z>1)"]], break_after_match=[True], keep_original_name=[True])
    name = _some(draw, 0.6, from_attributes=[[key] for key in KEYS] + [["s", "i"], ["d", "t"]], separator=["::", "", "-"], to_attributes=[rules])
    status = _some(draw, 0.8, code=["Ok", "Error", "Unset", "bogus", "ok"], description=["text"])
    return _matches(draw) | ({"name": name} if name else {}) | _some(draw, 0.3, status=[status])


def _redaction(draw):
    return _some(
        draw, 0.45, allow_all_keys=[True, True, False], allowed_keys=[draw.sample(KEYS, 3)], ignored_keys=[["s"], ["x"]], ignored_key_patterns=[["^s"], ["x$"]],
        blocked_values=[["[0-9]{3,}"], ["a"], ["^k="], ["(?i)hello"]], allowed_values=[[".*a.*"], ["12"]], blocked_key_patterns=[["^t"], ["i|j"]],
        hash_function=["md5", "sha1", "sha3", "bogus"], redact_all_types=[True], summary=["debug", "info", "silent"])


def _probabilistic_sampler(draw):
    return _some(
        draw, 0.6, sampling_percentage=[0, 10, 50, 100, 99.99, 0.001, -1, 150], hash_seed=[0, 1, 22, 4294967295], mode=["hash_seed", "equalizing", "proportional", "bogus"],
        fail_closed=[True], sampling_precision=[1, 4, 14, 0, 15])


def _filter(draw):
    return {"spans": _matches(draw)}


SECTIONS = {
    "attributes": _attributes, "resource": _resource, "span": _span, "redaction": _redaction, "probabilistic_sampler": _probabilistic_sampler, "filter": _filter,
}
