# SPDX-License-Identifier: Apache-2.0
"""OpenAI's own client asks a simulated model server, and its spans are held against those of a real vLLM."""

import concurrent.futures
import http.client
import json

import openai
import pytest
from conftest import RECORDED, START_SECONDS_MAX, request, wait_for
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1 import trace_pb2
from otlp_backend import Backend
from simulators import Simulator, llm_spans, pieces_of, simulate  # noqa: F401

HELLO = [{"role": "user", "content": "Hello, who are you?"}]
MISSING = "1 validation error:\n  {'type': 'missing', 'loc': 'body.%s', 'msg': 'Field required', 'input': '<dict of %d items>'}"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def backend():
    server = Backend()
    yield server
    server.stop()


# Scenario: a chat of two choices, whole and streamed, from one seed.
# Guarantees: the client understands both; the stream's pieces are the whole answer; usage, ids, finish reasons and the role are where they belong.
def test_chat_streams_what_it_answers_whole(simulate):
    client = simulate("--seed=5").client(**{"X-Request-Id": "abc"})
    asked = {"model": "tiny", "messages": HELLO, "max_tokens": 20, "n": 2}
    whole = client.chat.completions.create(**asked)
    assert (whole.id, whole.object, len(whole.choices)) == ("chatcmpl-abc", "chat.completion", 2)
    assert whole.choices[0].message.content != whole.choices[1].message.content
    texts, reasons, roles, usage = ["", ""], [None, None], [None, None], None
    for chunk in client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}):
        assert (chunk.id, chunk.object) == ("chatcmpl-abc", "chat.completion.chunk")
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            roles[choice.index] = choice.delta.role or roles[choice.index]
            reasons[choice.index] = choice.finish_reason or reasons[choice.index]
    assert texts == [choice.message.content for choice in whole.choices]
    assert reasons == [choice.finish_reason for choice in whole.choices]
    assert roles == ["assistant", "assistant"]
    assert usage == whole.usage and usage.prompt_tokens + usage.completion_tokens == usage.total_tokens


# Scenario: completions of two prompts, echoed, with logprobs; by text and by token ids.
# Guarantees: choices stand prompt by prompt, each begins with its prompt, and tokens have their probabilities.
def test_completions(simulate):
    simulator = simulate()
    answer = simulator.client().completions.create(model="tiny", prompt=["One two", "Three"], max_tokens=4, n=2, echo=True, logprobs=2, extra_body={"ignore_eos": True})
    assert [choice.text.startswith(prompt) for choice, prompt in zip(answer.choices, ["One two"] * 2 + ["Three"] * 2)] == [True] * 4
    assert answer.usage.completion_tokens == 16
    logprobs = answer.choices[0].logprobs
    assert "".join(logprobs.tokens) == answer.choices[0].text and logprobs.tokens[:2] == ["One", " two"] and len(logprobs.tokens) == 6
    assert logprobs.token_logprobs[0] is logprobs.top_logprobs[0] is None and len(logprobs.top_logprobs[1]) == 2
    _, _, tokenized = simulator.post("/tokenize", {"prompt": "One two", "return_token_strs": True})
    assert tokenized["count"] == len(tokenized["tokens"]) and "".join(tokenized["token_strs"]) == "One two"
    assert simulator.post("/detokenize", {"tokens": tokenized["tokens"]})[2] == {"prompt": "One two"}
    by_ids = simulator.client().completions.create(model="tiny", prompt=tokenized["tokens"], max_tokens=1)
    assert by_ids.usage.prompt_tokens == tokenized["count"]


