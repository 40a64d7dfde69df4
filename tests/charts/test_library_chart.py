# SPDX-License-Identifier: Apache-2.0
"""The library chart `llm-d-tracing`, used by a chart that plays llm-d's: what it injects is what the real charts inject."""

import copy
import json

import pytest
import yaml
from conftest import CHARTS, refusal, render, validate
from rows import ENDPOINT, FIVE, ROWS, effective, model_command, split_args, split_env

ON = {"enabled": True}
EPP = {"enabled": True, "otelExporterEndpoint": "http://localhost:4317", "sampling": {"samplerArg": "0.1"}}  # the real chart's defaults, written out
LEAVE = {"enabled": True, "vllm": {"customCommand": "leave"}}
MODEL_SERVICE = {
    "ms-02-on": ON,
    "ms-03-seed": {"enabled": True, "sampling": {"sampler": "parentbased_traceidratio", "samplerArg": "1.0"}, "vllm": {"collectDetailedTraces": "all"}},
    "ms-04-endpoint": {"enabled": True, "otlpEndpoint": "http://collector.obs.svc.cluster.local:4317"},
    "ms-05-sampler": {"enabled": True, "sampling": {"sampler": "always_on", "samplerArg": "0.25"}, "vllm": {"collectDetailedTraces": "model,worker"}},
    "ms-06-names": {"enabled": True, "serviceNames": {"vllmDecode": "eu-decode", "vllmPrefill": "eu-prefill", "routingProxy": "eu-proxy"}},
    "ms-07-noproxy": ON,
    "ms-08-decodeonly": ON,
    "ms-09-proxyargs": ON,
    "ms-10-imageDefault": ON,
    "ms-11-custom": LEAVE,
    "ms-13-userenv": ON,
    "ms-18-numberarg": {"enabled": True, "sampling": {"samplerArg": 0.1}},
    "ms-22-null": None,
    "ms-24-v047": ON,
    "ms-28-numbererr": {"enabled": True, "sampling": {"samplerArg": 1}},
}
SCHEDULER = {
    "ga-02-on": EPP,
    "ga-04-guide": {"enabled": True, "otelExporterEndpoint": ENDPOINT, "sampling": {"sampler": "parentbased_traceidratio", "samplerArg": "0.1"}},
    "ga-06-userenv": EPP,
    "ga-07-ha": EPP,
    "ga-08-number": {**EPP, "sampling": {"samplerArg": 0.1}},
    "ga-12-latency": EPP,
    "ga-15-standalone-custom": {"enabled": True, "otelExporterEndpoint": ENDPOINT, "sampling": {"sampler": "parentbased_traceidratio", "samplerArg": "1.0"}},
    "ga-16-v130": EPP,
    "ga-17-v150": {**EPP, "serviceName": "gateway-api-inference-extension/epp"},
    "ga-01-off": None,
    "ga-13-standalone-off": None,
    "rt-01-off": None,
    "rt-02-on": EPP,
    "rt-03-standalone": {"enabled": True, "otelExporterEndpoint": ENDPOINT, "sampling": {"samplerArg": "0.05"}},
}


def model_service_values(rows, tracing):
    """Values with which the consumer has the containers of these rows, before tracing."""
    values = {"tracing": tracing, "decode": {"create": False}, "prefill": {"create": False}}
    for row in rows:
        role = "prefill" if row["workload"].endswith("prefill") else "decode"
        part = values[role]
        part["create"], part["replicas"] = True, 1
        (before, behind), (env, _) = split_args(row["args"]), split_env(row["env"])
        container = {"name": row["container"], "command": row["command"], "env": env}
        if row["init"]:
            part.setdefault("initContainers", []).append({**container, "args": before})
        elif model_command(row) == "custom":
            part.setdefault("containers", []).append({**container, "modelCommand": "custom", "args": before})
        else:
            part.setdefault("containers", []).append({**container, "modelCommand": model_command(row), "before": before, "args": behind})
    return values


