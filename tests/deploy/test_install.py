# SPDX-License-Identifier: Apache-2.0
"""install-tracing.sh against a cluster that is played by fake_kubectl.py: every branch, and what the user is told in it."""

import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import subprocess

import pytest
import yaml

from manifests import BINARY, DEPLOY, kubectl, of_kind, pod_command
from processes import wait_for

LEFT = f"[WARN]  What has been applied stays in namespace 'llm-d'. Mend the cause and run this again, or remove it: {DEPLOY}/install-tracing.sh -u -n llm-d\n"
OURS = {"app.kubernetes.io/part-of": "llm-d-tracing"}
ALL_IN_ONE = {"ConfigMap/spanloom-config", "StatefulSet/jaeger", "Service/jaeger-collector", "Service/otel-collector"}
SPLIT = ALL_IN_ONE | {"ConfigMap/otel-collector-config", "Deployment/otel-collector"}
GUIDES = {"Deployment/jaeger": {"app": "jaeger"}, "Service/jaeger-collector": {}, "ConfigMap/otel-collector-config": {},
          "Deployment/otel-collector": {"app": "otel-collector"}, "Service/otel-collector": {}}


def changes(cluster):
    return [call for call in cluster.calls if re.search(r"(^| )(apply|create namespace|delete) ", call)]


# ------------------------------------------------------------------------------------------------------------- arguments

@pytest.mark.parametrize("arguments, message", [
    ([], "[ERROR] Namespace is required. Use -n <namespace> to specify the target namespace."),
    (["-u"], "[ERROR] Namespace is required. Use -n <namespace> to specify the target namespace."),
    (["--foo"], "[ERROR] Unknown option: --foo"),
    (["-n"], "[ERROR] -n needs a value. See --help."),
    (["--namespace="], "[ERROR] --namespace needs a value. See --help."),
    (["-n", "--split"], "[ERROR] -n needs a value. See --help."),
    (["-n", "Bad_Name"], "[ERROR] 'Bad_Name' cannot be a namespace: lower case letters, digits and '-' inside only (RFC 1123)"),
    (["-n", "llm-d", "--backend", "zipkin"], "[ERROR] --backend zipkin: one of spanloom, jaeger, tempo, otlp=HOST:PORT"),
    (["-n", "llm-d", "--backend", "otlp=tempo"], "[ERROR] --backend otlp=tempo: the port is missing; OTLP/gRPC has 4317"),
    (["-n", "llm-d", "--backend", 'otlp=a"b:1'], "[ERROR] --backend otlp=a\"b:1: otlp=HOST:PORT, such as otlp=tempo.monitoring:4317"),
    (["-n", "llm-d", "--storage", "20"], "[ERROR] --storage 20: 'memory', or a size such as 20Gi (units Mi, Gi, Ti, M, G, T)"),
    (["-n", "llm-d", "--storage", "10Mi"], "[ERROR] --storage 10Mi: a store needs 1Gi at least"),
    (["-n", "llm-d", "--storage", "20Gi", "--backend", "jaeger"], "[ERROR] --storage: with --backend jaeger there is no store of Spanloom's"),
    (["-n", "llm-d", "--storage", "20Gi", "--store", "../etc"], "[ERROR] --store ../etc: the name of a directory on the volume: letters, digits, '.', '_' and '-', the first of them no '.'"),
    (["-n", "llm-d", "--store", "before"], "[ERROR] --store before: there is no volume; --storage says how large it is, such as 20Gi"),
    (["-n", "llm-d", "--timeout", "soon"], "[ERROR] --timeout soon: a number of seconds, or such as 90s, 3m, 1h"),
    (["-n", "llm-d", "--purge"], "[ERROR] --purge removes the traces: it goes with --uninstall"),
])
def test_wrong_arguments_are_refused_before_anything_is_asked(cluster, arguments, message):
    result = cluster.run(*arguments, code=1)
    assert result.stderr == message + "\n" and result.stdout == ""
    assert cluster.calls == []


def test_help_needs_no_kubectl(cluster):
    tools = cluster.folder / "without-kubectl"
    tools.mkdir()
    for name in ("bash", "cat", "dirname"):
        (tools / name).symlink_to(shutil.which(name))
    cluster.environment["PATH"] = str(tools)
    for option in ("-h", "--help"):
        result = cluster.run(option)
        assert result.stdout.startswith("usage: install-tracing.sh -n NAMESPACE") and result.stderr == ""
    assert "[ERROR] kubectl is required but not found in PATH\n" == cluster.run("-n", "llm-d", code=1).stderr


# --------------------------------------------------------------------------------------------------------------- install

