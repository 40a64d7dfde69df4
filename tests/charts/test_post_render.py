# SPDX-License-Identifier: Apache-2.0
"""The post-renderer `inject-tracing`: manifests that the real charts rendered without tracing become what they render with it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import types

import pytest
import yaml
from conftest import CHARTS, validate
from rows import EIGHT, ENDPOINT, FIVE, ROWS, effective, split_args, split_env

PROGRAM = CHARTS / "post-render/inject-tracing"
FOUR = ["--otlp-traces-endpoint", ENDPOINT, "--collect-detailed-traces", "all"]
TOLD = " ".join(FOUR)
MODEL_SERVICE = {
    "ms-02-on": [],
    "ms-04-endpoint": ["--endpoint=http://collector.obs.svc.cluster.local:4317"],
    "ms-05-sampler": ["--sampler=always_on", "--sampler-arg=0.25", "--detailed-traces=model,worker"],
    "ms-06-names": ["--decode-name=eu-decode", "--prefill-name=eu-prefill", "--proxy-name=eu-proxy"],
    "ms-07-noproxy": [],
    "ms-08-decodeonly": [],
    "ms-09-proxyargs": [],
    "ms-10-imageDefault": [],
    "ms-14-multinode": [],
    "ms-15-requester": [],
    "ms-18-numberarg": ["--sampler-arg=0.1"],
    "ms-24-v047": [],
}
LOCAL = ["--endpoint=http://localhost:4317", "--sampler-arg=0.1"]
SCHEDULER = {
    "ga-02-on": LOCAL,
    "ga-04-guide": ["--sampler-arg=0.1"],
    "ga-06-userenv": LOCAL,
    "ga-07-ha": LOCAL,
    "ga-12-latency": LOCAL,
    "ga-15-standalone-custom": [],
    "ga-17-v150": [*LOCAL, "--epp-name=gateway-api-inference-extension/epp"],
    "rt-02-on": [*LOCAL, "--epp-name=llm-d-router/epp"],
    "rt-03-standalone": ["--sampler-arg=0.05", "--epp-name=llm-d-router/epp"],
}




def load_program():
    """The program as a module; it has no .py in its name, and nothing is to be written beside it."""
    source = PROGRAM.read_text()
    module = types.ModuleType("inject_tracing")
    exec(compile(source, str(PROGRAM), "exec"), module.__dict__)
    return module


INJECT = load_program()


def run(manifests, *options):
    """(what comes out, what it says), in this process, which is ten times as fast."""
    said = []
    return INJECT.trace(manifests, INJECT.arguments(options), said.append), "\n".join(said)


def call(manifests, *options):
    """The same as Helm does it, with the Python of these tests, which has PyYAML."""
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run([str(PROGRAM), *options], input=manifests, capture_output=True, text=True, env={"PATH": path})


def container_off(row):
    """A container of a row as the chart renders it with tracing off."""
    container = {"name": row["container"], "image": "img:1"}
    before, behind = split_args(row["args"])
    args = ["--tracing=false" if argument == "--tracing=true" else argument for argument in before + behind]
    env = sum(split_env(row["env"]), [])
    if row["command"]:
        container["command"] = row["command"]
    if args:
        container["args"] = args
    if env or row["init"]:
        container["env"] = env or None
    return container


def manifests_off(rows):
    """Workloads of rows, tracing off."""
    documents = {}
    for row in rows:
        kind, name = row["workload"].split("/")
        role = "prefill" if "prefill" in name else "decode"
        name, _, part = name.partition(".")
        template = {"metadata": {"labels": {"llm-d.ai/role": role}}, "spec": {"initContainers": [], "containers": []}}
        spec = {"leaderWorkerTemplate": {part: template}} if kind == "LeaderWorkerSet" else {"selector": {"matchLabels": {"llm-d.ai/role": role}}, "template": template}
        document = documents.setdefault(row["workload"], {"apiVersion": "leaderworkerset.x-k8s.io/v1" if part else "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
        pod = containers_of(document)
        pod["initContainers" if row["init"] else "containers"].append(container_off(row))
    return list(documents.values())


def containers_of(document):
    spec = document["spec"]
    return (spec["leaderWorkerTemplate"]["workerTemplate"] if document["kind"] == "LeaderWorkerSet" else spec["template"])["spec"]


def by_row(text):
    """{(workload, container): container} of what came out."""
    result = {}
    for document in yaml.safe_load_all(text):
        pod = containers_of(document)
        for container in pod["initContainers"] + pod["containers"]:
            result[document["metadata"]["name"], container["name"]] = container
    return result


# How the same manifests may be written: as Helm's toYaml does, lists below their key, and as JSON.
class Indented(yaml.SafeDumper):
    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


STYLES = {
    "toYaml": lambda documents: yaml.safe_dump_all(documents, sort_keys=False),
    "indented": lambda documents: yaml.dump_all(documents, Dumper=Indented, sort_keys=True, width=60),
    "flow": lambda documents: yaml.safe_dump_all(documents, default_flow_style=True),
    "json": lambda documents: "".join(f"---\n{json.dumps(document)}\n" for document in documents),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", MODEL_SERVICE)
def test_makes_of_off_what_modelservice_renders_on(case, style):
    """*Scenario:* the workloads of a row with tracing off, written in four ways. *Guarantees:* every argument and variable of vLLM and the proxy is the real chart's with tracing on, in its order."""
    out, _ = run(STYLES[style](manifests_off(ROWS[case])), *MODEL_SERVICE[case])
    made = by_row(out)
    for row in ROWS[case]:
        container = made[row["workload"].split("/")[1].split(".")[0], row["container"]]
        assert container.get("command") == row["command"]
        assert container.get("args", []) == (row["args"] or [])
        assert container.get("env") == row["env"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", SCHEDULER)
def test_makes_of_off_what_the_schedulers_charts_render_on(case, style):
    """*Scenario:* the same for the scheduler's charts. *Guarantees:* the same variables take effect, and its neighbours stay as they are."""
    out, _ = run(STYLES[style](manifests_off(ROWS[case])), *SCHEDULER[case])
    made = by_row(out)
    for row in ROWS[case]:
        container = made[row["workload"].split("/")[1], row["container"]]
        assert container.get("args", []) == (row["args"] or [])
        by_name = lambda env: sorted(env, key=lambda item: item["name"])
        assert by_name(container["env"]) == by_name(effective(row["env"]))


@pytest.mark.parametrize("case", [*MODEL_SERVICE, *SCHEDULER])
def test_a_second_run_changes_nothing(case):
    """*Scenario:* what came out goes in again. *Guarantees:* the same bytes, and each container is said to be as it should be."""
    options = {**MODEL_SERVICE, **SCHEDULER}[case]
    once, _ = run(STYLES["toYaml"](manifests_off(ROWS[case])), *options)
    twice, said = run(once, *options)
    assert twice == once
    lines = said.splitlines()
    assert lines and all(line.endswith(("as it should be", "kept its own OTEL_SERVICE_NAME")) for line in lines)


@pytest.mark.parametrize("case", ["ms-02-on", "ga-04-guide", "ms-09-proxyargs"])
def test_what_the_charts_render_on_stays(case):
    """*Scenario:* manifests with tracing on already. *Guarantees:* not a byte changes."""
    documents = manifests_off(ROWS[case])
    for row in ROWS[case]:
        for document in documents:
            pod = containers_of(document)
            for container in pod["initContainers"] + pod["containers"]:
                if document["metadata"]["name"] == row["workload"].split("/")[1] and container["name"] == row["container"]:
                    container.update({"args": row["args"], "env": row["env"]})
    text = STYLES["toYaml"](documents)
    assert run(text, *{**MODEL_SERVICE, **SCHEDULER}[case])[0] == text


TEXT = """\
# Source: llm-d-modelservice/templates/decode-deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ms-decode   # a name
  annotations: {note: "kept: 'as it is'"}
spec:
  template:
    spec:
      containers:
        # the model
        - name: vllm
          image: "img:1"
          command: ["vllm", "serve"]
          args:
          - m
          - --served-model-name
          - "m"   # public

          # of the user
          - --max-model-len
          - '32000'
          env:
            - name: A
              value: |
                two
                lines
        - name: exporter
          image: other
"""
EDITED = """\
# Source: llm-d-modelservice/templates/decode-deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ms-decode   # a name
  annotations: {note: "kept: 'as it is'"}
spec:
  template:
    spec:
      containers:
        # the model
        - name: vllm
          image: "img:1"
          command: ["vllm", "serve"]
          args:
          - m
          - --served-model-name
          - "m"   # public

          # of the user
          - "--otlp-traces-endpoint"
          - "http://otel-collector:4317"
          - "--collect-detailed-traces"
          - "all"
          - --max-model-len
          - '32000'
          env:
            - name: A
              value: |
                two
                lines
            - name: OTEL_SERVICE_NAME
              value: "vllm-decode"
            - name: OTEL_EXPORTER_OTLP_ENDPOINT
              value: "http://otel-collector:4317"
            - name: OTEL_TRACES_EXPORTER
              value: "otlp"
            - name: OTEL_TRACES_SAMPLER
              value: "parentbased_traceidratio"
            - name: OTEL_TRACES_SAMPLER_ARG
              value: "1.0"
        - name: exporter
          image: other
"""
REST = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: 'kind: Deployment'\n  b: yes\n---\n# nothing\n---\napiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: gaie}\n"


def test_all_else_stays_byte_for_byte():
    """*Scenario:* comments, quotes, empty lines, other documents. *Guarantees:* nothing but the new lines differs, and standard error says which they are."""
    result = call(TEXT + REST)
    assert result.stdout == EDITED + REST
    assert result.stderr.splitlines() == ["inject-tracing: Deployment/ms-decode, vllm (vLLM, decode): added OTEL_SERVICE_NAME=vllm-decode, OTEL_EXPORTER_OTLP_ENDPOINT=http://otel-collector:4317, OTEL_TRACES_EXPORTER=otlp, "
                                 "OTEL_TRACES_SAMPLER=parentbased_traceidratio, OTEL_TRACES_SAMPLER_ARG=1.0; added --otlp-traces-endpoint http://otel-collector:4317 --collect-detailed-traces all"]


RAGGED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: gaie-epp}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      initContainers:
        
        - name: routing-proxy
          image: p
          args:
            - --port=8000
          env:
          ports: [{containerPort: 8000}]
      containers:
        - name: epp
          image: e
          args:
              - --pool-name
              # between
              - gaie
              - --lora-info-metric
              - "" # empty

              # more to come
              - --tracing=false # off
              - --metrics-endpoint-auth=false
          env:
            - name: NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace # its own
            

          volumeMounts: []
        -
          image: v
          name: vllm
          args: [ "m", --port, "8000" ] # flow
          env: []
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_ragged_manifests(newline):
    """*Scenario:* comments within lists, a deeper list, lines of spaces, a key without a value, a dash alone, flow; no newline at the end. *Guarantees:* all three are found and get theirs, what was there stays in its order."""
    text = RAGGED.rstrip("\n").replace("\n", newline)
    out, said = run(text)
    pod = containers_of(yaml.safe_load(out))
    proxy, epp, vllm = pod["initContainers"] + pod["containers"]
    assert [item["name"] for item in proxy["env"]] == FIVE and "args" in proxy
    assert epp["args"] == ["--pool-name", "gaie", "--lora-info-metric", "", "--tracing=true", "--metrics-endpoint-auth=false"]
    assert [item["name"] for item in epp["env"]] == ["NAMESPACE", *EIGHT]
    assert vllm["args"] == ["m", "--port", "8000", *FOUR] and [item["name"] for item in vllm["env"]] == FIVE
    for line in text.splitlines():
        if "#" in line and "flow" not in line and "# off" not in line:
            assert line in out.splitlines()
    assert run(out)[0] == out


