# SPDX-License-Identifier: Apache-2.0
"""The objects of deploy/ as kubectl renders them, and the programs that judge them."""

import functools
import os
import pathlib
import shutil
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
BINARY = pathlib.Path(os.environ["SPANLOOM_BINARY"])
PROMTOOL = ROOT / "build/programs/prometheus/usr/bin/promtool"
OVERLAYS = sorted(path.parent.name for path in (DEPLOY / "overlays").glob("*/kustomization.yaml"))
MANIFESTS = ["jaeger-all-in-one.yaml", "otel-collector.yaml", "otel-collector-operator.yaml"]


def kubectl():
    """The pinned kubectl: a program of the Python environment that runs the tests."""
    beside = pathlib.Path(sys.executable).parent / "kubectl"
    return str(beside) if beside.exists() else shutil.which("kubectl")


@functools.cache
def kustomized(folder):
    """What `kubectl kustomize FOLDER` prints."""
    result = subprocess.run([kubectl(), "kustomize", str(folder)], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout


def overlay(name):
    return list(yaml.safe_load_all(kustomized(DEPLOY / "overlays" / name)))


def manifest(name):
    return list(yaml.safe_load_all((DEPLOY / "manifests" / name).read_text()))


def of_kind(objects, kind):
    return {entry["metadata"]["name"]: entry for entry in objects if entry["kind"] == kind}


def workloads(objects):
    return [entry for entry in objects if entry["kind"] in ("Deployment", "StatefulSet")]


def every_set():
    """(name, objects) of each file and overlay that a user may apply."""
    return [(name, manifest(name)) for name in MANIFESTS[:2]] + [(name, overlay(name)) for name in OVERLAYS]


def pod_command(workload, objects, folder, replacements=()):
    """The command line of a workload's container with this machine's binary, its ConfigMaps written below `folder`; and its environment."""
    pod = workload["spec"]["template"]["spec"]
    container = pod["containers"][0]
    arguments = list(container["args"])
    maps = of_kind(objects, "ConfigMap")
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for mount in container["volumeMounts"]:
        volume = volumes.get(mount["name"], {})  # that of a claim template is not there
        if "configMap" not in volume:
            continue
        target = folder / mount["mountPath"].lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        for key, text in maps[volume["configMap"]["name"]]["data"].items():
            for old, new in replacements:
                text = text.replace(old, new)
            (target / key).write_text(text)
        arguments = [argument.replace(f"--config={mount['mountPath']}/", f"--config={target}/") for argument in arguments]
    environment = {entry["name"]: entry.get("value", "llm-d") for entry in container.get("env", [])}
    assert container["command"][0] == "spanloom"
    return [str(BINARY), *container["command"][1:], *arguments], environment