def scheduler_values(row, tracing):
    flag = next(index for index, argument in enumerate(row["args"]) if argument.startswith("--tracing="))
    before, behind = split_env(row["env"])
    container = {"name": "epp", "args": row["args"][:flag], "after": row["args"][flag + 1:], "before": before, "env": behind}
    return {"decode": {"create": False}, "prefill": {"create": False}, row_parent(row): {"tracing": tracing, "containers": [container]}}


def row_parent(row):
    return "router" if row["workload"].endswith("rt-epp") else "inferenceExtension"


def containers(rendered):
    """{(workload, container): container} of all that was rendered."""
    result = {}
    for item in rendered.objects:
        spec = item["spec"]["template"]["spec"]
        for container in spec.get("initContainers", []) + spec["containers"]:
            result[item["metadata"]["name"], container["name"]] = container
    return result


def assert_like(row, container):
    assert container.get("command") == row["command"]
    assert container.get("args", []) == (row["args"] or [])
    listed = container.get("env", [])
    assert len({item["name"] for item in listed}) == len(listed), "a name stands twice"
    assert without_versions(listed) == without_versions(effective(row["env"]))


def without_versions(env):
    """apiVersion of a fieldRef is v1 whether it is written or not."""
    env = copy.deepcopy(env)
    for item in env:
        item.get("valueFrom", {}).get("fieldRef", {}).pop("apiVersion", None)
    return env


@pytest.mark.parametrize("case", MODEL_SERVICE)
def test_injects_what_modelservice_injects(case, consumer):
    """*Scenario:* the containers of a row without what tracing adds, and the values that made the row. *Guarantees:* every argument and variable is the real chart's, in its order."""
    rendered = render(consumer(), model_service_values(ROWS[case], MODEL_SERVICE[case]))
    made = containers(rendered)
    for row in ROWS[case]:
        assert_like(row, made["prefill" if row["workload"].endswith("prefill") else "decode", row["container"]])
    validate(rendered.objects)


@pytest.mark.parametrize("case", SCHEDULER)
def test_injects_what_the_schedulers_charts_inject(case, consumer):
    """*Scenario:* the same for the charts of the scheduler. *Guarantees:* the same, with the defaults that differ written out."""
    row = next(row for row in ROWS[case] if row["container"] == "epp")
    rendered = render(consumer(), scheduler_values(row, SCHEDULER[case]))
    (container,) = containers(rendered).values()
    assert_like(row, container)
    validate(rendered.objects)


def one(consumer, tracing, **container):
    """The only container of a decode pod, after tracing."""
    container = {"name": "vllm", "modelCommand": "vllmServe", **container}
    return containers(render(consumer(), {"tracing": tracing, "prefill": {"create": False}, "decode": {"create": True, "containers": [container]}}))["decode", "vllm"]


FOUR = ["--otlp-traces-endpoint", ENDPOINT, "--collect-detailed-traces", "all"]
TOLD = " ".join(FOUR)


@pytest.mark.parametrize("command, args, expected", [
    (["vllm", "serve"], ["m", "--port", "1"], ["m", "--port", "1", *FOUR]),
    (None, ["/usr/bin/vllm", "serve", "m"], ["/usr/bin/vllm", "serve", "m", *FOUR]),
    (["python3", "-m", "vllm.entrypoints.openai.api_server"], ["--model", "m"], ["--model", "m", *FOUR]),
    (["/bin/sh", "-c"], ["vllm serve m --port 8000"], [f"vllm serve m {TOLD} --port 8000"]),
    (["/bin/sh", "-c"], ["vllm serve"], [f"vllm serve {TOLD}"]),
    (["/bin/sh", "-c"], ["vllm serve --config c.yaml"], [f"vllm serve {TOLD} --config c.yaml"]),
    (["/bin/sh", "-c"], ['vllm serve "$MODEL" --x; exit'], [f'vllm serve "$MODEL" {TOLD} --x; exit']),
    (["/bin/sh", "-c"], ["vllm serve $(cat m) --x"], [f"vllm serve {TOLD} $(cat m) --x"]),
    (["/bin/sh", "-c"], ["vllm serve \\\n  org/m \\\n  --x"], [f"vllm serve \\\n  org/m {TOLD} \\\n  --x"]),
    (["bash", "-c"], ["set -e\n# vllm serve is below\nexec vllm serve m \\\n  --port 1 \\\n  --x"], [f"set -e\n# vllm serve is below\nexec vllm serve m {TOLD} \\\n  --port 1 \\\n  --x"]),
    (["/bin/sh", "-c"], ["python3 -m vllm.entrypoints.openai.api_server --model m"], [f"python3 -m vllm.entrypoints.openai.api_server {TOLD} --model m"]),
    (["vllm", "serve"], ["m", "--otlp-traces-endpoint=http://other:4317"], ["m", "--otlp-traces-endpoint=http://other:4317"]),
    (["sleep"], ["1"], ["1"]),
    (["/bin/sh", "-c"], ["sleep 1"], ["sleep 1"]),
])
def test_custom_commands_get_their_arguments(command, args, expected, consumer):
    """*Scenario:* modelCommand custom, which the real chart gives none. *Guarantees:* a container that runs vLLM gets the four, behind its own or in its script; others and those that have them stay."""
    assert one(consumer, ON, modelCommand="custom", command=command, args=args).get("args") == expected