@pytest.mark.parametrize("text", [
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {enum: [=], x: *nowhere}\n# kind: Deployment\n",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\n  annotations: {day: 2026-13-45, sign: =, at: 2026-01-01}\nspec: {template: {spec: {containers: [{name: web, image: w}]}}}\n",
])
def test_what_python_reads_otherwise_is_no_hindrance(text):
    """*Scenario:* texts that YAML 1.1 takes for dates and the like, and a document of another kind that this parser would refuse. *Guarantees:* not a byte changes."""
    assert run(text) == (text, "")


def test_says_so_where_there_is_nothing_to_do():
    """*Scenario:* manifests of something else. *Guarantees:* they stay, and it says that no container was found."""
    result = call(REST)
    assert result.stdout == REST and "nothing changed: there is no container of vLLM" in result.stderr


def deployment(container, name="d"):
    return yaml.safe_dump({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"image": "img:1", **container}]}}}})


def only(text):
    (document,) = yaml.safe_load_all(text)
    validate([document])
    return containers_of({**document, "kind": "Deployment"})["containers"][0]


@pytest.mark.parametrize("container, part", [
    ({"name": "vllm"}, "vLLM, decode"),
    ({"name": "modelserver"}, "vLLM, decode"),
    ({"name": "x", "command": ["vllm", "serve"]}, "vLLM, decode"),
    ({"name": "x", "args": ["python3", "-m", "vllm.entrypoints.openai.api_server"]}, "vLLM, decode"),
    ({"name": "x", "command": ["/bin/sh", "-c"], "args": ["exec vllm serve m"]}, "vLLM, decode"),
    ({"name": "routing-proxy"}, "routing proxy"),
    ({"name": "x", "image": "registry.example:5000/llm-d/llm-d-routing-sidecar:v0.4@sha256:00"}, "routing proxy"),
    ({"name": "epp"}, "scheduler"),
    ({"name": "x", "image": "registry.example/llm-d/llm-d-inference-scheduler:v0.6"}, "scheduler"),
    ({"name": "server", "image": "docker.example/vllm/vllm-openai:v0.20", "args": ["--model", "m"]}, "vLLM, decode"),
    ({"name": "download", "image": "docker.example/vllm/vllm-openai:v0.20", "command": ["hf", "download"]}, None),
    ({"name": "vllm-metrics"}, None),
    ({"name": "x", "args": ["--of", "vllm"]}, None),
    ({"name": "x", "command": ["sh", "-c"], "args": ["# vllm serve comes later\nsleep 1"]}, None),
])
def test_finds_containers_by_what_they_are(container, part):
    """*Scenario:* names, commands and images. *Guarantees:* what is one of the three is found, what only looks like it is left alone."""
    out, said = run(deployment(container))
    assert (f"({part})" in said) if part else (said == "" and out == deployment(container))
    only(out)


