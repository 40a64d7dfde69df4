# SPDX-License-Identifier: Apache-2.0
"""docs/charts.md: what it shows can be pasted, and its tables are true."""

import json
import re
import subprocess
import sys

import pytest
import yaml
from conftest import CHARTS, ROOT, render
from rows import EIGHT, FIVE, ROWS

TEXT = (ROOT / "docs/charts.md").read_text()
BLOCKS = re.findall(r"^```yaml\n# values of ([a-z-]+)[^\n]*\n(.*?)^```", TEXT, re.M | re.S)


def test_every_chart_has_its_blocks():
    """*Scenario:* the blocks of values. *Guarantees:* none is overlooked below."""
    assert [name for name, _ in BLOCKS] == ["spanloom", "spanloom", "llm-d-modelservice", "inferencepool"]


@pytest.mark.parametrize("name, text", BLOCKS, ids=[f"{name}-{index}" for index, (name, _) in enumerate(BLOCKS)])
def test_blocks_of_values_are_taken(name, text, consumer):
    """*Scenario:* each block as printed, to our chart, or to the one that plays llm-d's, with the schema. *Guarantees:* it renders."""
    render(CHARTS / "spanloom" if name == "spanloom" else consumer(), yaml.safe_load(text))


def test_the_table_of_variables_is_that_of_the_charts():
    """*Scenario:* the first column of the table, and what the real charts render. *Guarantees:* the same names in the same order."""
    rows = [line for line in TEXT.splitlines() if line.startswith("| `OTEL_")]
    listed = [re.findall(r"`([^`]+)`", line.split("|")[1]) for line in rows]
    assert sum(listed, []) == EIGHT
    for_model = [names for names, line in zip(listed, rows) if line.split("|")[2].strip() != "–"]
    assert sum(for_model, []) == FIVE
    rendered = [item["name"] for item in ROWS["ga-02-on"][0]["env"]]
    assert rendered[-8:] == EIGHT


def test_the_table_of_options_is_that_of_the_program():
    """*Scenario:* `inject-tracing --help`. *Guarantees:* each of its options is in the page."""
    told = subprocess.run([sys.executable, str(CHARTS / "post-render/inject-tracing"), "--help"], capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"^  (--[a-z-]+)", told, re.M))
    assert options and all(f"`{option}`" in TEXT for option in options)


def tables(header):
    """First cells of the rows of the tables that begin so."""
    for part in TEXT.split(header)[1:]:
        for line in part.splitlines()[2:]:
            if not line.startswith("|"):
                break
            yield line.split("|")[1]


def has_key(schema, path):
    for step in path:
        if step not in schema.get("properties", {}):
            return False
        schema = schema["properties"][step]
    return True


@pytest.mark.parametrize("chart, header", [("spanloom", "| value | default |"), ("llm-d-tracing", "| key | default |")])
def test_the_tables_of_values_are_those_of_the_schema(chart, header):
    """*Scenario:* the names in the first column; one that begins with a dot continues the one before. *Guarantees:* each is a key of the chart's schema."""
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
    names = [re.findall(r"`([^`]+)`", cell) for cell in tables(header)]
    assert len(names) > 5
    for row in names:
        for name in row:
            path = (row[0].split(".")[0] + name if name.startswith(".") else name).split(".")
            assert has_key(schema, path), name
