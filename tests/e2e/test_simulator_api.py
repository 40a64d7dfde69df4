# SPDX-License-Identifier: Apache-2.0
"""The APIs of a simulated model server beside OpenAI's: Anthropic's messages, token ids in and out, prompts as they are rendered."""

import json

import pytest
from conftest import request
from otlp_backend import Backend
from simulators import llm_spans, simulate  # noqa: F401

ASKED = {"model": "tiny", "max_tokens": 12, "system": "Be brief.", "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]}
TOOLS = [{"name": "weather", "input_schema": {"type": "object"}}, {"name": "time", "input_schema": {"properties": {"zone": {"const": 7}}, "required": ["zone"]}}]


def events_of(text):
    """[(name, data)] of a stream of named events."""
    found = []
    for event in text.decode().split("\n\n")[:-1]:
        name, _, data = event.partition("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    assert all(name == data["type"] for name, data in found)
    return found


# Scenario: a message whole and streamed, from one seed, and what the chat API says to the same.
# Guarantees: both have the chat's text; events come in the order of the API, blocks are numbered and closed, tokens are counted as count_tokens counts them; the span has the chat's id.
def test_messages(simulate):
    backend = Backend()
    try:
        simulator = simulate("--seed=2", f"--otlp-traces-endpoint=127.0.0.1:{backend.port}")
        chat = simulator.post("/v1/chat/completions", {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}], "max_tokens": 12})[2]
        status, _, answer = simulator.post("/v1/messages", ASKED, **{"X-Request-Id": "abc"})
        assert (status, answer["id"], answer["type"], answer["role"], answer["model"]) == (200, "chatcmpl-abc", "message", "assistant", "tiny")
        assert answer["content"] == [{"type": "text", "text": chat["choices"][0]["message"]["content"]}]
        assert answer["stop_reason"] == {"stop": "end_turn", "length": "max_tokens"}[chat["choices"][0]["finish_reason"]]
        assert answer["usage"] == {"input_tokens": chat["usage"]["prompt_tokens"], "output_tokens": chat["usage"]["completion_tokens"]}
        assert simulator.post("/v1/messages/count_tokens", {"model": "tiny", "system": "Be brief.", "messages": ASKED["messages"]})[2] == {"input_tokens": answer["usage"]["input_tokens"]}
        events = events_of(simulator.post("/v1/messages", {**ASKED, "stream": True})[2])
        names = [name for name, _ in events]
        assert names[:2] == ["message_start", "content_block_start"] and names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
        assert set(names[2:-3]) == {"content_block_delta"}
        assert "".join(data["delta"]["text"] for name, data in events if name == "content_block_delta") == answer["content"][0]["text"]
        assert events[0][1]["message"]["usage"] == {"input_tokens": answer["usage"]["input_tokens"], "output_tokens": 0}
        assert events[-2][1]["delta"] == {"stop_reason": answer["stop_reason"]} and events[-2][1]["usage"] == answer["usage"]
        assert simulator.stop() == 0
        assert "chatcmpl-abc" in [attributes["gen_ai.request.id"] for _, attributes, _ in llm_spans(backend)]
    finally:
        backend.stop()


