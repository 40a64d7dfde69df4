# SPDX-License-Identifier: Apache-2.0
"""src/ottl beside the Collector's own OTTL (tests/ottl/original), statement by statement: the same ones compile, fail, and change a span alike. What differs on purpose is in
docs/ottl.md. Long tier: the original is built from Go modules."""

import os
import pathlib
import re

import originals
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
    return originals.build(ROOT / "tests/ottl/original", "ottl_original")


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
    ours = originals.outcomes(pathlib.Path(os.environ["SPANLOOM_BINARY"]).parent / "ottl_peer", *files)
    theirs = originals.outcomes(original, *files)
    assert sum(outcome == "ok" for outcome, _, _ in ours.values()) > count * len(statements) / 4
    found = [f"{statements[key[1]]}, span {key[0]}: ours | the original's: {originals.told(mine, other)}" for key, mine, other in differences(ours, theirs)]
    assert not found, "\n".join(found[:20])
