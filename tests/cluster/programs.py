#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The programs of a cluster: etcd as Debian has it, kubectl of the Python environment, and kube-apiserver, kube-controller-manager and kubelet/ built from
the pinned Go modules into build/cluster/bin. Run as a script it builds what is not there: 880 CPU seconds the first time, nothing afterwards.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
BUILT = ROOT / "build/cluster/bin"
STAMP = BUILT / "built-from"
ETCD = ROOT / "build/programs/etcd-server/usr/bin/etcd"
VERSION = "1.34.4"  # as go.mod says; the servers are told it by the linker
PACKAGES = {"kubelet": "./kubelet", "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver", "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager"}


class Missing(Exception):
    """A program that is not there, and what brings it."""


def sources_digest():
    digest = hashlib.sha256()
    for path in [HERE / "go.mod", HERE / "go.sum", HERE / "tools.go", *sorted((HERE / "kubelet").glob("*.go"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_built():
    return STAMP.exists() and STAMP.read_text() == sources_digest() and all((BUILT / name).exists() for name in PACKAGES)


def go():
    beside = pathlib.Path(sys.executable).parent / "go"
    found = str(beside) if beside.exists() else shutil.which("go")
    if not found:
        raise Missing("no Go toolchain: ./dev setup cluster installs it")
    return found


def build():
    """Builds what go.mod pins. The log of a build that fails is build/cluster/NAME.log."""
    if is_built():
        return
    BUILT.mkdir(parents=True, exist_ok=True)
    major, minor = VERSION.split(".")[:2]
    version = "k8s.io/component-base/version."
    flags = f"-s -w -X {version}gitVersion=v{VERSION} -X {version}gitMajor={major} -X {version}gitMinor={minor}"
    for name, package in PACKAGES.items():
        print(f"building {name} {VERSION} (the first time this takes minutes)", flush=True)
        log = BUILT.parent / f"{name}.log"
        with log.open("w") as output:
            code = subprocess.run([go(), "build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", f"{BUILT}/", package], cwd=HERE, stdout=output, stderr=subprocess.STDOUT,
                                  env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}).returncode
        if code != 0:
            raise Missing(f"{name} cannot be built; the whole log is {log.relative_to(ROOT)}:\n" + "\n".join(log.read_text().splitlines()[-20:]))
    STAMP.write_text(sources_digest())


def program(name):
    """The path of a server's program. Raises Missing."""
    if name == "etcd":
        if not ETCD.exists():
            raise Missing(f"no etcd at {ETCD.relative_to(ROOT)}: ./dev setup cluster unpacks it")
        return str(ETCD)
    if not is_built():
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
