# SPDX-License-Identifier: Apache-2.0
"""src/ottl beside the Collector's own OTTL (tests/ottl/original), statement by statement: the same ones compile, fail, and change a span alike. What differs on purpose is in
docs/ottl.md. Long tier: the original is built from Go modules."""

import os
import pathlib
import re
import shutil
import subprocess

import ottl_cases
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Statements that differ as docs/ottl.md says, or that need not answer twice alike.
DIFFERENT = re.compile(
    r'UUID|Now\(|IsEmpty\(|truncation_marker|"\.\."\)|SliceToMap\(\[\{|Coalesce\(\[\]\)|Keys\(|Values\(|Format\("%5d|ToKeyValueString\((?!.*true\)\)$)|"%Z|%F %Z'
    r'|^append\(.*\{|^append\(attributes\["m"\]')
OUT_OF_RANGE = b"time is out of range"  # of what is beyond 64 bits of nanoseconds
# What the original fails on: a map in the text that holds a list of attributes; and, having set it all the same, a list whose last element is none for an attribute.
FAILS_ALONE = re.compile(rb"<Invalid value type pcommon\.(Slice|Map)>|^unsupported type .* for set operation")


@pytest.fixture(scope="module")
def original():
    found = next((path for path in (str(ROOT / "build/venv/bin/go"), shutil.which("go")) if path and os.path.exists(path)), None)
    if found is None:
        pytest.skip("no Go: ./dev setup long installs it")
    binary = ROOT / "build/peers/bin/ottl_original"
    subprocess.run([found, "build", "-mod=readonly", "-o", binary, "."], cwd=ROOT / "tests/ottl/original", check=True)
    return binary


def outcomes(binary, statements, spans):
    """{(span, statement): (outcome, reason, request)}; "-" for the span of a statement that does not compile."""
    result = subprocess.run([binary, statements, spans], capture_output=True, text=True, check=True, timeout=600)
    lines = (line.split(" ") for line in result.stdout.splitlines())
    return {(span, int(statement)): (outcome, bytes.fromhex(reason.strip("-")), bytes.fromhex(request.strip("-"))) for span, statement, outcome, reason, request in lines}


def differences(ours, theirs):
    """((span, statement), our outcome, theirs) of each pair that is not the same."""
    for key in sorted(set(ours) | set(theirs), key=str):
        mine, other = ours.get(key, ("absent", b"", b"")), theirs.get(key, ("absent", b"", b""))
        fails_alone = (mine[0], other[0]) == ("ok", "failed") and FAILS_ALONE.search(other[1])
        if other[0] == "panicked" or OUT_OF_RANGE in mine[1] or fails_alone:
            continue
        if mine[0] != other[0] or ottl_cases.meaning(mine[2]) != ottl_cases.meaning(other[2]):
            yield key, mine, other


def sets_a_part_of_itself(statement):
    """Whether the value names the target or what that is in: `set(attributes["copy"], attributes)`, which the original changes while it copies."""
    call = re.match(r"(?:set|merge_maps)\(([^,]+), (.*)\)$", statement)
    if call is None:
        return False
    target, value = call.groups()
    wholes = [target, *(target[:bracket.start()] for bracket in re.finditer(r"\[", target))]
    return any(re.search(re.escape(whole) + r"(?!\[)", value) for whole in wholes)


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


# Scenario: every call of the tables of the unit tests and of the fuzz target, and random statements, on spans with
#   attributes of all kinds.
# Guarantees: each compiles in both or in neither, fails in both or in neither, and leaves the same span.
@pytest.mark.parametrize("name, make, count", [
    ("tables", ottl_cases.of_tables, 2), ("fuzz_target", ottl_cases.of_fuzz_target, 200), ("at_random", lambda: ottl_cases.at_random(4000, seed=1), 5)])
def test_is_as_the_original(original, tmp_path, name, make, count):
    statements = [statement for statement in make() if not DIFFERENT.search(statement) and not sets_a_part_of_itself(statement)]
    files = tmp_path / "statements", tmp_path / "spans"
    files[0].write_text("".join(statement.encode().hex() + "\n" for statement in statements))
    files[1].write_text("".join(span.hex() + "\n" for span in ottl_cases.spans(count, seed=len(name))))
    ours = outcomes(pathlib.Path(os.environ["SPANLOOM_BINARY"]).parent / "ottl_peer", *files)
    theirs = outcomes(original, *files)
    assert sum(outcome == "ok" for outcome, _, _ in ours.values()) > count * len(statements) / 4
    found = [f"{statements[key[1]]}, span {key[0]}: ours | the original's: {told(mine, other)}" for key, mine, other in differences(ours, theirs)]
    assert not found, "\n".join(found[:20])
