# SPDX-License-Identifier: Apache-2.0
"""Our processors beside the Collector's own (tests/processors/original): the same random configurations are refused, and the same spans come out. Long tier: the original is
built from Go modules."""

import json

import grpc
import originals
import ottl_cases
import processor_cases
import pytest
from conftest import ROOT, Process, export_grpc
from otlp_backend import Backend

CONFIGURATIONS, REQUESTS = 300, 12


@pytest.fixture(scope="module")
def original():
    return originals.build(ROOT / "tests/processors/original", "processors_original")


def theirs(original, tmp_path, configurations, requests):
    """{configuration: outcomes of its requests, or None if it is refused}; an outcome is (ok or failed, reason, request)."""
    files = tmp_path / "configurations", tmp_path / "requests"
    files[0].write_text("".join(json.dumps(configuration) + "\n" for configuration in configurations))
    files[1].write_text("".join(request.hex() + "\n" for request in requests))
    found = originals.outcomes(original, *files)
    return {number: None if ("-", number) in found else [found[str(request), number] for request in range(len(requests))] for number in range(len(configurations))}


def ours(backend, tmp_path, configuration, requests):
    """The same of one configuration."""
    name = next(iter(configuration))
    path = tmp_path / "collector.yaml"
    path.write_text(json.dumps({
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "127.0.0.1:0"}}}},
        "processors": configuration,
        "exporters": {"otlp_grpc": {"endpoint": f"127.0.0.1:{backend.port}", "tls": {"insecure": True}, "compression": "none", "sending_queue": {"enabled": False},
                                    "retry_on_failure": {"enabled": False}}},
        "service": {"telemetry": {"metrics": {"level": "none"}, "logs": {"encoding": "json"}},
                    "pipelines": {"traces": {"receivers": ["otlp"], "processors": [name], "exporters": ["otlp_grpc"]}}}}))
    process = Process("collector", f"--config={path}")
    try:
        process.wait_for_line("Everything is ready. Begin running and processing data.")
    except AssertionError:
        return None
    results = [_sent(process, backend, request) for request in requests]
    process.stop()
    return results


def _sent(process, backend, request):
    before = len(backend.bodies)
    try:
        export_grpc(process.grpc_port, request)
    except grpc.RpcError as error:
        return "failed", error.details().encode(), b""
    return "ok", b"", b"".join(backend.bodies[before:])


# Scenario: random sections of six processors, and requests with spans whose attributes are of all kinds.
# Guarantees: each section is refused by both or by neither, and what comes out of a processor is the same.
def test_are_as_the_originals(original, tmp_path):
    configurations = processor_cases.configurations(CONFIGURATIONS, seed=1)
    requests = [request for request in ottl_cases.spans(4 * REQUESTS, seed=2) if b"bad" not in request][:REQUESTS]
    backend, found, accepted = Backend(), [], 0
    for number, expected in theirs(original, tmp_path, configurations, requests).items():
        results = ours(backend, tmp_path, configurations[number], requests)
        if (results is None) != (expected is None):
            found.append(f"{configurations[number]}: refused by {'us' if results is None else 'the original'} alone")
            continue
        accepted += results is not None
        found += [f"{configurations[number]}: ours | the original's: {originals.told(mine, other)}" for mine, other in zip(results or [], expected or [])
                  if mine[0] != other[0] or ottl_cases.meaning(mine[2]) != ottl_cases.meaning(other[2])]
    backend.stop()
    assert accepted > CONFIGURATIONS / 2
    assert not found, "\n".join(found[:20])
