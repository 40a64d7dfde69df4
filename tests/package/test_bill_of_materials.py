# SPDX-License-Identifier: Apache-2.0
"""The bill of materials, held beside the rules of SPDX 2.3 as the SPDX project's own tools know them."""

import importlib.util
import json
import shutil

import pytest
from conftest import DEPLOY, ROOT
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

SECONDS = 1767225600


def complaints(path):
    return [message.validation_message for message in validate_full_spdx_document(parse_file(str(path)), "SPDX-2.3")]


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Writes the document of a checkout whose page locks `entries` besides its own; returns its path."""
    spec = importlib.util.spec_from_file_location("bill_of_materials", DEPLOY / "images/bill_of_materials.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def written(entries):
        (tmp_path / "tools/packages").mkdir(parents=True)
        shutil.copy(ROOT / "tools/packages/build.txt", tmp_path / "tools/packages")
        lock = json.loads((ROOT / "ui/package-lock.json").read_text())
        lock["packages"].update(entries)
        (tmp_path / "ui").mkdir()
        (tmp_path / "ui/package-lock.json").write_text(json.dumps(lock))
        monkeypatch.chdir(tmp_path)
        (tmp_path / "made.spdx.json").write_text(module.document("1.2.3", ["libc6"], SECONDS))
        return tmp_path / "made.spdx.json"

    return written


def stated(path, *names):
    """{(name, version): ids} of the packages of a document that have one of these names."""
    found = {}
    for entry in json.loads(path.read_text())["packages"]:
        if entry["name"] in names:
            found.setdefault((entry["name"], entry["versionInfo"]), []).append(entry["SPDXID"])
    return found


# Guarantees: the document that the build leaves follows the rules.
def test_follows_the_rules(image):
    assert complaints(image / "spanloom.spdx.json") == []


# Scenario: npm has put one package into two places, of one version; another in two versions.
# Guarantees: each version is said once; the document follows the rules.
def test_a_package_in_two_places(make):
    path = make({"node_modules/a": {"version": "1.0.0", "license": "MIT"}, "node_modules/b/node_modules/a": {"version": "1.0.0", "license": "MIT"},
                 "node_modules/c": {"version": "1.0.0", "license": "ISC"}, "node_modules/b/node_modules/c": {"version": "2.0.0", "license": "ISC"}})
    assert complaints(path) == []
    assert {key: len(ids) for key, ids in stated(path, "a", "c").items()} == {("a", "1.0.0"): 1, ("c", "1.0.0"): 1, ("c", "2.0.0"): 1}


# Scenario: names that differ in characters which an identifier can't have; a page package with the name and version of a Debian one.
# Guarantees: all are there, each with its own identifier; the document follows the rules.
def test_names_that_are_spelled_alike(make):
    mit = {"version": "1.0.0", "license": "MIT"}
    path = make({"node_modules/@a/b-c": mit, "node_modules/@a-b/c": mit, "node_modules/spanloom": {"version": "1.2.3", "license": "MIT"}})
    assert complaints(path) == []
    assert {key: len(set(ids)) for key, ids in stated(path, "@a/b-c", "@a-b/c", "spanloom").items()} == {("@a/b-c", "1.0.0"): 1, ("@a-b/c", "1.0.0"): 1, ("spanloom", "1.2.3"): 2}


# Scenario: a lock file whose package says in prose what its licence is, or doesn't say it at all.
# Guarantees: the build is refused, with the name of the package.
@pytest.mark.parametrize("licence", [{"license": "SEE LICENSE IN LICENSE.md"}, {}])
def test_refuses_a_licence_in_prose(make, licence):
    with pytest.raises(SystemExit, match="what licence has odd-one"):
        make({"node_modules/odd-one": {"version": "1.0.0", **licence}})