# Scenario: token ids and probabilities of the prompt are asked for, whole and streamed.
# Guarantees: a chat tells them once, a completion with each choice; streams tell the ids at their begin.
def test_what_the_prompt_was(simulate):
    simulator = simulate()
    ids = simulator.post("/tokenize", {"messages": HELLO})[2]["tokens"]
    chat = {"messages": HELLO, "max_tokens": 3, "ignore_eos": True, "return_token_ids": True}
    answer = simulator.post("/v1/chat/completions", {**chat, "prompt_logprobs": 2})[2]
    assert answer["prompt_token_ids"] == ids and len(answer["choices"][0]["token_ids"]) == 3
    assert answer["prompt_logprobs"][0] is None and [len(each) for each in answer["prompt_logprobs"][1:]] == [2] * (len(ids) - 1)
    assert answer["prompt_logprobs"][1][str(ids[1])]["rank"] == 1
    events = pieces_of(simulator.post("/v1/chat/completions", {**chat, "stream": True})[2])
    assert [piece["prompt_token_ids"] for piece in events if "prompt_token_ids" in piece] == [ids]
    completion = {"prompt": [[3], [7, 8]], "max_tokens": 2, "ignore_eos": True, "return_token_ids": True}
    assert [choice["prompt_token_ids"][-1] for choice in simulator.post("/v1/completions", completion)[2]["choices"]][1] == 8
    chunks = pieces_of(simulator.post("/v1/completions", {**completion, "prompt": [7, 8], "stream": True})[2])
    assert [piece["choices"][0]["prompt_token_ids"] for piece in chunks] == [[7, 8], None]


# Guarantees: an echo comes back whole, in any script, and ends in front of a stop string, which is named.
def test_echo_and_stop(simulate):
    client = simulate("--mode=echo", "--max-model-len=4096").client()
    text = "Größe: 漢字 😀 end"
    pieces = [chunk.choices[0].text for chunk in client.completions.create(model="tiny", prompt=text, max_tokens=100, stream=True)]
    assert "".join(pieces) == text
    choice = client.completions.create(model="tiny", prompt=text, max_tokens=100, stop=["字"]).choices[0]
    assert (choice.text, choice.finish_reason, choice.stop_reason) == ("Größe: 漢", "stop", "字")


# Scenario: a stream of characters of several bytes, each of which is a token, with probabilities.
# Guarantees: no token's is missing though it completes no character, and their places go on from event to event.
def test_logprobs_of_pieces_of_characters(simulate):
    body = {"prompt": "a漢b", "max_tokens": 20, "stream": True, "logprobs": 0}
    told = [piece["choices"][0]["logprobs"] for piece in pieces_of(simulate("--mode=echo").post("/v1/completions", body)[2])]
    assert [offset for logprobs in told for offset in logprobs["text_offset"]] == [0, 1, 2, 3, 4]


# Guarantees: each mistake gets the exception that the client has for it, and vLLM's words.
def test_errors(simulate):
    simulator = simulate()
    client = simulator.client()
    ask = lambda **changes: client.chat.completions.create(**{"model": "tiny", "messages": HELLO, **changes})  # noqa: E731
    with pytest.raises(openai.NotFoundError, match="The model `other` does not exist. Valid aliases: tiny."):
        ask(model="other")
    with pytest.raises(openai.BadRequestError, match="This model's maximum context length is 1024 tokens. However, your request has"):
        ask(messages=[{"role": "user", "content": "word " * 2000}])
    with pytest.raises(openai.BadRequestError, match="is too large: 1024"):
        ask(max_tokens=1024)
    with pytest.raises(openai.BadRequestError, match="max_tokens=2000 cannot be greater than max_model_len=1024."):
        ask(max_tokens=2000)
    for path, body, told in (("/v1/chat/completions", {"messages": HELLO, "temperature": -1}, ("temperature must be non-negative, got -1.0. (parameter=temperature, value=-1.0)", "BadRequestError", "temperature")),
                             ("/v1/chat/completions", {"messages": HELLO, "stream_options": {}}, ("Stream options can only be defined when `stream=True`. (parameter=stream_options)", "BadRequestError", "stream_options")),
                             ("/v1/completions", {}, ("Either prompt or prompt_embeds must be provided and non-empty. (parameter=prompt)", "BadRequestError", "prompt")),
                             ("/v1/chat/completions", {"messages": HELLO, "n": 2, "temperature": 0}, ("n must be 1 when using greedy sampling, got 2.", "BadRequestError", None)),
                             ("/v1/chat/completions", {}, (MISSING % ("messages", 0), "Bad Request", "body.messages")),
                             ("/v1/load_lora_adapter", {"lora_name": ""}, (MISSING % ("lora_name", 1), "Bad Request", "body.lora_name"))):
        status, _, answer = simulator.post(path, body)
        assert (status, answer["error"]["message"], answer["error"]["type"], answer["error"]["param"], answer["error"]["code"]) == (400, *told, 400)
    for changes in ({"n": 0}, {"temperature": -1}, {"messages": []}, {"top_p": 2}, {"stream_options": {"include_usage": True}}):
        with pytest.raises(openai.BadRequestError):
            ask(**changes)