@pytest.mark.parametrize("command, args, words", [
    (["/bin/sh", "-c", "vllm serve m"], [], ["script of container vllm stands in its command", "move it to args"]),
    (["/bin/sh", "-c"], ["vllm serve a &\nvllm serve b"], ["calls vLLM in 2 places", "customCommand: leave"]),
])
def test_custom_commands_that_cannot_be_told_are_refused(command, args, words, consumer):
    """*Scenario:* scripts where the place is not clear. *Guarantees:* it fails with what to do, instead of giving no spans."""
    container = {"name": "vllm", "modelCommand": "custom", "command": command, "args": args}
    message = refusal(consumer(), {"tracing": ON, "prefill": {"create": False}, "decode": {"containers": [container]}})
    assert all(word in message for word in words), message


def test_null_takes_the_default(consumer):
    """*Scenario:* serviceNames: null, on which the real chart fails with a nil pointer, and other keys. *Guarantees:* the defaults."""
    container = one(consumer, {"enabled": True, "otlpEndpoint": None, "serviceNames": None, "sampling": {"sampler": None}, "vllm": {"collectDetailedTraces": None}})
    assert container["args"] == FOUR
    assert {"name": "OTEL_SERVICE_NAME", "value": "vllm-decode"} in container["env"]
    assert {"name": "OTEL_TRACES_SAMPLER", "value": "parentbased_traceidratio"} in container["env"]


def test_keep_env_keeps_what_a_container_sets(consumer):
    """*Scenario:* a container with OTEL_SERVICE_NAME of its own, and keepEnv. *Guarantees:* it stays, and what it has not set is added."""
    env = one(consumer, {"enabled": True, "keepEnv": True}, env=[{"name": "OTEL_SERVICE_NAME", "value": "mine"}, {"name": "A", "value": "b"}])["env"]
    assert [item["name"] for item in env] == ["OTEL_SERVICE_NAME", "A", *FIVE[1:]]
    assert env[0]["value"] == "mine"


