# SPDX-License-Identifier: Apache-2.0
"""A place to type the pages in: the repository's top as a user has it after `./dev build`, a cluster that is played, and the programs that pages name."""

import json
import os
import pathlib
import shutil
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "played"))
sys.path.insert(0, str(TESTS / "guide"))

from gateway import Gateway  # noqa: E402
from manifests import BINARY, DEPLOY, kubectl  # noqa: E402
from page import Reader  # noqa: E402
from pods import Pods  # noqa: E402
from processes import FREE, start_command  # noqa: E402

# Charts of llm-d are played by one that takes their values, with our library's templates and schema.
LLM_D_CHARTS = ["llm-d-modelservice/llm-d-modelservice", "gaie/inferencepool"]
# `./dev build` takes minutes, and its outcome is what all tests are run on.
# `./dev build` leaves the binary of this run, `./dev package image` a layout that names the images of the Containerfile, without what is in them:
# tests/package makes them.
DEV = f"""#!/bin/sh -e
case "$*" in
  build)
    mkdir -p build/release/bin
    ln -sf '{BINARY.resolve()}' build/release/bin/spanloom ;;
  "package image")
    mkdir -p build/package/oci
    sed -n 's/^FROM .* AS \\(.*\\)$/{{"annotations": {{"org.opencontainers.image.ref.name": "\\1"}}}}/p' deploy/images/Containerfile |
      jq -s '{{manifests: .}}' >build/package/oci/index.json ;;
  *) echo "dev: unknown: $*" >&2; exit 1 ;;
esac
"""


def programs(folder):
    folder.mkdir()
    (folder / "kubectl").symlink_to(TESTS / "played/fake_kubectl.py")
    (folder / "skopeo").symlink_to(TESTS / "played/fake_skopeo.py")
    (folder / "spanloom").symlink_to(BINARY.resolve())
    # The Python of the tests has the Helm engine, and PyYAML, which inject-tracing needs. A link to it would not find them.
    for name, first in (("helm", f"'{TESTS / 'played/fake_helm.py'}'"), ("python3", "")):
        (folder / name).write_text(f"#!/bin/sh\nexec '{sys.executable}' {first} \"$@\"\n")
        (folder / name).chmod(0o755)
    return folder


def user_folder(folder):
    shutil.copytree(TESTS / "guide/user", folder)
    shutil.copytree(DEPLOY, folder / "deploy")
    (folder / "dev").write_text(DEV)
    (folder / "dev").chmod(0o755)
    return folder


def consumer_chart(folder):
    shutil.copytree(TESTS / "charts/consumer", folder)
    shutil.copytree(DEPLOY / "charts/llm-d-tracing", folder / "charts/llm-d-tracing")
    shutil.copy(DEPLOY / "charts/llm-d-tracing/values.schema.json", folder)
    return str(folder)


class Place:
    """A reader, and what its commands reach."""

    def __init__(self, folder, cache):
        self.cluster = folder / "cluster.json"
        self.pods = Pods(self.cluster, folder / "pods")
        self.gateway = Gateway(self.pods)
        self.tempo, ports = start_command([str(BINARY), "serve", "--in-memory", "--log-format=json", *FREE], {}, folder / "tempo.log")
        self.pods.others = {"infra-pd-inference-gateway": {"80": self.gateway.port}, "tempo.monitoring": {"4317": ports["otlp/grpc"]}}
        self.cluster.write_text(json.dumps({"namespaces": ["llm-d"], "forward": self.pods.others}))
        chart = consumer_chart(folder / "llm-d-chart")
        environment = {
            "PATH": f"{programs(folder / 'bin')}:/usr/bin:/bin", "HOME": str(folder), "FAKE_CLUSTER": str(self.cluster), "FAKE_KUBELET": str(self.pods.port),
            "FAKE_RELEASES": str(folder / "releases.json"), "FAKE_CHARTS": json.dumps(dict.fromkeys(LLM_D_CHARTS, chart)),
            "FAKE_CACHE": str(cache), "REAL_KUBECTL": kubectl(), "SPANLOOM_POLL_SECONDS": "0.02", "SPANLOOM_VERIFY_SECONDS": "60"}
        (folder / "var").mkdir()
        (folder / "backup").mkdir()
        self.reader = Reader(user_folder(folder / "user"), environment, {"/var/lib/": f"{folder / 'var'}/", "/backup/": f"{folder / 'backup'}/"})

    def calls(self):
        path = pathlib.Path(f"{self.cluster}.calls")
        return path.read_text().splitlines() if path.exists() else []

    def stop(self):
        try:
            self.reader.stop()
            self.gateway.stop()
            self.pods.stop()
        finally:
            self.tempo.terminate()
            assert self.tempo.wait(60) == 0


@pytest.fixture(scope="session")
def kustomized_before(tmp_path_factory):
    return tmp_path_factory.mktemp("kustomized")


@pytest.fixture
def place(tmp_path, kustomized_before):
    made = Place(tmp_path, kustomized_before)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def one_place(tmp_path_factory, kustomized_before):
    """The same for tests that leave nothing in it."""
    made = Place(tmp_path_factory.mktemp("place"), kustomized_before)
    yield made
    made.stop()