# Scenario: the guide's user, in a namespace that is not there yet.
# Guarantees: one pod behind both Services, a span that went through, and the words of the guide's script.
def test_it_installs_all_in_one_and_finds_its_span(cluster, backend):
    result = cluster.holds(namespaces=[]).install()
    assert cluster.objects == ALL_IN_ONE
    assert "Creating namespace 'llm-d'..." in result.stdout and cluster.state["namespaces"] == ["llm-d"]
    for line in ("[INFO]  Deploying Spanloom as OTel Collector + Jaeger into namespace 'llm-d'...",
                 "[OK]    Spanloom as OTel Collector + Jaeger deployed successfully.",
                 "[INFO]    kubectl port-forward -n llm-d svc/jaeger-collector 16686:16686",
                 "[INFO]    http://otel-collector.llm-d.svc.cluster.local:4317",
                 "[INFO]    (or simply http://otel-collector:4317 from the same namespace)"):
        assert line in result.stdout.splitlines()
    assert len(backend.traces) == 1 and f"(trace {backend.traces.pop()}, service spanloom-install-check)" in result.stdout
    assert "\033" not in result.stdout + result.stderr and result.stderr == ""


def test_it_may_run_again(cluster):
    cluster.install("--no-wait")
    result = cluster.install("--no-wait")
    assert "Creating namespace" not in result.stdout and cluster.objects == ALL_IN_ONE
    assert not any(" delete " in call for call in cluster.calls)


def test_split_without_operator_is_standalone(cluster):
    result = cluster.install("--split")
    assert "[INFO]  OpenTelemetry Operator not found -- deploying standalone collector..." in result.stdout
    assert cluster.objects == SPLIT
    assert any("rollout status deployment/otel-collector" in call for call in cluster.calls)


def test_split_with_an_operator_makes_the_custom_resource(cluster):
    result = cluster.holds(crd=True, operator=True).install("--split")
    assert "[INFO]  OpenTelemetry Operator detected -- deploying collector as OpenTelemetryCollector CR..." in result.stdout
    assert "OpenTelemetryCollector/otel" in cluster.objects and "ConfigMap/otel-collector-config" not in cluster.objects
    assert cluster.state["objects"]["Deployment/otel-collector"] == {"app.kubernetes.io/managed-by": "opentelemetry-operator"}


# Scenario: the CRD was left behind by an operator that is gone. The guide's script says success, and traces go nowhere.
# Guarantees: it is said, the dead resource is removed, and a standalone collector runs.
def test_a_crd_without_an_operator_is_noticed(cluster):
    result = cluster.holds(crd=True).install("--split")
    assert "no operator acts on it: no Deployment and Service 'otel-collector' after 1s." in result.stderr
    assert "OpenTelemetry Operator not running -- deploying standalone collector..." in result.stdout
    assert cluster.objects == SPLIT


# Scenario: a user with rights in one namespace, who may read neither namespaces nor CRDs, in a cluster with an operator.
# Guarantees: no namespace is created, and the operator is found all the same.
def test_rights_in_one_namespace_are_enough(cluster):
    result = cluster.holds(unseen_namespaces=["llm-d"], unseen_crds=True, crd=True, operator=True).install("--split", "--no-wait")
    assert "OpenTelemetryCollector/otel" in cluster.objects
    assert not any("create namespace" in call for call in cluster.calls) and result.stderr == ""


def test_without_rights_to_the_custom_resource_it_is_standalone(cluster):
    cluster.holds(crd=True, operator=True, may_not=["create opentelemetrycollectors.opentelemetry.io"])
    assert "you may not create opentelemetrycollectors.opentelemetry.io -- deploying standalone collector..." in cluster.install("--split", "--no-wait").stdout
    assert cluster.objects == SPLIT


@pytest.mark.parametrize("state, message", [
    ({"may_not": ["create statefulsets.apps", "create services"]}, "You may not create services statefulsets.apps in namespace 'llm-d'. (kubectl auth can-i create services -n llm-d says no.)"),
    ({"namespaces": [], "may_not": ["create namespaces"]}, "Namespace 'llm-d' does not exist, and you may not create namespaces. Ask an administrator for: kubectl create namespace llm-d"),
    ({"terminating_namespaces": ["llm-d"]}, "Namespace 'llm-d' is being deleted. Wait until it is gone, or use another one. (kubectl get namespace llm-d -o yaml says what holds it up.)"),
    ({"server": "down"}, "The API server does not answer (context 'test'): The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?"),
    ({"server": "unknown-user"}, "The API server does not know you: error: You must be logged in to the server (Unauthorized)"),
    ({"objects": {"Deployment/otel-collector": {"app.kubernetes.io/managed-by": "Helm"}}}, "Deployment 'otel-collector' in namespace 'llm-d' is managed by Helm. Remove it there first, or use another namespace."),
    ({"objects": {"Deployment/jaeger": {"app.kubernetes.io/managed-by": "jaeger-operator"}}}, "Deployment 'jaeger' in namespace 'llm-d' is managed by jaeger-operator. Remove it there first, or use another namespace."),
])
def test_what_stands_in_the_way_is_named_and_nothing_is_changed(cluster, state, message):
    assert f"[ERROR] {message}\n" == cluster.holds(**state).install(code=1).stderr
    assert changes(cluster) == []


