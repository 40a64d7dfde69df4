# SPDX-License-Identifier: Apache-2.0
"""The manifests and overlays of deploy/, held against Kubernetes' schemas, the restricted pod standard, and the binary that they start."""

import json
import os
import re
import subprocess

import kubernetes_validate
import pytest
import yaml

from manifests import BINARY, DEPLOY, OVERLAYS, every_set, kustomized, manifest, of_kind, overlay, pod_command, workloads
from processes import SPAN, get, send, start, wait_for

KUBERNETES = "1.34"
FOREIGN = ("OpenTelemetryCollector", "ServiceMonitor", "PrometheusRule")  # of operators: no schema is published with Kubernetes
SETS = every_set()
by_set = pytest.mark.parametrize("objects", [objects for _, objects in SETS], ids=[name for name, _ in SETS])


@by_set
def test_every_object_fits_its_schema(objects):
    for entry in objects:
        if entry["kind"] not in FOREIGN:
            kubernetes_validate.validate(entry, KUBERNETES, strict=True)


# Scenario: a namespace with pod-security.kubernetes.io/enforce=restricted.
# Guarantees: its pods are let in, also with a user whose number the node can see.
@by_set
def test_every_pod_is_restricted(objects):
    for workload in workloads(objects):
        pod = workload["spec"]["template"]["spec"]
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True and security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod.get("hostNetwork") and not pod.get("hostPID") and not pod.get("hostIPC")
        for volume in pod["volumes"]:
            assert volume.keys() - {"name"} <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected"}
        for container in pod["containers"]:
            assert len({entry["name"] for entry in container["env"]}) == len(container["env"])
            assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


@by_set
def test_the_configuration_of_every_pod_is_valid(objects, tmp_path):
    for workload in workloads(objects):
        command, environment = pod_command(workload, objects, tmp_path)
        result = subprocess.run([*command, "validate"], capture_output=True, text=True, timeout=30, env={**os.environ, **environment})
        assert result.returncode == 0, result.stdout + result.stderr
        assert "warn" not in result.stderr.lower()


