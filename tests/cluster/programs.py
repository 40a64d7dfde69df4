#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The programs of a cluster: etcd as Debian has it, kubectl of the Python environment, and kube-apiserver, kube-controller-manager, kubelet/ and Helm built
from the pinned Go modules into build/cluster/bin. Run as a script it builds what is not there: 1100 CPU seconds the first time, nothing afterwards.
"""

import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
BUILT = ROOT / "build/cluster/bin"
ETCD = ROOT / "build/programs/etcd-server/usr/bin/etcd"
VERSION = "1.34.4"  # as go.mod says; the servers are told it by the linker
HELM_VERSION = "3.19.5"  # as helm/go.mod says
_MAJOR, _MINOR = VERSION.split(".")[:2]
_SERVERS = "k8s.io/component-base/version."


@dataclasses.dataclass
class Module:
    """A folder with a go.mod, and the programs that are built from it. `stamp` has the digest of what they were built from."""

    folder: pathlib.Path
    stamp: str
    flags: str  # the linker's
    packages: dict  # {program: package}

    def digest(self):
        digest = hashlib.sha256()
        for path in [self.folder / "go.mod", self.folder / "go.sum", self.folder / "tools.go", *sorted((self.folder / "kubelet").glob("*.go"))]:
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def is_built(self):
        stamp = BUILT / self.stamp
        return stamp.exists() and stamp.read_text() == self.digest() and all((BUILT / name).exists() for name in self.packages)

    def build(self):
        for name, package in self.packages.items():
            print(f"building {name} (the first time this takes minutes)", flush=True)
            log = BUILT.parent / f"{name}.log"
            command = [go(), "build", "-mod=readonly", "-trimpath", "-ldflags", self.flags, "-o", f"{BUILT}/", package]
            with log.open("w") as output:
                code = subprocess.run(command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}).returncode
            if code != 0:
                raise Missing(f"{name} cannot be built; the whole log is {log.relative_to(ROOT)}:\n" + "\n".join(log.read_text().splitlines()[-20:]))
        (BUILT / self.stamp).write_text(self.digest())


MODULES = [
    Module(HERE, "built-from", f"-s -w -X {_SERVERS}gitVersion=v{VERSION} -X {_SERVERS}gitMajor={_MAJOR} -X {_SERVERS}gitMinor={_MINOR}",
           {"kubelet": "./kubelet", "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver", "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager"}),
    Module(HERE / "helm", "helm-built-from", f"-s -w -X helm.sh/helm/v3/internal/version.version=v{HELM_VERSION}", {"helm": "helm.sh/helm/v3/cmd/helm"}),
]


class Missing(Exception):
    """A program that is not there, and what brings it."""


def go():
    beside = pathlib.Path(sys.executable).parent / "go"
    found = str(beside) if beside.exists() else shutil.which("go")
    if not found:
        raise Missing("no Go toolchain: ./dev setup cluster installs it")
    return found


def build():
    """Builds what the go.mod of each module pins, as far as it is not there. The log of a build that fails is build/cluster/NAME.log."""
    BUILT.mkdir(parents=True, exist_ok=True)
    for module in MODULES:
        if not module.is_built():
            module.build()


def program(name):
    """The path of a program. Raises Missing."""
    if name == "etcd":
        if not ETCD.exists():
            raise Missing(f"no etcd at {ETCD.relative_to(ROOT)}: ./dev setup cluster unpacks it")
        return str(ETCD)
    if not next(module for module in MODULES if name in module.packages).is_built():
        raise Missing(f"{name} is not built, or is older than its sources in tests/cluster: ./dev setup cluster builds it")
    return str(BUILT / name)


def kubectl():
    beside = pathlib.Path(sys.executable).parent / "kubectl"
    if not beside.exists():
        raise Missing(f"no kubectl at {beside}: ./dev setup test installs it")
    return str(beside)


if __name__ == "__main__":
    try:
        build()
    except Missing as missing:
        sys.exit(str(missing))