# Scenario: bodies that are no JSON, have wrong types, nest deeply or are not UTF-8; paths and methods that there are not.
# Guarantees: each is answered 4xx with a message, and the server goes on.
def test_bad_input(simulate):
    simulator = simulate()
    bodies = [b"", b"{", b"null", b"[]", b'"x"', b'{"messages": 1}', b'{"messages": [1]}', b"[" * 10_000,
              b'{"messages": [{"role": "user"}], "n": 1e400}', b'{"messages": [{"role": "user", "content": "a"}], "tools": {}}']
    for body in bodies:
        status, _, answer = simulator.post("/v1/chat/completions", body)
        assert (status, answer["error"]["code"]) == (400, 400) and answer["error"]["message"], body
    assert simulator.post("/v1/chat/completions", b'{"messages": [{"role": "user", "content": "\xff"}]}')[::2] == (400, {"detail": "There was an error parsing the body"})
    for body in (b'{"prompt": {}}', b'{"prompt": [[[]]]}', b'{"prompt": [-1]}', b'{"prompt": ""}'):
        assert simulator.post("/v1/completions", body)[0] == 400, body
    assert simulator.post("/nothing", {})[0] == 404
    assert request(simulator.url("/v1/completions"))[0] == 405
    assert request(simulator.url("/health"))[0] == 200