@pytest.mark.parametrize("script, expected", [
    ("vllm serve m --port 8000", f"vllm serve m {TOLD} --port 8000"),
    ("vllm serve", f"vllm serve {TOLD}"),
    ("vllm serve --config c.yaml", f"vllm serve {TOLD} --config c.yaml"),
    ('vllm serve "$MODEL" --x; exit', f'vllm serve "$MODEL" {TOLD} --x; exit'),
    ("vllm serve $(cat m) --x", f"vllm serve {TOLD} $(cat m) --x"),
    ("vllm serve \\\n  org/m \\\n  --x\n", f"vllm serve \\\n  org/m {TOLD} \\\n  --x\n"),
    ("set -e\n# vllm serve m\nexec vllm serve m \\\n  --port 8000 \\\n  --x '{\"a\": 1}'\n", f"set -e\n# vllm serve m\nexec vllm serve m {TOLD} \\\n  --port 8000 \\\n  --x '{{\"a\": 1}}'\n"),
    ("#!/bin/sh\nvllm\tserve m", f"#!/bin/sh\nvllm\tserve m {TOLD}"),
])
@pytest.mark.parametrize("written", ["plain", "literal", "quoted"])
def test_scripts_get_the_arguments_behind_the_call(script, expected, written):
    """*Scenario:* a shell with a script, with comments and line continuations, in three ways to write it. *Guarantees:* the call of vLLM has the arguments, and nothing else of the script differs."""
    text = deployment({"name": "vllm", "command": ["/bin/sh", "-c"], "args": ["SCRIPT"]})
    pad = " " * 12
    block = "|" + ("" if script.endswith("\n") else "-") + "\n" + "".join(f"{pad}{line}\n" for line in script.rstrip("\n").split("\n"))
    forms = {"plain": json.dumps(script) if "\n" in script else script, "literal": block.rstrip("\n"), "quoted": json.dumps(script)}
    out, said = run(text.replace("- SCRIPT", f"- {forms[written]}"))
    assert only(out)["args"] == [expected]
    assert "to its script" in said
    assert run(out)[0] == out


