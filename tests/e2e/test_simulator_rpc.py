# SPDX-License-Identifier: Apache-2.0
"""vLLM's gRPC service at the port of a simulated model server, asked by grpc's own client with messages by the published numbers."""

import grpc
import pytest
from conftest import wait_for
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from otlp_backend import Backend
from simulators import llm_spans, simulate  # noqa: F401

SERVICE = "/vllm.grpc.engine.VllmEngine/"
NUMBERS = {"string": 9, "uint32": 13, "bool": 8, "float": 2}
MESSAGES = {
    "TokenizedInput": [("original_text", 1, "string"), ("input_ids", 2, "uint32*")],
    "SamplingParams": [("temperature", 1, "float?"), ("top_p", 2, "float"), ("max_tokens", 8, "uint32?"), ("min_tokens", 9, "uint32"), ("stop", 10, "string*"), ("ignore_eos", 14, "bool"), ("n", 15, "uint32")],
    "GenerateRequest": [("request_id", 1, "string"), ("tokenized", 2, "TokenizedInput"), ("text", 3, "string"), ("sampling_params", 4, "SamplingParams"), ("stream", 5, "bool")],
    "GenerateStreamChunk": [("token_ids", 1, "uint32*"), ("prompt_tokens", 2, "uint32"), ("completion_tokens", 3, "uint32"), ("cached_tokens", 4, "uint32")],
    "GenerateComplete": [("output_ids", 1, "uint32*"), ("finish_reason", 2, "string"), ("prompt_tokens", 3, "uint32"), ("completion_tokens", 4, "uint32"), ("cached_tokens", 5, "uint32")],
    "GenerateResponse": [("chunk", 1, "GenerateStreamChunk"), ("complete", 2, "GenerateComplete")],
    "GetModelInfoResponse": [("model_path", 1, "string"), ("is_generation", 2, "bool"), ("max_context_length", 3, "uint32"), ("vocab_size", 4, "uint32"), ("supports_vision", 5, "bool")],
    "HealthCheckResponse": [("healthy", 1, "bool"), ("message", 2, "string")],
}


def make_classes():
    file = descriptor_pb2.FileDescriptorProto(name="engine.proto", package="t", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            added = message.field.add(name=field, number=number, label=3 if kind.endswith("*") else 1)
            kind, is_optional = kind.rstrip("*?"), kind.endswith("?")
            if kind in NUMBERS:
                added.type = NUMBERS[kind]
            else:
                added.type, added.type_name = 11, f".t.{kind}"
            if is_optional:
                added.proto3_optional, added.oneof_index = True, len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"t.{name}")) for name in MESSAGES}


TYPES = make_classes()


class Engine:
    """The service of `simulator`, as a client sees it."""

    def __init__(self, simulator):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{simulator.ports['simulator']}")

    def generate(self, metadata=(), **fields):
        call = self.channel.unary_stream(SERVICE + "Generate", request_serializer=lambda message: message.SerializeToString(), response_deserializer=TYPES["GenerateResponse"].FromString)
        return call(TYPES["GenerateRequest"](**fields), timeout=30, metadata=metadata)

    def ask(self, method, kind):
        return self.channel.unary_unary(SERVICE + method, request_serializer=bytes, response_deserializer=TYPES[kind].FromString)(b"", timeout=30)


# Scenario: token ids and a text, whole and streamed, with a parent; what the model is and whether it is well.
# Guarantees: whole is one message; a stream has a message a token, and all tokens at its end; the span has the call's id and parent.
def test_generates(simulate):
    backend = Backend()
    try:
        simulator = simulate(f"--otlp-traces-endpoint=grpc://127.0.0.1:{backend.port}", "--enable-kvcache", "--max-model-len=200")
        engine, prompt = Engine(simulator), list(range(100, 140))
        asked = {"request_id": "r1", "tokenized": {"input_ids": prompt}, "sampling_params": {"max_tokens": 5, "ignore_eos": True, "temperature": 0}}
        whole, = engine.generate(**asked)
        complete = whole.complete
        assert (len(complete.output_ids), complete.finish_reason, complete.prompt_tokens, complete.completion_tokens, complete.cached_tokens) == (5, "length", 40, 5, 0)
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        *chunks, last = engine.generate(metadata=[("traceparent", parent)], **{**asked, "request_id": "r2", "stream": True})
        assert [len(each.chunk.token_ids) for each in chunks] == [1] * 5 and [each.chunk.completion_tokens for each in chunks] == [1, 2, 3, 4, 5]
        assert [token for each in chunks for token in each.chunk.token_ids] == list(last.complete.output_ids) and last.complete.cached_tokens == 32
        text, = engine.generate(text="Hello there", sampling_params={"stop": ["e"]})
        assert text.complete.finish_reason in ("stop", "length")
        info, health = engine.ask("GetModelInfo", "GetModelInfoResponse"), engine.ask("HealthCheck", "HealthCheckResponse")
        assert (info.model_path, info.is_generation, info.max_context_length, info.supports_vision) == ("tiny", True, 200, False) and health.healthy
        assert simulator.stop() == 0
        spans = {attributes["gen_ai.request.id"]: span for span, attributes, _ in llm_spans(backend)}
        assert spans["r2"].trace_id.hex() == parent[3:35] and "r1" in spans
    finally:
        backend.stop()


# Guarantees: what can't be is refused by a status; a client that goes away ends its sequence; methods that there are not are said to be none.
def test_refuses(simulate):
    simulator = simulate("--max-num-seqs=1", "--max-waiting-queue-length=1", "--inter-token-latency=50ms", "--time-to-first-token=1ms")
    engine = Engine(simulator)

    def code(method=engine.generate, **fields):
        with pytest.raises(grpc.RpcError) as error:
            list(method(**fields))
        return error.value.code()

    for fields in ({}, {"text": ""}, {"text": "a", "sampling_params": {"n": 2}}, {"text": "a", "sampling_params": {"max_tokens": 5000}}, {"text": "a", "sampling_params": {"temperature": -1}},
                   {"tokenized": {"input_ids": range(2000)}}):
        assert code(**fields) == grpc.StatusCode.INVALID_ARGUMENT, fields
    assert code(metadata=[("x-data-parallel-rank", "7")], text="a") == grpc.StatusCode.INVALID_ARGUMENT
    running = engine.generate(text="a", sampling_params={"max_tokens": 500, "ignore_eos": True}, stream=True)
    next(running)
    waiting = engine.generate(text="b", sampling_params={"max_tokens": 1})
    wait_for(lambda: simulator.metric("vllm:num_requests_waiting") == 1)
    assert code(text="c") == grpc.StatusCode.RESOURCE_EXHAUSTED
    running.cancel()
    assert next(waiting).complete.completion_tokens == 1
    with pytest.raises(grpc.RpcError) as error:
        engine.ask("Embed", "HealthCheckResponse")
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
