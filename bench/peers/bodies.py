# SPDX-License-Identifier: Apache-2.0
"""OTLP requests to send: spans as an LLM server makes them, about 650 bytes each, or plain ones of about 390."""

import base64
import json
import random
from pydoc_data import topics

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2

TRACE_ID = b"SPANLOOM00000000"  # a placeholder: the generator counts in its last 8 bytes
START_NS = 1_790_000_000_000_000_000
PROMPT_CHARACTERS = 19_500  # with the rest of a span: 20 KB

LLM_ATTRIBUTES = {
    "gen_ai.request.id": "cmpl-6f2c1f0c9d7a4c0fb7b1f2a3c4d5e6f7-{index:04d}",
    "gen_ai.response.model": "meta-llama/Llama-3.1-70B-Instruct",
    "gen_ai.request.temperature": 0.7,
    "gen_ai.request.top_p": 0.95,
    "gen_ai.request.max_tokens": 1024,
    "gen_ai.request.n": 1,
    "gen_ai.usage.prompt_tokens": 1817,
    "gen_ai.usage.completion_tokens": 356,
    "gen_ai.latency.time_in_queue": 0.0132,
    "gen_ai.latency.time_to_first_token": 0.2127,
    "gen_ai.latency.e2e": 4.1263,
    "gen_ai.latency.time_in_model_prefill": 0.1861,
    "gen_ai.latency.time_in_model_decode": 3.9138,
    "gen_ai.latency.time_in_model_inference": 4.0999,
}
PLAIN_ATTRIBUTES = {
    "http.request.method": "POST",
    "url.path": "/v1/chat/completions",
    "server.address": "checkout.shop.svc.cluster.local",
    "server.port": 8000,
    "http.response.status_code": 200,
    "user_agent.original": "python-httpx/0.28.1",
    "network.peer.address": "10.42.17.203",
    "network.protocol.version": "1.1",
}
RESOURCE = {"service.name": "vllm-decode", "k8s.pod.name": "vllm-decode-7c9f6b5d8-x2kqp", "telemetry.sdk.language": "python"}


def attribute(key, value):
    if isinstance(value, str):
        return common_pb2.KeyValue(key=key, value=common_pb2.AnyValue(string_value=value))
    if isinstance(value, float):
        return common_pb2.KeyValue(key=key, value=common_pb2.AnyValue(double_value=value))
    return common_pb2.KeyValue(key=key, value=common_pb2.AnyValue(int_value=value))


def request(spans, attributes):
    """An export request of one resource, whose spans share the placeholder as their trace id."""
    message = trace_service_pb2.ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.extend(attribute(key, value) for key, value in RESOURCE.items())
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "vllm.llm_engine"
    for index in range(spans):
        span = scope_spans.spans.add(trace_id=TRACE_ID, span_id=(index + 1).to_bytes(8, "big"), name="llm_request", kind=2)
        span.parent_span_id = (index // 8 + 1).to_bytes(8, "big") if index else b""
        span.start_time_unix_nano = START_NS + index * 1_000_000
        span.end_time_unix_nano = span.start_time_unix_nano + 4_126_300_000
        span.attributes.extend(
            attribute(key, value.format(index=index) if isinstance(value, str) else value) for key, value in attributes.items())
    return message


def large_request(spans, text):
    """Spans of about 20 KB: a prompt in each, a piece of `text`, another one each time."""
    message = request(spans, LLM_ATTRIBUTES)
    for index, span in enumerate(message.resource_spans[0].scope_spans[0].spans):
        begin = index * PROMPT_CHARACTERS % (len(text) - PROMPT_CHARACTERS)
        span.attributes.append(attribute("gen_ai.input.messages", text[begin:begin + PROMPT_CHARACTERS]))
    return message


def english():
    """Python's own reference."""
    return "\n".join(topics.topics[name] for name in sorted(topics.topics))


def few_words(characters=460_000):
    """A dozen words in any order, as load generators write prompts."""
    words = ["token", "latency", "prefill", "decode", "the", "of", "and", "request", "cache", "model", "paged", "attention"]
    draw = random.Random(1)
    return " ".join(draw.choice(words) for _ in range(characters // 6))


def otlp_json(message):
    """OTLP's JSON: ids in hexadecimal, the rest as protobuf's JSON mapping has it."""
    document = json_format.MessageToDict(message, use_integers_for_enums=True)
    for resource_spans in document["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in span:
                        span[key] = base64.b64decode(span[key]).hex()
    return json.dumps(document, separators=(",", ":")).encode()


def write(folder):
    """Writes the bodies; returns {name: (path, placeholder, bytes, spans)}."""
    folder.mkdir(parents=True, exist_ok=True)
    llm = request(512, LLM_ATTRIBUTES)
    contents = {
        "empty": (b"", "", 0),
        "one": (request(1, LLM_ATTRIBUTES).SerializeToString(), TRACE_ID.decode(), 1),
        "hundred": (request(100, PLAIN_ATTRIBUTES).SerializeToString(), TRACE_ID.decode(), 100),
        "large": (large_request(64, english()).SerializeToString(), TRACE_ID.decode(), 64),
        "few_words": (large_request(64, few_words()).SerializeToString(), TRACE_ID.decode(), 64),
        "llm512": (llm.SerializeToString(), TRACE_ID.decode(), 512),
        "llm512.json": (otlp_json(llm), TRACE_ID.hex(), 512),
    }
    for name, (content, _, _) in contents.items():
        (folder / name).write_bytes(content)
    return {name: (folder / name, placeholder, len(content), spans) for name, (content, placeholder, spans) in contents.items()}
