# SPDX-License-Identifier: Apache-2.0
"""The chart `spanloom`: what it renders, what it refuses, and that the binary takes the configurations that it writes."""

import contextlib
import json
import os
import re
import subprocess
import urllib.request

import pytest
import yaml
from helm_python.chart import lint
from conftest import CHARTS, refusal, render, same_as_golden, validate

CHART = CHARTS / "spanloom"
BINARY = os.environ.get("SPANLOOM_BINARY")
CASES = {
    "default": {},
    "volume": {
        "storage": {"kind": "persistentVolume", "persistentVolume": {"size": "50Gi", "storageClass": "fast"}, "retention": {"ageMax": "168h"}},
        "backends": {"tempo": {"endpoint": "tempo.monitoring:4317", "insecure": True}, "vendor": {"protocol": "http", "endpoint": "https://otlp.example", "headers": {"x-token": "${env:TOKEN}"}}},
        "listen": "[::]",
        "extraEnv": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "vendor", "key": "token"}}}],
        "podIdentity": True,
        "networkPolicy": {"enabled": True, "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "models"}}}],
                          "scrapeFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "image": {"repository": "registry.example/spanloom", "tag": "1.2.3", "pullSecrets": ["registry"]},
    },
    "split": {
        "mode": "split",
        "collector": {"replicas": 3, "config": {"processors": {"probabilistic_sampler": {"sampling_percentage": 10}}, "service": {"pipelines": {"traces": {"processors": ["memory_limiter", "filter/scrapes", "probabilistic_sampler"]}}}}},
        "backends": {"tempo": {"endpoint": "tempo:4317", "insecure": True, "options": {"compression": "zstd"}}},
        "podDisruptionBudget": {"enabled": True},
        "podIdentity": True,
        "tls": {"enabled": True, "secretName": "otlp-tls", "clientCa": True},
        "runAsUser": None,
        "fsGroup": None,
    },
}


@pytest.mark.parametrize("name", CASES)
def test_renders_as_the_golden_file(name):
    """*Scenario:* each case is rendered. *Guarantees:* every byte of it, notes included, is that of the file."""
    files = render(CHART, CASES[name]).files
    same_as_golden(f"spanloom-{name}.yaml", "".join(f"# {file}\n{text.strip()}\n" for file, text in sorted(files.items()) if text.strip()))


@pytest.mark.parametrize("name", CASES)
def test_objects_are_what_kubernetes_takes(name):
    """*Scenario:* each object of each case is held against the strict schema. *Guarantees:* no key that the API server would refuse or drop."""
    validate(render(CHART, CASES[name]).objects)


@pytest.mark.parametrize("name", CASES)
def test_helm_lints_nothing(name):
    """*Scenario:* `helm lint --strict` with the values of each case. *Guarantees:* no error and no warning; an icon it would like to have."""
    found = lint(str(CHART), CASES[name], strict=True)
    assert [message for message in found["messages"] if "icon is recommended" not in json.dumps(message)] == []


def pods(rendered):
    for item in rendered.objects:
        if item["kind"] == "Pod":
            yield item["spec"]
        elif item["kind"] in ("StatefulSet", "Deployment"):
            yield item["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", CASES)
def test_pods_fulfil_the_restricted_standard(name):
    """*Scenario:* all pods, that of `helm test` too. *Guarantees:* what the restricted pod security standard asks for, and a root that is read only."""
    for spec in pods(render(CHART, CASES[name])):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        if name != "split":
            assert spec["securityContext"]["runAsUser"] > 0
        for container in spec["containers"]:
            assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
            assert "limits" in container["resources"]
        assert not any("hostPath" in volume for volume in spec.get("volumes", []))