@pytest.mark.parametrize("own, value", [
    ([], "k8s.namespace.name=$(OTEL_RESOURCE_ATTRIBUTES_NAMESPACE_NAME),k8s.pod.name=$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)"),
    ([{"name": "OTEL_RESOURCE_ATTRIBUTES", "value": "a=b"}], "a=b,k8s.namespace.name=$(OTEL_RESOURCE_ATTRIBUTES_NAMESPACE_NAME),k8s.pod.name=$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)"),
])
def test_pod_identity_comes_by_the_downward_api(own, value, consumer):
    """*Scenario:* podIdentity, with and without attributes of the container's own. *Guarantees:* both names are defined before the variable that uses them, and the own ones stay."""
    env = one(consumer, {"enabled": True, "podIdentity": True}, env=own)["env"]
    names = [item["name"] for item in env]
    assert names == FIVE + ["OTEL_RESOURCE_ATTRIBUTES_NAMESPACE_NAME", "OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "OTEL_RESOURCE_ATTRIBUTES"]
    assert env[-1]["value"] == value
    assert [item["valueFrom"]["fieldRef"]["fieldPath"] for item in env[-3:-1]] == ["metadata.namespace", "metadata.name"]


def test_the_proxys_switch_is_passed_on_demand(consumer):
    """*Scenario:* routingProxy.tracingFlag, with tracing on and off. *Guarantees:* --tracing=true behind the proxy's arguments only if both are on."""
    for tracing, expected in ((ON, ["--port=1"]), ({**ON, "routingProxy": {"tracingFlag": True}}, ["--port=1", "--tracing=true"]), ({"enabled": False, "routingProxy": {"tracingFlag": True}}, ["--port=1"])):
        values = {"tracing": tracing, "prefill": {"create": False}, "decode": {"initContainers": [{"name": "routing-proxy", "args": ["--port=1"]}], "containers": [{"name": "vllm"}]}}
        assert containers(render(consumer(), values))["decode", "routing-proxy"]["args"] == expected


def test_one_default_endpoint_and_ratio_for_all(consumer):
    """*Scenario:* nothing but enabled: true, for the scheduler too, whose real chart sends to localhost and keeps 10 %. *Guarantees:* the guide's endpoint, everything kept."""
    values = {"tracing": ON, "prefill": {"create": False}, "decode": {"containers": [{"name": "vllm", "modelCommand": "vllmServe"}]},
              "inferenceExtension": {"tracing": ON, "containers": [{"name": "epp", "args": [], "before": [{"name": "NAMESPACE", "value": "n"}]}]}}
    for container in containers(render(consumer(), values)).values():
        env = {item["name"]: item.get("value") for item in container["env"]}
        assert (env["OTEL_EXPORTER_OTLP_ENDPOINT"], env["OTEL_TRACES_SAMPLER_ARG"]) == (ENDPOINT, "1.0")


def tracing(**values):
    return {"tracing": {"enabled": True, **values}, "prefill": {"replicas": 1}}


def scheduler(**values):
    return {"inferenceExtension": {"tracing": {"enabled": True, **values}}}


# values; what the schema says; what the templates say where a chart has no schema
REFUSED = [
    ({"tracing": {"enabled": "false"}}, ["/tracing/enabled", "got string"], ['tracing.enabled is "false": every text counts as true']),
    (scheduler(enabled="false"), ["/inferenceExtension/tracing/enabled", "got string"], ['inferenceExtension.tracing.enabled is "false"']),
    (tracing(otlpEndpont="http://x:4317"), ["/tracing", "'otlpEndpont' not allowed"], ["tracing.otlpEndpont is no key", "otlpEndpoint, podIdentity"]),
    (tracing(sampling={"samplerarg": "1"}), ["/tracing/sampling", "'samplerarg' not allowed"], ["tracing.sampling.samplerarg is no key"]),
    (tracing(otelExporterEndpoint="http://x:4317"), ["'otelExporterEndpoint' not allowed"], ["the endpoint is called otlpEndpoint here"]),
    (scheduler(otlpEndpoint="http://x:4317"), ["'otlpEndpoint' not allowed"], ["the endpoint is called otelExporterEndpoint here"]),
    ({"router": {"tracing": {"otlpEndpoint": "http://x:4317"}}}, ["/router/tracing", "'otlpEndpoint' not allowed"], ["router.tracing.otlpEndpoint is no key"]),
    (tracing(otlpEndpoint=""), ["/tracing/otlpEndpoint", "does not match pattern"], ["tracing.otlpEndpoint is empty", "write http://otel-collector:4317"]),
    (scheduler(otelExporterEndpoint=""), ["/inferenceExtension/tracing/otelExporterEndpoint"], ["inferenceExtension.tracing.otelExporterEndpoint is empty"]),
    (tracing(otlpEndpoint="otel-collector:4317"), ["/tracing/otlpEndpoint"], ["http:// or https:// in front"]),
    (tracing(otlpEndpoint='http://a "b:4317'), ["/tracing/otlpEndpoint"], ["without spaces, quotes"]),
    (tracing(vllm={"collectDetailedTraces": "scheduler"}), ["/tracing/vllm/collectDetailedTraces", "'scheduler' does not match pattern"], ["tracing.vllm.collectDetailedTraces", "vLLM knows all, model and worker", "never existed"]),
    (tracing(vllm={"collectDetailedTraces": ""}), ["/tracing/vllm/collectDetailedTraces"], ["vLLM knows all, model and worker"]),
    (tracing(serviceNames={"vllmDecode": ""}), ["/tracing/serviceNames/vllmDecode", "minLength"], ["tracing.serviceNames.vllmDecode is empty", "unknown_service"]),
    (tracing(sampling={"sampler": "nonsense"}), ["/tracing/sampling/sampler", "'parentbased_traceidratio'"], ["there is no such sampler"]),
    (scheduler(sampling={"sampler": "always_on"}), ["/inferenceExtension/tracing/sampling/sampler"], ["the scheduler knows parentbased_traceidratio alone", 'samplerArg: "1.0"']),
    (tracing(sampling={"samplerArg": "10"}), ["/tracing/sampling/samplerArg"], ['tracing.sampling.samplerArg is "10"', 'from "0" to "1.0"']),
    (tracing(podIdentity="true"), ["/tracing/podIdentity", "got string"], ['tracing.podIdentity is "true"']),
    ({"tracing": True}, ["/tracing", "got boolean"], ["tracing is true: it must be a map"]),
    ({"tracing": {"enabled": True}}, ["/prefill/replicas", "minimum: got 0, want 1"], ["prefill.replicas is 0, which is also the default", "prefill.create: false"]),
]


@pytest.mark.parametrize("values, schema, templates", REFUSED, ids=lambda value: json.dumps(value) if isinstance(value, dict) else "")
def test_refuses_what_the_real_charts_take(values, schema, templates, consumer):
    """*Scenario:* values that ModelService or the scheduler's chart render without a word, with the schema and without. *Guarantees:* key and reason, both ways."""
    for message, words in ((refusal(consumer(), values), schema), (refusal(consumer(schema=False), values), templates)):
        assert all(word in message for word in words), message


def test_says_all_that_is_wrong_at_once(consumer):
    """*Scenario:* three mistakes in a chart without a schema. *Guarantees:* three lines."""
    message = refusal(consumer(schema=False), {**tracing(otlpEndpoint="", vllm={"collectDetailedTraces": "scheduler"}), **scheduler(otlpEndpoint="x")})
    assert message.count("\n- ") == 3, message


@pytest.mark.parametrize("values", [
    {"tracing": {"enabled": False, "otlpEndpoint": "http://x:4317"}},
    {"tracing": {"enabled": True, "prefillScaledElsewhere": True}},
    {"tracing": ON, "prefill": {"create": False}},
    {"tracing": ON, "routing": {"proxy": {"enabled": False}}},
])
def test_takes_prefill_without_pods_where_it_is_meant(values, consumer):
    """*Scenario:* replicas 0, where no prefill is expected or something else scales it. *Guarantees:* it renders, with the schema and without."""
    for schema in (True, False):
        render(consumer(schema), values)


def test_the_schema_describes_every_key():
    """*Scenario:* the schema. *Guarantees:* each key of tracing has words, and none but those are let through."""
    schema = json.loads((CHARTS / "llm-d-tracing/values.schema.json").read_text())

    def walk(node, path):
        if "anyOf" not in node and path:
            assert node.get("description"), path
        if "properties" in node:
            assert node["additionalProperties"] is False, path
        for key, child in node.get("properties", {}).items():
            walk(child, f"{path}.{key}")

    for section in (schema["properties"]["tracing"], schema["properties"]["inferenceExtension"]["properties"]["tracing"], schema["properties"]["router"]["properties"]["tracing"]):
        walk(section, "")


def test_renders_nothing_of_its_own():
    """*Scenario:* the library's files. *Guarantees:* templates to include alone, as Helm demands of a library."""
    assert yaml.safe_load((CHARTS / "llm-d-tracing/Chart.yaml").read_text())["type"] == "library"
    assert all(path.name.startswith("_") for path in (CHARTS / "llm-d-tracing/templates").iterdir())