# Scenario: requests straight at the server, as the recording of a real vLLM was made: with and without a parent, two choices, two prompts, an unsampled
# parent, a refused one.
# Guarantees: spans have the recorded names, kinds, scope, attributes and types, the ids of their requests, the client's trace; who is not sampled has none.
def test_spans_are_those_of_vllm(simulate, backend):
    simulator = simulate(f"--otlp-traces-endpoint=grpc://127.0.0.1:{backend.port}", "--role=decode", "--service-suffix=-east", "--faithful",
                         "--time-to-first-token=30", "--inter-token-latency=5")
    sampled = simulator.client(traceparent=PARENT, tracestate="vendor=1", **{"X-Request-Id": "abc"})
    sampled.chat.completions.create(model="tiny", messages=HELLO, max_tokens=4, temperature=0, extra_body={"ignore_eos": True})
    simulator.client().completions.create(model="tiny", prompt=["a", "b"], max_tokens=2, n=2)
    simulator.client(traceparent=PARENT[:-1] + "0").completions.create(model="tiny", prompt="a", max_tokens=1)
    with pytest.raises(openai.NotFoundError):
        simulator.client().completions.create(model="other", prompt="a")
    assert simulator.stop() == 0
    spans = llm_spans(backend)
    assert len(spans) == 5

    recorded = trace_service_pb2.ExportTraceServiceRequest.FromString((RECORDED / "vllm-0.32-direct/001-vllm-decode.pb").read_bytes())
    real = recorded.resource_spans[0].scope_spans[0].spans[0]
    types = {item.key: item.value.WhichOneof("value") for item in real.attributes}
    for span, attributes, resource in spans:
        assert (span.name, span.kind, span.status.code) == ("llm_request", trace_pb2.Span.SPAN_KIND_SERVER, 0)
        expected = {**types}
        if attributes["gen_ai.usage.completion_tokens"] == 4:
            del expected["gen_ai.request.temperature"]  # 0
        assert {item.key: item.value.WhichOneof("value") for item in span.attributes} == expected
        assert resource.keys() == {item.key for item in recorded.resource_spans[0].resource.attributes if not item.key.startswith("k8s.")}
        assert (resource["service.name"], resource["vllm.instrumenting_module_name"]) == ("vllm-decode-east", "vllm.llm_engine")
        assert span.start_time_unix_nano % 256 == 0 and span.flags in (0x100, 0x300)
        latency = {key.rsplit(".", 1)[1]: value for key, value in attributes.items() if ".latency." in key}
        assert latency["time_in_model_inference"] == pytest.approx(latency["time_in_model_prefill"] + latency["time_in_model_decode"])
        assert latency["time_to_first_token"] >= latency["time_in_queue"] + latency["time_in_model_prefill"] - 1e-6
        assert latency["e2e"] >= latency["time_to_first_token"] >= 0.03
        assert (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9 >= latency["e2e"] - 1e-3
    chat = next(entry for entry in spans if entry[1]["gen_ai.request.id"] == "chatcmpl-abc")
    assert (chat[0].trace_id.hex(), chat[0].parent_span_id.hex(), chat[0].trace_state) == (PARENT[3:35], PARENT[36:52], "vendor=1")
    assert chat[1]["gen_ai.latency.time_in_model_decode"] == pytest.approx(0.015, abs=1e-3)
    others = sorted(entry[1]["gen_ai.request.id"] for entry in spans if entry is not chat)
    base = others[0][:-2]
    assert others == [f"{base}-0", f"{base}-0", f"{base}-1", f"{base}-1"]
    assert all(entry[0].parent_span_id == b"" and entry[1]["gen_ai.request.n"] == 1 for entry in spans if entry is not chat)


# Scenario: a client leaves in the middle of a stream, at a server that has one slot.
# Guarantees: the slot is free for the next at once, and the span says that the request was aborted.
def test_a_client_that_leaves_frees_its_slot(simulate, backend):
    simulator = simulate(f"--otlp-traces-endpoint=127.0.0.1:{backend.port}", "--max-num-seqs=1", "--inter-token-latency=20", "--time-to-first-token=1")
    stream = simulator.client().completions.create(model="tiny", prompt="a", max_tokens=1000, stream=True, extra_body={"ignore_eos": True})
    next(iter(stream))
    assert simulator.metric("vllm:num_requests_running") == 1
    stream.close()
    assert simulator.client().completions.create(model="tiny", prompt="a", max_tokens=1).choices
    wait_for(lambda: simulator.metric("vllm:request_success_total", finished_reason="abort") == 1)
    assert simulator.metric("vllm:num_requests_running") == 0 and simulator.metric("vllm:kv_cache_usage_perc") == 0
    assert simulator.stop() == 0
    aborted = [entry for entry in llm_spans(backend) if entry[0].status.code == trace_pb2.Status.STATUS_CODE_ERROR]
    assert [entry[1]["error.type"] for entry in aborted] == ["abort"]


# Scenario: more requests than there are slots and places to wait.
# Guarantees: those beyond are answered 429, all others in full.
def test_a_full_queue_answers_429(simulate):
    simulator = simulate("--max-num-seqs=2", "--max-waiting-queue-length=3", "--time-to-first-token=500")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: simulator.post("/v1/completions", {"prompt": "a", "max_tokens": 1}), range(8)))
    assert sorted(status for status, _, _ in answers) == [200] * 5 + [429] * 3
    refused = next(answer for answer in answers if answer[0] == 429)
    assert refused[1]["Retry-After"] == "1" and refused[2]["error"]["type"] == "RateLimitError"


# Guarantees: tools are called when they must be, never when they must not, whole and streamed.
def test_tools(simulate):
    client = simulate().client()
    tools = [{"type": "function", "function": {"name": name, "parameters": {"properties": {"at": {"enum": ["here"]}}, "required": ["at"]}}} for name in ("weather", "time")]
    ask = lambda **more: client.chat.completions.create(model="tiny", messages=HELLO, tools=tools, **more)  # noqa: E731
    choice = ask(tool_choice={"type": "function", "function": {"name": "time"}}).choices[0]
    call = choice.message.tool_calls[0]
    assert (choice.finish_reason, call.function.name, choice.message.content) == ("tool_calls", "time", None)
    assert json.loads(call.function.arguments) == {"at": "here"}
    assert ask(tool_choice="none").choices[0].message.tool_calls is None
    deltas = [chunk.choices[0].delta for chunk in ask(tool_choice="required", stream=True)]
    assert [call.function.name for delta in deltas for call in delta.tool_calls or []][0] in ("weather", "time")
    assert len(ask(tool_choice="required", parallel_tool_calls=False).choices[0].message.tool_calls) == 1


