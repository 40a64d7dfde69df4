# SPDX-License-Identifier: Apache-2.0
"""What llm-d's charts render, container by container (data/rendered.json), and the same rows with what tracing adds taken off.

ms-*: llm-d-modelservice v0.4.12; ga-*: inferencepool and standalone of gateway-api-inference-extension v1.3.0 to v1.5.0; rt-*: the charts
of llm-d-router. Rendered with Helm v4.2.3 as release ms, gaie or rt in namespace ns. `env` is null where the key is written without a value.
"""

import json
import pathlib

ROWS = json.loads((pathlib.Path(__file__).parent / "data/rendered.json").read_text())
FIVE = ["OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"]
EIGHT = FIVE[:3] + ["OTEL_RESOURCE_ATTRIBUTES_NODE_NAME", "OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "OTEL_RESOURCE_ATTRIBUTES"] + FIVE[3:]
ENDPOINT = "http://otel-collector:4317"


def effective(env):
    """A list as Kubernetes understands it: of one name the last stands."""
    last = {item["name"]: index for index, item in enumerate(env or [])}
    return [item for index, item in enumerate(env or []) if last[item["name"]] == index]


def find(env, names):
    """Where the run of variables called `names` begins, or None."""
    listed = [item["name"] for item in env or []]
    for begin in range(len(listed) - len(names) + 1):
        if listed[begin:begin + len(names)] == names:
            return begin
    return None


def split_env(env):
    """(what stands before tracing's variables, what stands behind them)."""
    for names in (EIGHT, FIVE):
        begin = find(env, names)
        if begin is not None:
            return env[:begin], env[begin + len(names):]
    return list(env or []), []


def split_args(args):
    """(what stands before the four arguments, what stands behind them)."""
    args = list(args or [])
    if "--otlp-traces-endpoint" in args:
        begin = args.index("--otlp-traces-endpoint")
        return args[:begin], args[begin + 4:]
    return args, []


def model_command(row):
    """What `modelCommand` of ModelService made this row."""
    if "--otlp-traces-endpoint" not in (row["args"] or []):
        return "custom"
    return "vllmServe" if row["command"] else "imageDefault"
