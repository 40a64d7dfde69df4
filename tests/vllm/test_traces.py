# SPDX-License-Identifier: Apache-2.0
"""What `serve` holds of a request at a real vLLM pair: one trace, with the spans of all three in their places."""

import json
import urllib.parse

import pytest
from stacks import MODEL, messages, new_prompt, new_trace, wait_at_most
from test_demo import tree

SLACK_US = 1000  # Jaeger tells microseconds, vLLM starts at multiples of 256 ns, and wall clocks are read by each


def leg(name, service):
    return ("routing-proxy", f"llm_d.pd_proxy.{name}", [("routing-proxy", "HTTP POST", [(service, "llm_request", [])])])


def two_legs(path):
    return [("routing-proxy", f"llm_d.pd_proxy.POST {path}", [("routing-proxy", "llm_d.pd_proxy.request", [leg("prefill", "vllm-prefill"), leg("decode", "vllm-decode")])])]


def tags(span):
    return {tag["key"]: tag["value"] for tag in span["tags"]}


def by_service(trace):
    """{(service, name): spans}"""
    found = {}
    for span in trace["spans"]:
        found.setdefault((trace["processes"][span["processID"]]["serviceName"], span["operationName"]), []).append(span)
    return found


# Scenario: a client that traces asks, whole and streamed.
# Guarantees: one trace with prefill and decode side by side, each vLLM's span below the CLIENT span of its leg and within its time; ids and tokens agree with the
# answer; vLLM's times fit the proxy's.
@pytest.mark.parametrize("streams", [False, True])
def test_two_legs_are_one_trace(real, streams):
    trace_id, traceparent = new_trace()
    body = {"model": MODEL, "messages": messages(new_prompt()), "max_tokens": 12, "ignore_eos": True, "stream": streams}
    status, _, answer = real.ask("/v1/chat/completions", body, traceparent=traceparent)
    assert status == 200
    trace = real.find_trace(trace_id, 8)
    real.record(f"jaeger-chat{'-stream' if streams else ''}.json", trace)
    assert tree(trace) == two_legs("/v1/chat/completions")
    spans = by_service(trace)
    request = tags(spans["routing-proxy", "llm_d.pd_proxy.request"][0])
    first = json.loads(answer.split(b"\n")[0].removeprefix(b"data: ")) if streams else json.loads(answer)
    assert first["id"] == "chatcmpl-" + request["llm_d.pd_proxy.request_id"]
    for role, tokens in (("prefill", 1), ("decode", 12)):
        span = spans[f"vllm-{role}", "llm_request"][0]
        seen = tags(span)
        assert seen["gen_ai.request.id"] == first["id"]
        assert seen["span.kind"] == "server" and seen["otel.scope.name"] == "vllm.tracing.otel"
        assert (seen["gen_ai.usage.completion_tokens"], seen["gen_ai.request.max_tokens"]) == (tokens, tokens)
        client = next(parent for parent in trace["spans"] if parent["spanID"] == span["references"][0]["spanID"])
        assert client["operationName"] == "HTTP POST" and tags(client)["span.kind"] == "client"
        assert client["startTime"] - SLACK_US <= span["startTime"]
        if role == "prefill" or not streams:  # the end of a stream may reach the client before vLLM closes its span
            assert span["startTime"] + span["duration"] <= client["startTime"] + client["duration"] + SLACK_US
    assert request["llm_d.pd_proxy.prefill_duration_ms"] >= 1000 * tags(spans["vllm-prefill", "llm_request"][0])["gen_ai.latency.time_in_model_inference"]
    decode = tags(spans["vllm-decode", "llm_request"][0])
    assert request["llm_d.pd_proxy.ttft_ms"] >= request["llm_d.pd_proxy.prefill_duration_ms"]
    assert decode["gen_ai.latency.time_in_queue"] > tags(spans["vllm-prefill", "llm_request"][0])["gen_ai.latency.time_in_queue"], "the transfer is counted in the queue"