@pytest.mark.parametrize("name", CASES)
def test_services_lead_to_ports_of_pods(name):
    """*Scenario:* the Services of the guide. *Guarantees:* their names and ports are the guide's, each selects one workload and its ports exist there."""
    rendered = render(CHART, CASES[name])
    ports = {service["metadata"]["name"]: {port["port"] for port in service["spec"]["ports"]} for service in rendered.objects if service["kind"] == "Service"}
    assert ports["otel-collector"] == {4317, 4318}
    assert ports["jaeger-collector"] == {4317, 4318, 16686}
    templates = [item["spec"]["template"] for item in rendered.objects if item["kind"] in ("StatefulSet", "Deployment")]
    for service in (item for item in rendered.objects if item["kind"] == "Service"):
        selected = [template for template in templates if service["spec"]["selector"].items() <= template["metadata"]["labels"].items()]
        assert len(selected) == 1
        named = {port["name"]: port["containerPort"] for port in selected[0]["spec"]["containers"][0]["ports"]}
        assert all(named[port["targetPort"]] == port["port"] for port in service["spec"]["ports"])


@pytest.mark.parametrize("name", CASES)
def test_a_stop_has_more_time_than_the_drain(name):
    """*Scenario:* the drain of each process, and its grace period. *Guarantees:* the kubelet kills nothing that still delivers."""
    for spec in pods(render(CHART, CASES[name])):
        for argument in spec["containers"][0].get("args", []):
            if argument.startswith("--drain-timeout="):
                assert spec["terminationGracePeriodSeconds"] >= int(argument.split("=")[1].rstrip("s")) + 10


def test_a_change_of_the_configuration_restarts_pods():
    """*Scenario:* the same values with another setting below `config`. *Guarantees:* the pod template differs, so that Kubernetes rolls it out."""
    before, after = render(CHART), render(CHART, {"config": {"service": {"telemetry": {"logs": {"level": "debug"}}}}})
    assert before.the("StatefulSet")["spec"]["template"] != after.the("StatefulSet")["spec"]["template"]


def test_a_store_has_one_writer():
    """*Scenario:* mode split with many collectors. *Guarantees:* the store stays one pod of a StatefulSet."""
    assert render(CHART, {"mode": "split", "collector": {"replicas": 5}}).the("StatefulSet")["spec"]["replicas"] == 1


