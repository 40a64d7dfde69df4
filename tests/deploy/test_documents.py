# SPDX-License-Identifier: Apache-2.0
"""docs/deploy.md: what it says to type works, and what it names is there."""

import re
import shlex
import subprocess

import pytest
import yaml

from manifests import DEPLOY, OVERLAYS, ROOT, kubectl

TEXT = (ROOT / "docs/deploy.md").read_text()
COMMANDS = [line[2:] for block in re.findall(r"```console\n(.*?)```", TEXT, re.S) for line in block.splitlines() if line.startswith("$ ")]


def test_all_overlays_and_no_others_are_named():
    assert set(re.findall(r"^\| `([a-z][a-z-]+)` \|", TEXT, re.M)) == set(OVERLAYS)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("kubectl apply")])
def test_what_is_applied_is_there(command):
    words = shlex.split(command)
    path = ROOT / words[-1]
    assert words[-2] in ("-f", "-k") and path.exists()
    assert words[-2] == "-f" or path.name in OVERLAYS


# Scenario: the command lines of the page, and the options of its table.
# Guarantees: the script knows each of them.
def test_the_scripts_options_are_its_own():
    usage = subprocess.run([str(DEPLOY / "install-tracing.sh"), "--help"], capture_output=True, text=True, timeout=60).stdout
    lines = [command for command in COMMANDS if "install-tracing.sh" in command] + re.findall(r"^\| (`--.*?) \|", TEXT, re.M)
    options = {option for line in lines for option in re.findall(r"(?<![\w-])--?[a-z][\w-]*", line)}
    assert len(options) > 8 and all(re.search(rf"(?<![\w-]){option}\b", usage) for option in options), options


# Scenario: the overlay of one's own that the page shows, with the repository below it.
# Guarantees: kustomize takes it, and it is what it says.
def test_the_overlay_of_the_page_can_be_built(tmp_path):
    (tmp_path / "spanloom").mkdir()
    subprocess.run(["cp", "-R", str(DEPLOY), str(tmp_path / "spanloom/deploy")], check=True)
    (tmp_path / "kustomization.yaml").write_text(re.search(r"```yaml\n(.*?)```", TEXT, re.S)[1])
    result = subprocess.run([kubectl(), "kustomize", str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    objects = list(yaml.safe_load_all(result.stdout))
    assert {entry["kind"] for entry in objects} == {"ConfigMap", "NetworkPolicy", "PersistentVolumeClaim", "Service", "StatefulSet"}
    assert all(entry["metadata"]["namespace"] == "llm-d" for entry in objects)
    assert "image: registry.example/spanloom:0.1.0" in result.stdout