@pytest.mark.parametrize("container, word", [
    ({"name": "vllm", "command": ["sh", "-c"], "args": ["vllm serve a &\nvllm serve b"]}, "NO ARGUMENTS: its script calls vLLM in 2 places"),
    ({"name": "vllm", "command": ["/start"]}, "NO ARGUMENTS: its command /start is not known as vLLM"),
    ({"name": "vllm", "image": "ghcr.example/llm-d/llm-d-inference-sim:v0.7.1", "args": ["--model", "m"]}, "no arguments, which the image llm-d-inference-sim does not know"),
])
def test_says_where_it_gives_no_arguments(container, word):
    """*Scenario:* containers whose arguments cannot be added, or must not be. *Guarantees:* variables alone, and standard error says why."""
    out, said = run(deployment(container))
    assert word in said
    assert only(out).get("args") == container.get("args") and [item["name"] for item in only(out)["env"]] == FIVE


def test_variables_of_a_container_give_way_or_stay():
    """*Scenario:* a vLLM and a scheduler with OTEL_SERVICE_NAME of their own. *Guarantees:* vLLM's gives way as in ModelService, unless --keep-env; the scheduler's stays as in its chart."""
    own = [{"name": "OTEL_SERVICE_NAME", "value": "mine"}, {"name": "NAMESPACE", "value": "n"}, {"name": "OTEL_TRACES_SAMPLER", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]
    vllm = deployment({"name": "vllm", "env": own})
    out, said = run(vllm)
    assert [item["name"] for item in only(out)["env"]] == ["OTEL_SERVICE_NAME", "NAMESPACE", "OTEL_TRACES_SAMPLER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER_ARG"]
    assert only(out)["env"][0]["value"] == "vllm-decode" and only(out)["env"][2] == {"name": "OTEL_TRACES_SAMPLER", "value": "parentbased_traceidratio"}
    assert "set OTEL_SERVICE_NAME=vllm-decode" in said
    out, said = run(vllm, "--keep-env")
    assert only(out)["env"][:3] == own and "kept its own OTEL_SERVICE_NAME" in said
    out, said = run(deployment({"name": "epp", "env": own}))
    assert only(out)["env"][:3] == own and "kept its own OTEL_SERVICE_NAME" in said and only(out)["args"] == ["--tracing=true"]


@pytest.mark.parametrize("label, name, service", [("prefill", "d", "vllm-prefill"), ("decode", "prefill-and-decode", "vllm-decode"), ("both", "d", "vllm-decode"), ("b", "ms-prefill", "vllm-prefill")])
def test_roles_are_told_by_label_then_by_name(label, name, service):
    """*Scenario:* the label llm-d.ai/role, with and against the workload's name, and none. *Guarantees:* the label decides where there is one."""
    text = deployment({"name": "vllm"}, name)
    out, _ = run(text if label == "b" else text.replace("a: b", f"llm-d.ai/role: {label}"))
    assert only(out)["env"][0]["value"] == service


def test_pod_identity_and_the_proxys_flag():
    """*Scenario:* --pod-identity beside attributes of the container's own, and --proxy-flag over --tracing=false. *Guarantees:* both stand there once, also after a second run."""
    out, _ = run(deployment({"name": "routing-proxy", "args": ["--port=1", "--tracing=false"], "env": [{"name": "OTEL_RESOURCE_ATTRIBUTES", "value": "a=b"}]}), "--pod-identity", "--proxy-flag")
    env = only(out)["env"]
    assert env[0]["value"] == "a=b,k8s.namespace.name=$(OTEL_RESOURCE_ATTRIBUTES_NAMESPACE_NAME),k8s.pod.name=$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)"
    assert only(out)["args"] == ["--port=1", "--tracing=true"]
    assert run(out, "--pod-identity", "--proxy-flag")[0] == out


def test_a_list_of_objects():
    """*Scenario:* a List with a Pod, in JSON. *Guarantees:* the containers in it are found too."""
    out, _ = run(json.dumps({"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "vllm", "image": "i"}]}}]}))
    container = json.loads(out)["items"][0]["spec"]["containers"][0]
    assert [item["name"] for item in container["env"]] == FIVE and container["args"] == FOUR


def test_says_what_it_needs():
    """*Scenario:* a Python without PyYAML. *Guarantees:* it fails, and says how to get it."""
    result = subprocess.run([sys.executable, "-S", "-E", str(PROGRAM)], input=TEXT, capture_output=True, text=True)
    assert result.returncode == 1 and result.stdout == "" and "apt-get install python3-yaml" in result.stderr


def test_refuses_what_it_cannot_edit():
    """*Scenario:* two containers that share their variables by an alias. *Guarantees:* nothing is written, and the message names the object."""
    text = deployment({"name": "vllm", "env": [{"name": "A", "value": "b"}]}).replace("- env:\n", "- env: &e\n") + "      - {name: other, image: i, env: *e}\n"
    result = call(text)
    assert result.returncode == 1 and result.stdout == "" and "Deployment/d" in result.stderr and "aliases" in result.stderr, result.stderr + text


@pytest.mark.parametrize("option, word", [
    ("--endpoint=otel-collector:4317", "http:// or https:// in front"),
    ("--endpoint=", "http:// or https:// in front"),
    ("--detailed-traces=scheduler", "vLLM knows all, model and worker"),
    ("--sampler=nonsense", "parentbased_traceidratio"),
    ("--sampler-arg=10", "a share from 0 to 1.0"),
    ("--decode-name=", "a name"),
    ("--endpont=http://x:1", "unrecognized arguments"),
])
def test_refuses_options_with_the_reason(option, word):
    """*Scenario:* values that would give no traces. *Guarantees:* it fails and says why."""
    result = call(TEXT, option)
    assert result.returncode == 2 and result.stdout == "" and word in result.stderr, result.stderr


def test_the_plugin_names_the_program():
    """*Scenario:* plugin.yaml, by which Helm 4 runs it. *Guarantees:* it names this program, which may be executed."""
    plugin = yaml.safe_load((PROGRAM.parent / "plugin.yaml").read_text())
    assert (plugin["type"], plugin["name"]) == ("postrenderer/v1", PROGRAM.name)
    assert plugin["runtimeConfig"]["platformCommand"] == [{"command": f"${{HELM_PLUGIN_DIR}}/{PROGRAM.name}"}]
    assert shutil.which(PROGRAM.name, path=str(pathlib.Path(PROGRAM).parent))
