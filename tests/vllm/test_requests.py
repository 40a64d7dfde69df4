# SPDX-License-Identifier: Apache-2.0
"""Requests through the routing proxy at a real vLLM pair: answered as by one server, from KV blocks that came from the other."""

import concurrent.futures
import json
import re

import pytest
from conftest import request
from stacks import ANSWER_SECONDS_MAX, MODEL, messages, new_prompt, wait_at_most

ANSWER = {"model": MODEL, "max_tokens": 12, "temperature": 0}
ABANDONED = 8000  # tokens of an answer that nobody reads: far more than come while its client leaves
UNTIL_ITS_END = {"ignore_eos": True}  # the tiny model's end mark comes by chance


class Moved:
    """What prefill and decode have computed, and what came over, since it was made. Without the words of the request it is all by vLLM's metrics."""

    def __init__(self, stack):
        self.stack = stack
        self._before = self._now()

    def _now(self):
        by_source = lambda server, source: server.metric("vllm:prompt_tokens_by_source_total", source=source)  # noqa: E731
        return {"prefill computed": self.stack.prefill.metric("vllm:prompt_tokens_total"),
                "decode computed": by_source(self.stack.decode, "local_compute") + by_source(self.stack.decode, "local_cache_hit"),
                "decode fetched": by_source(self.stack.decode, "external_kv_transfer"),
                "transfers": self.stack.decode.metric("vllm:nixl_bytes_transferred_count"),
                "failed transfers": self.stack.decode.metric("vllm:nixl_num_failed_transfers_total")}

    def since(self):
        return {key: value - self._before[key] for key, value in self._now().items() if value != self._before[key]}

    def becomes(self, expected):
        """Waits for what is expected, or until `expected` is true of it: the metrics are counted a moment behind the answer."""
        holds = expected if callable(expected) else lambda seen: seen == expected
        wait_at_most(ANSWER_SECONDS_MAX, lambda: holds(self.since()), lambda: f"{self.since()}, not {expected}")


def texts(value, key=""):
    """Every text and list of token ids in an answer, in order."""
    if isinstance(value, dict):
        return [found for name, item in value.items() for found in texts(item, name)]
    if isinstance(value, list) and key != "token_ids":
        return [found for item in value for found in texts(item, key)]
    return [value] if key in ("text", "content", "token_ids", "arguments") and value is not None else []


def answer_of(asked):
    status, _, body = asked
    assert status == 200, body
    return json.loads(body)


def tokens_of(server, prompt):
    return answer_of(server.ask("/tokenize", {"model": MODEL, "messages": messages(prompt)}))["count"]


# Scenario: OpenAI's client asks for a chat, whole and streamed, with a prefill header.
# Guarantees: the answer is the one that prefill gives alone, which it can only be with the right KV blocks; decode computed none of the prompt, and fetched all
# of it; the usage says the tokens that both know.
@pytest.mark.parametrize("streams", [False, True])
def test_a_chat_is_prefilled_elsewhere(real, streams):
    prompt, moved = new_prompt(), Moved(real)
    ask = lambda client, **more: client.chat.completions.create(messages=messages(prompt), extra_body=UNTIL_ITS_END, **ANSWER, **more)  # noqa: E731
    if streams:
        chunks = list(ask(real.client(), stream=True, stream_options={"include_usage": True}))
        assert chunks[0].choices[0].delta.role == "assistant" and not chunks[-1].choices
        text, usage = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices), chunks[-1].usage
        assert len(chunks) > ANSWER["max_tokens"], "the tokens came one by one"
    else:
        whole = ask(real.client())
        text, usage = whole.choices[0].message.content, whole.usage
        assert whole.choices[0].finish_reason == "length"
    tokens = tokens_of(real.prefill, prompt)
    moved.becomes({"prefill computed": tokens, "decode fetched": tokens, "transfers": 1})
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (tokens, 12, tokens + 12)
    alone = answer_of(real.prefill.ask("/v1/chat/completions", {**ANSWER, **UNTIL_ITS_END, "messages": messages(prompt)}))
    assert text == alone["choices"][0]["message"]["content"] and text


def token_ids(server, prompt):
    return answer_of(server.ask("/tokenize", {"model": MODEL, "prompt": prompt}))["tokens"]


