# SPDX-License-Identifier: Apache-2.0
"""The real OpenTelemetry SDK for Node exports over HTTP as JSON."""

import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent


# Scenario: NaN, a huge double, a lone surrogate and an array with null, as the SDK serialises them.
# Guarantees: the request is accepted whole, and the values are shown.
def test_node_sdk_spans_are_found(serve):
    command = [os.environ["SPANLOOM_NODE"], "sdk_node.mjs", f"http://127.0.0.1:{serve.http_port}/v1/traces"]
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    trace = serve.trace(result.stdout.strip())
    spans = {span["operationName"]: span for span in trace["spans"]}
    assert set(spans) == {"GET /items", "odd values"}
    tags = {tag["key"]: tag["value"] for tag in spans["odd values"]["tags"]}
    assert tags["nan"] == "NaN"
    assert tags["huge"] == 1e300
    assert tags["lone"] == "\ufffd!"
    assert serve.metric("otelcol_receiver_refused_spans") == 0