def test_errors_of_the_server_are_shown(cluster):
    result = cluster.holds(fail={"apply": "Error from server (Forbidden): services is forbidden"}).install(code=1)
    assert "services is forbidden" in result.stderr and "deployed successfully" not in result.stdout
    assert result.stderr.endswith(LEFT)


# Scenario: a quota lets some objects in and not the others; then it is raised, or the user gives up.
# Guarantees: it is said that a part is there; the next run completes it, and the removal leaves nothing.
@pytest.mark.parametrize("then", [[], ["-u"]])
def test_an_installation_in_part_is_completed_or_removed(cluster, then):
    quota = 'Error from server (Forbidden): error when creating "objects.yaml": services "otel-collector" is forbidden: exceeded quota: few, requested: services=1, used: services=5, limited: services=5'
    result = cluster.holds(refused={"Service/otel-collector": quota}).install(code=1)
    assert result.stderr == f"{quota}\n{LEFT}" and cluster.objects == ALL_IN_ONE - {"Service/otel-collector"}
    cluster.holds(refused={}).install(*then)
    assert cluster.objects == (set() if then else ALL_IN_ONE)


# Scenario: a mistyped namespace is made, as the guide's script does too.
# Guarantees: it is said that it is new, and what that means; not of one that was there.
def test_a_new_namespace_is_said_to_be_empty(cluster):
    new = "Namespace 'llm-d' is new, so no workload is in it: one that is in another namespace needs the first of these names."
    assert new in cluster.holds(namespaces=[]).install("--no-wait").stdout
    assert new not in cluster.install("--no-wait").stdout


# -------------------------------------------------------------------------------------------------------- missing files

@pytest.fixture
def copy(cluster):
    target = cluster.folder / "deploy"
    shutil.copytree(DEPLOY, target)
    return target


@pytest.mark.parametrize("missing, arguments, state, message", [
    (["jaeger-all-in-one.yaml"], [], {}, "Jaeger manifest not found at: {}/manifests/jaeger-all-in-one.yaml"),
    (["otel-collector.yaml"], [], {}, "OTel Collector standalone manifest not found at: {}/manifests/otel-collector.yaml"),
    (["otel-collector.yaml"], ["--split"], {}, "OTel Collector standalone manifest not found at: {}/manifests/otel-collector.yaml"),
    (["otel-collector.yaml", "otel-collector-operator.yaml"], ["--split"], {"crd": True, "operator": True}, "No OTel Collector manifest found in: {}/manifests"),
])
def test_missing_files_are_noticed_before_anything_is_applied(cluster, copy, missing, arguments, state, message):
    for name in missing:
        (copy / "manifests" / name).unlink()
    result = cluster.holds(**state).install(*arguments, code=1, script=copy / "install-tracing.sh")
    assert result.stderr == f"[ERROR] {message.format(copy)}\n"
    assert changes(cluster) == []


def test_without_the_operators_manifest_it_is_standalone(cluster, copy):
    (copy / "manifests/otel-collector-operator.yaml").unlink()
    result = cluster.holds(crd=True, operator=True).install("--split", "--no-wait", script=copy / "install-tracing.sh")
    assert "OpenTelemetry Operator detected but operator manifest not found -- falling back to standalone collector..." in result.stdout
    assert cluster.objects == SPLIT


# --------------------------------------------------------------------------------------------------- from one to another

# Scenario: what the guide's own script installed runs in the namespace.
# Guarantees: Spanloom takes all names over, and nothing of the guide's is left.
@pytest.mark.parametrize("arguments, afterwards", [([], ALL_IN_ONE), (["--split"], SPLIT)])
def test_it_takes_the_place_of_the_guides_installation(cluster, arguments, afterwards):
    result = cluster.holds(objects=dict(GUIDES)).install(*arguments)
    assert cluster.objects == afterwards
    assert "Removing the guide's Jaeger: its traces are in memory and go with it..." in result.stdout


@pytest.mark.parametrize("first, then, afterwards", [
    (["--split"], [], ALL_IN_ONE),
    ([], ["--split"], SPLIT),
    (["--backend=tempo"], [], ALL_IN_ONE),
])
def test_a_switch_removes_the_other_variant(cluster, first, then, afterwards):
    cluster.install("--no-wait", *first)
    cluster.install("--no-wait", *then)
    assert cluster.objects == afterwards


