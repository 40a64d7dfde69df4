# SPDX-License-Identifier: Apache-2.0
"""Renders charts with the Helm engine itself, offline, and holds what comes out against the schemas of Kubernetes."""

import os
import pathlib
import shutil
import sys

import kubernetes_validate
import pytest
import yaml
from helm_python.chart import Chart
from helm_python.errors import HelmError

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/played"))
CHARTS = ROOT / "deploy/charts"
GOLDEN = pathlib.Path(__file__).parent / "golden"
KUBERNETES = "1.34"  # of whose schemas objects must be
WITHOUT_SCHEMA = {"ServiceMonitor", "LeaderWorkerSet"}  # custom resources


class Rendered:
    """What a chart made of values: `files` by template, `objects` in order."""

    def __init__(self, files):
        self.files = {name.split("/", 1)[1]: text for name, text in files.items()}
        manifests = [text for name, text in sorted(self.files.items()) if not name.endswith("NOTES.txt")]
        self.objects = [document for text in manifests for document in yaml.safe_load_all(text) if document]

    def the(self, kind, name=None):
        found = [item for item in self.objects if item["kind"] == kind and name in (None, item["metadata"]["name"])]
        assert len(found) == 1, f"{len(found)} objects {kind} {name}: {[(item['kind'], item['metadata']['name']) for item in self.objects]}"
        return found[0]

    def kinds(self):
        return {item["kind"] for item in self.objects}


def render(folder, values=None, release="rel", namespace="ns"):
    return Rendered(Chart.load(str(folder)).render(values or {}, name=release, namespace=namespace))


def refusal(folder, values):
    """The message with which a chart refuses values."""
    with pytest.raises(HelmError) as caught:
        render(folder, values)
    return str(caught.value)


def validate(objects):
    for item in objects:
        if item["kind"] not in WITHOUT_SCHEMA:
            kubernetes_validate.validate(item, KUBERNETES, strict=True)


def same_as_golden(name, text):
    """Holds `text` against a file; with SPANLOOM_WRITE_GOLDEN=1 it writes the file instead."""
    path = GOLDEN / name
    if os.environ.get("SPANLOOM_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text(), f"{path.relative_to(ROOT)} differs; if it should, run the test again with SPANLOOM_WRITE_GOLDEN=1 and look at the difference"


@pytest.fixture
def consumer(tmp_path):
    """A function that puts a chart together which plays one of llm-d's: tests/charts/consumer with the library below charts/."""

    def assemble(schema=True):
        folder = tmp_path / f"consumer-{schema}"
        if not folder.exists():
            shutil.copytree(pathlib.Path(__file__).parent / "consumer", folder)
            shutil.copytree(CHARTS / "llm-d-tracing", folder / "charts/llm-d-tracing")
            if schema:
                shutil.copy(CHARTS / "llm-d-tracing/values.schema.json", folder / "values.schema.json")
        return folder

    return assemble