def test_the_operators_configuration_is_valid_and_the_same(tmp_path):
    resource = manifest("otel-collector-operator.yaml")[0]
    assert (resource["apiVersion"], resource["kind"], resource["metadata"]["name"]) == ("opentelemetry.io/v1beta1", "OpenTelemetryCollector", "otel")
    config = resource["spec"]["config"]
    (tmp_path / "collector.yaml").write_text(yaml.safe_dump(config))
    result = subprocess.run([str(BINARY), "collector", f"--config={tmp_path}/collector.yaml", "validate"], capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr
    standalone = yaml.safe_load(of_kind(manifest("otel-collector.yaml"), "ConfigMap")["otel-collector-config"]["data"]["config.yaml"])
    for part in ("receivers", "processors", "exporters", "extensions"):
        assert config[part] == standalone[part]
    assert config["service"]["pipelines"] == standalone["service"]["pipelines"]


# Scenario: pods are asked for their health, and have their sizes.
# Guarantees: all three probes go to the port where health_check listens; a stop is given longer than its drain takes; memory is limited, and
# the number of loops does not follow the node's cores.
@by_set
def test_pods_say_how_they_are(objects):
    for workload in workloads(objects):
        pod = workload["spec"]["template"]["spec"]
        container = pod["containers"][0]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert ports[container[probe]["httpGet"]["port"]] == 13133
        drain = next(entry["value"] for entry in container["env"] if entry["name"] == "SPANLOOM_DRAIN_TIMEOUT")
        assert pod["terminationGracePeriodSeconds"] >= int(drain.removesuffix("s")) + 10
        assert 1 <= int(next(entry["value"] for entry in container["env"] if entry["name"] == "GOMAXPROCS")) <= 4
        assert "memory" in container["resources"]["limits"] and "memory" in container["resources"]["requests"]


def selected(service, objects):
    wanted = service["spec"]["selector"].items()
    return [workload for workload in workloads(objects) if wanted <= workload["spec"]["template"]["metadata"]["labels"].items()]


@pytest.mark.parametrize("name", OVERLAYS)
def test_both_services_lead_to_one_workload(name):
    objects = overlay(name)
    services = of_kind(objects, "Service")
    for service, ports in (("otel-collector", {4317, 4318}), ("jaeger-collector", {4317, 4318, 16686})):
        assert {port["port"] for port in services[service]["spec"]["ports"]} == ports
        behind = selected(services[service], objects)
        assert len(behind) == 1
        offered = {port["name"]: port["containerPort"] for port in behind[0]["spec"]["template"]["spec"]["containers"][0]["ports"]}
        assert all(offered[port["targetPort"]] == port["port"] for port in services[service]["spec"]["ports"])


# Scenario: Deployment `jaeger` of the guide is still there, with its label app=jaeger.
# Guarantees: our Service sends it nothing; the collector's selector is the guide's, so that it is replaced in place.
def test_the_guides_pods_are_not_mixed_with_ours():
    objects = manifest("jaeger-all-in-one.yaml") + manifest("otel-collector.yaml")
    assert not of_kind(objects, "Service")["jaeger-collector"]["spec"]["selector"].items() <= {"app": "jaeger"}.items()
    assert of_kind(objects, "Deployment")["otel-collector"]["spec"]["selector"] == {"matchLabels": {"app": "otel-collector"}}
    assert of_kind(objects, "Service")["otel-collector"]["spec"]["selector"] == {"app": "otel-collector"}


def test_a_disruption_budget_stands_only_before_two():
    for _, objects in SETS:
        budgets = of_kind(objects, "PodDisruptionBudget").values()
        for budget in budgets:
            labels = budget["spec"]["selector"]["matchLabels"].items()
            behind = [workload for workload in workloads(objects) if labels <= workload["spec"]["template"]["metadata"]["labels"].items()]
            assert [workload["spec"]["replicas"] for workload in behind] == [2]
    assert of_kind(overlay("production"), "PodDisruptionBudget")


def test_the_account_may_read_pods_of_its_namespace_alone():
    objects = overlay("production")
    assert not of_kind(objects, "ClusterRole")
    assert of_kind(objects, "Role")["spanloom"]["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    assert of_kind(objects, "RoleBinding")["spanloom"]["subjects"] == [{"kind": "ServiceAccount", "name": "spanloom", "namespace": "llm-d"}]
    with_token = [workload["metadata"]["name"] for workload in workloads(objects) if workload["spec"]["template"]["spec"]["automountServiceAccountToken"]]
    assert with_token == ["otel-collector"]


# Scenario: the volume of the store, and what the store may keep there.
# Guarantees: retention leaves a fifth of it free for segments that are being merged.
def test_retention_fits_the_volume():
    objects = overlay("persistent-volume")
    size = of_kind(objects, "PersistentVolumeClaim")["spanloom-store"]["spec"]["resources"]["requests"]["storage"]
    arguments = of_kind(objects, "StatefulSet")["jaeger"]["spec"]["template"]["spec"]["containers"][0]["args"]
    mib = next(int(argument.rsplit("=", 1)[1]) for argument in arguments if "retention.mib_max" in argument)
    assert mib == int(size.removesuffix("Gi")) * 1024 * 4 // 5


# Scenario: `spanloom store backup` in a pod whose root file system is read-only; it keeps a copy of the catalogue for itself.
# Guarantees: that goes to a volume that may be written.
def test_the_stores_tools_may_write_in_its_pod():
    store = of_kind(overlay("persistent-volume"), "StatefulSet")["jaeger"]["spec"]["template"]["spec"]["containers"][0]
    writable = {mount["mountPath"] for mount in store["volumeMounts"] if not mount.get("readOnly")}
    assert {entry["name"]: entry["value"] for entry in store["env"]}["TMPDIR"] in writable


# Scenario: the pods of `overlays/split` as processes, their names replaced by addresses; a request's span, a scrape's and a real call named GET come in.
# Guarantees: those that are not of a scrape are found through Jaeger's API, behind both; the collector's health says it is well.
def test_a_span_goes_through_the_guides_two(tmp_path):
    objects = overlay("split")
    running = []
    try:
        store, ports = start(of_kind(objects, "StatefulSet")["jaeger"], objects, tmp_path)
        running.append(store)
        behind = [("jaeger-collector:4317", f"127.0.0.1:{ports['otlp/grpc']}")]
        collector, front = start(of_kind(objects, "Deployment")["otel-collector"], objects, tmp_path, behind)
        running.append(collector)
        assert get(f"http://127.0.0.1:{front['health_check']}/")[0] == 200
        assert send(front["otlp/http"]) == 200
        url = f"http://127.0.0.1:{ports['spanloom_query']}/api/traces/{SPAN['traceId']}"
        wait_for(lambda: get(url)[0] == 200)
        assert sorted(span["operationName"] for span in json.loads(get(url)[1])["data"][0]["spans"]) == ["GET", "llm_request"]
    finally:
        for process in running:
            process.terminate()
        assert [process.wait(30) for process in running] == [0] * len(running)


def test_no_image_is_unpinned():
    for path in [*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.sh")]:
        if "templates" in path.parts:
            continue  # of a chart, whose values have the tag
        for image in re.findall(r"^\s*image: (\S+)", path.read_text(), re.M):
            assert re.search(r":\d+\.\d+\.\d+$", image), f"{path}: {image}"


def test_the_doctor_finds_nothing(tmp_path):
    for folder in sorted((DEPLOY / "overlays").iterdir()):
        objects = tmp_path / f"{folder.name}.yaml"
        objects.write_text(kustomized(folder))
        result = subprocess.run([BINARY, "doctor", objects], capture_output=True, text=True, timeout=60)
        assert (result.returncode, result.stdout) == (0, "nothing found\n"), f"{folder.name}: {result.stdout}"