# Scenario: an operator comes to a cluster with a standalone collector, and goes again.
# Guarantees: each time one variant is there, not two under one name.
def test_a_switch_to_the_operator_and_back(cluster):
    cluster.install("--split", "--no-wait")
    cluster.holds(crd=True, operator=True)
    assert "Removing the standalone collector" in cluster.install("--split", "--no-wait").stdout
    assert "ConfigMap/otel-collector-config" not in cluster.objects and "OpenTelemetryCollector/otel" in cluster.objects
    cluster.install("--no-wait")
    assert cluster.objects == ALL_IN_ONE
    assert any("delete opentelemetrycollectors.opentelemetry.io/otel --cascade=foreground" in call for call in cluster.calls)


# --------------------------------------------------------------------------------------------------------------- options

def container_of(cluster, kind, name):
    return of_kind(cluster.applied(), kind)[name]["spec"]["template"]["spec"]["containers"][0]


def digests(cluster):
    """What the templates of pods say of their configuration, by kind."""
    return {entry["kind"]: entry["spec"]["template"]["metadata"]["annotations"]["checksum/config"] for entry in cluster.applied() if entry["kind"] in ("StatefulSet", "Deployment")}


# Scenario: the configuration of one workload is another one in the next run; apply alone would leave its pod as it is.
# Guarantees: the template of that workload changes, so that its pod is replaced, and that of the other does not: a store in memory is not emptied for nothing.
def test_a_changed_configuration_replaces_its_pod(cluster, copy):
    cluster.install("--split", "--no-wait", script=copy / "install-tracing.sh")
    before = digests(cluster)
    cluster.install("--split", "--no-wait", script=copy / "install-tracing.sh")
    assert digests(cluster) == before
    for name, changed in (("otel-collector.yaml", "Deployment"), ("jaeger-all-in-one.yaml", "StatefulSet")):
        path = copy / "manifests" / name
        path.write_text(path.read_text().replace("send_batch_size: 1024", "send_batch_size: 512"))
        cluster.environment["FAKE_CACHE"] = str(cluster.folder / name)
        pathlib.Path(cluster.environment["FAKE_CACHE"]).mkdir()
        cluster.install("--split", "--no-wait", script=copy / "install-tracing.sh")
        after = digests(cluster)
        assert {kind for kind in after if after[kind] != before[kind]} == {changed}
        before = after
    cluster.install("--no-wait", script=copy / "install-tracing.sh")
    alone = digests(cluster)["StatefulSet"]
    cluster.install("--no-wait", "--backend=tempo", script=copy / "install-tracing.sh")
    assert digests(cluster)["StatefulSet"] != alone


def test_storage_is_a_claim_of_that_size_and_retention_fits(cluster, tmp_path):
    result = cluster.install("--storage", "50Gi", "--no-wait")
    assert of_kind(cluster.applied(), "PersistentVolumeClaim")["spanloom-store"]["spec"]["resources"]["requests"] == {"storage": "50Gi"}
    store = of_kind(cluster.applied(), "StatefulSet")["jaeger"]
    command, environment = pod_command(store, cluster.applied(), tmp_path)
    printed = subprocess.run([*command, "print-config"], env={**os.environ, **environment}, capture_output=True, text=True, timeout=30)
    assert yaml.safe_load(printed.stdout)["exporters"]["spanloom_store"]["retention"]["mib_max"] == 40960
    assert "in memory" not in result.stdout


def test_another_directory_of_the_volume_is_used(cluster, tmp_path):
    cluster.install("--storage", "50Gi", "--store", "before-0.2.0", "--no-wait")
    command, environment = pod_command(of_kind(cluster.applied(), "StatefulSet")["jaeger"], cluster.applied(), tmp_path)
    printed = subprocess.run([*command, "print-config"], env={**os.environ, **environment}, capture_output=True, text=True, timeout=30)
    assert yaml.safe_load(printed.stdout)["exporters"]["spanloom_store"]["data_dir"] == "/var/lib/spanloom/before-0.2.0"


@pytest.mark.parametrize("image, operators", [
    ("registry.example:5000/team/spanloom:2.0", "registry.example:5000/team/spanloom-collector:2.0"),
    ("spanloom@sha256:00", "spanloom-collector@sha256:00"),
])
def test_image_is_run_everywhere(cluster, image, operators):
    cluster.install("--split", "--no-wait", "--image", image)
    assert {container_of(cluster, *which)["image"] for which in (("StatefulSet", "jaeger"), ("Deployment", "otel-collector"))} == {image}
    cluster.holds(crd=True, operator=True).install("--split", "--no-wait", "--image", image)
    assert of_kind(cluster.applied(), "OpenTelemetryCollector")["otel"]["spec"]["image"] == operators