# Guarantees: a LoRA adapter is a model as long as it is loaded.
def test_adapters(simulate):
    simulator = simulate("--lora-modules", "first", '{"name": "second", "path": "/adapters/second"}')
    names = lambda: [model.id for model in simulator.client().models.list()]  # noqa: E731
    assert names() == ["tiny", "first", "second"]
    assert simulator.post("/v1/load_lora_adapter", {"lora_name": "third", "lora_path": "/x"})[0] == 200
    assert simulator.client().completions.create(model="third", prompt="a").model == "third"
    assert simulator.post("/v1/load_lora_adapter", {"lora_name": "third", "lora_path": "/x"})[0] == 400
    assert simulator.post("/v1/unload_lora_adapter", {"lora_name": "third"})[0] == 200
    assert simulator.post("/v1/unload_lora_adapter", {"lora_name": "third"})[0] == 404
    with pytest.raises(openai.NotFoundError):
        simulator.client().completions.create(model="third", prompt="a")


# Scenario: every request is to fail, and one asks for an error.
# Guarantees: both do, in the ways that were named; nothing else of the API does.
def test_failures_on_purpose(simulate):
    simulator = simulate("--failure-injection-rate=100", "--failure-types=rate_limit,server_error", "--seed=1")
    statuses = {simulator.post("/v1/completions", {"prompt": "a"})[0] for _ in range(30)}
    assert statuses == {429, 500}
    assert request(simulator.url("/v1/models"))[0] == 200
    assert simulate().post("/v1/completions", {"prompt": "a"}, **{"X-Return-Error": "503"})[0] == 503


# Guarantees: a server that sleeps answers what it was asked when it wakes up.
def test_sleep(simulate):
    simulator = simulate()
    assert simulator.post("/sleep", {})[0] == 200
    assert json.loads(request(simulator.url("/is_sleeping"))[2]) == {"is_sleeping": True}
    connection = http.client.HTTPConnection("127.0.0.1", simulator.ports["simulator"])
    connection.request("POST", "/v1/completions", json.dumps({"prompt": "a", "max_tokens": 1}))
    wait_for(lambda: simulator.metric("vllm:num_requests_running") + simulator.metric("vllm:num_requests_waiting") == 1)
    assert simulator.post("/wake_up", {})[0] == 200
    assert connection.getresponse().status == 200


# Guarantees: a command line that can't be honoured ends the start with the name of the flag.
@pytest.mark.parametrize("arguments, named", [
    (["--model="], "--model"), (["--max-num-seqs=0"], "--max-num-seqs"), (["--max-model-len=100000"], "--kv-cache-size"),
    (["--time-to-first-token=100", "--time-to-first-token-std-dev=31"], "--time-to-first-token-std-dev"), (["--prefill-overhead=1", "--time-to-first-token=1"], "--prefill-overhead"),
    (["--collect-detailed-traces=scheduler"], "--collect-detailed-traces"), (["--prefix-caching-hash-algo=sha256"], "--prefix-caching-hash-algo"),
    (["--zmq-endpoint=tcp://*:*"], "--zmq-endpoint"), (["--failure-injection-rate=101"], "--failure-injection-rate"), (["--speedup=0"], "--speedup"),
    (["--kv-transfer-config={}"], "--kv-transfer-config"), (["--unknown"], "--unknown"), (["--time-to-first-token=soon"], "--time-to-first-token"),
])
def test_refuses_what_it_cannot_honour(arguments, named):
    simulator = Simulator(*arguments)
    assert simulator.process.wait(START_SECONDS_MAX) in (1, 2)
    simulator.stop()
    assert named in simulator.log()


def test_samplers_that_there_are_not_are_refused(backend):
    simulator = Simulator(f"--otlp-traces-endpoint=127.0.0.1:{backend.port}", environment={"OTEL_TRACES_SAMPLER": "some"})
    assert simulator.process.wait(START_SECONDS_MAX) == 1
    simulator.stop()
    assert "OTEL_TRACES_SAMPLER" in simulator.log() and "parentbased_traceidratio" in simulator.log()


