# SPDX-License-Identifier: Apache-2.0
"""`spanloom simulator` on a free port, and what tests ask it by."""

import json

import openai
import pytest
from conftest import Process, request
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2


class Simulator(Process):
    def __init__(self, *arguments, **options):
        super().__init__("simulator", "--host=127.0.0.1", "--port=0", "--model=tiny", "--log-format=json", *arguments, **options)

    def url(self, path):
        return f"http://127.0.0.1:{self.ports['simulator']}{path}"

    def client(self, **headers):
        return openai.OpenAI(base_url=self.url("/v1"), api_key="none", max_retries=0, default_headers=headers)

    def post(self, path, body, **headers):
        """(status, headers, JSON)"""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, answered, text = request(self.url(path), data, {"Content-Type": "application/json", **headers})
        return status, answered, json.loads(text) if text.startswith(b"{") else text

    def metric(self, name, **labels):
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        page = request(self.url("/metrics"))[2].decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines()
                   if line.split("{")[0].split(" ")[0] == name and all(label in line for label in wanted))


def pieces_of(stream):
    """The JSON objects of a stream of events."""
    return [json.loads(line.removeprefix("data: ")) for line in stream.decode().split("\n") if line.startswith("data: {")]


@pytest.fixture
def simulate():
    """Starts simulators with given arguments; stops them afterwards, which they have to survive."""
    started = []

    def begin(*arguments, **options):
        simulator = Simulator(*arguments, **options)
        started.append(simulator)
        return simulator.wait_until_ready()

    yield begin
    codes = [simulator.stop() for simulator in started]
    assert codes == [0] * len(codes), [simulator.log() for simulator in started]


def value_of(value):
    return getattr(value, value.WhichOneof("value"))


def llm_spans(backend):
    """[(span, its attributes, its resource's)] of what the backend was sent."""
    found = []
    for body in backend.bodies:
        for resource_spans in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = {item.key: item.value.string_value for item in resource_spans.resource.attributes}
            for scope_spans in resource_spans.scope_spans:
                assert scope_spans.scope.name == "vllm.tracing.otel"
                found += [(span, {item.key: value_of(item.value) for item in span.attributes}, resource) for span in scope_spans.spans]
    return found