# Scenario: each API that the proxy does in two legs.
# Guarantees: as above, of each.
@pytest.mark.parametrize("path, body", [
    ("/v1/completions", lambda server: {**ANSWER, **UNTIL_ITS_END, "prompt": new_prompt()}),
    ("/v1/completions", lambda server: {**ANSWER, **UNTIL_ITS_END, "prompt": token_ids(server, new_prompt())}),
    ("/v1/responses", lambda server: {"model": MODEL, "input": new_prompt(), "max_output_tokens": 12, "temperature": 0}),
    ("/v1/messages", lambda server: {**ANSWER, "messages": messages(new_prompt())}),
    ("/inference/v1/generate", lambda server: {"model": MODEL, "token_ids": token_ids(server, new_prompt()), "sampling_params": {"max_tokens": 12, "temperature": 0}}),
    ("/v1/completions", lambda server: {**ANSWER, **UNTIL_ITS_END, "prompt": new_prompt(), "echo": True}),
    ("/v1/chat/completions", lambda server: {**ANSWER, "messages": messages(new_prompt()), "response_format": {"type": "json_object"}}),
], ids=["text", "token ids", "responses", "messages", "generate", "echo", "JSON"])
def test_every_api_is_prefilled_elsewhere(real, path, body):
    body, moved = body(real.prefill), Moved(real)
    answer = answer_of(real.ask(path, body))
    moved.becomes(lambda seen: set(seen) == {"prefill computed", "decode fetched", "transfers"} and seen["prefill computed"] == seen["decode fetched"] > 20)
    assert texts(answer) == texts(answer_of(real.prefill.ask(path, body))) != []


# Scenario: probabilities of the prompt's tokens are asked for, which blocks do not tell.
# Guarantees: vLLM's decode computes them, whatever it was told of blocks, and the answer is that of prefill alone.
def test_logprobs_of_a_prompt(real):
    body, moved = {**ANSWER, **UNTIL_ITS_END, "prompt": new_prompt(), "echo": True, "logprobs": 1}, Moved(real)
    choice = answer_of(real.ask("/v1/completions", body))["choices"][0]
    alone = answer_of(real.prefill.ask("/v1/completions", body))["choices"][0]
    assert choice["logprobs"]["tokens"] == alone["logprobs"]["tokens"] and choice["text"] == alone["text"]
    assert choice["logprobs"]["token_logprobs"][1:] == pytest.approx(alone["logprobs"]["token_logprobs"][1:], abs=1e-3)
    tokens = len(alone["logprobs"]["tokens"]) - 12
    moved.becomes({"prefill computed": 2 * tokens, "decode computed": tokens})


# Scenario: several prompts, and several answers to one.
# Guarantees: decode does all of it, and rightly: vLLM's answer tells of the first sequence's blocks alone.
@pytest.mark.parametrize("more", [{"prompt": 3}, {"prompt": 1, "n": 3, "temperature": 1, "seed": 7}])
def test_several_sequences_are_decoded_alone(real, more):
    prompts = [new_prompt() for _ in range(more["prompt"])]
    body, moved = {**ANSWER, **UNTIL_ITS_END, **more, "prompt": prompts}, Moved(real)
    answer = answer_of(real.ask("/v1/completions", body))
    assert set(moved.since()) <= {"decode computed"}
    assert texts(answer) == texts(answer_of(real.prefill.ask("/v1/completions", body)))
    for prompt in prompts:  # what decode keeps in its cache is right too
        one = {**ANSWER, "prompt": prompt}
        assert texts(answer_of(real.ask("/v1/completions", one))) == texts(answer_of(real.prefill.ask("/v1/completions", one)))


# Scenario: sixteen streams of different prompts at once, at eight slots.
# Guarantees: each is whole, every prompt was fetched, and no transfer failed.
def test_many_at_once(real):
    prompts, moved = [new_prompt() for _ in range(16)], Moved(real)

    def ask(prompt):
        chunks = list(real.client().completions.create(prompt=prompt, **{**ANSWER, "max_tokens": 40}, stream=True, stream_options={"include_usage": True}, extra_body=UNTIL_ITS_END))
        return chunks[-1].usage

    with concurrent.futures.ThreadPoolExecutor(len(prompts)) as pool:
        usages = list(pool.map(ask, prompts))
    assert {usage.completion_tokens for usage in usages} == {40}
    tokens = sum(usage.prompt_tokens for usage in usages)
    moved.becomes({"prefill computed": tokens, "decode fetched": tokens, "transfers": len(prompts)})


# Scenario: the same without a prefill header.
# Guarantees: decode computes the prompt itself; prefill hears nothing of it.
def test_decode_alone(real):
    prompt, moved = new_prompt(), Moved(real)
    whole = real.client(two_legs=False).chat.completions.create(messages=messages(prompt), extra_body=UNTIL_ITS_END, **ANSWER)
    assert whole.usage.completion_tokens == 12
    moved.becomes({"decode computed": whole.usage.prompt_tokens})


