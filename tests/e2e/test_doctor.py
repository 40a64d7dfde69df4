# SPDX-License-Identifier: Apache-2.0
"""`spanloom doctor` as a user calls it, and the list of rules in its documentation."""

import json
import pathlib
import re
import subprocess

from conftest import BINARY

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VALUES = """tracing:
  enabled: true
  vllm:
    collectDetailedTraces: scheduler
"""


def doctor(*arguments, stdin=""):
    return subprocess.run([str(BINARY), "doctor", *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=60)


def test_says_what_is_wrong_where_and_how_to_mend_it(tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text(VALUES)
    result = doctor(values)
    assert result.returncode == 1
    assert result.stdout.startswith(f'{values}:4: error: collectDetailedTraces is "scheduler"')
    assert '  fix:\n    collectDetailedTraces: "all"\n' in result.stdout
    found = json.loads(doctor("--output=json", values).stdout)
    assert [(finding["rule"], finding["line"]) for finding in found["findings"]] == [("detailed-traces", 4)]
    assert (found["errors"], found["warnings"], found["notes"]) == (1, 0, 0)


def test_a_file_that_is_mended_is_well():
    result = doctor("-", stdin=VALUES.replace("scheduler", '"all"'))
    assert (result.returncode, result.stdout) == (0, "nothing found\n")


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    result = doctor(tmp_path / "missing.yaml")
    assert result.returncode == 2 and "missing.yaml: can't be read: No such file" in result.stderr
    assert doctor().returncode == 2


def test_each_rule_is_documented_and_each_documented_rule_exists():
    sources = "".join(path.read_text() for path in (ROOT / "src/doctor").glob("*.cc") if not path.name.endswith("_test.cc"))
    rules = set(re.findall(r'findings\s*\.\s*(?:Error|Warning|Note)\(\s*"([a-z-]+)"', sources))
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/doctor.md").read_text(), re.MULTILINE))
    assert rules == documented and len(rules) > 30
