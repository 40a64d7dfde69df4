# SPDX-License-Identifier: Apache-2.0
"""A real prefill pod dies: while it works, and before it is asked. The last file of its folder, since it has to be started again for whoever comes after."""

import concurrent.futures
import json

from stacks import ANSWER_SECONDS_MAX, MODEL, messages, new_prompt, new_trace, wait_at_most
from test_traces import by_service, tags


def ask(stack, body, traceparent):
    status, _, answer = stack.ask("/v1/chat/completions", body, traceparent=traceparent)
    assert status == 200, answer
    return json.loads(answer)


# Scenario: prefill takes a request and is killed with it in its hands; the next one finds nobody at its port.
# Guarantees: decode does all of both, answers as ever, and computes the prompts itself; the traces say that prefill failed and that it was a fallback, and
# decode's span is where it belongs.
def test_decode_does_all_when_prefill_dies(real):
    computed = lambda: real.decode.metric("vllm:prompt_tokens_by_source_total", source="local_compute")  # noqa: E731
    body = {"model": MODEL, "messages": messages(new_prompt()), "max_tokens": 5, "temperature": 0, "ignore_eos": True}
    alone = json.loads(real.ask("/v1/chat/completions", body)[2])
    for dies_with_it in (True, False):
        body["messages"] = messages(new_prompt())
        before, (trace_id, traceparent) = computed(), new_trace()
        if dies_with_it:
            real.prefill.freeze()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                asked = pool.submit(ask, real, body, traceparent)
                wait_at_most(ANSWER_SECONDS_MAX, real.prefill.has_unread_bytes, lambda: "the request never reached prefill")
                real.prefill.kill()
                answer = asked.result()
        else:
            answer = ask(real, body, traceparent)
        assert answer["usage"]["completion_tokens"] == 5 and set(answer) == set(alone)
        trace = real.find_trace(trace_id, 7)
        real.record(f"jaeger-prefill-{'killed' if dies_with_it else 'gone'}.json", trace)
        spans = by_service(trace)
        request, prefill = (spans["routing-proxy", f"llm_d.pd_proxy.{name}"][0] for name in ("request", "prefill"))
        assert tags(request)["llm_d.pd_proxy.fallback"] is True and "error" not in tags(request)
        assert tags(prefill)["error"] is True
        decode_client = next(span for span in spans["routing-proxy", "HTTP POST"] if span["references"][0]["spanID"] == spans["routing-proxy", "llm_d.pd_proxy.decode"][0]["spanID"])
        assert spans["vllm-decode", "llm_request"][0]["references"][0]["spanID"] == decode_client["spanID"]
        assert ("vllm-prefill", "llm_request") not in spans
        wait_at_most(ANSWER_SECONDS_MAX, lambda: computed() - before == answer["usage"]["prompt_tokens"], computed)  # noqa: B023


# Guarantees: a prefill pod that comes back at another port is used again.
def test_a_new_prefill_pod_is_used(real):
    before = real.decode.metric("vllm:nixl_bytes_transferred_count")
    assert real.ask("/v1/completions", {"model": MODEL, "prompt": new_prompt(), "max_tokens": 3})[0] == 200
    transfers = lambda: real.decode.metric("vllm:nixl_bytes_transferred_count") - before  # noqa: E731
    wait_at_most(ANSWER_SECONDS_MAX, lambda: transfers() == 1, transfers)
