# SPDX-License-Identifier: Apache-2.0
"""Go programs around the Collector's own code, which tests compare ours with, and what they print."""

import subprocess

import ottl_cases
from interop_peers import PEERS, go


def build(folder, name):
    """Builds a Go program; skips without Go."""
    binary = PEERS / "bin" / name
    subprocess.run([go(), "build", "-mod=readonly", "-o", binary, "."], cwd=folder, check=True)
    return binary


def outcomes(binary, *files):
    """{(case, subject): (outcome, reason, request)}: what became of a span, by what was to be done with it; "-" for the case of a subject that was refused."""
    result = subprocess.run([binary, *files], capture_output=True, text=True, check=True, timeout=600)
    lines = (line.split(" ") for line in result.stdout.splitlines())
    return {(case, int(subject)): (outcome, bytes.fromhex(reason.strip("-")), bytes.fromhex(request.strip("-"))) for case, subject, outcome, reason, request in lines}


def told(mine, other):
    """What two outcomes do not share: outcome and reason, and of the span its fields and attributes."""
    of_spans = [_span_parts(outcome[2]) for outcome in (mine, other)]
    return " | ".join(f"{outcome[0]} {outcome[1].decode(errors='replace')} {[part for part in parts if part not in rest]}"
                      for outcome, parts, rest in ((mine, *of_spans), (other, *reversed(of_spans))))


def _span_parts(request):
    """The lowest parts that are messages of their own, so that one attribute is shown and not the whole."""
    parts = ottl_cases.meaning(request) if isinstance(request, bytes) else request
    inner = [_span_parts(value) for _, value in parts if isinstance(value, list)]
    return [part for part in parts if not isinstance(part[1], list)] + sum(inner, [])