@pytest.mark.parametrize("value, endpoint, insecure", [
    ("tempo", "tempo:4317", "true"),
    ("otlp=tempo.monitoring:4317", "tempo.monitoring:4317", "true"),
    ("otlp=https://otlp.example:443", "otlp.example:443", "false"),
    ("otlp=http://[::1]:4317", None, None),
])
def test_a_backend_gets_what_the_store_has(cluster, value, endpoint, insecure):
    if endpoint is None:
        cluster.install("--backend", value, code=1)
        return
    for arguments, which, exporter in (([], ("StatefulSet", "jaeger"), "spanloom_store"), (["--split"], ("Deployment", "otel-collector"), "otlp_grpc/jaeger")):
        cluster.install("--backend", value, "--no-wait", *arguments)
        container = container_of(cluster, *which)
        environment = {entry["name"]: entry["value"] for entry in container["env"]}
        assert len(environment) == len(container["env"])
        assert (environment["SPANLOOM_BACKEND_ENDPOINT"], environment["SPANLOOM_BACKEND_INSECURE"]) == (endpoint, insecure)
        assert f"--set=service.pipelines.traces.exporters=[{exporter}, otlp_grpc/backend]" in container["args"]


# Scenario: the operator runs the collector, and there is another backend.
# Guarantees: the resource's own configuration has it, and is valid.
def test_a_backend_behind_the_operators_collector(cluster, tmp_path):
    cluster.holds(crd=True, operator=True).install("--split", "--backend=tempo", "--no-wait")
    config = of_kind(cluster.applied(), "OpenTelemetryCollector")["otel"]["spec"]["config"]
    assert config["service"]["pipelines"]["traces"]["exporters"] == ["otlp_grpc/jaeger", "otlp_grpc/backend"]
    (tmp_path / "collector.yaml").write_text(yaml.safe_dump(config))
    assert subprocess.run([str(BINARY), "collector", f"--config={tmp_path}/collector.yaml", "validate"], timeout=30).returncode == 0


def test_backend_jaeger_leaves_the_jaeger_that_is_there(cluster):
    cluster.holds(objects={"Deployment/jaeger": {"app": "jaeger"}, "Service/jaeger-collector": {}}).install("--backend", "jaeger")
    assert cluster.objects == {"Deployment/jaeger", "Service/jaeger-collector", "ConfigMap/otel-collector-config", "Deployment/otel-collector", "Service/otel-collector"}


@pytest.mark.parametrize("objects, message", [
    ({}, "There is no Service 'jaeger-collector' in namespace 'llm-d': --backend jaeger sends to a Jaeger that is there already"),
    ({"Service/jaeger-collector": OURS}, "Service 'jaeger-collector' in namespace 'llm-d' is Spanloom's own. Remove it first:"),
])
def test_backend_jaeger_needs_a_jaeger(cluster, objects, message):
    assert message in cluster.holds(objects=objects).install("--backend=jaeger", code=1).stderr
    assert changes(cluster) == []


# --------------------------------------------------------------------------------------------------------------- dry run

def test_a_dry_run_asks_the_server_and_changes_nothing(cluster):
    cluster.holds(objects=dict(GUIDES))
    result = cluster.install("--dry-run")
    assert "statefulset.apps/jaeger created (server dry run)" in result.stdout
    assert 'deployment.apps "jaeger" deleted (server dry run)' in result.stdout
    assert cluster.objects == set(GUIDES) and all("--dry-run=server" in call for call in changes(cluster))
    assert "deployed successfully" not in result.stdout


def test_a_dry_run_without_the_namespace_stays_here(cluster):
    result = cluster.holds(namespaces=[]).install("--dry-run")
    assert "Namespace 'llm-d' would be created" in result.stdout and "service/otel-collector created (client dry run)" in result.stdout
    assert cluster.state["namespaces"] == []


def test_a_dry_run_without_a_server_prints_the_objects(cluster):
    result = cluster.holds(server="down").install("--dry-run")
    assert "No API server answers" in result.stderr
    printed = list(yaml.safe_load_all(result.stdout.split("changed.\n")[1]))
    assert {f"{entry['kind']}/{entry['metadata']['name']}" for entry in printed} == ALL_IN_ONE


# --------------------------------------------------------------------------------------------------------------- waiting