# Scenario: two inputs, as numbers and as the base64 that the client asks for by itself; an input that is too long.
# Guarantees: both ways give the same unit vectors, equal inputs equal ones; spans are as a pooling model's: no token, nothing sampled.
def test_embeddings(simulate, backend):
    simulator = simulate(f"--otlp-traces-endpoint=127.0.0.1:{backend.port}")
    ask = lambda **more: simulator.client(**{"X-Request-Id": "e"}).embeddings.create(model="tiny", input=["One", "Two"], **more)  # noqa: E731
    answer = ask(dimensions=64)
    vectors = [item.embedding for item in answer.data]
    assert [len(vector) for vector in vectors] == [64, 64] and vectors[0] != vectors[1]
    assert sum(value * value for value in vectors[0]) == pytest.approx(1)
    assert [item.embedding for item in ask(dimensions=64, encoding_format="float").data] == [pytest.approx(vector) for vector in vectors]
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 2
    with pytest.raises(openai.BadRequestError, match="maximum context length"):
        simulator.client().embeddings.create(model="tiny", input="word " * 2000)
    assert simulator.metric("vllm:generation_tokens_total") == 0
    assert simulator.stop() == 0
    spans = llm_spans(backend)
    assert sorted(entry[1]["gen_ai.request.id"] for entry in spans) == ["embd-e-0", "embd-e-0", "embd-e-1", "embd-e-1"]
    assert all(entry[1]["gen_ai.usage.completion_tokens"] == 0 and "gen_ai.request.top_p" not in entry[1] for entry in spans)


# Scenario: five hundred streams at once, of thirty tokens each.
# Guarantees: each is whole, in order and ended; at the end nothing runs and no block is in use.
def test_many_streams_at_once(simulate):
    simulator = simulate("--max-num-seqs=400", "--inter-token-latency=5", "--kv-cache-size=4096", "--seed=3")
    body = {"prompt": "Tell me", "max_tokens": 30, "ignore_eos": True}
    expected = simulator.post("/v1/completions", body)[2]["choices"][0]["text"]

    def stream(_):
        text = simulator.post("/v1/completions", {**body, "stream": True})[2].decode()
        events = [event.removeprefix("data: ") for event in text.split("\n\n") if event]
        assert events[-1] == "[DONE]"
        return "".join(json.loads(event)["choices"][0]["text"] for event in events[:-1]), len(events)

    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        assert set(pool.map(stream, range(500))) == {(expected, 31)}
    assert simulator.metric("vllm:num_requests_running") == 0 and simulator.metric("vllm:kv_cache_usage_perc") == 0


# Scenario: a stop that waits for nobody, while forty streams and whole answers are under way, some of several choices.
# Guarantees: it ends cleanly, every client sees its end, and every request that was cut off has its span.
def test_a_stop_cuts_off_what_is_under_way(simulate, backend):
    simulator = simulate(f"--otlp-traces-endpoint=127.0.0.1:{backend.port}", "--max-num-seqs=30", "--inter-token-latency=50", "--drain-timeout=0s")
    body = {"prompt": "a", "max_tokens": 1000, "ignore_eos": True}

    def ask(number):
        try:
            return len(simulator.post("/v1/completions", {**body, "stream": number % 2 == 0, "n": 1 + number % 2})[2])
        except (OSError, http.client.HTTPException):
            return 0

    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        answers = [pool.submit(ask, number) for number in range(40)]
        wait_for(lambda: simulator.metric("vllm:num_requests_running") + simulator.metric("vllm:num_requests_waiting") == 60)
        assert simulator.stop() == 0
        assert len([answer.result() for answer in answers]) == 40
    assert [entry[1]["error.type"] for entry in llm_spans(backend)] == ["abort"] * 60


# Scenario: OpenAI's client asks by its Responses API, whole and streamed, from one seed; and an answer that is cut.
# Guarantees: it understands both, the pieces are the whole text, usage is told, and a cut answer is incomplete.
def test_responses(simulate):
    client = simulate("--seed=4").client()
    ask = lambda **more: client.responses.create(model="tiny", input="Hello", instructions="Be brief.", **more)  # noqa: E731
    whole = ask(max_output_tokens=400)
    assert (whole.status, whole.object) == ("completed", "response") and whole.output_text
    assert whole.usage.total_tokens == whole.usage.input_tokens + whole.usage.output_tokens
    events = list(ask(max_output_tokens=400, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == whole.output_text
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert (events[-1].response.output_text, events[-1].response.usage) == (whole.output_text, whole.usage)
    cut = ask(max_output_tokens=2, extra_body={"ignore_eos": True})
    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model="tiny", input=[])
