// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { makeTrace, tag } from "../testing/traces";
import { summarise } from "./trace_summary";

function usage(input: number, output: number, request: string) {
  return [
    tag("gen_ai.usage.prompt_tokens", input),
    tag("gen_ai.usage.completion_tokens", output),
    tag("gen_ai.request.id", request),
  ];
}

// Scenario: a P/D request as vLLM reports it: prefill answers one token, decode all, both the same prompt.
// Guarantees: tokens are counted once.
it("does not add up prefill and decode", () => {
  const trace = makeTrace(
    { id: "r", service: "epp", tags: [tag("gen_ai.request.model", "Qwen/Qwen2.5-0.5B")] },
    { id: "p", service: "vllm-prefill", tags: usage(312, 1, "chatcmpl-1") },
    { id: "d", service: "vllm-decode", tags: usage(312, 64, "chatcmpl-1") },
  );
  expect(summarise(trace)?.llm).toEqual({ model: "Qwen/Qwen2.5-0.5B", inputTokens: 312, outputTokens: 64 });
});

// Scenario: n=2, one request of two sequences, two spans with one request id.
// Guarantees: the shared prompt counts once, the answers both.
it("counts a prompt shared by sequences once", () => {
  const trace = makeTrace({ id: "a", tags: usage(10, 5, "cmpl-1-0") }, { id: "b", tags: usage(10, 7, "cmpl-1-0") });
  expect(summarise(trace)?.llm).toMatchObject({ inputTokens: 10, outputTokens: 12 });
});

it("adds up the requests of an agent", () => {
  const trace = makeTrace({ id: "a", tags: usage(10, 5, "cmpl-1") }, { id: "b", tags: usage(20, 7, "cmpl-2") });
  expect(summarise(trace)?.llm).toMatchObject({ inputTokens: 30, outputTokens: 12 });
});

it("is absent where nothing speaks of a model or tokens", () => {
  expect(summarise(makeTrace({ id: "a", tags: [tag("http.route", "/")] }))?.llm).toBeUndefined();
});