# Guarantees: a tool that must be called is, with an object as its input, whole and streamed; its result can be told.
def test_messages_with_tools(simulate):
    simulator = simulate()
    asked = {**ASKED, "max_tokens": 200, "tools": TOOLS, "tool_choice": {"type": "tool", "name": "time"}}
    answer = simulator.post("/v1/messages", asked)[2]
    assert answer["stop_reason"] == "tool_use" and [block["type"] for block in answer["content"]] == ["tool_use"]
    assert answer["content"][0]["name"] == "time" and answer["content"][0]["input"] == {"zone": 7}
    events = events_of(simulator.post("/v1/messages", {**asked, "stream": True})[2])
    start = next(data for name, data in events if name == "content_block_start")
    assert (start["index"], start["content_block"]["name"], start["content_block"]["input"]) == (0, "time", {})
    assert json.loads("".join(data["delta"]["partial_json"] for name, data in events if name == "content_block_delta")) == {"zone": 7}
    assert events[-2][1]["delta"]["stop_reason"] == "tool_use"
    told = [*ASKED["messages"], {"role": "assistant", "content": answer["content"]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": answer["content"][0]["id"], "content": [{"type": "text", "text": "noon"}]}]}]
    assert simulator.post("/v1/messages", {**asked, "messages": told, "tool_choice": {"type": "none"}})[2]["stop_reason"] in ("end_turn", "max_tokens")


# Guarantees: what the model says no to has Anthropic's form, what is no request has vLLM's own, as there; each its status.
@pytest.mark.parametrize("changes, status, form", [
    ({"model": "other"}, 404, "error"), ({"max_tokens": 5000}, 400, "error"), ({"max_tokens": None}, 400, None), ({"messages": [], "system": None}, 400, None), ({"messages": [{"role": "x"}]}, 400, None),
    ({"tool_choice": {"type": "any"}}, 400, None), ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, 400, None), ({"model": ""}, 400, None),
])
def test_messages_that_are_refused(simulate, changes, status, form):
    answered, _, answer = simulate().post("/v1/messages", {**ASKED, **changes})
    assert (answered, answer.get("type")) == (status, form) and answer["error"]["message"] and answer["error"]["type"]


# Scenario: a prompt is rendered, and its token ids are asked for; a chat is rendered.
# Guarantees: the ids that come back are the text that a completion gives; renders have the tokens that usage counts.
def test_token_ids_in_and_out(simulate):
    simulator = simulate("--seed=2")
    rendered = simulator.post("/v1/completions/render", {"prompt": ["One two", [5, 6]]})[2]
    rendered = json.loads(rendered)
    assert rendered[1]["token_ids"] == [5, 6] and rendered[0]["request_id"]
    whole = simulator.post("/v1/completions", {"prompt": "One two", "max_tokens": 9})[2]
    status, _, answer = simulator.post("/inference/v1/generate", {"token_ids": rendered[0]["token_ids"], "sampling_params": {"max_tokens": 9}}, **{"X-Request-Id": "abc"})
    assert (status, answer["request_id"]) == (200, "generate-tokens-abc")
    assert simulator.post("/detokenize", {"tokens": answer["choices"][0]["token_ids"]})[2]["prompt"] == whole["choices"][0]["text"]
    assert answer["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    messages = [{"role": "user", "content": "Hello"}]
    chat = simulator.post("/v1/chat/completions", {"messages": messages, "max_tokens": 1})[2]
    assert len(simulator.post("/v1/chat/completions/render", {"messages": messages})[2]["token_ids"]) == chat["usage"]["prompt_tokens"]
    kept = simulator.post("/inference/v1/generate", {"token_ids": [1, 2], "sampling_params": {"max_tokens": 9}, "kv_transfer_params": {"do_remote_decode": True}})[2]
    assert kept["kv_transfer_params"]["do_remote_prefill"] is True and len(kept["choices"][0]["token_ids"]) == 1
    for body in ({"token_ids": []}, {"sampling_params": {}}, {"token_ids": ["a"], "sampling_params": {}}, {"token_ids": [1], "sampling_params": {}, "stream": True}):
        assert simulator.post("/inference/v1/generate", body)[0] == 400, body
    assert json.loads(request(simulator.url("/load"))[2]) == {"server_load": 0}


# Scenario: texts are scored, one with one, one with many and pairwise; documents are ranked; texts are pooled; by an engine whose spans are sent.
# Guarantees: answers have vLLM's form, the ranking is that of the scores, best first, as many as asked for; every text has a span of no tokens; lengths that don't fit are refused.
def test_scores_and_pooling(simulate):
    backend = Backend()
    try:
        simulator = simulate(f"--otlp-traces-endpoint=127.0.0.1:{backend.port}")
        documents = ["stone", "a river of water", "water"]
        answer = simulator.post("/score", {"text_1": "river water", "text_2": documents}, **{"X-Request-Id": "s"})[2]
        scores = [item["score"] for item in answer["data"]]
        assert (answer["id"], answer["object"], [item["object"] for item in answer["data"]]) == ("score-s", "list", ["score"] * 3)
        assert scores[1] > scores[2] > scores[0] >= 0 and answer["usage"]["completion_tokens"] == 0
        assert [item["score"] for item in simulator.post("/v1/score", {"text_1": documents, "text_2": documents})[2]["data"]] == [1, 1, 1]
        answer = simulator.post("/v1/rerank", {"query": "river water", "documents": documents, "top_n": 2})[2]
        assert [(item["index"], item["document"]["text"], item["relevance_score"]) for item in answer["results"]] == [(1, documents[1], scores[1]), (2, documents[2], scores[2])]
        answer = simulator.post("/pooling", {"input": ["a", "b"], "dimensions": 8})[2]
        assert [(item["object"], len(item["data"])) for item in answer["data"]] == [("pooling", 8)] * 2
        status, _, answer = simulator.post("/score", {"text_1": ["a", "b"], "text_2": ["a", "b", "c"]})
        assert (status, answer["error"]["message"]) == (400, "Input lengths must be either 1:1, 1:N or N:N")
        for path, body in (("/score", {"text_1": "a"}), ("/rerank", {"query": "a", "documents": []}), ("/rerank", {"documents": ["a"]}), ("/pooling", {})):
            assert simulator.post(path, body)[0] == 400, path
        assert simulator.stop() == 0
        spans = llm_spans(backend)
        assert len(spans) == 3 + 3 + 3 + 2 and {entry[1]["gen_ai.usage.completion_tokens"] for entry in spans} == {0}
        assert {"score-s-0", "score-s-1", "score-s-2"} <= {entry[1]["gen_ai.request.id"] for entry in spans}
    finally:
        backend.stop()