# Scenario: a client reads the first piece of a long stream, and leaves.
# Guarantees: decode stops generating for it.
def test_a_client_that_leaves(real):
    generated = lambda: real.decode.metric("vllm:generation_tokens_total")  # noqa: E731
    before, connection = generated(), real.connect()
    body = json.dumps({**ANSWER, **UNTIL_ITS_END, "messages": messages(new_prompt()), "max_tokens": ABANDONED, "stream": True})
    connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json", **real.headers(two_legs=True)})
    assert connection.getresponse().read(40).startswith(b"data: ")
    connection.close()
    wait_at_most(ANSWER_SECONDS_MAX, lambda: real.decode.metric("vllm:num_requests_running") == 0, lambda: "it still runs")
    assert generated() - before < ABANDONED
    assert real.ask("/v1/chat/completions", {**ANSWER, "messages": messages(new_prompt())})[0] == 200


BAD = {
    "no model": {"model": "other", "messages": messages("a")},
    "no messages": {"model": MODEL},
    "messages of the wrong type": {"model": MODEL, "messages": 1},
    "a message that is a word": {"model": MODEL, "messages": ["a"]},
    "too many tokens": {"model": MODEL, "messages": messages("a"), "max_tokens": 50000},
    "too long a prompt": {"model": MODEL, "messages": messages("word " * 20000)},
    "negative temperature": {"model": MODEL, "messages": messages("a"), "temperature": -1},
    "top_p above one": {"model": MODEL, "messages": messages("a"), "top_p": 2},
    "no answers": {"model": MODEL, "messages": messages("a"), "n": 0},
    "min above max": {"model": MODEL, "messages": messages("a"), "min_tokens": 5, "max_tokens": 2},
    "stream options without a stream": {"model": MODEL, "messages": messages("a"), "stream_options": {"include_usage": True}},
    "no tokens": {"model": MODEL, "messages": messages("a"), "max_tokens": 0},
    "too many logprobs": {"model": MODEL, "messages": messages("a"), "logprobs": True, "top_logprobs": 1000},
    "a tool choice without tools": {"model": MODEL, "messages": messages("a"), "tool_choice": "required"},
}


def seen(answer):
    """All of an answer but its date and how its length is told: the proxy sends what is large in chunks."""
    status, headers, body = answer
    return status, {name.lower(): value for name, value in headers.items() if name.lower() not in ("date", "connection", "content-length", "transfer-encoding")}, body


def members_hidden(answer):
    """vLLM may say how many members the body has; prefill's has some more."""
    return *answer[:2], re.sub(rb"<dict of \d+ items>", b"<dict>", answer[2])


# Scenario: bad requests, in two legs and in one.
# Guarantees: the client gets vLLM's answer, header for header and byte for byte but for how many members it had.
@pytest.mark.parametrize("name", BAD)
def test_what_vllm_refuses_is_passed_on(real, name):
    straight = seen(real.decode.ask("/v1/chat/completions", BAD[name]))
    real.record(f"error-{name.replace(' ', '-')}.json", {"request": BAD[name] if len(str(BAD[name])) < 1000 else "...", "status": straight[0], "body": json.loads(straight[2])})
    assert straight[0] >= 400
    assert seen(real.ask("/v1/chat/completions", BAD[name], two_legs=False)) == straight
    assert members_hidden(seen(real.ask("/v1/chat/completions", BAD[name]))) == members_hidden(straight)


# Guarantees: what is no request of two legs passes with its answer, whatever that is.
@pytest.mark.parametrize("path, body", [("/v1/nothing", {}), ("/v1/embeddings", {"model": MODEL, "input": "a"}), ("/tokenize", {"model": MODEL}), ("/tokenize", b"{"), ("/v1/completions", b"{"),
                                        ("/v1/completions", b"\xff"), ("/v1/completions", b""), ("/v1/completions", [])])
def test_what_is_passed_is_passed_whole(real, path, body):
    straight = seen(real.decode.ask(path, body))
    assert straight[0] >= 400
    assert seen(real.ask(path, body, two_legs=False)) == straight


# Guarantees: GET passes too, and the page of metrics with every name.
def test_pages_are_passed(real):
    for path in ("/version", "/ping", "/openapi.json", "/nothing"):
        assert seen(request(real.url(path))) == seen(request(real.decode.url(path))), path
    assert real.client(two_legs=False).models.list().data[0].id == MODEL
    names = lambda url: {line.split(" ")[2] for line in request(url)[2].decode().splitlines() if line.startswith("# TYPE")}  # noqa: E731
    assert names(real.url("/metrics")) == names(real.decode.url("/metrics"))
