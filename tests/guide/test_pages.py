# SPDX-License-Identifier: Apache-2.0
"""The pages for users of llm-d, typed as printed (page.py says what is replaced): each command succeeds, and prints what the page says."""

import re
import subprocess

import pytest

from manifests import ROOT, kubectl
from page import Step, matches, steps

PAGES = ["guide.md", "deploy.md", "charts.md", "doctor.md", "upgrade.md"]
# What a user has done before a section, and elsewhere: (page, section): commands, or files.
BEFORE = {
    ("upgrade.md", "A server of your own"): ["spanloom store import --data-dir /var/lib/spanloom traces.json"],
    ("upgrade.md", "In Kubernetes"): ["deploy/install-tracing.sh -n llm-d --image registry.example/spanloom:0.1.0 --storage 20Gi"],
    ("upgrade.md", "With Helm"): ["deploy/install-tracing.sh -u -n llm-d", "helm install tracing deploy/charts/spanloom -n llm-d -f values.yaml"],
    ("doctor.md", "What has arrived"): ["kubectl apply -n llm-d -k deploy/overlays/split", "kubectl port-forward -n llm-d svc/jaeger-collector 4317", "spanloom tracegen --traces 5 --seed 1 --endpoint localhost:4317"],
    ("deploy.md", "Without the script"): ["deploy/install-tracing.sh -u -n llm-d"],
}


def page(name):
    return (ROOT / "docs" / name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_works_as_printed(place, name):
    """*Scenario:* a user types all of a page, from its top to its end. *Guarantees:* each command succeeds, and prints what is printed below it."""
    todo = steps(page(name))
    assert len([step for step in todo if step.command]) >= 2
    done = set()
    for step in todo:
        if step.section not in done:
            for command in BEFORE.get((name, step.section), []):
                place.reader.do(Step(0, step.section, command))
        done.add(step.section)
        place.reader.do(step)
    for command in {step.command for step in todo if step.command.startswith("kubectl ")}:
        kubectl_understands(command, place)


def kubectl_understands(command, place):
    """The real kubectl, without a cluster, knows verb and flags of a command: it is the missing cluster that it stumbles over."""
    alone = re.split(r" [|>]", place.reader.typed(command))[0].replace("kubectl", f"'{kubectl()}' --server http://127.0.0.1:1", 1)
    result = subprocess.run(["bash", "-c", alone], cwd=place.reader.folder, env={"PATH": "/usr/bin:/bin", "HOME": str(place.reader.folder)}, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0 and " kustomize " in alone or "refused" in result.stderr, f"{command}: {result.stdout}{result.stderr}"


@pytest.mark.parametrize("name", PAGES)
def test_no_command_stands_where_it_is_not_typed(name):
    """*Scenario:* the languages of a page's blocks. *Guarantees:* none is a shell's, whose commands nobody would type."""
    assert set(re.findall(r"^```(\w+)", page(name), re.M)) <= {"console", "yaml"}


@pytest.mark.parametrize("text, complaint", [
    ("$ deploy/install-tracing.sh -n llm-d --imgae x", "Unknown option: --imgae"),
    ("$ kubectl apply -n llm-d -k deploy/overlays/none", "cannot be put together"),
    ("$ kubectl port-forward -n llm-d svc/jaeger 16686:16686", "timed out"),
    ("$ helm upgrade --install ms llm-d-modelservice/llm-d-modelservice --value x", "unknown flag: --value"),
    ("$ ./dev package image && skopeo copy oci:build/package/oci:spanlom docker://registry.example/x:1", "no image 'spanlom' found"),
    ("$ spanloom doctor ms-pd/value.yaml", "can't be read"),
    ("$ curl -s http://localhost:16686/api/services", "ends with 7"),
    ("$ spanloom --version\nspanloom 0.0.9\n...", "not\nspanloom 0.0.9"),
])
def test_what_is_wrong_in_a_page_is_found(one_place, text, complaint):
    """*Scenario:* pages with a mistake: an option, a name, a port that nobody listens on, an output. *Guarantees:* each fails, and says where."""
    (step,) = steps(f"# Page\n```console\n{text}\n```\n")
    with pytest.raises(AssertionError, match="line 3") as caught:
        one_place.reader.do(step)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("printed, said, same", [
    ("a\n", "a\n", True),
    ("a\n", "a\nb\n", False),
    ("a ... c\n", "a b c\n", True),
    ("...\nc\n", "a\nb\nc\n", True),
    ("a\n...\n", "a\n", True),
    ("...\nc\n...\n", "a\nb\n", False),
])
def test_dots_stand_for_what_is_left_out(printed, said, same):
    assert matches(printed, said) == same