def pod(waiting=None, message="", unschedulable="", restarts=0, ended=None):
    status = {"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}, {"type": "PodScheduled", "status": "True"}]}
    if unschedulable:
        status["conditions"][1].update(status="False", reason="Unschedulable", message=unschedulable)
        return {"metadata": {"name": "jaeger-0"}, "status": status}
    state = {"waiting": {"reason": waiting, "message": message}} if waiting else {"running": {}}
    status["containerStatuses"] = [{"name": "jaeger", "state": state, "restartCount": restarts, "lastState": {"terminated": {"reason": ended}} if ended else {}}]
    containers = [{"name": "sidecar", "resources": {"limits": {"memory": "1Mi"}}}, {"name": "jaeger", "resources": {"limits": {"memory": "8Mi"}}}]
    return {"metadata": {"name": "jaeger-0"}, "spec": {"containers": containers}, "status": status}


TOO_LITTLE = ("container jaeger of pod jaeger-0 needs more memory than its limit of 8Mi and was ended for it (OOMKilled, 3 restarts). "
              f"Raise resources.limits.memory of that container in {DEPLOY}/manifests/jaeger-all-in-one.yaml and run this again.")
QUOTA = 'create Pod jaeger-0 in StatefulSet jaeger failed error: pods "jaeger-0" is forbidden: exceeded quota: few, requested: pods=1, used: pods=4, limited: pods=4'


@pytest.mark.parametrize("state, message", [
    ({"pods": [pod("ImagePullBackOff", 'Back-off pulling image "spanloom:0.1.0"')]},
     'does not become ready: the image of pod jaeger-0 cannot be had (ImagePullBackOff): Back-off pulling image "spanloom:0.1.0" --image says which one to take.'),
    ({"pods": [pod("CrashLoopBackOff", "back-off 10s", restarts=3, ended="Error")], "logs": {"jaeger-0": "config.yaml:14: processors::batch: has invalid keys"}},
     "does not become ready: pod jaeger-0 ends again and again (3 restarts, Error). Its last line: config.yaml:14: processors::batch: has invalid keys"),
    ({"pods": [pod("CrashLoopBackOff", "back-off 10s", restarts=3, ended="OOMKilled")]}, f"does not become ready: {TOO_LITTLE}"),
    ({"pods": [pod(restarts=3, ended="OOMKilled")], "crashed": False}, f"is not ready after 1s: {TOO_LITTLE}"),
    ({"pods": [pod("CreateContainerConfigError", 'configmap "spanloom-config" not found')]},
     'does not become ready: the container of pod jaeger-0 cannot be made (CreateContainerConfigError): configmap "spanloom-config" not found'),
    ({"events": [{"involvedObject": {"name": "other"}, "message": "no"}, {"involvedObject": {"name": "jaeger"}, "message": QUOTA}]},
     f"does not become ready: its pod may not be made: {QUOTA}"),
    ({"pods": [pod(unschedulable="0/3 nodes are available: 3 Insufficient memory.")]},
     "is not ready after 1s: pod jaeger-0 finds no node: 0/3 nodes are available: 3 Insufficient memory."),
    ({"pods": [pod()], "crashed": False, "logs": {"jaeger-0": "opening the store"}},
     "is not ready after 1s: pod jaeger-0 runs, but is not ready yet. Its last line: opening the store"),
    ({}, "is not ready after 1s: there is no pod yet"),
])
def test_a_pod_that_does_not_become_ready_says_why(cluster, state, message):
    result = cluster.holds(not_ready=["statefulset/jaeger"], **state).install("--timeout", "1s" if "after 1s" in message else "10m", code=1)
    assert result.stderr == f"[ERROR] statefulset/jaeger {message}\n{LEFT}"
    assert "deployed successfully" not in result.stdout


@pytest.mark.parametrize("text, seconds", [("90", 90), ("90s", 90), ("3m", 180), ("1h", 3600)])
def test_times_are_read(text, seconds):
    script = (DEPLOY / "install-tracing.sh").read_text().replace('\nmain "$@"\n', '\nseconds_of "$1"\n')
    assert subprocess.run(["bash", "-c", script, "bash", text], capture_output=True, text=True).stdout == f"{seconds}\n"


# -------------------------------------------------------------------------------------------------------------- test span

def test_a_span_that_is_not_found_fails_the_installation(cluster, backend):
    backend.forgets = True
    cluster.environment["SPANLOOM_VERIFY_SECONDS"] = "3"
    result = cluster.install(code=1)
    assert "jaeger-collector:16686 does not show it after 3s: 404 Not Found" in result.stderr


def test_a_span_that_is_refused_fails_the_installation(cluster, backend):
    backend.code = 503
    cluster.environment["SPANLOOM_VERIFY_SECONDS"] = "3"
    said = cluster.install(code=1).stderr
    assert "otel-collector:4318 did not take a test span: 503 Service Unavailable. It refuses spans for now: memory" in said
    assert f"resources.limits.memory in {DEPLOY}/manifests/jaeger-all-in-one.yaml" in said
    assert re.search(r"kubectl logs -n \S+ statefulset/jaeger$", said, re.MULTILINE)


def test_a_refusal_names_the_collector_that_stands_apart(cluster, backend):
    backend.code = 503
    cluster.environment["SPANLOOM_VERIFY_SECONDS"] = "3"
    said = cluster.install("--split", code=1).stderr
    assert f"resources.limits.memory in {DEPLOY}/manifests/otel-collector.yaml" in said
    assert re.search(r"kubectl logs -n \S+ deployment/otel-collector$", said, re.MULTILINE)


def test_a_service_without_pods_fails_the_installation(cluster):
    cluster.holds(forward={})
    assert "Service 'otel-collector' cannot be reached: error: timed out" in cluster.install(code=1).stderr


def test_a_forward_that_hangs_is_told_from_one_that_fails(cluster):
    cluster.environment["SPANLOOM_VERIFY_SECONDS"] = "1"
    result = cluster.holds(silent=["port-forward"]).install(code=1)
    assert "Service 'otel-collector' cannot be reached: kubectl port-forward service/otel-collector says nothing for 1s" in result.stderr


def test_without_the_right_to_forward_it_says_what_it_did_not_do(cluster):
    result = cluster.holds(may_not=["create pods portforward"]).install()
    assert "Not verified: you may not forward ports in namespace 'llm-d' (create pods/portforward)." in result.stderr
    assert "deployed successfully" in result.stdout


def test_a_jaeger_without_its_page_is_not_asked(cluster, backend):
    cluster.holds(objects={"Service/jaeger-collector": {}}, forward={"otel-collector": backend.server_address[1]})
    assert "It was not looked for" in cluster.install("--backend=jaeger").stderr


# Scenario: the ports that kubectl forwards lead to the real binary.
# Guarantees: the test span is one that it takes, and finds.
def test_the_span_is_found_by_the_real_server(cluster, tmp_path):
    log = tmp_path / "serve.log"
    free = [f"--set={key}=127.0.0.1:0" for key in ("receivers.otlp.protocols.grpc.endpoint", "receivers.otlp.protocols.http.endpoint",
                                                   "extensions.spanloom_query.endpoint", "extensions.health_check.endpoint", "service.telemetry.metrics.address")]
    server = subprocess.Popen([str(BINARY), "serve", "--in-memory", "--log-format=json", *free], stdout=subprocess.DEVNULL, stderr=log.open("w"))
    try:
        wait_for(lambda: "Everything is ready" in log.read_text())
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        ports = {line["server"]: int(line["endpoint"].rsplit(":", 1)[1]) for line in lines if line["msg"] == "listening"}
        cluster.holds(forward={"otel-collector": ports["otlp/http"], "jaeger-collector": ports["spanloom_query"]})
        assert "was found at jaeger-collector:16686" in cluster.install().stdout
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


# ------------------------------------------------------------------------------------------------------------- uninstall

@pytest.mark.parametrize("arguments", [[], ["--split"], ["--backend", "tempo"], ["--storage", "20Gi"]])
def test_uninstall_removes_all_but_the_claim(cluster, arguments):
    cluster.install("--no-wait", *arguments)
    result = cluster.install("-u")
    kept = {"PersistentVolumeClaim/spanloom-store"} if "--storage" in arguments else set()
    assert cluster.objects == kept and cluster.state["namespaces"] == ["llm-d"]
    assert ("The volume claim 'spanloom-store' stays, with its traces: --purge removes it too." in result.stdout) == bool(kept)
    assert "[OK]    OTel Collector + Jaeger removed from namespace 'llm-d'." in result.stdout
    cluster.install("-u", "--purge")
    assert cluster.objects == set()


def test_uninstall_removes_the_custom_resource(cluster):
    cluster.holds(crd=True, operator=True).install("--split", "--no-wait")
    cluster.install("--uninstall")
    assert cluster.objects == set()


def test_uninstall_without_rights_to_the_custom_resource_says_that_it_stays(cluster):
    cluster.holds(crd=True, operator=True).install("--split", "--no-wait")
    result = cluster.holds(may_not=["delete opentelemetrycollectors.opentelemetry.io"]).install("-u")
    assert result.stderr == "[WARN]  The OpenTelemetryCollector CR 'otel' stays: you may not delete it.\n"
    assert "OpenTelemetryCollector/otel" in cluster.objects and "StatefulSet/jaeger" not in cluster.objects


# Scenario: a namespace with nothing of ours, or none of that name; the user may list what is in others, or not.
# Guarantees: it is not said that anything was removed; where it is instead is said, if it may be known.
@pytest.mark.parametrize("namespaces, message", [
    (["llm-d"], "[OK]    Nothing of Spanloom is in namespace 'llm-d' that this script could remove."),
    ([], "[OK]    There is no namespace 'llm-d', so nothing to remove.")])
def test_uninstall_of_nothing_says_so(cluster, namespaces, message):
    first = "[INFO]  Removing Spanloom as OTel Collector + Jaeger from namespace 'llm-d'..."
    assert cluster.holds(namespaces=namespaces).install("-u").stdout.splitlines() == [first, message]
    result = cluster.holds(elsewhere=["tracing", "tracing", "llm-d-staging"]).install("-u")
    assert result.stdout.splitlines() == [first, message, "[INFO]  Namespaces that have it: llm-d-staging, tracing"]


def test_uninstall_of_nothing_but_the_claim_says_so(cluster):
    result = cluster.holds(objects={"PersistentVolumeClaim/spanloom-store": {}}).install("-u")
    assert result.stdout.splitlines()[1:] == ["[INFO]  The volume claim 'spanloom-store' stays, with its traces: --purge removes it too.",
                                              "[OK]    Nothing else of Spanloom is in namespace 'llm-d' that this script could remove."]
    assert "removed from namespace 'llm-d'" in cluster.install("-u", "--purge").stdout


def test_uninstall_of_what_helm_installed_names_the_release(cluster):
    labels = {"app.kubernetes.io/name": "spanloom", "app.kubernetes.io/instance": "tracing", "app.kubernetes.io/managed-by": "Helm"}
    result = cluster.holds(objects={"Service/otel-collector": labels}).install("-u")
    assert result.stdout.splitlines()[-1] == "[INFO]  What is there was installed by Helm: helm uninstall tracing -n llm-d"
    assert cluster.objects == {"Service/otel-collector"}


def test_uninstall_leaves_what_is_not_ours(cluster):
    cluster.holds(objects={**GUIDES, "Service/otel-collector": {**OURS, "app.kubernetes.io/managed-by": "Helm"}}).install("-u")
    assert cluster.objects == set(GUIDES)


def test_uninstall_says_at_once_that_nobody_answers(cluster):
    assert "The API server does not answer" in cluster.holds(server="down").install("-u", code=1).stderr


def test_uninstall_that_is_refused_fails(cluster):
    result = cluster.holds(fail={"delete": "Error from server (Forbidden): deployments.apps is forbidden"}).install("-u", code=1)
    assert "is forbidden" in result.stdout + result.stderr and "[OK]" not in result.stdout
    assert result.stderr.endswith("[WARN]  What could not be removed is still in namespace 'llm-d': run this again when the cause is mended.\n")


# ---------------------------------------------------------------------------------------------------------------- itself

# Scenario: a terminal, and one whose user wants no colours.
# Guarantees: colours are on the first alone.
@pytest.mark.parametrize("no_colour", ["", "1"])
def test_colours_are_for_terminals(cluster, no_colour):
    reader, writer = pty.openpty()
    environment = {**cluster.environment, **({"NO_COLOR": no_colour} if no_colour else {})}
    subprocess.run([str(DEPLOY / "install-tracing.sh"), "-n", "llm-d", "-u"], env=environment, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, timeout=300)
    os.close(writer)
    assert (b"\033[34m[INFO]\033[0m" in os.read(reader, 65536)) == (not no_colour)


# Scenario: every command line that the script gives kubectl, in the ways above, given to the real one without a cluster.
# Guarantees: it knows all verbs and flags, so that it is the missing cluster that it stumbles over.
def test_the_real_kubectl_understands_every_command(cluster):
    cluster.install("--split")
    cluster.holds(crd=True, operator=True).install("--split", "--no-wait")
    cluster.holds(namespaces=[]).install("--no-wait", "--backend=tempo")
    cluster.install("--dry-run")
    cluster.install("-u", "--purge")
    cluster.holds(not_ready=["statefulset/jaeger"], pods=[pod("CrashLoopBackOff", restarts=1)], unseen_crds=True).install("--split", code=1)
    cluster.holds(pods=[]).install("--timeout=1s", code=1)
    lines = {re.sub(r"-f \S+", f"-f {cluster.file}.applied.yaml", line) for line in cluster.calls}
    verbs = {verb for line in lines for verb in shlex.split(line)[:3]}
    assert {"get", "auth", "create", "apply", "delete", "rollout", "logs", "port-forward", "api-resources"} <= verbs
    for line in lines:
        result = subprocess.run([kubectl(), "--server", "http://127.0.0.1:1", *shlex.split(line)], capture_output=True, text=True, timeout=300, env={"PATH": "/usr/bin:/bin", "HOME": str(cluster.folder)})
        assert result.returncode == 1 and "refused" in result.stderr, f"{line}\n{result.stdout}{result.stderr}"


@pytest.mark.parametrize("script", ["install-tracing.sh", "cross-build"])
def test_shellcheck_has_nothing_to_say(script):
    program = pathlib.Path(kubectl()).parent / "shellcheck"
    quoted = "--exclude=SC2016"  # what stands in single quotes is for others to expand
    result = subprocess.run([str(program), quoted, str(DEPLOY / script)], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout


def test_its_functions_are_short():
    lines = (DEPLOY / "install-tracing.sh").read_text().splitlines()
    begin = None
    for number, line in enumerate(lines):
        if re.match(r"^\w+\(\) \{", line):
            begin = number
        if line == "}" and begin is not None:
            assert number - begin <= 32, lines[begin]
