# SPDX-License-Identifier: Apache-2.0
"""The same requests at a real vLLM pair and at simulators in its place, with the same flags: what differs besides the text. All of it is left in
build/test-results/vllm/differences.txt, and printed at the end of the step; what is not in known_differences.txt fails."""

import functools
import json
import pathlib
import re

import pytest
from conftest import request
from shapes import answer_lines, page_lines, span_lines
from stacks import MODEL, RECORDINGS, messages, new_trace, wait_at_most

KNOWN = pathlib.Path(__file__).parent / "known_differences.txt"
DETAIL = ": vLLM: "  # what follows is told, and not part of what is known
DIFFERENCES = RECORDINGS / "differences.txt"
PROMPT = "The quick brown fox jumps over the lazy dog, and then again, because it can, and because the dog is far too lazy to mind."
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}}}


def chat(**more):
    return {"model": MODEL, "messages": messages(PROMPT), "max_tokens": 6, "temperature": 0, "ignore_eos": True, **more}


def completion(**more):
    return {"model": MODEL, "prompt": PROMPT, "max_tokens": 6, "temperature": 0, "ignore_eos": True, **more}


ASKED = {
    "chat": (CHAT, chat()),
    "chat of two": (CHAT, chat(n=2, temperature=1)),
    "chat that ends at a word": (CHAT, chat(ignore_eos=False, stop=["e", "a", " "], max_tokens=200)),
    "chat with logprobs": (CHAT, chat(logprobs=True, top_logprobs=2)),
    "chat with token ids": (CHAT, chat(return_token_ids=True)),
    "chat with tools that are not used": (CHAT, chat(tools=[TOOL], tool_choice="none")),
    "chat in JSON": (CHAT, chat(response_format={"type": "json_object"}, max_tokens=30)),
    "chat stream": (CHAT, chat(max_tokens=40, stream=True)),
    "chat stream with usage": (CHAT, chat(max_tokens=40, stream=True, stream_options={"include_usage": True})),
    "chat stream with running usage": (CHAT, chat(max_tokens=40, stream=True, stream_options={"include_usage": True, "continuous_usage_stats": True})),
    "chat stream with logprobs": (CHAT, chat(max_tokens=40, stream=True, logprobs=True, top_logprobs=1)),
    "completion": (COMPLETIONS, completion()),
    "completion of two prompts": (COMPLETIONS, completion(prompt=[PROMPT, "Two"])),
    "completion with an echo": (COMPLETIONS, completion(echo=True, logprobs=1)),
    "completion with logprobs": (COMPLETIONS, completion(logprobs=2)),
    "completion with prompt logprobs": (COMPLETIONS, completion(prompt_logprobs=1)),
    "completion with token ids": (COMPLETIONS, completion(return_token_ids=True)),
    "completion of token ids": (COMPLETIONS, completion(prompt=[5, 6, 7, 8])),
    "completion stream": (COMPLETIONS, completion(max_tokens=40, stream=True)),
    "completion stream with usage": (COMPLETIONS, completion(max_tokens=40, stream=True, stream_options={"include_usage": True})),
    "completion stream with logprobs": (COMPLETIONS, completion(max_tokens=40, stream=True, logprobs=1)),
    "response": ("/v1/responses", {"model": MODEL, "input": PROMPT, "max_output_tokens": 6}),
    "response stream": ("/v1/responses", {"model": MODEL, "input": PROMPT, "max_output_tokens": 6, "stream": True}),
    "tokenize": ("/tokenize", {"model": MODEL, "prompt": PROMPT}),
    "tokenize with words": ("/tokenize", {"model": MODEL, "prompt": PROMPT, "return_token_strs": True}),
    "tokenize a chat": ("/tokenize", {"model": MODEL, "messages": messages(PROMPT)}),
    "detokenize": ("/detokenize", {"model": MODEL, "tokens": [5, 6, 7]}),
    "prefill": (CHAT, chat(kv_transfer_params={"do_remote_decode": True, "do_remote_prefill": False, "remote_engine_id": None, "remote_block_ids": None, "remote_host": None, "remote_port": None}, max_tokens=1)),
}
REFUSED = {
    "another model": (CHAT, chat(model="other")),
    "another model's completion": (COMPLETIONS, completion(model="other")),
    "no messages": (CHAT, {"model": MODEL}),
    "an empty list of messages": (CHAT, chat(messages=[])),
    "messages that are a number": (CHAT, chat(messages=1)),
    "a role that there is not": (CHAT, chat(messages=[{"role": "x"}])),
    "no prompt": (COMPLETIONS, {"model": MODEL}),
    "an empty prompt": (COMPLETIONS, completion(prompt="")),
    "a prompt of negative ids": (COMPLETIONS, completion(prompt=[-1])),
    "more tokens than the model has": (CHAT, chat(max_tokens=50000)),
    "more tokens than the model has, completion": (COMPLETIONS, completion(max_tokens=50000)),
    "no tokens": (CHAT, chat(max_tokens=0)),
    "tokens that are a word": (CHAT, chat(max_tokens="many")),
    "negative temperature": (CHAT, chat(temperature=-1)),
    "top_p of two": (CHAT, chat(top_p=2)),
    "top_p of zero": (CHAT, chat(top_p=0)),
    "top_k of minus two": (CHAT, chat(top_k=-2)),
    "no answers": (CHAT, chat(n=0)),
    "two greedy answers": (CHAT, chat(n=2)),
    "more at least than at most": (CHAT, chat(min_tokens=7)),
    "stream options without a stream": (CHAT, chat(stream_options={"include_usage": True})),
    "too many logprobs": (CHAT, chat(logprobs=True, top_logprobs=1000)),
    "top logprobs without logprobs": (CHAT, chat(top_logprobs=2)),
    "a choice among no tools": (CHAT, chat(tool_choice="required")),
    "a response format that there is not": (CHAT, chat(response_format={"type": "x"})),
    "an empty stop": (CHAT, chat(stop=[""])),
    "no JSON": (CHAT, b"{"),
    "no body": (CHAT, b""),
    "a list": (CHAT, []),
    "no UTF-8": (CHAT, b'{"model": "\xff"}'),
    "no path": ("/v1/nothing", {}),
    "tokenize nothing": ("/tokenize", {"model": MODEL}),
    "detokenize a word": ("/detokenize", {"model": MODEL, "tokens": "x"}),
    "embeddings of a model that has none": ("/v1/embeddings", {"model": MODEL, "input": "a"}),
    "blocks that nobody has": (COMPLETIONS, completion(kv_transfer_params={"do_remote_decode": "x"})),
}
PAGES = ["/v1/models", "/health", "/version", "/ping", "/v1/completions", "/nothing", "/is_sleeping", "/load"]