# Guarantees: without a client's trace the proxy begins one, with the same tree, which is found by vLLM's request id.
def test_the_proxy_begins_the_trace(real):
    status, _, answer = real.ask("/v1/completions", {"model": MODEL, "prompt": new_prompt(), "max_tokens": 3})
    assert status == 200
    request_id = json.loads(answer)["id"] + "-0"
    query = urllib.parse.urlencode({"service": "vllm-decode", "tags": json.dumps({"gen_ai.request.id": request_id}), "lookback": "1h", "limit": 10})
    found = []

    def is_whole():
        found[:] = real.collector.get(f"/api/traces?{query}")[1]["data"]
        return found and len(found[0]["spans"]) == 8

    wait_at_most(60, is_whole, lambda: found)
    assert len(found) == 1 and tree(found[0]) == two_legs("/v1/completions")
    assert not by_service(found[0])["routing-proxy", "llm_d.pd_proxy.POST /v1/completions"][0]["references"]


# Guarantees: Jaeger's other answers know the three services and what they do, and that the proxy calls both servers.
def test_jaegers_lists(real):
    test_the_proxy_begins_the_trace(real)
    assert {"routing-proxy", "vllm-prefill", "vllm-decode"} <= set(real.collector.get("/api/services")[1]["data"])
    for service in ("vllm-prefill", "vllm-decode"):
        assert "llm_request" in real.collector.get(f"/api/services/{service}/operations")[1]["data"]
        assert {"name": "llm_request", "spanKind": "server"} in real.collector.get(f"/api/operations?service={service}")[1]["data"]
    calls = {(call["parent"], call["child"]) for call in real.collector.get("/api/dependencies?endTs=4102444800000&lookback=4102444800000")[1]["data"]}
    assert {("routing-proxy", "vllm-prefill"), ("routing-proxy", "vllm-decode")} <= calls


# Guarantees: one leg has vLLM's span below its CLIENT span, and says why there is no prefill.
def test_one_leg_is_one_trace(real):
    trace_id, traceparent = new_trace()
    assert real.ask("/v1/chat/completions", {"model": MODEL, "messages": messages(new_prompt()), "max_tokens": 3}, two_legs=False, traceparent=traceparent)[0] == 200
    trace = real.find_trace(trace_id, 5)
    assert tree(trace) == [("routing-proxy", "llm_d.pd_proxy.POST /v1/chat/completions", [("routing-proxy", "llm_d.pd_proxy.request", [leg("decode", "vllm-decode")])])]
    request = tags(by_service(trace)["routing-proxy", "llm_d.pd_proxy.request"][0])
    assert (request["llm_d.pd_proxy.disaggregation_used"], request["llm_d.pd_proxy.reason"]) == (False, "no_prefill_header")


# Scenario: a client leaves while decode streams.
# Guarantees: the trace has prefill whole, and the proxy's decode leg as one that its client left; vLLM says nothing of it.
def test_the_trace_of_a_client_that_leaves(real):
    trace_id, traceparent = new_trace()
    connection = real.connect()
    body = json.dumps({"model": MODEL, "messages": messages(new_prompt()), "max_tokens": 8000, "ignore_eos": True, "stream": True})
    connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json", "traceparent": traceparent, **real.headers(two_legs=True)})
    assert connection.getresponse().read(40)
    connection.close()
    wait_at_most(60, lambda: real.decode.metric("vllm:num_requests_running") == 0, lambda: "decode goes on")
    trace = real.find_trace(trace_id, 7)
    real.record("jaeger-client-gone.json", trace)
    spans = by_service(trace)
    assert ("vllm-prefill", "llm_request") in spans and ("vllm-decode", "llm_request") not in spans
    assert tags(spans["routing-proxy", "llm_d.pd_proxy.request"][0])["llm_d.pd_proxy.error"] == "client_gone"


# Guarantees: a refused request has the proxy's spans with vLLM's status, and none of vLLM's.
def test_the_trace_of_a_refused_request(real):
    trace_id, traceparent = new_trace()
    assert real.ask("/v1/chat/completions", {"model": "other", "messages": messages("a")}, traceparent=traceparent)[0] == 404
    trace = real.find_trace(trace_id, 4)
    real.record("jaeger-refused.json", trace)
    spans = by_service(trace)
    assert {service for service, _ in spans} == {"routing-proxy"}
    assert tags(spans["routing-proxy", "llm_d.pd_proxy.prefill"][0])["llm_d.pd_proxy.prefill.status_code"] == 404
    assert tags(spans["routing-proxy", "llm_d.pd_proxy.POST /v1/chat/completions"][0])["http.response.status_code"] == 404
