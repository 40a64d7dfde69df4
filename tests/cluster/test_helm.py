# SPDX-License-Identifier: Apache-2.0
"""deploy/charts with Helm's own command line: the life of a release on a real API server, the post-renderer, and the commands of the pages."""

import itertools
import shutil
import sys

import pytest
import yaml

from conftest import DEPLOY, documents, objects
from control_plane import wait_for
from programs import ROOT, program
from spans import find, is_there, send

sys.path += [str(ROOT / "tests/played"), str(ROOT / "tests/guide")]
from page import Reader, Step, steps  # noqa: E402

CHART = DEPLOY / "charts/spanloom"
RENDERER = DEPLOY / "charts/post-render/inject-tracing"
USER = ROOT / "tests/guide/user"
VOLUME = ["--set", "storage.kind=persistentVolume", "--set", "storage.persistentVolume.size=2Gi"]


@pytest.fixture
def admin(cluster):
    """Somebody who has Helm too, and the Python of these tests, with PyYAML, which inject-tracing needs."""
    user = cluster.user()
    (user.folder / "bin/helm").symlink_to(program("helm"))
    (user.folder / "bin/python3").write_text(f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    (user.folder / "bin/python3").chmod(0o755)
    return user


def rolled_out(admin, namespace):
    for item in admin.kubectl("get", "deployments,statefulsets", "-n", namespace, "-o", "name").stdout.split():
        admin.kubectl("rollout", "status", "-n", namespace, item, "--timeout=120s")


def store_of(cluster, namespace):
    return wait_for(lambda: cluster.node.find(namespace, "tracing-spanloom-0"), "the store's pod")


def passes_its_test(admin, namespace):
    result = admin.run("helm", "test", "tracing", "-n", namespace)
    assert "Phase:          Succeeded" in result.stdout
    return result


# Scenario: a release from `helm install --dry-run=server` to `helm uninstall`, with an upgrade to two parts and back; pods have to be restricted.
# Guarantees: the dry run keeps nothing; `helm test` passes at once after each step; what a rollback brings is what was there; in the end nothing is left but a claim.
@pytest.mark.parametrize("options", [[], VOLUME], ids=["memory", "volume"])
def test_a_release_from_install_to_uninstall(cluster, made_namespace, admin, options):
    dry = admin.run("helm", "install", "tracing", CHART, "-n", made_namespace, "--dry-run=server", *options)
    assert "STATUS: pending-install" in dry.stdout and objects(cluster, made_namespace) == set()

    admin.run("helm", "install", "tracing", CHART, "-n", made_namespace, *options)
    passes_its_test(admin, made_namespace)
    first = objects(cluster, made_namespace)
    assert {"statefulset/tracing-spanloom", "service/otel-collector", "service/jaeger-collector"} <= first
    assert not any(item.startswith("deployment/") for item in first)
    rolled_out(admin, made_namespace)
    trace = send(store_of(cluster, made_namespace).ip)
    find(store_of(cluster, made_namespace).ip, trace)

    admin.run("helm", "upgrade", "tracing", CHART, "-n", made_namespace, "--reuse-values", "--set", "mode=split")
    rolled_out(admin, made_namespace)
    passes_its_test(admin, made_namespace)
    assert any(item.startswith("deployment/") for item in objects(cluster, made_namespace))
    admin.run("helm", "rollback", "tracing", "-n", made_namespace)
    rolled_out(admin, made_namespace)
    passes_its_test(admin, made_namespace)
    assert objects(cluster, made_namespace) == first
    assert is_there(store_of(cluster, made_namespace).ip, trace) == (options == VOLUME)

    admin.run("helm", "uninstall", "tracing", "-n", made_namespace)
    claims = {item for item in first if item.startswith("persistentvolumeclaim/")}
    wait_for(lambda: objects(cluster, made_namespace) == claims and not cluster.node.of(made_namespace), "all but the claim to go")
    assert len(claims) == (options == VOLUME)


# Scenario: a release in whose test no span arrives, since the collector's pipeline drops it.
# Guarantees: `helm test` fails, and its log says where to look.
def test_a_release_that_loses_spans_fails_its_test(cluster, made_namespace, admin, tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({"config": {"processors": {"filter/scrapes": {"traces": {"span": ['name == "helm test"']}}}}}))
    copy = tmp_path / "spanloom"
    shutil.copytree(CHART, copy)
    test = copy / "templates/tests/trace.yaml"
    test.write_text(test.read_text().replace("-ge 30", "-ge 2"))
    admin.run("helm", "install", "tracing", copy, "-n", made_namespace, "-f", values)
    rolled_out(admin, made_namespace)
    failed = admin.run("helm", "test", "tracing", "-n", made_namespace, code=1)
    assert "Phase:          Failed" in failed.stdout
    assert "the collector took the span, but" in admin.kubectl("logs", "-n", made_namespace, "tracing-spanloom-test").stdout


# Scenario: values that the schema or the chart's own check refuses.
# Guarantees: Helm says the reason, and nothing is installed.
@pytest.mark.parametrize("option, reason", [("modus=split", "modus"), ("collector.replicas=2", "collector.replicas")])
def test_values_that_are_refused(cluster, made_namespace, admin, option, reason):
    refused = admin.run("helm", "install", "tracing", CHART, "-n", made_namespace, "--set", option, code=1)
    assert reason in refused.stderr and objects(cluster, made_namespace) == set()
    assert admin.run("helm", "list", "-n", made_namespace, "-q").stdout == ""


# --------------------------------------------------------------------------------------------------------- post-renderer

def consumer(folder):
    """A chart that plays llm-d's, with our library below it."""
    shutil.copytree(ROOT / "tests/charts/consumer", folder)
    shutil.copytree(DEPLOY / "charts/llm-d-tracing", folder / "charts/llm-d-tracing")
    shutil.copy(DEPLOY / "charts/llm-d-tracing/values.schema.json", folder)
    return folder


def containers(text):
    """{(workload, container): its variables, and its arguments in the order of the alphabet: the library puts its own first, who is behind cannot}"""
    found = {}
    for item in documents(text):
        spec = item["spec"]["template"]["spec"]
        for container in itertools.chain(spec.get("initContainers", []), spec["containers"]):
            found[item["metadata"]["name"], container["name"]] = {"env": {entry["name"]: entry for entry in container.get("env") or []}, "args": sorted(container.get("args", []))}
    return found


# Scenario: a chart without tracing and the post-renderer, and the same chart with tracing, as `helm template` puts both out.
# Guarantees: each container has the variables and the arguments that the chart itself gives; without the post-renderer it has none.
def test_the_post_renderer_does_what_the_charts_do(admin, tmp_path):
    chart = consumer(tmp_path / "chart")
    for release, on in (("ms-pd", ["--set", "tracing.enabled=true"]), ("gaie-pd", ["--set", "inferenceExtension.tracing.enabled=true"])):
        template = ["template", release, chart, "-f", USER / release / "values.yaml"]
        plain = containers(admin.run("helm", *template).stdout)
        assert plain and not any("OTEL_SERVICE_NAME" in one["env"] for one in plain.values())
        result = admin.run("helm", *template, "--post-renderer", RENDERER)
        injected = containers(result.stdout)
        assert injected == containers(admin.run("helm", *template, *on).stdout)
        assert all("OTEL_SERVICE_NAME" in one["env"] for one in injected.values())


def test_options_reach_the_post_renderer(admin, tmp_path):
    template = ["template", "ms-pd", consumer(tmp_path / "chart"), "-f", USER / "ms-pd/values.yaml", "--post-renderer", RENDERER]
    injected = containers(admin.run("helm", *template, "--post-renderer-args", "--sampler-arg=0.1").stdout)
    assert {one["env"]["OTEL_TRACES_SAMPLER_ARG"]["value"] for one in injected.values()} == {"0.1"}
    refused = admin.run("helm", *template, "--post-renderer-args", "--sampler-argument=0.1", code=1)
    assert "--sampler-argument" in refused.stderr and refused.stdout == ""


# ----------------------------------------------------------------------------------------------------------------- pages

# Pages, and what was done before them.
PAGES = {
    "guide.md": [],
    "charts.md": [],
    "upgrade.md": ["helm install tracing deploy/charts/spanloom -n llm-d -f values.yaml"],
}


def is_done(name, step):
    """Files, what Helm 3 does, and the commands between that it depends on. The plugin is Helm 4's."""
    if step.file or name == "upgrade.md" and step.command.startswith("kubectl delete"):
        return True
    return step.command.startswith("helm ") and "plugin install" not in step.command and "--post-renderer inject-tracing" not in step.command


@pytest.fixture
def reader(cluster, admin, tmp_path):
    """Somebody at the top of a checkout, with the namespace of the pages."""
    folder = tmp_path / "user"
    shutil.copytree(USER, folder)
    shutil.copytree(DEPLOY, folder / "deploy")
    for name in ("llm-d-modelservice/llm-d-modelservice", "gaie/inferencepool"):  # Helm looks for a folder before it looks for a repository
        consumer(folder / name)
    admin.kubectl("create", "namespace", "llm-d")
    yield Reader(folder, admin.environment, {})
    admin.kubectl("delete", "namespace", "llm-d")
    wait_for(lambda: cluster.api.find("/api/v1/namespaces/llm-d") is None)


# Scenario: a user types what a page says about Helm, from its top to its end.
# Guarantees: each command succeeds; with the chart of Spanloom, its pods are ready in the end and show a span.
@pytest.mark.parametrize("name", PAGES)
def test_a_page_works_as_printed(cluster, admin, reader, name):
    todo = [step for step in steps((ROOT / "docs" / name).read_text()) if is_done(name, step)]
    assert sum(step.command.startswith("helm ") for step in todo) >= 3
    for command in PAGES[name]:
        reader.do(Step(0, "before", command))
    for step in todo:
        reader.do(step)
    releases = set(admin.run("helm", "list", "-n", "llm-d", "-q", "--deployed").stdout.split())
    if name == "guide.md":
        assert releases == {"ms-pd", "gaie-pd"}
        return
    assert "tracing" in releases
    rolled_out(admin, "llm-d")
    trace = send(cluster.node.services.address_of("llm-d", "otel-collector"))
    find(store_of(cluster, "llm-d").ip, trace)