def differences(name, real, simulated):
    return [f"{name}: only vLLM: {line}" for line in sorted(real - simulated)] + [f"{name}: only the simulator: {line}" for line in sorted(simulated - real)]


@functools.cache
def known():
    return {line for line in KNOWN.read_text().splitlines() if line and not line.startswith("#")}


def judge(found):
    """Prints every difference; fails with those that are not known."""
    with open(DIFFERENCES, "a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in found)
    new = [line for line in found if line.split(DETAIL)[0] not in known()]
    assert not new, "not in known_differences.txt:\n" + "\n".join(new)


def compare(name, place, real, simulated):
    """Status and words by the request's name; the form of bodies by where they come from, so that a member that each has stands once."""
    (real_status, real_headers, real_form, real_words), (status, headers, form, words) = answer_lines(real), answer_lines(simulated)
    if status != real_status:
        return differences(name, real_status, status)
    found = differences("headers", real_headers, headers)
    for kind in sorted(set(real_form) & set(form) if len(real_form) > 1 else set(real_form) | set(form)):
        found += differences(place if kind == "whole" else f"{place}, {kind}", real_form.get(kind, set()), form.get(kind, set()))
    return found + [f"{name}: another {key} of the error{DETAIL}{real_words[key]!r}; the simulator: {words[key]!r}" for key in sorted(set(real_words) & set(words)) if real_words[key] != words[key]]


def compare_answers(real, simulated, name, path, body):
    answers = [stack.decode.ask(path, body) for stack in (real, simulated)]
    for stack, (status, headers, text) in zip((real, simulated), answers):
        stack.record(f"answer-{name.replace(' ', '-')}.txt", f"POST {path}\n{body if isinstance(body, bytes) else json.dumps(body)}\n\n{status}\n{headers}\n{text.decode(errors='replace')}\n")
    is_stream = isinstance(body, dict) and body.get("stream")
    return compare(name, "errors" if answers[0][0] >= 400 else f"{path} stream" if is_stream else path, *answers)


@pytest.mark.parametrize("name", ASKED)
def test_answers(real, simulated, name):
    judge(compare_answers(real, simulated, name, *ASKED[name]))


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(real, simulated, name):
    judge(compare_answers(real, simulated, name, *REFUSED[name]))


@pytest.mark.parametrize("path", PAGES)
def test_pages(real, simulated, path):
    pages = [request(stack.decode.url(path)) for stack in (real, simulated)]
    for stack, (status, headers, text) in zip((real, simulated), pages):
        stack.record(f"page{path.replace('/', '-')}.txt", f"GET {path}\n\n{status}\n{headers}\n{text.decode(errors='replace')}\n")
    judge(compare(f"GET {path}", f"GET {path}", *pages))


TRACED = {
    "chat": (CHAT, chat(), True, 8),
    "chat of temperature one": (CHAT, chat(temperature=1, top_p=0.5, max_tokens=1), True, 8),
    "chat stream": (CHAT, chat(max_tokens=40, stream=True), True, 8),
    "chat of decode alone": (CHAT, chat(), False, 5),
    "completion of two prompts and two answers": (COMPLETIONS, completion(prompt=[PROMPT, "Two"], n=2, temperature=1), True, 8),
    "refused": (CHAT, chat(model="other"), True, 4),
}


@pytest.mark.parametrize("name", TRACED)
def test_spans(real, simulated, name):
    path, body, has_two_legs, count = TRACED[name]
    lines = []
    for stack in (real, simulated):
        trace_id, traceparent = new_trace()
        stack.ask(path, body, two_legs=has_two_legs, traceparent=traceparent)
        stack.find_trace(trace_id, count)
        mine = lambda: [span for _, _, span in stack.sent_spans() if span["traceId"] == trace_id]  # noqa: B023, E731
        wait_at_most(60, lambda: len(mine()) >= count, mine)  # noqa: B023
        lines.append(span_lines(stack.sent_spans(), trace_id))
    judge(differences(f"spans of {name}", *lines))


# Scenario: after all of the above, the pages of metrics of both servers, but for those of Python, of its process and of its HTTP server.
def test_metrics(real, simulated):
    found = []
    for role in ("prefill", "decode"):
        ours, theirs = (page_lines(getattr(stack, role).page()) for stack in (simulated, real))
        names = lambda families: {re.sub(r":\w+_created$", ":*_created", name) for name in families if name.startswith("vllm:")}  # noqa: E731
        found += differences("metrics", names(theirs), names(ours))
        for name in sorted(set(ours) & set(theirs)):
            found += differences(f"metrics: {name}", theirs[name], ours[name])
    judge(list(dict.fromkeys(found)))