def test_the_account_sees_pods_only_for_identity():
    """*Scenario:* with and without podIdentity. *Guarantees:* no token and no Role where nothing asks the API server."""
    without, with_it = render(CHART), render(CHART, {"podIdentity": True})
    assert "Role" not in without.kinds()
    assert without.the("StatefulSet")["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
    assert with_it.the("StatefulSet")["spec"]["template"]["spec"]["automountServiceAccountToken"] is True


def test_retention_leaves_room_on_the_volume():
    """*Scenario:* volumes of all units. *Guarantees:* the store removes old traces at four fifths, before the disk is full."""
    for size, mib in (("500Mi", 400), ("20Gi", 16384), ("2Ti", 1677721)):
        values = {"storage": {"kind": "persistentVolume", "persistentVolume": {"size": size}}}
        configuration = yaml.safe_load(render(CHART, values).the("ConfigMap")["data"]["config.yaml"])
        assert configuration["exporters"]["spanloom_store"]["retention"]["mib_max"] == mib


def test_the_stores_tools_may_write_in_its_pod():
    """*Scenario:* `spanloom store backup` in a pod whose root file system is read-only; it keeps a copy of the catalogue for itself. *Guarantees:* that goes to a volume."""
    container = render(CHART, {"storage": {"kind": "persistentVolume"}, "extraEnv": [{"name": "A", "value": "b"}]}).the("StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    assert environment["TMPDIR"] in writable and environment["A"] == "b"


def test_what_is_written_below_config_wins():
    """*Scenario:* false, 0, null and an empty list below `config` and `options`, which merges like to pass over. *Guarantees:* they take the place of what the chart wrote."""
    grpc = {"keepalive": {"enforcement_policy": {"permit_without_stream": False}}}
    values = {"config": {"processors": {"memory_limiter": {"limit_percentage": 0}}, "receivers": {"otlp": {"protocols": {"grpc": grpc, "http": None}}}, "service": {"extensions": []}},
              "backends": {"tempo": {"endpoint": "t:1", "insecure": True, "options": {"tls": {"insecure": False}}}}}
    configuration = yaml.safe_load(render(CHART, values).the("ConfigMap")["data"]["config.yaml"])
    assert configuration["processors"]["memory_limiter"]["limit_percentage"] == 0
    protocols = configuration["receivers"]["otlp"]["protocols"]
    assert protocols["grpc"]["keepalive"]["enforcement_policy"] == {"min_time": "10s", "permit_without_stream": False} and protocols["http"] is None
    assert configuration["service"]["extensions"] == []
    assert configuration["exporters"]["otlp_grpc/tempo"]["tls"] == {"insecure": False}


@pytest.mark.skipif(not BINARY, reason="SPANLOOM_BINARY is not set")
def test_the_chart_is_of_this_version():
    """*Scenario:* appVersion, and what the binary says of itself. *Guarantees:* the image's tag is that of this tree."""
    told = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout
    assert f"spanloom {yaml.safe_load((CHART / 'Chart.yaml').read_text())['appVersion']}\n" in told


def test_every_key_is_described():
    """*Scenario:* the schema. *Guarantees:* each key of values.yaml is in it with words, and no map but those for free keys takes others."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    free = {"config", "options", "requests", "limits", "affinity", "global"}

    def walk(node, path):
        assert node.get("description") or path == "", path
        if node.get("type") == "object" and path.rsplit(".", 1)[-1] not in free:
            assert "additionalProperties" in node and node["additionalProperties"] is not True, path
        for key, child in node.get("properties", {}).items():
            walk(child, f"{path}.{key}")

    def keys(values, node, path):
        for key, value in values.items():
            assert key in node["properties"], f"{path}.{key}"
            if isinstance(value, dict) and "properties" in node["properties"][key]:
                keys(value, node["properties"][key], f"{path}.{key}")

    walk(schema, "")
    keys(yaml.safe_load((CHART / "values.yaml").read_text()), schema, "")


@pytest.mark.parametrize("values, words", [
    ({"podIdentity": "false"}, ["/podIdentity", "got string, want boolean"]),
    ({"tls": {"enabled": "true"}}, ["/tls/enabled", "got string, want boolean"]),
    ({"strage": {}}, ["additional properties 'strage' not allowed"]),
    ({"storage": {"persistentVolume": {"sise": "1Gi"}}}, ["/storage/persistentVolume", "'sise' not allowed"]),
    ({"storage": {"persistentVolume": {"size": "20G"}}}, ["/storage/persistentVolume/size", "does not match pattern"]),
    ({"mode": "allinone"}, ["/mode", "'allInOne'", "'split'"]),
    ({"image": {"tag": 1.2}}, ["/image/tag", "got number, want string"]),
    ({"runAsUser": 0}, ["/runAsUser", "minimum"]),
    ({"collector": {"replicas": 0}}, ["/collector/replicas", "minimum"]),
    ({"backends": {"tempo": {"insecure": True}}}, ["/backends/tempo", "missing property 'endpoint'"]),
    ({"backends": {"Tempo!": {"endpoint": "x:1"}}}, ["'Tempo!' does not match pattern"]),
    ({"tls": {"enabled": True}}, ["tls.secretName is empty", "name a Secret"]),
    ({"storage": {"retention": {"mibMax": 100}}}, ["storage.retention.mibMax is 100 while storage.kind is memory", "storage.memory.limitMib"]),
    ({"tls": {"clientCa": True}}, ["tls.clientCa is true while tls.enabled is false"]),
    ({"drainTimeoutSeconds": 60}, ["terminationGracePeriodSeconds is 40", "set terminationGracePeriodSeconds to 70 or more"]),
    ({"collector": {"replicas": 2}}, ["collector.replicas is 2 while mode is allInOne", "set mode: split"]),
    ({"collector": {"config": {"x": 1}}}, ["collector.config is set while mode is allInOne"]),
    ({"podDisruptionBudget": {"enabled": True}}, ["podDisruptionBudget.enabled is true for a single pod"]),
    ({"mode": "split", "podDisruptionBudget": {"enabled": True}}, ["podDisruptionBudget.enabled", "collector.replicas: 2"]),
], ids=lambda value: json.dumps(value) if isinstance(value, dict) else "")
def test_refuses_with_key_and_reason(values, words):
    """*Scenario:* a value that is mistyped, of the wrong type, or wrong beside another. *Guarantees:* nothing is rendered, and the message says which key and why."""
    message = refusal(CHART, values)
    for word in words:
        assert word in message


def configurations(rendered):
    for item in rendered.objects:
        if item["kind"] == "ConfigMap":
            yield ("collector" if item["metadata"]["name"].endswith("-collector") else "serve"), item["data"]["config.yaml"]


@pytest.mark.skipif(not BINARY, reason="SPANLOOM_BINARY is not set")
@pytest.mark.parametrize("name", CASES)
def test_the_binary_takes_the_configuration(name, tmp_path):
    """*Scenario:* the configurations of each case are given to `validate`. *Guarantees:* no key or value that the processes of the pods would refuse."""
    for verb, text in configurations(render(CHART, CASES[name])):
        path = tmp_path / f"{verb}.yaml"
        path.write_text(text)
        result = subprocess.run([BINARY, verb, "validate", f"--config={path}"], capture_output=True, text=True, env={**os.environ, "TOKEN": "t"})
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.skipif(not BINARY, reason="SPANLOOM_BINARY is not set")
def test_the_binary_refuses_what_is_merged_wrongly(tmp_path):
    """*Scenario:* a mistyped key below `config`, which the chart's schema leaves free. *Guarantees:* the test above would see it."""
    (_, text), = configurations(render(CHART, {"config": {"exporters": {"spanloom_store": {"limit_mb": 1}}}}))
    (tmp_path / "c.yaml").write_text(text)
    result = subprocess.run([BINARY, "serve", "validate", f"--config={tmp_path / 'c.yaml'}"], capture_output=True, text=True)
    assert result.returncode == 1 and "limit_mb" in result.stdout + result.stderr


@contextlib.contextmanager
def started(rendered, workload, tmp_path, edit=lambda text: text):
    """The process of a pod on free ports of this machine, by the arguments and the configuration that the chart wrote; gives its ports by server."""
    item = rendered.the(workload)
    configuration = tmp_path / f"{item['metadata']['name']}.yaml"
    text = rendered.the("ConfigMap", item["metadata"]["name"])["data"]["config.yaml"]
    configuration.write_text(edit(re.sub(r"0\.0\.0\.0:\d+", "127.0.0.1:0", text).replace("host: 0.0.0.0", "host: 127.0.0.1").replace("port: 8888", "port: 0")))
    container = item["spec"]["template"]["spec"]["containers"][0]
    arguments = [argument.replace("/etc/spanloom/config/config.yaml", str(configuration)) for argument in container["args"]]
    arguments += ["--log-format=json"] if arguments[0] == "serve" else ["--set=service.telemetry.logs.encoding=json"]
    process = subprocess.Popen([BINARY, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={"HOME": "/nonexistent"}, cwd="/")
    ports, lines = {}, []
    for line in process.stderr:
        lines.append(line)
        event = json.loads(line) if line.startswith("{") else {"msg": line}
        if event["msg"] == "listening":
            ports[event["server"]] = int(event["endpoint"].rsplit(":", 1)[1])
        if "ready" in event["msg"]:
            break
    try:
        assert process.poll() is None, "".join(lines)
        yield ports
    finally:
        process.terminate()
        _, rest = process.communicate(timeout=30)
        assert process.returncode == 0, rest


@pytest.fixture
def served(tmp_path):
    """The process of the default pod."""
    with started(render(CHART), "StatefulSet", tmp_path) as ports:
        yield ports


@pytest.fixture
def certificates(tmp_path):
    """What the Secret of tls.secretName has: an authority, and a certificate of it for this machine, as client too."""
    run = lambda *command: subprocess.run(["openssl", *command], cwd=tmp_path, check=True, capture_output=True)
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run("req", "-x509", *new_key, "-days", "2", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.crt")
    run("req", *new_key, "-subj", "/CN=spanloom", "-keyout", "tls.key", "-out", "tls.csr")
    (tmp_path / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "tls.crt")
    return tmp_path


@pytest.mark.skipif(not BINARY, reason="SPANLOOM_BINARY is not set")
@pytest.mark.parametrize("tls", [{}, {"enabled": True, "secretName": "otlp-tls"}, {"enabled": True, "secretName": "otlp-tls", "clientCa": True}], ids=["cleartext", "tls", "mtls"])
def test_a_collector_hands_on_to_the_store(tls, certificates, tmp_path):
    """*Scenario:* both processes of mode split, in cleartext, with TLS, and with certificates of clients; a span goes to the collector. *Guarantees:* the store has it; with clientCa a sender without a certificate is refused."""
    rendered = render(CHART, {"mode": "split", "tls": tls})
    trace, scheme = "0af7651916cd43dd8448eb211c80319c", "https" if tls else "http"
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": trace, "spanId": "00000000000000a1", "name": "handed on", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}]}]}]}
    files = lambda text: text.replace("/etc/spanloom/tls", str(certificates))
    with started(rendered, "StatefulSet", tmp_path, files) as store:
        to_store = lambda text: files(text).replace("jaeger-collector:4317", f"localhost:{store['otlp/grpc']}")
        with started(rendered, "Deployment", tmp_path, to_store) as collector:
            call = ["curl", "-sS", "--fail", "--cacert", "ca.crt", "-H", "Content-Type: application/json", "-d", json.dumps(body), f"{scheme}://localhost:{collector['otlp/http']}/v1/traces"]
            if tls.get("clientCa"):
                assert subprocess.run(call, cwd=certificates, capture_output=True).returncode != 0
            subprocess.run([*call, "--cert", "tls.crt", "--key", "tls.key"], cwd=certificates, check=True, capture_output=True)
        with urllib.request.urlopen(f"http://127.0.0.1:{store['spanloom_query']}/api/traces/{trace}") as answer:  # the collector's stop has delivered it
            assert json.load(answer)["data"][0]["spans"][0]["operationName"] == "handed on"


def run_test_pod(otlp, query, path):
    """Runs the command of the pod of `helm test` as its shell would."""
    container = render(CHART).the("Pod")["spec"]["containers"][0]
    environment = {"PATH": path, "OTLP": f"http://127.0.0.1:{otlp}", "QUERY": f"http://127.0.0.1:{query}", "CA": ""}
    assert set(environment) - {"PATH"} == {variable["name"] for variable in container["env"]}
    return subprocess.run([*container["command"], *container["args"]], capture_output=True, text=True, env=environment)


@pytest.mark.skipif(not BINARY, reason="SPANLOOM_BINARY is not set")
def test_helm_test_finds_its_span(served):
    """*Scenario:* the script of the test pod against the process of the default pod, which has no home and no writable folder. *Guarantees:* it sends a span, finds it, and says so."""
    result = run_test_pod(served["otlp/http"], served["spanloom_query"], os.environ["PATH"])
    assert result.returncode == 0 and "found at" in result.stdout, result.stdout + result.stderr
    trace = re.search(r"sending trace ([0-9a-f]{32})", result.stdout)[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{served['spanloom_query']}/api/traces/{trace}") as answer:
        assert json.load(answer)["data"][0]["spans"][0]["operationName"] == "helm test"


@pytest.mark.skipif(not BINARY, reason="SPANLOOM_BINARY is not set")
def test_helm_test_fails_where_the_span_is_not_found(served, tmp_path):
    """*Scenario:* the query address is that of something else, and time does not pass. *Guarantees:* it gives up after its tries, fails, and names the next step."""
    sleep = tmp_path / "sleep"
    sleep.write_text("#!/bin/sh\n")
    sleep.chmod(0o755)
    result = run_test_pod(served["otlp/http"], served["telemetry"], f"{tmp_path}:{os.environ['PATH']}")
    assert result.returncode == 1 and "spanloom_pipeline_dropped_spans" in result.stdout, result.stdout + result.stderr
